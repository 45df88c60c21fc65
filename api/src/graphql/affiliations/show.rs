//! From rows to the schema's affiliations. Invariant: signatures and reasons are opened only when
//! they were asked for, by one look at the journal for all affiliations of an answer.

use std::collections::BTreeMap;

use async_graphql::{Context, Lookahead, Result};
use chrono::{DateTime as Instant, Utc};
use rollcall_commands::{
    Caller, Commands,
    affiliations::{Papers, Signed, papers},
};
use rollcall_domain::kernel::ids::AffiliationId;
use rollcall_projections::affiliations::{AffiliationRow, AffiliationView};
use uuid::Uuid;

use super::types::{
    Affiliation, AffiliationParty, AffiliationScope, AffiliationSide, AffiliationSignature,
};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    scalars::{Date, DateTime},
};

/// Whether fields of an affiliation are selected that only the events hold.
pub fn needs_papers(affiliation: &Lookahead<'_>) -> bool {
    affiliation.field("signatures").exists() || affiliation.field("reason").exists()
}

/// The affiliations in the order of their rows.
///
/// # Errors
/// A fault.
pub async fn show(
    ctx: &Context<'_>,
    rows: Vec<AffiliationView>,
    with_papers: bool,
) -> Result<Vec<(i64, Affiliation)>> {
    let mut found: BTreeMap<AffiliationId, Papers> = BTreeMap::new();
    if with_papers && !rows.is_empty() {
        let ids: Vec<_> = rows.iter().map(|view| AffiliationId(view.row.affiliation_id)).collect();
        let (journal, tenant) = (&ctx.data::<Commands>()?.journal, ctx.data::<Caller>()?.tenant);
        found = papers(journal, tenant, &ids).await.map_err(|error| fault(&error))?;
    }
    let shown = rows.into_iter().map(|view| {
        let papers = found.remove(&AffiliationId(view.row.affiliation_id)).unwrap_or_default();
        (view.row.requested_position, affiliation(view, papers))
    });
    Ok(shown.collect())
}

fn affiliation(view: AffiliationView, papers: Papers) -> Affiliation {
    let AffiliationView { row, submitter_name, provider_name } = view;
    Affiliation {
        id: NodeType::Affiliation.id(row.affiliation_id),
        status: row.status.into(),
        initiator: if row.initiator_id == row.submitter_id {
            AffiliationSide::Submitter
        } else {
            AffiliationSide::Provider
        },
        submitter: party(row.submitter_id, submitter_name, row.submitter_signed_at),
        provider: party(row.provider_id, provider_name, row.provider_signed_at),
        requested_at: row.requested_at.into(),
        expires_at: row.expires_at.into(),
        effective_from: row.effective_from.map(DateTime::from),
        ends_on: row.ends_on.map(Date::from),
        closed_at: row.closed_at.map(DateTime::from),
        reason: papers.reason,
        signatures: papers.signatures.into_iter().map(signature).collect(),
        version: i32::try_from(row.version).unwrap_or(i32::MAX),
        scope: scope(row),
    }
}

fn party(id: Uuid, name: String, signed_at: Option<Instant<Utc>>) -> AffiliationParty {
    AffiliationParty {
        organization_id: NodeType::Organization.id(id),
        name,
        signed_at: signed_at.map(DateTime::from),
    }
}

fn scope(row: AffiliationRow) -> AffiliationScope {
    AffiliationScope {
        all_npis: row.npis.is_none(),
        npis: row.npis.unwrap_or_default().into_iter().map(Into::into).collect(),
        transaction_types: row.transaction_types,
    }
}

fn signature(signed: Signed) -> AffiliationSignature {
    AffiliationSignature {
        side: signed.side.into(),
        signed_by: NodeType::User.id(signed.user),
        first_name: signed.first_name,
        last_name: signed.last_name,
        role: signed.role.into(),
        agreement_version: signed.agreement_version,
        sha256: signed.sha256,
    }
}
