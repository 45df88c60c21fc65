//! Grants that a rule would have ended: unused for a number of days, or older than that.
//!
//! Invariant: a grant is reached once, at the first moment at which the rule would have ended it.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::values::TenantZone;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{InForce, Reach, Whose};
use crate::{
    Snapshot,
    access_register::{
        Cause,
        ledger::{always, never},
    },
    right_use::Noting,
};

/// What ends grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndingRule {
    /// Nothing that the grant opens was used for so many days.
    Unused { days: i32 },
    /// It was given so many days ago.
    Limited { days: i32 },
}

/// The grants of which the portal notices uses, each with the kinds of rights it opens.
const OBSERVED: [(&str, &[&str]); 4] = [
    ("ORG_ROLE", &["VIEW_ORGANIZATION", "MANAGE_USERS"]),
    ("NPI_LEVEL", &["VIEW_NPI", "MANAGE_PIN"]),
    ("PLAN_ROLE", &["PLAN_ROLE"]),
    ("SUBMISSION", &["SUBMIT_TRANSACTIONS"]),
];
const NOT_OBSERVED: [&str; 5] = ["CORRESPONDENCE", "FEATURE", "JOB_ROLE", "LOCATION", "TAX_ID"];

/// Where a page goes on: the row of the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndKey(pub i64, pub i16);

/// A grant that the rule would have ended.
#[derive(Clone, Debug)]
pub struct SimulatedEnd {
    pub key: EndKey,
    /// The register's kind of the grant, e.g. `NPI_LEVEL`.
    pub kind: String,
    pub user: Uuid,
    pub organization: Option<Uuid>,
    /// `*` for all NPIs.
    pub npi: Option<String>,
    /// The feature or plan role, or the id of a job role, location or tax id.
    pub name: Option<String>,
    /// The level, role or types.
    pub value: Vec<String>,
    pub granted_from: DateTime<Utc>,
    /// When it ended in fact, or is to.
    pub held_until: Option<DateTime<Utc>>,
    pub cause: Cause,
    pub cause_position: i64,
    pub ends_at: DateTime<Utc>,
    /// The last day of use before.
    pub last_used: Option<NaiveDate>,
}

#[derive(FromRow)]
struct Row {
    known_from: i64,
    ordinal: i16,
    kind: String,
    user_id: Uuid,
    organization_id: Option<Uuid>,
    npi: Option<String>,
    name: Option<String>,
    value: Vec<String>,
    granted_from: DateTime<Utc>,
    held_until: DateTime<Utc>,
    cause: String,
    cause_position: i64,
    ends_at: DateTime<Utc>,
    last_used: Option<NaiveDate>,
}

/// One page of grants in the order in which they were written down, `limit` at most.
///
/// # Errors
/// The database's.
pub async fn ends(
    view: &mut Snapshot,
    rule: EndingRule,
    time: (InForce, TenantZone),
    whose: &Whose,
    after: Option<EndKey>,
    limit: i64,
) -> Result<Vec<SimulatedEnd>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT * FROM ");
    call(view, &mut query, rule, time, whose).await?;
    if let Some(EndKey(position, ordinal)) = after {
        query.push(" s WHERE (s.known_from, s.ordinal) > (").push_bind(position);
        query.push(", ").push_bind(ordinal).push(")");
    }
    query.push(" ORDER BY known_from, ordinal LIMIT ").push_bind(limit);
    let rows: Vec<Row> = query.build_query_as().fetch_all(view.connection()).await?;
    rows.into_iter().map(Row::read).collect()
}

/// The most grants that are counted; of more the answer says that it is not complete.
const MOST_COUNTED: i64 = 100_000;

/// How much the rule would have reached in all, as far as that is counted.
///
/// # Errors
/// The database's.
pub async fn end_counts(
    view: &mut Snapshot,
    rule: EndingRule,
    time: (InForce, TenantZone),
    whose: &Whose,
) -> Result<Reach, sqlx::Error> {
    // What is looked up differs from grant to grant: remembering it took most of the time.
    sqlx::query("SELECT set_config('enable_memoize', 'off', true)")
        .execute(view.connection())
        .await?;
    let mut query = QueryBuilder::new(
        "SELECT count(DISTINCT user_id), count(DISTINCT organization_id), count(*)
           FROM (SELECT user_id, organization_id FROM ",
    );
    call(view, &mut query, rule, time, whose).await?;
    query.push(" LIMIT ").push_bind(MOST_COUNTED + 1).push(") found");
    let (people, organizations, rights): (i64, i64, i64) =
        query.build_query_as().fetch_one(view.connection()).await?;
    Ok(Reach { people, organizations, rights, complete: rights <= MOST_COUNTED })
}

/// How many grants of the time are of kinds whose use the portal does not notice: left out of what is
/// called unused.
///
/// # Errors
/// The database's.
pub async fn not_observable(
    view: &mut Snapshot,
    time: InForce,
    whose: &Whose,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM read.access_intervals i
          WHERE i.tenant_id = $1 AND i.kind = ANY ($2) AND i.user_id IS NOT NULL
            AND i.known_from <= $3 AND (i.known_to IS NULL OR i.known_to > $3)
            AND i.valid_from < $5 AND i.valid_to > $4
            AND (i.kind <> 'CORRESPONDENCE' OR i.value <> '{}')
            AND ($6::uuid IS NULL OR i.organization_id = $6)
            AND ($7::uuid[] IS NULL OR i.organization_id = ANY ($7))",
    )
    .bind(view.tenant().0)
    .bind(NOT_OBSERVED.to_vec())
    .bind(time.known_at)
    .bind(time.from)
    .bind(time.to)
    .bind(whose.organization)
    .bind(whose.within.clone())
    .fetch_one(view.connection())
    .await
}

/// The call of the function that answers. Nothing is known yet of uses on a day that is not over.
async fn call(
    view: &mut Snapshot,
    query: &mut QueryBuilder<'_, Postgres>,
    rule: EndingRule,
    (time, zone): (InForce, TenantZone),
    whose: &Whose,
) -> Result<(), sqlx::Error> {
    let noting = Noting::read(view).await?;
    let watched = |opened: &[&str]| {
        let since = opened.iter().map(|kind| noting.watched_since(kind, always()));
        since.max().unwrap_or(time.from)
    };
    let (is_unused, days, kinds) = match rule {
        EndingRule::Unused { days } => (true, days, OBSERVED.map(|(kind, _)| kind).to_vec()),
        EndingRule::Limited { days } => {
            let all = OBSERVED.iter().map(|(kind, _)| *kind).chain(NOT_OBSERVED);
            (false, days, all.collect())
        }
    };
    query.push("ops.simulated_ends(").push_bind(view.tenant().0);
    query.push(", ").push_bind(time.known_at);
    query.push(", ").push_bind(is_unused);
    query.push(", ").push_bind(days);
    query.push(", ").push_bind(time.from);
    if is_unused {
        query.push(", least(").push_bind(time.to);
        query.push(", date_trunc('day', ").push_bind(time.now).push(" AT TIME ZONE ");
        query.push_bind(zone.name()).push(") AT TIME ZONE ").push_bind(zone.name()).push(")");
    } else {
        query.push(", ").push_bind(time.to);
    }
    query.push(", ").push_bind(zone.name());
    for (_, opened) in OBSERVED {
        query.push(", ").push_bind(watched(opened));
    }
    query.push(", ").push_bind(kinds);
    query.push(", ").push_bind(whose.organization);
    query.push(", ").push_bind(whose.within.clone()).push(")");
    Ok(())
}

impl Row {
    fn read(self) -> Result<SimulatedEnd, sqlx::Error> {
        let unknown = || sqlx::Error::Decode(format!("{} is not known", self.cause).into());
        Ok(SimulatedEnd {
            key: EndKey(self.known_from, self.ordinal),
            cause: Cause::parse(&self.cause).ok_or_else(unknown)?,
            kind: self.kind,
            user: self.user_id,
            organization: self.organization_id,
            npi: self.npi,
            name: self.name,
            value: self.value,
            granted_from: self.granted_from,
            held_until: Some(self.held_until).filter(|end| *end < never()),
            cause_position: self.cause_position,
            ends_at: self.ends_at,
            last_used: self.last_used,
        })
    }
}
