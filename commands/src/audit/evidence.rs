//! `RequestEvidence` and `OpenEvidence`: evidence about the log is taken away on record (GN-35).
//!
//! Invariant: a bundle leaves only after it stands in the log that it left.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    audit::{Evidence, EvidenceCommand, EvidenceQuestion, FETCHED_WITHIN},
    kernel::ids::EvidenceId,
    tenants::PlanRole,
    values::Reason,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Access, Command, Context, Failure};

/// Who takes evidence away: for the whole plan, since the range of a bundle shows that there were
/// events of every organisation.
pub const AUDITORS: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa];

/// Asks for a bundle.
pub struct RequestEvidence {
    pub question: EvidenceQuestion,
    /// Whom it is for, and what for.
    pub recipient: Reason,
    pub purpose: Reason,
    /// Size of a checkpoint that the recipient holds.
    pub since: Option<i64>,
}

/// Lets a bundle out that was made.
pub struct OpenEvidence {
    pub evidence: EvidenceId,
    pub checkpoint: i64,
    pub population: u64,
    /// Of the file, in hexadecimal digits.
    pub sha256: String,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AskedEvidence {
    pub evidence: EvidenceId,
    /// Until when it may be fetched.
    pub expires_at: DateTime<Utc>,
}

#[async_trait]
impl Command for RequestEvidence {
    const NAME: &'static str = "RequestEvidence";
    type Output = AskedEvidence;

    fn access(&self) -> Access {
        Access::Plan(AUDITORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AskedEvidence, Failure> {
        let evidence = EvidenceId(Uuid::now_v7());
        let request = EvidenceCommand::Request {
            evidence,
            requested_by: cx.person()?,
            question: self.question.clone(),
            recipient: self.recipient.clone(),
            purpose: self.purpose.clone(),
            since: self.since,
        };
        cx.decide::<Evidence>(evidence, request).await?;
        Ok(AskedEvidence { evidence, expires_at: cx.now + FETCHED_WITHIN })
    }
}

#[async_trait]
impl Command for OpenEvidence {
    const NAME: &'static str = "OpenEvidence";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(AUDITORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let open = EvidenceCommand::Open {
            evidence: self.evidence,
            by: cx.person()?,
            checkpoint: self.checkpoint,
            population: self.population,
            sha256: self.sha256.clone(),
        };
        cx.decide::<Evidence>(self.evidence, open).await?;
        Ok(())
    }
}
