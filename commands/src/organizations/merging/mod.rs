//! `MergeOrganizations` and `ContinueMerge`: an organisation is merged into another one (GN-03).
//!
//! A merger is as many small appends as it takes, each decided on the streams as they stand, so an
//! organisation of any size goes over and a process that dies half-way leaves nothing half done: the
//! scheduler finds the next step due and any process goes on with it. The order makes before it breaks:
//! the successor holds the NPIs, places and affiliations while the former organisation still has them;
//! then each member leaves the one roster and joins the other, with their rights, in one append; only
//! then does the former organisation let go. The PIN of an NPI goes over with the last of these steps.
//!
//! Invariant: after every append a member of the former organisation has their rights in exactly one
//! of the two. A grant for all NPIs is carried over as one for each NPI that comes along,
//! so it opens nothing of the successor.

mod affiliations;
mod people;
mod rights;
mod steps;

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::OrganizationId,
    organizations::{
        MergePart, MergeStage, MergedRoles, Organization,
        organization::{MergeCommand, Merger, Phase},
    },
    tenants::PlanRole,
    values::Reason,
};
use serde::{Deserialize, Serialize};

use super::tokens;
use crate::{Access, Command, Context, Failure};

/// Has an organisation merged into another one.
pub struct MergeOrganizations {
    pub from: OrganizationId,
    pub into: OrganizationId,
    /// What goes over; the rest ends with the organisation.
    pub parts: BTreeSet<MergePart>,
    /// Whether its people keep their organisation-wide role.
    pub roles: MergedRoles,
    pub reason: Reason,
    /// Of the organisation that goes over.
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for MergeOrganizations {
    const NAME: &'static str = "MergeOrganizations";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::Plan(&[PlanRole::Pa])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        let former = cx.load::<Organization>(self.from).await?;
        let Some(record) = former.record() else {
            return Err(Refusal::not_found("fromOrganizationId").into());
        };
        if former.merger().is_some_and(|merger| merger.into == self.into) {
            return Ok(self.from);
        }
        cx.expect_version::<Organization>(self.from, self.expected_version).await?;
        let successor = cx.load::<Organization>(self.into).await?;
        let Some(target) = successor.record() else {
            return Err(Refusal::not_found("intoOrganizationId").into());
        };
        if self.parts.contains(&MergePart::Affiliations) && !record.kinds.is_subset(&target.kinds) {
            let message = "The successor is not of the kinds that the affiliations need. Set its \
                kinds first, or leave the affiliations out.";
            return Err(Refusal::new(Code::OrgKindWrong, message).at("intoOrganizationId").into());
        }
        let begin = MergeCommand::BeginMerge {
            into: self.into,
            parts: self.parts.clone(),
            roles: self.roles,
            reason: self.reason.clone(),
        };
        cx.decide::<Organization>(self.from, begin.into()).await?;
        let absorb = MergeCommand::BeginAbsorption { from: self.from };
        cx.decide::<Organization>(self.into, absorb.into()).await?;
        tokens::revoke_active(cx, self.from, &self.reason).await?;
        Ok(self.from)
    }
}

/// The next step of a merger.
pub struct ContinueMerge {
    pub from: OrganizationId,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// The next one is due, or there is none.
    Made,
    /// One of the two is not open at present.
    Waits,
}

/// The two organisations and what was decided about them.
struct Scene {
    from: OrganizationId,
    merger: Merger,
}

impl Scene {
    fn takes(&self, part: MergePart) -> bool {
        self.merger.parts.contains(&part)
    }

    fn keeps_roles(&self) -> bool {
        self.merger.roles == MergedRoles::Keep
    }
}

#[async_trait]
impl Command for ContinueMerge {
    const NAME: &'static str = "ContinueMerge";
    type Output = Progress;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Progress, Failure> {
        let former = cx.load::<Organization>(self.from).await?;
        let Some(merger) = former.merger().cloned() else { return Ok(Progress::Made) };
        match former.phase() {
            Phase::Closed | Phase::NotEnrolled => return Ok(Progress::Made),
            Phase::Suspended { .. } => return Ok(Progress::Waits),
            Phase::Enrolled | Phase::Registered => {}
        }
        let successor = cx.load::<Organization>(merger.into).await?;
        if !successor.is_active() || successor.check_contract(&cx.policy, cx.now).is_err() {
            return Ok(Progress::Waits);
        }
        let reached = merger.reached;
        let scene = Scene { from: self.from, merger };
        // Somebody may have accepted an invitation after their turn.
        let due = |stage: &MergeStage| *stage >= reached || *stage == MergeStage::People;
        for stage in MergeStage::ALL.into_iter().filter(due) {
            let count = steps::take(cx, &scene, stage).await?;
            if count > 0 {
                let progress = MergeCommand::RecordProgress { stage, count };
                cx.decide::<Organization>(self.from, progress.into()).await?;
                return Ok(Progress::Made);
            }
        }
        cx.decide::<Organization>(self.from, MergeCommand::CompleteMerge.into()).await?;
        let done = MergeCommand::CompleteAbsorption { from: self.from };
        cx.decide::<Organization>(scene.merger.into, done.into()).await?;
        Ok(Progress::Made)
    }
}

/// Whether what has the one end lasts longer than what has the other; `None` is none.
fn outlasts(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> bool {
    match (one, other) {
        (None, Some(_)) => true,
        (Some(one), Some(other)) => one > other,
        (_, None) => false,
    }
}
