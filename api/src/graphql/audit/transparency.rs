//! `transparencyLog`: the head of the tenant's proof tree, for auditors to keep (GN-26).
//!
//! Invariant: what is given is what was signed; nothing is signed for asking.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use rollcall_projections::{
    audit_timeline,
    proof::{Signer, is_no_evidence, store},
};

use super::{input, viewer};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    reading::read,
    scalars::{DateTime, Position},
};
use rollcall_commands::{Access, audit::AUDITORS};

/// The proof of the tenant's log: an RFC 6962 tree whose leaf n stands for the event at position
/// n + 1, with signed heads (C2SP tlog-checkpoint).
#[derive(Clone, Debug, SimpleObject)]
pub struct TransparencyLog {
    /// The log's name, the first line of every checkpoint.
    pub origin: String,
    /// Events sealed so far; those after this position follow within seconds.
    pub sealed_position: Position,
    /// The latest signed checkpoint, as text; keep it. Later ones are proven to continue it.
    pub checkpoint: Option<String>,
    /// The position it holds for: every event up to there is under it.
    pub checkpoint_position: Option<Position>,
    pub signed_at: Option<DateTime>,
    /// The keys that checkpoints of today are signed with (C2SP signed-note verifier keys). Have
    /// them given to you another way too, once: a key that comes with what it signs proves nothing.
    pub verifier_keys: Vec<String>,
    /// Whether the log is of a demonstration or of development, whose clock can be set (GN-35).
    pub is_evidence: bool,
}

/// The proof that one event is in the log, unaltered and in its place.
#[derive(Clone, Debug, SimpleObject)]
pub struct InclusionProof {
    /// The event's position; the leaf's index is one less.
    pub position: Position,
    /// The leaf's bytes: canonical JSON (RFC 8785) in which what is nobody else's business is hidden
    /// behind commitments.
    pub leaf: String,
    /// Index, path and checkpoint as one text (C2SP tlog-proof), to be checked with the log's keys.
    pub tlog_proof: String,
}

/// Proof of the log.
#[derive(Default)]
pub struct TransparencyQuery;

#[Object]
impl TransparencyQuery {
    /// The head of the tenant's proof tree; null until its first event is sealed. For auditors and
    /// plan administrators, those of some organisations too: a head tells nothing but how many events
    /// there are.
    async fn transparency_log(&self, ctx: &Context<'_>) -> Result<Option<TransparencyLog>> {
        let mut reading = read(ctx, Access::PlanWithin(AUDITORS), None).await?;
        let tenant = reading.view.tenant();
        let latest = store::latest(reading.view.connection(), tenant).await;
        let Some(latest) = latest.map_err(|error| fault(&error))? else { return Ok(None) };
        let signer = ctx.data::<Signer>()?;
        let now = ctx.data::<rollcall_commands::Commands>()?.journal.now();
        let keys = signer.verifier_keys(tenant, &latest.origin, now);
        let signed = latest.checkpoint;
        Ok(Some(TransparencyLog {
            sealed_position: Position(latest.size),
            checkpoint_position: signed.as_ref().map(|signed| Position(signed.size)),
            signed_at: signed.as_ref().map(|signed| signed.signed_at.into()),
            checkpoint: signed.map(|signed| signed.note),
            verifier_keys: keys.map_err(|error| fault(&error))?,
            is_evidence: !is_no_evidence(&latest.origin),
            origin: latest.origin,
        }))
    }

    /// The proof that an `AuditEvent` is in the log; null until a checkpoint covers it, a second or
    /// so, and where there is no such event for the caller. For auditors and plan administrators,
    /// those of some organisations too.
    async fn inclusion_proof(
        &self,
        ctx: &Context<'_>,
        event_id: ID,
    ) -> Result<Option<InclusionProof>> {
        let event =
            input::id(NodeType::AuditEvent, Some(event_id), "eventId").map_err(top_level)?;
        let mut reading = read(ctx, Access::PlanWithin(AUDITORS), None).await?;
        let looking = viewer::looking_of_plan(&reading.authority)?;
        let view = &mut reading.view;
        let ids: Vec<_> = event.into_iter().collect();
        let found = audit_timeline::by_event_ids(view, &looking.sight, &ids).await;
        let Some(entry) = found.map_err(|error| fault(&error))?.pop() else { return Ok(None) };
        let tenant = view.tenant();
        let proof = store::inclusion(view.connection(), tenant, entry.position).await;
        let proof = proof.map_err(|error| fault(&error))?;
        Ok(proof.map(|proof| InclusionProof {
            position: Position(entry.position),
            leaf: proof.leaf,
            tlog_proof: proof.text,
        }))
    }
}
