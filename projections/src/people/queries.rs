//! Who somebody is. Invariant: asked by id only; who may ask was decided before.

use std::collections::BTreeMap;

use rollcall_domain::kernel::ids::UserId;
use uuid::Uuid;

use crate::Snapshot;

/// A person as known now; what was erased or never given is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    pub user_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    /// E.164.
    pub mobile: Option<String>,
    /// E.164.
    pub business_phone: Option<String>,
    pub username: Option<String>,
    /// Whether mail to the address is known to arrive.
    pub email_verified: bool,
}

impl Person {
    /// Somebody of whom nothing but the id is known.
    #[must_use]
    pub fn unknown(user: UserId) -> Self {
        Self { user_id: user.0, ..Self::default() }
    }

    /// First and last name, or what is left of them.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }
}

/// First and last name, or what is left of them; none of somebody who was erased.
#[must_use]
pub fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let names: Vec<&str> = [first, last].into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// One person.
///
/// # Errors
/// The database did not answer.
pub async fn person(view: &mut Snapshot, user: UserId) -> Result<Option<Person>, sqlx::Error> {
    Ok(persons(view, &[user]).await?.remove(&user))
}

/// Several people by one query; those nothing is known of are missing.
///
/// # Errors
/// The database did not answer.
pub async fn persons(
    view: &mut Snapshot,
    users: &[UserId],
) -> Result<BTreeMap<UserId, Person>, sqlx::Error> {
    let rows: Vec<Person> = sqlx::query_as(
        "SELECT user_id, first_name, last_name, email, mobile, business_phone, username,
                email_verified
           FROM read.people WHERE tenant_id = $1 AND user_id = ANY($2)",
    )
    .bind(view.tenant().0)
    .bind(users.iter().map(|user| user.0).collect::<Vec<_>>())
    .fetch_all(view.connection())
    .await?;
    Ok(rows.into_iter().map(|person| (UserId(person.user_id), person)).collect())
}
