//! What people on a list may do now, by kinds of rights, and when they last used them (GN-16).
//!
//! Invariant: two statements for any number of people.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::permissions::right_use::RightKind;
use uuid::Uuid;

use crate::{Snapshot, access_register::Moment, right_use::AsOf};

/// A kind of right that somebody has in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldRight {
    pub kind: RightKind,
    /// For how many NPIs, features and so on.
    pub count: i64,
    /// Since when one of them is held.
    pub since: DateTime<Utc>,
    /// The last day on which any of them was used.
    pub used_on: Option<NaiveDate>,
}

/// The kinds of rights of each of these people in an organisation at a moment.
///
/// # Errors
/// The database's.
pub async fn held_rights(
    view: &mut Snapshot,
    (moment, day): (Moment, NaiveDate),
    (organization, users): (Uuid, &[Uuid]),
) -> Result<HashMap<Uuid, Vec<HeldRight>>, sqlx::Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let tenant = view.tenant().0;
    let held: Vec<(Uuid, String, i64, DateTime<Utc>)> = sqlx::query_as(
        "SELECT a.user_id, a.access_right, count(*), min(a.valid_from)
           FROM ops.effective_access($1, $2, $3, $4, $5, NULL) a
          WHERE a.organization_id = $5
          GROUP BY a.user_id, a.access_right ORDER BY a.user_id, a.access_right",
    )
    .bind(tenant)
    .bind(moment.true_at)
    .bind(moment.known_at)
    .bind(users.to_vec())
    .bind(organization)
    .fetch_all(view.connection())
    .await?;
    let as_of = AsOf { day, known_at: moment.known_at };
    let used = used(view, as_of, (organization, users)).await?;
    let mut rights: HashMap<Uuid, Vec<HeldRight>> = HashMap::new();
    for (user, word, count, since) in held {
        let Some(kind) = RightKind::parse(&word) else {
            return Err(sqlx::Error::Decode(format!("{word} is not known").into()));
        };
        let used_on = used.get(&(user, word)).copied();
        rights.entry(user).or_default().push(HeldRight { kind, count, since, used_on });
    }
    Ok(rights)
}

async fn used(
    view: &mut Snapshot,
    as_of: AsOf,
    (organization, users): (Uuid, &[Uuid]),
) -> Result<HashMap<(Uuid, String), NaiveDate>, sqlx::Error> {
    let days: Vec<(Uuid, String, NaiveDate)> = sqlx::query_as(
        "SELECT u.user_id, u.kind, max(u.day) FROM read.right_uses u
          WHERE u.tenant_id = $1 AND u.user_id = ANY ($2) AND u.organization_id = $3
            AND u.day <= $4 AND u.recorded_position <= $5
          GROUP BY u.user_id, u.kind",
    )
    .bind(view.tenant().0)
    .bind(users.to_vec())
    .bind(organization)
    .bind(as_of.day)
    .bind(as_of.known_at)
    .fetch_all(view.connection())
    .await?;
    Ok(days.into_iter().map(|(user, kind, day)| ((user, kind), day)).collect())
}
