//! What people chose about mail. Invariant: a later choice replaces an earlier one of its type.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::UserId,
    notifications::{Frequency, NotificationType, Preference},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Snapshot;

/// The newest choices of a batch.
#[derive(Default)]
pub(super) struct Chosen(BTreeMap<(UserId, NotificationType), (Preference, DateTime<Utc>)>);

impl Chosen {
    pub fn take(
        &mut self,
        of: (UserId, NotificationType),
        preference: Preference,
        at: DateTime<Utc>,
    ) {
        self.0.insert(of, (preference, at));
    }

    pub async fn store(self, tx: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let rows = || self.0.iter();
        sqlx::query(
            "INSERT INTO notification_preferences (tenant_id, user_id, type, email, frequency,
               chosen_at)
             SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bool[], $5::text[],
               $6::timestamptz[])
             ON CONFLICT (tenant_id, user_id, type) DO UPDATE SET email = excluded.email,
               frequency = excluded.frequency, chosen_at = excluded.chosen_at",
        )
        .bind(tenant)
        .bind(rows().map(|((user, _), _)| user.0).collect::<Vec<_>>())
        .bind(rows().map(|((_, kind), _)| kind.as_str()).collect::<Vec<_>>())
        .bind(rows().map(|(_, (preference, _))| preference.email).collect::<Vec<_>>())
        .bind(rows().map(|(_, (preference, _))| preference.frequency.as_str()).collect::<Vec<_>>())
        .bind(rows().map(|(_, (_, at))| *at).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// A person's own choice for one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnChoice {
    pub preference: Preference,
    pub chosen_at: DateTime<Utc>,
}

/// What a person chose, by type.
///
/// # Errors
/// The database did not answer.
pub async fn own_choices(
    view: &mut Snapshot,
    user: UserId,
) -> Result<BTreeMap<NotificationType, OwnChoice>, sqlx::Error> {
    let rows: Vec<(String, bool, String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT type, email, frequency, chosen_at FROM read.notification_preferences
          WHERE tenant_id = $1 AND user_id = $2",
    )
    .bind(view.tenant().0)
    .bind(user.0)
    .fetch_all(view.connection())
    .await?;
    // A type of a newer version is not this version's to show.
    let known = |(kind, email, frequency, chosen_at): (String, bool, String, DateTime<Utc>)| {
        let frequency = Frequency::parse(&frequency)?;
        let preference = Preference { email, frequency };
        Some((NotificationType::parse(&kind)?, OwnChoice { preference, chosen_at }))
    };
    Ok(rows.into_iter().filter_map(known).collect())
}
