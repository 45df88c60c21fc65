//! The names a page's sentences need, in four statements however long the page is.
//!
//! Invariant: what an event mentions and nobody knows is told by its id, never looked up one by one.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use rollcall_domain::kernel::ids::UserId;
use uuid::Uuid;

use super::sentences::Names;
use crate::{Snapshot, access_reviews::THE_PLAN, erasures, people};

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

/// For how long a name that was read is told without being read again. Who is erased or renamed while a
/// long file is read is so from the next second on.
const KNOWN_FOR: Duration = Duration::from_secs(1);
/// The most ids that are known at a time.
const MOST_KNOWN: usize = 50_000;

/// Names that pages which follow each other share, for a second.
#[derive(Debug, Default)]
pub struct KnownNames {
    names: Names,
    /// What was looked up, whether it has a name or not.
    ids: HashSet<Uuid>,
    since: Option<Instant>,
}

impl KnownNames {
    /// The names of these ids, so that what is told of a page needs nothing else.
    pub(super) async fn of(
        &mut self,
        view: &mut Snapshot,
        ids: &HashSet<Uuid>,
    ) -> Result<Names, sqlx::Error> {
        let is_old = self.since.is_none_or(|since| since.elapsed() > KNOWN_FOR);
        if is_old || self.ids.len() > MOST_KNOWN {
            *self = Self { since: Some(Instant::now()), ..Self::default() };
        }
        let unknown: HashSet<Uuid> = ids.difference(&self.ids).copied().collect();
        if !unknown.is_empty() {
            let Names { people, erased, organizations, things } = read(view, &unknown).await?;
            self.names.people.extend(people);
            self.names.erased.extend(erased);
            self.names.organizations.extend(organizations);
            self.names.things.extend(things);
            self.ids.extend(unknown);
        }
        let of = |known: &HashMap<Uuid, String>| {
            ids.iter().filter_map(|id| Some((*id, known.get(id)?.clone()))).collect()
        };
        Ok(Names {
            people: of(&self.names.people),
            erased: ids.intersection(&self.names.erased).copied().collect(),
            organizations: of(&self.names.organizations),
            things: of(&self.names.things),
        })
    }
}

/// Looks the ids up among people and organisations; none in an answer that is pinned to a place.
pub(crate) async fn read(view: &mut Snapshot, ids: &HashSet<Uuid>) -> Result<Names, sqlx::Error> {
    if view.pinned().is_some() {
        return Ok(Names::default());
    }
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
    // No table has it, since it is no organisation.
    let plan = view.tenant().plan_itself().0;
    let plan = ids.contains(&plan).then(|| (plan, THE_PLAN.to_owned()));
    let people = people.into_iter().filter_map(|(id, person)| Some((id.0, person.full_name()?)));
    Ok(Names {
        people: people.collect(),
        erased,
        organizations: organizations.into_iter().chain(plan).collect(),
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
