//! `transparencyLog`: the head of the tenant's proof tree, for auditors to keep (GN-26).
//!
//! Invariant: what is given is what was signed; nothing is signed for asking.

use async_graphql::{Context, Object, Result, SimpleObject};
use rollcall_projections::proof::{Signer, is_no_evidence, store};

use crate::graphql::{
    errors::fault,
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
}
