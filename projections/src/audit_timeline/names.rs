//! The names a page's sentences need, in four statements however long the page is.
//!
//! Invariant: what an event mentions and nobody knows is told by its id, never looked up one by one.

use std::collections::BTreeSet;

use rollcall_domain::kernel::ids::UserId;
use serde_json::Value;
use uuid::Uuid;

use super::sentences::Names;
use crate::{Snapshot, erasures, people};

/// Every UUID that a payload mentions; which of them are people or organisations, the tables tell.
pub(super) fn mentioned(payload: &Value, into: &mut BTreeSet<Uuid>) {
    match payload {
        Value::String(text) => {
            if text.len() == 36 {
                into.extend(text.parse::<Uuid>().ok());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| mentioned(item, into)),
        Value::Object(fields) => {
            // Ciphertext mentions nobody who is not mentioned outside of it.
            if !fields.contains_key("$sealed") {
                fields.values().for_each(|field| mentioned(field, into));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Looks the ids up among people and organisations.
pub(super) async fn read(view: &mut Snapshot, ids: &BTreeSet<Uuid>) -> Result<Names, sqlx::Error> {
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
