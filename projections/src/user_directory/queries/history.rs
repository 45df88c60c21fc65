//! `user(id){history}` (MC-30). Invariant: newest first, and one statement for any number of people.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::{
    ActorKind,
    ids::{OrganizationId, UserId},
};
use uuid::Uuid;

use crate::{Snapshot, user_directory::MemberFact};

/// One fact about a person in an organisation.
#[derive(Clone, Debug)]
pub struct FactRow {
    pub fact: MemberFact,
    pub npi: Option<String>,
    pub old: Option<String>,
    pub new: Option<String>,
    pub actor: ActorKind,
    pub actor_id: Option<Uuid>,
    /// First and last name of the actor, where they are a person.
    pub actor_name: Option<String>,
    pub position: i64,
    pub occurred_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    user_id: Uuid,
    fact: String,
    npi: Option<String>,
    old: Option<String>,
    new: Option<String>,
    actor_kind: String,
    actor_id: Option<Uuid>,
    actor_name: Option<String>,
    position: i64,
    occurred_at: DateTime<Utc>,
}

/// The latest `limit` facts about each of the users.
///
/// # Errors
/// The database did not answer.
pub async fn histories(
    view: &mut Snapshot,
    organization: OrganizationId,
    users: &[UserId],
    limit: i64,
) -> Result<BTreeMap<UserId, Vec<FactRow>>, sqlx::Error> {
    let rows: Vec<Raw> = sqlx::query_as(
        "SELECT h.user_id, h.fact, h.npi, h.old, h.new, h.actor_kind, h.actor_id,
                coalesce(k.name, nullif(concat_ws(' ', p.first_name, p.last_name), '')) AS actor_name,
                h.position, h.occurred_at
           FROM UNNEST($3::uuid[]) AS asked(user_id)
          CROSS JOIN LATERAL (
                SELECT * FROM read.directory_history h
                 WHERE h.tenant_id = $1 AND h.organization_id = $2 AND h.user_id = asked.user_id
                 ORDER BY h.position DESC LIMIT $4) h
           LEFT JOIN read.people p ON p.tenant_id = h.tenant_id AND p.user_id = h.actor_id
           LEFT JOIN read.api_keys k ON k.tenant_id = h.tenant_id AND k.key_id = h.actor_id
          ORDER BY h.position DESC",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(users.iter().map(|user| user.0).collect::<Vec<_>>())
    .bind(limit)
    .fetch_all(view.connection())
    .await?;
    let mut found: BTreeMap<UserId, Vec<FactRow>> = BTreeMap::new();
    for raw in rows {
        let row = FactRow {
            fact: MemberFact::parse(&raw.fact).expect("only the projection's words are stored"),
            npi: raw.npi,
            old: raw.old,
            new: raw.new,
            actor: ActorKind::parse(&raw.actor_kind).expect("only the envelope's words are stored"),
            actor_id: raw.actor_id,
            actor_name: raw.actor_name,
            position: raw.position,
            occurred_at: raw.occurred_at,
        };
        found.entry(UserId(raw.user_id)).or_default().push(row);
    }
    Ok(found)
}
