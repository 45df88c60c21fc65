//! From rows to the schema's affiliations. Invariant: signatures and reasons are opened only when
//! they were asked for, by one look at the journal for all affiliations of an answer.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::{Context, Lookahead, Result};
use rollcall_commands::{
    Caller, Commands,
    affiliations::{Papers, Signed, papers},
};
use rollcall_domain::{
    kernel::ids::{AffiliationId, UserId},
    policies::agreement::Agreement,
    values::{AgreementKind, Npi},
};
use rollcall_projections::affiliations::{AffiliationRow, AffiliationStatus, AffiliationView};

use super::types::{
    Affiliation, AffiliationAssignment, AffiliationParty, AffiliationScope, AffiliationSide,
    AffiliationSignature,
};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    scalars::{Date, DateTime, NpiScalar},
};

/// Whether fields of an affiliation are selected that only the events hold.
pub fn needs_papers(affiliation: &Lookahead<'_>) -> bool {
    ["signatures", "reason", "assignments"]
        .into_iter()
        .any(|field| affiliation.field(field).exists())
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
    let in_force = agreement_in_force(ctx, &rows).await?;
    let acting = ctx.data::<Caller>()?.organization();
    let shown = rows.into_iter().map(|view| {
        let mut papers = found.remove(&AffiliationId(view.row.affiliation_id)).unwrap_or_default();
        // Who works for the submitter is not the provider's to know by name.
        if acting.is_some_and(|organization| organization.0 == view.row.provider_id) {
            papers.assignments.clear();
        }
        (view.row.requested_position, affiliation(view, papers, in_force.as_deref()))
    });
    Ok(shown.collect())
}

/// The version of the affiliation agreement in force, where one of the rows may be due for renewal.
async fn agreement_in_force(ctx: &Context<'_>, rows: &[AffiliationView]) -> Result<Option<String>> {
    if !rows.iter().any(|view| view.row.status == AffiliationStatus::Active) {
        return Ok(None);
    }
    let (journal, tenant) = (&ctx.data::<Commands>()?.journal, ctx.data::<Caller>()?.tenant);
    let stream = tenant.agreement_stream(AgreementKind::AffiliationAgreement);
    let agreement = journal.load_fresh::<Agreement>(tenant, stream).await;
    let agreement = agreement.map_err(|error| fault(&error))?.state;
    Ok(agreement.current(journal.now()).map(|edition| edition.version.clone()))
}

fn affiliation(view: AffiliationView, papers: Papers, in_force: Option<&str>) -> Affiliation {
    let AffiliationView { row, submitter_name, provider_name } = view;
    let due = |signed: &Option<String>| {
        row.status == AffiliationStatus::Active
            && in_force.is_some()
            && signed.as_deref() != in_force
    };
    let (submitter_due, provider_due) = (due(&row.submitter_version), due(&row.provider_version));
    Affiliation {
        id: NodeType::Affiliation.id(row.affiliation_id),
        status: row.status.into(),
        initiator: if row.initiator_id == row.submitter_id {
            AffiliationSide::Submitter
        } else {
            AffiliationSide::Provider
        },
        submitter: AffiliationParty {
            organization_id: NodeType::Organization.id(row.submitter_id),
            name: submitter_name,
            signed_at: row.submitter_signed_at.map(DateTime::from),
            signed_version: row.submitter_version.clone(),
            renewal_due: submitter_due,
        },
        provider: AffiliationParty {
            organization_id: NodeType::Organization.id(row.provider_id),
            name: provider_name,
            signed_at: row.provider_signed_at.map(DateTime::from),
            signed_version: row.provider_version.clone(),
            renewal_due: provider_due,
        },
        requested_at: row.requested_at.into(),
        expires_at: row.expires_at.into(),
        effective_from: row.effective_from.map(DateTime::from),
        ends_on: row.ends_on.map(Date::from),
        closed_at: row.closed_at.map(DateTime::from),
        reason: papers.reason,
        signatures: papers.signatures.into_iter().map(signature).collect(),
        assignments: papers.assignments.into_iter().map(assignment).collect(),
        version: i32::try_from(row.version).unwrap_or(i32::MAX),
        scope: scope(row),
    }
}

fn assignment((user, npis): (UserId, BTreeSet<Npi>)) -> AffiliationAssignment {
    AffiliationAssignment {
        user_id: NodeType::User.id(user),
        npis: npis.iter().map(NpiScalar::from).collect(),
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
