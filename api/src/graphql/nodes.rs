//! `node(id)` and `nodes(ids)`: any object by its global id (Relay).
//!
//! Invariant: another tenant's id, one that never was and one the caller may not see all answer
//! null; each type is looked up once however many ids of it there are.

use std::collections::HashMap;

use async_graphql::{Context, ID, Interface, Object, Result};
use rollcall_domain::{Code, Refusal};
use uuid::Uuid;

use super::{
    audit::{self, AuditEvent},
    errors::top_level,
    ids::{NodeType, decode},
    paging::MAX_PAGE,
};

/// An object with a global id.
#[derive(Clone, Debug, Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "The global id."))]
pub enum Node {
    AuditEvent(Box<AuditEvent>),
}

/// Objects by id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object of this id; null where there is none for the caller.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        Ok(find(ctx, &[id]).await?.pop().flatten())
    }

    /// The objects of these ids, at most 100, in their order, each null where there is none for the
    /// caller.
    #[graphql(complexity = "ids.len() * child_complexity + 1")]
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if i32::try_from(ids.len()).is_ok_and(|count| count <= MAX_PAGE) {
            return find(ctx, &ids).await;
        }
        let message = format!("Ask for {MAX_PAGE} objects at a time at most.");
        Err(top_level(Refusal::new(Code::PageSizeExceeded, message).at("ids")))
    }
}

async fn find(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    let wanted: Vec<Option<(NodeType, Uuid)>> = ids.iter().map(decode).collect();
    let of = |kind: NodeType| -> Vec<Uuid> {
        wanted.iter().flatten().filter(|(of, _)| *of == kind).map(|(_, uuid)| *uuid).collect()
    };
    let events = of(NodeType::AuditEvent);
    let events =
        if events.is_empty() { HashMap::new() } else { audit::nodes::by_ids(ctx, &events).await? };
    Ok(wanted
        .into_iter()
        .map(|wanted| match wanted? {
            (NodeType::AuditEvent, id) => {
                events.get(&id).map(|event| Node::AuditEvent(Box::new(event.clone())))
            }
            (
                NodeType::Tenant
                | NodeType::Organization
                | NodeType::User
                | NodeType::Invitation
                | NodeType::RegistrationToken
                | NodeType::Registration
                | NodeType::Session
                | NodeType::Pin
                | NodeType::Affiliation
                | NodeType::Notification
                | NodeType::AccessRight
                | NodeType::PlanStaff,
                _,
            ) => None,
        })
        .collect())
}
