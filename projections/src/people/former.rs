//! What stood in an account before it was changed: names, telephones, addresses (GN-06).
//!
//! Invariant: one row per replaced value, never changed; it stands beside `read.people` because it is
//! personal.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{TenantId, UserId},
    users::user::{DetailChanges, UserEvent},
};
use rollcall_journal::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use super::projection::open;
use crate::Snapshot;

/// Which detail a former value was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormerField {
    FirstName,
    LastName,
    Email,
    Mobile,
    BusinessPhone,
}

impl FormerField {
    const ALL: [Self; 5] =
        [Self::FirstName, Self::LastName, Self::Email, Self::Mobile, Self::BusinessPhone];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstName => "FIRST_NAME",
            Self::LastName => "LAST_NAME",
            Self::Email => "EMAIL",
            Self::Mobile => "MOBILE",
            Self::BusinessPhone => "BUSINESS_PHONE",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }
}

/// A value that was replaced.
#[derive(Clone, Debug)]
pub struct FormerDetail {
    pub user: UserId,
    pub field: FormerField,
    /// As it stood; absent where it was erased.
    pub value: Option<String>,
    pub replaced_at: DateTime<Utc>,
    /// First and last name of who changed it, where they are a person.
    pub replaced_by: Option<String>,
}

/// The values an event replaced.
fn replaced(event: &UserEvent) -> Vec<(UserId, FormerField, Option<String>)> {
    match event {
        UserEvent::ProfileUpdated { user, changed }
        | UserEvent::UserDetailsCorrected { user, changed } => {
            details(changed).map(|(field, old)| (*user, field, old)).collect()
        }
        UserEvent::PhoneChanged { user, old, .. } => vec![(*user, FormerField::Mobile, open(old))],
        UserEvent::EmailChanged { user, old, .. } => vec![(*user, FormerField::Email, open(old))],
        UserEvent::UserRegistered { .. }
        | UserEvent::EmailVerificationSent { .. }
        | UserEvent::UserErased { .. }
        | UserEvent::EmailVerified { .. }
        | UserEvent::UsernameDisclosed { .. }
        | UserEvent::UserImported { .. }
        | UserEvent::AgreementAccepted { .. }
        | UserEvent::NotificationPreferenceChanged { .. } => Vec::new(),
    }
}

fn details(changed: &DetailChanges) -> impl Iterator<Item = (FormerField, Option<String>)> {
    let first = changed.first_name.as_ref().map(|it| (FormerField::FirstName, open(&it.old)));
    let last = changed.last_name.as_ref().map(|it| (FormerField::LastName, open(&it.old)));
    // Where there was no number, nothing was replaced.
    let business = changed.business_phone.as_ref().and_then(|it| it.old.as_ref());
    let business = business.map(|old| (FormerField::BusinessPhone, open(old)));
    [first, last, business].into_iter().flatten()
}

pub(super) async fn store(
    tx: &mut PgConnection,
    tenant: TenantId,
    batch: &[&Recorded<AnyEvent>],
) -> Result<(), sqlx::Error> {
    let mut rows = Vec::new();
    for recorded in batch {
        if let AnyEvent::User(event) = &recorded.event {
            rows.extend(replaced(event).into_iter().map(|row| (*recorded, row)));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO former_details (tenant_id, user_id, position, field, value, replaced_at, actor_id)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::bigint[], $4::text[], $5::text[],
                                  $6::timestamptz[], $7::uuid[])",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|(_, (user, ..))| user.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|(it, _)| it.tenant_position).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, (_, field, _))| field.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, (.., value))| value.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(it, _)| it.occurred_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|(it, _)| it.actor.person().map(|user| user.0)).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// What stood before in the accounts of these people, newest first, by one query.
///
/// # Errors
/// The database did not answer.
pub async fn former_details(
    view: &mut Snapshot,
    users: &[UserId],
) -> Result<Vec<FormerDetail>, sqlx::Error> {
    type Row = (Uuid, String, Option<String>, DateTime<Utc>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT f.user_id, f.field, f.value, f.replaced_at,
                nullif(concat_ws(' ', p.first_name, p.last_name), '')
           FROM read.former_details f
           LEFT JOIN read.people p ON p.tenant_id = f.tenant_id AND p.user_id = f.actor_id
          WHERE f.tenant_id = $1 AND f.user_id = ANY($2)
          ORDER BY f.position DESC, f.field",
    )
    .bind(view.tenant().0)
    .bind(users.iter().map(|user| user.0).collect::<Vec<_>>())
    .fetch_all(view.connection())
    .await?;
    let detail = |(user, field, value, replaced_at, replaced_by): Row| FormerDetail {
        user: UserId(user),
        field: FormerField::parse(&field).expect("only the projection's words are stored"),
        value,
        replaced_at,
        replaced_by,
    };
    Ok(rows.into_iter().map(detail).collect())
}
