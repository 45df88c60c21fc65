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
fn moments(id: &str) -> String {
    format!(
        "WITH moments AS (
           SELECT {id} AS id, d.review_id, d.decided_by, d.decided_at, count(*) AS items,
                  count(*) FILTER (WHERE d.decision = 'KEEP') AS kept,
                  d.decided_at - lag(d.decided_at) OVER (
                    PARTITION BY d.review_id, d.decided_by ORDER BY d.decided_at) AS took
             FROM read.access_reviews r
             JOIN read.access_review_decisions d ON d.tenant_id = r.tenant_id
                  AND d.review_id = r.review_id
            WHERE r.tenant_id = $1 AND {id} = ANY ($2)
            GROUP BY {id}, d.review_id, d.decided_by, d.decided_at)"
    )
}

/// A day of a review or campaign.
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

/// Figures of a review or campaign.
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

/// Of what there are figures.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Reviews,
    /// Of all reviews of each together.
    Campaigns,
}

impl Of {
    /// The column of `read.access_reviews` that tells them apart.
    const fn column(self) -> &'static str {
        match self {
            Self::Reviews => "r.review_id",
            Self::Campaigns => "r.campaign_id",
        }
    }
}

/// The figures of these reviews or campaigns, in four statements.
///
/// # Errors
/// The database did not answer.
pub async fn figures(
    view: &mut Snapshot,
    zone: TenantZone,
    (of, ids): (Of, &[Uuid]),
) -> Result<BTreeMap<Uuid, Figures>, sqlx::Error> {
    let mut figures: BTreeMap<Uuid, Figures> = BTreeMap::new();
    let (tenant, id) = (view.tenant().0, of.column());
    let days: Vec<(Uuid, NaiveDate, i64)> = sqlx::query_as(&format!(
        "SELECT {id}, (d.decided_at AT TIME ZONE $3)::date, count(*)
           FROM read.access_reviews r
           JOIN read.access_review_decisions d ON d.tenant_id = r.tenant_id AND d.review_id = r.review_id
          WHERE r.tenant_id = $1 AND {id} = ANY ($2) AND d.is_first
          GROUP BY 1, 2 ORDER BY 1, 2"
    ))
    .bind(tenant)
    .bind(ids.to_vec())
    .bind(zone.name())
    .fetch_all(view.connection())
    .await?;
    for (of, day, decided) in days {
        figures.entry(of).or_default().days.push(Day { day, decided });
    }
    // What is decided at once is one moment; the time before it went into all of its items.
    let (sitting, moments) = (sitting(), moments(id));
    let pace: Vec<(Uuid, Option<f64>)> = sqlx::query_as(&format!(
        "{moments} SELECT id, (extract(epoch FROM sum(took)) / sum(items))::float8
           FROM moments WHERE took <= {sitting} GROUP BY id"
    ))
    .bind(tenant)
    .bind(ids.to_vec())
    .fetch_all(view.connection())
    .await?;
    for (of, seconds) in pace {
        figures.entry(of).or_default().seconds_per_item = seconds;
    }
    let each: Vec<(Uuid, Uuid, i64, i64, Option<f64>)> = sqlx::query_as(&format!(
        "{moments} SELECT id, decided_by, sum(items)::bigint, sum(kept)::bigint,
                (extract(epoch FROM sum(took) FILTER (WHERE took <= {sitting}))
                 / sum(items) FILTER (WHERE took <= {sitting}))::float8
           FROM moments GROUP BY id, decided_by ORDER BY 3 DESC, decided_by"
    ))
    .bind(tenant)
    .bind(ids.to_vec())
    .fetch_all(view.connection())
    .await?;
    for (of, reviewer, decided, kept, seconds_per_item) in each {
        let pace = ReviewerPace { reviewer, decided, kept, seconds_per_item };
        figures.entry(of).or_default().reviewers.push(pace);
    }
    let removals: Vec<(Uuid, Option<f64>, Option<i64>)> = sqlx::query_as(&format!(
        "SELECT {id}, percentile_cont(0.5) WITHIN GROUP (ORDER BY i.delay_s)::float8, max(i.delay_s)
           FROM read.access_reviews r
           JOIN read.access_review_items i ON i.tenant_id = r.tenant_id AND i.review_id = r.review_id
          WHERE r.tenant_id = $1 AND {id} = ANY ($2) AND i.decision = 'REVOKE' AND i.verified
          GROUP BY 1"
    ))
    .bind(tenant)
    .bind(ids.to_vec())
    .fetch_all(view.connection())
    .await?;
    for (of, median, longest) in removals {
        let of = figures.entry(of).or_default();
        (of.removal_median_s, of.removal_longest_s) = (median, longest);
    }
    Ok(figures)
}
