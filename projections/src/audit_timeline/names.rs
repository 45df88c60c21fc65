//! The names a page's sentences need, in four statements however long the page is.
//!
//! Invariant: what an event mentions and nobody knows is told by its id, never looked up one by one.

use std::collections::HashSet;

use rollcall_domain::kernel::ids::UserId;
use uuid::Uuid;

use super::sentences::Names;
use crate::{Snapshot, erasures, people};

/// Letters of a UUID.
const UUID: usize = 36;

/// Every UUID that a payload mentions as a text of its own; which of them are people or
/// organisations, the tables tell.
pub(super) fn mentioned(payload: &str, into: &mut HashSet<Uuid>) {
    let text = payload.as_bytes();
    let mut from = 0;
    while let Some(quote) = text[from..].iter().position(|byte| *byte == b'"') {
        let start = from + quote + 1;
        from = start;
        let Some(word) = text.get(start..start + UUID).filter(|word| word[8] == b'-') else {
            continue;
        };
        if text.get(start + UUID) == Some(&b'"')
            && let Ok(id) = Uuid::try_parse_ascii(word)
        {
            into.insert(id);
            from = start + UUID + 1;
        }
    }
}

/// Looks the ids up among people and organisations.
pub(super) async fn read(view: &mut Snapshot, ids: &HashSet<Uuid>) -> Result<Names, sqlx::Error> {
    let users: Vec<UserId> = ids.iter().copied().map(UserId).collect();
    let people = people::persons(view, &users).await?;
    let erased = erasures::erased_of(view, &ids.iter().copied().collect::<Vec<_>>()).await?;
    let tenant = view.tenant().0;
    let organizations: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT id, name FROM read.organizations WHERE tenant_id = $1 AND id = ANY ($2)",
    )
    .bind(tenant)
    .bind(ids.iter().copied().collect::<Vec<_>>())
    .fetch_all(view.connection())
    .await?;
    let things: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT id, name FROM read.job_roles WHERE tenant_id = $1 AND id = ANY ($2)
         UNION ALL
         SELECT id, name FROM read.locations WHERE tenant_id = $1 AND id = ANY ($2)
         UNION ALL
         SELECT id, kind || ' ending in ' || last4 FROM read.tax_ids
          WHERE tenant_id = $1 AND id = ANY ($2)
         UNION ALL
         SELECT key_id, name FROM read.api_keys WHERE tenant_id = $1 AND key_id = ANY ($2)",
    )
    .bind(tenant)
    .bind(ids.iter().copied().collect::<Vec<_>>())
    .fetch_all(view.connection())
    .await?;
    let people = people.into_iter().filter_map(|(id, person)| Some((id.0, person.full_name()?)));
    Ok(Names {
        people: people.collect(),
        erased,
        organizations: organizations.into_iter().collect(),
        things: things.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_that_stands_for_itself_is_found_and_no_other() {
        let id = |n| Uuid::from_u128(n);
        let payload = format!(
            r#"{{"X":{{"user":"{}","list":["{}","{}"],"text":"not {}","short":"-","n":null}}}}"#,
            id(1),
            id(2),
            id(3),
            id(4)
        );
        let mut found = HashSet::new();
        mentioned(&payload, &mut found);
        assert_eq!(found, HashSet::from([id(1), id(2), id(3)]));
        mentioned(&payload[..payload.len() / 3], &mut found);
    }
}
