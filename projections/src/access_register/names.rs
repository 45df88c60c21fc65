//! The names of people and organisations beside what is told of them. Invariant: a fixed number of
//! statements for a whole page.

use std::collections::BTreeSet;

use uuid::Uuid;

pub use crate::audit_timeline::sentences::Names;
use crate::{Snapshot, audit_timeline};

/// Looks them up; none in an answer that is pinned to a place. Who was erased has none.
///
/// # Errors
/// The database's.
pub async fn names(
    view: &mut Snapshot,
    users: BTreeSet<Uuid>,
    organizations: BTreeSet<Uuid>,
) -> Result<Names, sqlx::Error> {
    let ids = users.into_iter().chain(organizations).collect();
    audit_timeline::names_of(view, &ids).await
}
