//! `RequestEvidence` and `OpenEvidence`: evidence about the log is taken away on record (GN-35).
//!
//! Invariant: a bundle leaves only after it stands in the log that it left.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    audit::{Evidence, EvidenceCommand, EvidenceQuestion, FETCHED_WITHIN, ReportQuestion},
    kernel::ids::{EvidenceId, OrganizationId},
    tenants::{PlanRole, PlanScope},
    values::Reason,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Access, Command, Context, Failure};

/// Who takes evidence away. The range of a bundle shows that there were events of every organisation;
/// whoever is kept to some gets the events of one without it (GN-31).
pub const AUDITORS: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa];

/// The right by which evidence is fetched.
#[must_use]
pub fn takes_away(kept_to: Option<OrganizationId>) -> Access {
    match kept_to {
        Some(organization) => Access::PlanOf(organization, AUDITORS),
        None => Access::Plan(AUDITORS),
    }
}

/// Asks for a bundle.
pub struct RequestEvidence {
    pub question: EvidenceQuestion,
    /// Asked for instead of events; of the whole log, and so by auditors of the whole plan.
    pub report: Option<Box<ReportQuestion>>,
    /// Whom it is for, and what for.
    pub recipient: Reason,
    pub purpose: Reason,
    /// Size of a checkpoint that the recipient holds.
    pub since: Option<i64>,
}

/// Lets a bundle out that was made.
pub struct OpenEvidence {
    pub evidence: EvidenceId,
    /// To which whoever asked is kept.
    pub kept_to: Option<OrganizationId>,
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

/// The leaves of a range show the type of every event in it, those of legal holds too, which are for
/// auditors and the administrators named for them (GN-26): asked when evidence is asked for, and when it
/// leaves.
fn check_holds(cx: &Context<'_>) -> Result<(), Refusal> {
    if cx.authority.plan_roles.contains_key(&PlanRole::Au) || cx.authority.is_records_officer {
        return Ok(());
    }
    let message = "Evidence shows which kinds of events there are, legal holds among them. Have an \
                   auditor ask for it, or be named as records officer.";
    Err(Refusal::new(Code::Forbidden, message))
}

#[async_trait]
impl Command for RequestEvidence {
    const NAME: &'static str = "RequestEvidence";
    type Output = AskedEvidence;

    fn access(&self) -> Access {
        match self.question.organization {
            Some(organization) => Access::PlanOf(organization, AUDITORS),
            None => Access::PlanWithin(AUDITORS),
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AskedEvidence, Failure> {
        check_holds(cx)?;
        // In another role they may see the whole plan; it is as auditors that they take evidence away.
        let mut held = AUDITORS.iter().filter_map(|role| cx.authority.plan_roles.get(role));
        let is_whole = held.any(PlanScope::is_whole);
        let kept_to = match self.question.organization {
            _ if is_whole => None,
            Some(organization) => Some(organization),
            None if self.report.is_some() => {
                let message = "A report is proven from the whole log, which is for auditors of the \
                               whole plan. Ask for the events of your organization.";
                return Err(Refusal::new(Code::Forbidden, message).at("report").into());
            }
            None => {
                let message = "Name the organization whose events you audit.";
                let refusal = Refusal::new(Code::FieldRequired, message);
                return Err(refusal.at("question.organization").into());
            }
        };
        let evidence = EvidenceId(Uuid::now_v7());
        let request = EvidenceCommand::Request {
            evidence,
            requested_by: cx.person()?,
            question: self.question.clone(),
            recipient: self.recipient.clone(),
            purpose: self.purpose.clone(),
            since: self.since,
            kept_to,
            report: self.report.clone(),
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
        takes_away(self.kept_to)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        check_holds(cx)?;
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
