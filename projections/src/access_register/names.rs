//! The names of people and organisations beside what is told of them. Invariant: two statements for a
//! whole page.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::kernel::ids::UserId;
use uuid::Uuid;

use crate::{Snapshot, people};

/// Names by id; who was erased has none.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub people: BTreeMap<Uuid, String>,
    pub organizations: BTreeMap<Uuid, String>,
}

/// Looks them up; none in an answer that is pinned to a place.
///
/// # Errors
/// The database's.
pub async fn names(
    view: &mut Snapshot,
    users: BTreeSet<Uuid>,
    organizations: BTreeSet<Uuid>,
) -> Result<Names, sqlx::Error> {
    if view.pinned().is_some() {
        return Ok(Names::default());
    }
    let users: Vec<UserId> = users.into_iter().map(UserId).collect();
    let people = people::persons(view, &users).await?;
    let organizations: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT id, name FROM read.organizations WHERE tenant_id = $1 AND id = ANY ($2)",
    )
    .bind(view.tenant().0)
    .bind(organizations.into_iter().collect::<Vec<_>>())
    .fetch_all(view.connection())
    .await?;
    Ok(Names {
        people: people.into_iter().filter_map(|(id, it)| Some((id.0, it.full_name()?))).collect(),
        organizations: organizations.into_iter().collect(),
    })
}
