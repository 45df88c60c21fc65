//! How reviews went: by day, how much was kept, how quickly was decided and how soon access ended
//! (GN-15, CC-13).
//!
//! Invariant: computed of the decisions as they were made, for a page of reviews at once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollcall_domain::values::TenantZone;
use uuid::Uuid;

use crate::Snapshot;

/// Two decisions of a reviewer that lie further apart were not made in one sitting.
const SITTING: &str = "30 minutes";

/// A day of a review or campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// In the tenant's time zone.
    pub day: NaiveDate,
    /// Items first decided about on that day.
    pub decided: i64,
}

/// Figures of a review or campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The days on which something was decided, in order.
    pub days: Vec<Day>,
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

/// The figures of these reviews or campaigns, in three statements.
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
    let pace: Vec<(Uuid, Option<f64>)> = sqlx::query_as(&format!(
        "WITH moments AS (
           SELECT {id} AS id, d.review_id, d.decided_by, d.decided_at, count(*) AS items,
                  d.decided_at - lag(d.decided_at) OVER (
                    PARTITION BY d.review_id, d.decided_by ORDER BY d.decided_at) AS took
             FROM read.access_reviews r
             JOIN read.access_review_decisions d ON d.tenant_id = r.tenant_id
                  AND d.review_id = r.review_id
            WHERE r.tenant_id = $1 AND {id} = ANY ($2)
            GROUP BY {id}, d.review_id, d.decided_by, d.decided_at)
         SELECT id, (extract(epoch FROM sum(took)) / sum(items))::float8
           FROM moments WHERE took <= interval '{SITTING}' GROUP BY id"
    ))
    .bind(tenant)
    .bind(ids.to_vec())
    .fetch_all(view.connection())
    .await?;
    for (of, seconds) in pace {
        figures.entry(of).or_default().seconds_per_item = seconds;
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
