//! Which words the names of people and organisations had when: rows of `audit_names`, and by them the
//! names of each event's row.
//!
//! Invariant: what stands in a row follows from the events up to it, however these were batched; a
//! word that a name keeps when it changes has one row throughout.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::AnyEvent;
use rollcall_journal::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{organizations, people};

/// The marked words of all names in row `u`, as they were then; of unqualified `audit_names`. By the names'
/// ids alone: over a table that was never analysed, the index by all that came before seems as good.
pub(super) const AT_THE_TIME: &str = "(
    SELECT array_to_tsvector(array_agg(DISTINCT '~' || n.word)) FROM audit_names n
     WHERE n.tenant_id = $1
       AND n.id IN (u.actor_id, u.subject_id, u.organization_id, u.subject_organization_id)
       AND n.since + 0 <= u.position AND (n.until IS NULL OR n.until > u.position))";

/// A part of somebody's name: whose, and which.
type Part = (Uuid, &'static str);

/// A part of a name as an event gives it.
struct Given {
    part: Part,
    position: i64,
    name: Option<String>,
}

fn given(recorded: &Recorded<AnyEvent>) -> Vec<Given> {
    let position = recorded.tenant_position;
    let of_person = people::names_given(&recorded.event).into_iter().flat_map(|(user, names)| {
        let parts = [(user.0, "FIRST"), (user.0, "LAST")].into_iter().zip(names);
        parts.filter_map(move |(part, name)| Some(Given { part, position, name: name? }))
    });
    let of_organization = organizations::name_given(&recorded.event).map(|(organization, name)| {
        Given { part: (organization.0, "NAME"), position, name: Some(name.to_owned()) }
    });
    of_person.chain(of_organization).collect()
}

/// The words that parts of names have, each since when.
type Words = BTreeMap<Part, BTreeMap<String, i64>>;

/// Takes in the names that a batch gives, before its rows are written.
pub(super) async fn store(
    tx: &mut PgConnection,
    batch: &[&Recorded<AnyEvent>],
) -> Result<(), sqlx::Error> {
    let given: Vec<Given> = batch.iter().flat_map(|recorded| given(recorded)).collect();
    let (Some(Recorded { tenant, .. }), false) = (batch.first(), given.is_empty()) else {
        return Ok(());
    };
    let mut standing = standing(tx, tenant.0, &given).await?;
    // Whose word since when, and until when.
    let mut rows: BTreeMap<(Part, String, i64), Option<i64>> = BTreeMap::new();
    for (Given { part, position, .. }, words) in given.iter().zip(words(tx, &given).await?) {
        let words: BTreeSet<String> = words.into_iter().collect();
        let stand = standing.entry(*part).or_default();
        stand.retain(|word, since| {
            let stays = words.contains(word);
            if !stays {
                rows.insert((*part, word.clone(), *since), Some(*position));
            }
            stays
        });
        for word in words {
            stand.entry(word.clone()).or_insert_with(|| {
                rows.insert((*part, word, *position), None);
                *position
            });
        }
    }
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    columns.extend(
        rows.into_iter().map(|(((id, part), word, since), until)| (id, part, word, since, until)),
    );
    sqlx::query(
        "INSERT INTO audit_names (tenant_id, id, part, word, since, until)
         SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
         ON CONFLICT (tenant_id, id, part, word, since) DO UPDATE SET until = excluded.until",
    )
    .bind(tenant.0)
    .bind(columns.0)
    .bind(columns.1)
    .bind(columns.2)
    .bind(columns.3)
    .bind(columns.4)
    .execute(tx)
    .await?;
    Ok(())
}

/// The words that the names had before, of whom others are given.
async fn standing(
    tx: &mut PgConnection,
    tenant: Uuid,
    given: &[Given],
) -> Result<Words, sqlx::Error> {
    let rows: Vec<(Uuid, String, String, i64)> = sqlx::query_as(
        "SELECT id, part, word, since FROM audit_names
          WHERE tenant_id = $1 AND id = ANY ($2) AND until IS NULL",
    )
    .bind(tenant)
    .bind(given.iter().map(|given| given.part.0).collect::<Vec<_>>())
    .fetch_all(tx)
    .await?;
    let mut words = Words::new();
    for (id, part, word, since) in rows {
        let part = ["FIRST", "LAST", "NAME"].into_iter().find(|it| *it == part).unwrap_or("NAME");
        words.entry((id, part)).or_default().insert(word, since);
    }
    Ok(words)
}

/// The words of each given name, as a search has them.
async fn words(tx: &mut PgConnection, given: &[Given]) -> Result<Vec<Vec<String>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(tsvector_to_array(ops.words(name)), '{}')
           FROM unnest($1::text[]) WITH ORDINALITY given(name, nth) ORDER BY nth",
    )
    .bind(given.iter().map(|given| given.name.as_deref()).collect::<Vec<_>>())
    .fetch_all(tx)
    .await
}

/// Marks the words that a batch gave to names of whom there are earlier events, once all are there.
pub(super) async fn mark_late(
    tx: &mut PgConnection,
    batch: &[&Recorded<AnyEvent>],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> =
        batch.iter().flat_map(|recorded| given(recorded)).map(|given| given.part.0).collect();
    let (Some(first), false) = (batch.first(), ids.is_empty()) else { return Ok(()) };
    sqlx::query(
        "UPDATE audit_names n SET late = true
          WHERE n.tenant_id = $1 AND n.id = ANY ($2) AND n.since >= $3 AND n.since > least(
            (SELECT min(t.position) FROM audit_timeline t
              WHERE t.tenant_id = n.tenant_id AND t.actor_id = n.id),
            (SELECT min(t.position) FROM audit_timeline t
              WHERE t.tenant_id = n.tenant_id AND t.subject_id = n.id),
            (SELECT min(t.position) FROM audit_timeline t
              WHERE t.tenant_id = n.tenant_id AND t.organization_id = n.id),
            (SELECT min(t.position) FROM audit_timeline t
              WHERE t.tenant_id = n.tenant_id AND t.subject_organization_id = n.id))",
    )
    .bind(first.tenant.0)
    .bind(ids)
    .bind(first.tenant_position)
    .execute(tx)
    .await?;
    Ok(())
}
