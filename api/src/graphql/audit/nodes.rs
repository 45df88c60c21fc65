//! Audit events by their ids. Invariant: what the caller may not see is absent, not refused.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_domain::api_keys::Scope;
use rollcall_projections::audit_timeline;
use uuid::Uuid;

use super::{types::AuditEvent, viewer};
use crate::graphql::errors::fault;

/// The events of these ids that the caller may see.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub async fn by_ids(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, AuditEvent>> {
    let (viewer, mut reading) = viewer::reading(ctx, None, Scope::ReadAudit, None).await?;
    let found = audit_timeline::by_event_ids(&mut reading.view, &viewer.sight(), ids).await;
    let found = found.map_err(|error| fault(&error))?;
    Ok(found.into_iter().map(|entry| (entry.event_id, AuditEvent::from(entry))).collect())
}
