//! From rows to the schema's requests. Invariant: what people wrote is opened only when it was asked
//! for, by one look at the journal for all requests of an answer.

use std::collections::BTreeMap;

use async_graphql::{Context, ID, Lookahead, Result};
use rollcall_commands::{
    Caller, Commands,
    access_requests::{self as texts, Texts},
};
use rollcall_domain::{
    access_requests::{RequestItem, RequestKind},
    kernel::ids::{AccessRequestId, OrganizationId},
    permissions::Entitlement,
};
use rollcall_projections::{access_requests::RequestView, people::full_name};
use uuid::Uuid;

use super::types::{AccessRequest, AccessRequestItem, AccessRequestKind, Moving, Visitor};
use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    errors::fault,
    ids::NodeType,
    scalars::{DateTime, EmailScalar, NpiScalar, PhoneScalar},
};

/// Whether fields of a request are selected that only the events hold.
pub fn needs_texts(request: &Lookahead<'_>) -> bool {
    ["why", "answer", "visitor", "moving"].iter().any(|field| request.field(field).exists())
}

/// The requests in the order of their rows.
///
/// # Errors
/// A fault.
pub async fn show(
    ctx: &Context<'_>,
    rows: Vec<RequestView>,
    with_texts: bool,
) -> Result<Vec<(i64, AccessRequest)>> {
    let mut found: BTreeMap<AccessRequestId, Texts> = BTreeMap::new();
    if with_texts && !rows.is_empty() {
        let ids: Vec<Uuid> = rows.iter().map(|view| view.row.request_id).collect();
        let (journal, tenant) = (&ctx.data::<Commands>()?.journal, ctx.data::<Caller>()?.tenant);
        found = texts::texts(journal, tenant, &ids).await.map_err(|error| fault(&error))?;
    }
    let shown = rows.into_iter().map(|view| {
        let texts = found.remove(&AccessRequestId(view.row.request_id)).unwrap_or_default();
        (view.row.requested_position, request(view, texts))
    });
    Ok(shown.collect())
}

fn request(view: RequestView, texts: Texts) -> AccessRequest {
    let RequestView { row, first_name, last_name, organization_name } = view;
    let name = full_name(first_name.as_deref(), last_name.as_deref());
    let kind = RequestKind::parse(&row.kind).unwrap_or(RequestKind::Mixed);
    AccessRequest {
        id: NodeType::AccessRequest.id(row.request_id),
        user: row.user_id.map(|user| PersonReference::new(user, name)),
        visitor: texts.visitor.map(visitor),
        moving: texts.moving.map(moving),
        organization: OrganizationReference::new(row.organization_id, organization_name),
        kind: kind.into(),
        items: row.items.0.iter().map(item).collect(),
        status: row.status.into(),
        routed_because: row.routed_because,
        why: texts.why,
        answer: texts.answer,
        until: row.access_until.map(DateTime::from),
        requested_at: row.requested_at.into(),
        routed_at: row.routed_at.map(DateTime::from),
        closed_at: row.closed_at.map(DateTime::from),
        decided_by: row.decided_by.map(|id| NodeType::User.id(id)),
        expires_at: row.expires_at.into(),
        version: i32::try_from(row.version).unwrap_or(i32::MAX),
    }
}

fn visitor(visitor: texts::Visitor) -> Visitor {
    Visitor {
        first_name: visitor.first_name,
        last_name: visitor.last_name,
        email: visitor.email.map(EmailScalar),
        phone: visitor.phone.map(PhoneScalar),
    }
}

fn moving(moving: texts::Moving) -> Moving {
    let organization = |id: OrganizationId| NodeType::Organization.id(id.0);
    Moving {
        npi: moving.npi.map(NpiScalar),
        email: moving.email.map(EmailScalar),
        user_id: moving.moved.map(|moved| NodeType::User.id(moved.user.0)),
        from_organization_id: moving.moved.map(|moved| organization(moved.from)),
        to_organization_id: moving.moved.map(|moved| organization(moved.to)),
    }
}

fn item(item: &RequestItem) -> AccessRequestItem {
    let mut shown = AccessRequestItem {
        kind: AccessRequestKind::from(item.kind()),
        npi: None,
        level: None,
        feature: None,
        job_role_id: None,
        location_id: None,
        location_name: None,
        tax_id_id: None,
        tax_id_ending: None,
    };
    match item {
        RequestItem::Npi { npi, level } => {
            shown.npi = Some(NpiScalar::from(npi));
            shown.level = Some((*level).into());
        }
        RequestItem::Grant(Entitlement::Feature(feature)) => {
            shown.feature = Some((*feature).into());
        }
        RequestItem::Grant(Entitlement::JobRole(id)) => {
            shown.job_role_id = Some(ID(id.to_string()));
        }
        RequestItem::Grant(Entitlement::Location(id)) => {
            shown.location_id = Some(ID(id.to_string()));
        }
        RequestItem::Grant(Entitlement::TaxId(id)) => shown.tax_id_id = Some(ID(id.to_string())),
        RequestItem::NewLocation { name } => shown.location_name = Some(name.to_string()),
        RequestItem::NewTaxId { reference } => {
            let ending = format!("{} {}", reference.kind.as_str(), reference.last4);
            shown.tax_id_ending = Some(ending);
        }
    }
    shown
}
