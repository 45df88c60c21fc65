//! How reviews went: by day, how much was kept, how quickly was decided and how soon access ended
//! (GN-15, CC-13).
//!
//! Invariant: computed of the decisions as they were made, for a page of reviews at once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollcall_domain::{access_reviews::SITTING, values::TenantZone};
use uuid::Uuid;

use crate::Snapshot;

/// [`SITTING`] as the database reads it.
fn sitting() -> String {
    format!("interval '{} seconds'", SITTING.num_seconds())
}

/// The moments at which reviewers decided, each with how long it took since the one before.
const MOMENTS: &str = "WITH moments AS (
   SELECT review_id, decided_by, decided_at, count(*) AS items,
          count(*) FILTER (WHERE decision = 'KEEP') AS kept,
          decided_at - lag(decided_at) OVER (
            PARTITION BY review_id, decided_by ORDER BY decided_at) AS took
     FROM read.access_review_decisions
    WHERE tenant_id = $1 AND review_id = ANY ($2)
    GROUP BY review_id, decided_by, decided_at)";

/// A day of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// In the tenant's time zone.
    pub day: NaiveDate,
    /// Items first decided about on that day.
    pub decided: i64,
}

/// How a reviewer decides in a review.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReviewerPace {
    pub reviewer: Uuid,
    /// Decisions, those included that another took the place of.
    pub decided: i64,
    pub kept: i64,
    /// As [`Figures::seconds_per_item`], of this reviewer.
    pub seconds_per_item: Option<f64>,
}

/// Figures of a review.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The days on which something was decided, in order.
    pub days: Vec<Day>,
    /// Of those who decided, who did most first.
    pub reviewers: Vec<ReviewerPace>,
    /// The mean of what a reviewer took for an item, within sittings; `None` where none has two moments.
    pub seconds_per_item: Option<f64>,
    /// The median of what lay between a decision to take access away and its effect, in seconds.
    pub removal_median_s: Option<f64>,
    /// The longest of them.
    pub removal_longest_s: Option<i64>,
}

/// The figures of these reviews, in four statements.
///
/// # Errors
/// The database did not answer.
pub async fn figures(
    view: &mut Snapshot,
    zone: TenantZone,
    reviews: &[Uuid],
) -> Result<BTreeMap<Uuid, Figures>, sqlx::Error> {
    let mut figures: BTreeMap<Uuid, Figures> = BTreeMap::new();
    let tenant = view.tenant().0;
    let days: Vec<(Uuid, NaiveDate, i64)> = sqlx::query_as(
        "SELECT review_id, (decided_at AT TIME ZONE $3)::date, count(*)
           FROM read.access_review_decisions
          WHERE tenant_id = $1 AND review_id = ANY ($2) AND is_first
          GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .bind(tenant)
    .bind(reviews.to_vec())
    .bind(zone.name())
    .fetch_all(view.connection())
    .await?;
    for (review, day, decided) in days {
        figures.entry(review).or_default().days.push(Day { day, decided });
    }
    // What is decided at once is one moment; the time before it went into all of its items.
    let sitting = sitting();
    let pace: Vec<(Uuid, Option<f64>)> = sqlx::query_as(&format!(
        "{MOMENTS} SELECT review_id, (extract(epoch FROM sum(took)) / sum(items))::float8
           FROM moments WHERE took <= {sitting} GROUP BY review_id"
    ))
    .bind(tenant)
    .bind(reviews.to_vec())
    .fetch_all(view.connection())
    .await?;
    for (review, seconds) in pace {
        figures.entry(review).or_default().seconds_per_item = seconds;
    }
    let each: Vec<(Uuid, Uuid, i64, i64, Option<f64>)> = sqlx::query_as(&format!(
        "{MOMENTS} SELECT review_id, decided_by, sum(items)::bigint, sum(kept)::bigint,
                (extract(epoch FROM sum(took) FILTER (WHERE took <= {sitting}))
                 / sum(items) FILTER (WHERE took <= {sitting}))::float8
           FROM moments GROUP BY review_id, decided_by ORDER BY 3 DESC, decided_by"
    ))
    .bind(tenant)
    .bind(reviews.to_vec())
    .fetch_all(view.connection())
    .await?;
    for (review, reviewer, decided, kept, seconds_per_item) in each {
        let pace = ReviewerPace { reviewer, decided, kept, seconds_per_item };
        figures.entry(review).or_default().reviewers.push(pace);
    }
    let removals: Vec<(Uuid, Option<f64>, Option<i64>)> = sqlx::query_as(
        "SELECT review_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY delay_s)::float8,
                max(delay_s)
           FROM read.access_review_items
          WHERE tenant_id = $1 AND review_id = ANY ($2) AND decision = 'REVOKE' AND verified
          GROUP BY review_id",
    )
    .bind(tenant)
    .bind(reviews.to_vec())
    .fetch_all(view.connection())
    .await?;
    for (review, median, longest) in removals {
        let of = figures.entry(review).or_default();
        (of.removal_median_s, of.removal_longest_s) = (median, longest);
    }
    Ok(figures)
}
