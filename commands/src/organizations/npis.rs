//! `AttachNpi`, `DetachNpi` and `MoveNpi`: which organisation holds an NPI (MC-13, GN-04).
//!
//! Invariant: one organisation holds an NPI at a time; what people held for it ends in the append
//! that detaches it. A later moment is planned: rights end at it by the domain's own rule, and
//! `planned_ends` has the rest done then.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Decider, Event, Refusal,
    kernel::ids::{MembershipId, OrganizationId, UserId},
    organizations::{Organization, OrganizationCommand, organization::NpiHolding},
    permissions::{GrantEnd, Membership, MembershipCommand, NpiScope, membership::MembershipKey},
    values::{Npi, OrganizationName, ProviderCommunity, ProviderType, Reason},
};
use uuid::Uuid;

use super::ENROLMENT_STAFF;
use crate::{Access, Command, Context, Failure, pins};

/// The reservation kind under which one organisation holds an NPI.
pub(crate) const NPI: &str = "npi";

/// An NPI as the plan knows it.
#[derive(Clone, Debug)]
pub struct NpiDetails {
    pub npi: Npi,
    /// The provider's name, shown for confirmation: a check digit misses some mistypings.
    pub name: OrganizationName,
    pub provider_type: ProviderType,
    pub community: ProviderCommunity,
}

/// Attaches an NPI to an organisation; where the portal keeps PINs, it gets one.
pub struct AttachNpi {
    pub organization: OrganizationId,
    pub details: NpiDetails,
    /// From when on; now if not given, never earlier.
    pub effective_at: Option<DateTime<Utc>>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for AttachNpi {
    const NAME: &'static str = "AttachNpi";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        if self.effective_at.is_some_and(|at| at < cx.now) {
            let message =
                "An NPI is attached from now on or later; others may have held it before.";
            return Err(Refusal::new(Code::RangeInvalid, message).at("effectiveAt").into());
        }
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        attach(cx, self.organization, &self.details, self.effective_at).await?;
        Ok(self.organization)
    }
}

/// Decides, reserves and issues the PIN; also a step of the enrolment's import.
pub(super) async fn attach(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    details: &NpiDetails,
    effective_at: Option<DateTime<Utc>>,
) -> Result<(), Failure> {
    let attach = details.attached(effective_at.unwrap_or(cx.now));
    cx.decide::<Organization>(organization, attach).await?;
    cx.work.reserve(NPI, details.npi.as_str(), organization.0, held_elsewhere());
    pins::issue_pin(cx, &details.npi, organization).await
}

pub(super) fn held_elsewhere() -> Refusal {
    Refusal::new(Code::NpiAttached, "Another organization holds this NPI. Detach it there first.")
        .at("npi")
}

/// Detaches an NPI; whatever people of the organisation held for it ends at the same time.
pub struct DetachNpi {
    pub organization: OrganizationId,
    pub npi: Npi,
    /// Since when, or from when on; now if not given.
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Option<Reason>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for DetachNpi {
    const NAME: &'static str = "DetachNpi";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        let (npi, reason) = (self.npi.clone(), self.reason.clone());
        if let Some(effective_at) = self.effective_at.filter(|at| *at > cx.now) {
            let plan = OrganizationCommand::PlanNpiEnd { npi, to: None, effective_at, reason };
            cx.decide::<Organization>(self.organization, plan).await?;
            return Ok(self.organization);
        }
        let effective_at = self.effective_at.unwrap_or(cx.now);
        let detach = OrganizationCommand::DetachNpi { npi, effective_at, reason };
        detach_by(cx, self.organization, &self.npi, detach).await?;
        Ok(self.organization)
    }
}

/// Moves an NPI to another organisation: what people of the one held for it ends in the append in
/// which the other begins to hold it (GN-04).
pub struct MoveNpi {
    pub npi: Npi,
    pub from: OrganizationId,
    pub to: OrganizationId,
    /// Since when, or from when on; now if not given.
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Option<Reason>,
    /// Of the organisation that holds it.
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for MoveNpi {
    const NAME: &'static str = "MoveNpi";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::Plan(ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        if self.from == self.to {
            let message = "Choose another organization to move the NPI to.";
            return Err(Refusal::new(Code::FieldInvalid, message).at("toOrganizationId").into());
        }
        cx.expect_version::<Organization>(self.from, self.expected_version).await?;
        let holder = cx.load::<Organization>(self.from).await?;
        let details = held_details(&holder, &self.npi)?;
        let (npi, reason) = (self.npi.clone(), self.reason.clone());
        if let Some(effective_at) = self.effective_at.filter(|at| *at > cx.now) {
            let target = cx.load::<Organization>(self.to).await?;
            cx.consider(&*target, details.attached(effective_at)).map_err(at_target)?;
            let to = Some(self.to);
            let plan = OrganizationCommand::PlanNpiEnd { npi, to, effective_at, reason };
            cx.decide::<Organization>(self.from, plan).await?;
            return Ok(self.from);
        }
        let effective_at = self.effective_at.unwrap_or(cx.now);
        let leave = OrganizationCommand::DetachNpi { npi, effective_at, reason };
        // Where it was to end before now, or has not begun, the one goes on where the other ends.
        let ended = detach_by(cx, self.from, &self.npi, leave).await?;
        attach(cx, self.to, &details, ended.or(Some(effective_at))).await?;
        Ok(self.to)
    }
}

/// What is known of an NPI that an organisation holds.
///
/// # Errors
/// `NPI_NOT_IN_ORG`.
pub(super) fn held_details(holder: &Organization, npi: &Npi) -> Result<NpiDetails, Refusal> {
    let holding = holder.npi(npi).filter(|holding| holding.open_since().is_some());
    let Some(NpiHolding { name, provider_type, community, .. }) = holding.cloned() else {
        let message = "The organization does not hold this NPI. Check the number.";
        return Err(Refusal::new(Code::NpiNotInOrg, message).at("npi"));
    };
    Ok(NpiDetails { npi: npi.clone(), name, provider_type, community })
}

/// A refusal by the organisation that is to take the NPI.
fn at_target(refusal: Refusal) -> Refusal {
    if refusal.code == Code::NotFound { refusal.at("toOrganizationId") } else { refusal }
}

impl NpiDetails {
    /// The command that makes an organisation its holder.
    pub(super) fn attached(&self, effective_at: DateTime<Utc>) -> OrganizationCommand {
        let Self { npi, name, provider_type, community } = self.clone();
        OrganizationCommand::AttachNpi { npi, name, provider_type, community, effective_at }
    }
}

/// Detaches by this command, sets the number free, and ends what people held for it at the moment
/// the aggregate decided on. Answers that moment, or `None` where nothing was to be detached.
pub(super) async fn detach_by(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    npi: &Npi,
    command: OrganizationCommand,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let decided = cx.decide::<Organization>(organization, command).await?;
    let ended = decided.iter().find_map(|event| event.facets().effective_at);
    let Some(effective_at) = ended else { return Ok(None) };
    cx.work.release(NPI, npi.as_str(), organization.0);
    end_permissions(cx, organization, npi, effective_at).await?;
    Ok(Some(effective_at))
}

async fn end_permissions(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    npi: &Npi,
    effective_at: DateTime<Utc>,
) -> Result<(), Failure> {
    let tenant = cx.tenant();
    let own = NpiScope::One(npi.clone());
    let touched = cx.journal().streams_about_npi(tenant, npi.as_str(), Membership::TYPE).await?;
    let state = cx.load::<Organization>(organization).await?;
    let of_stream: HashMap<Uuid, UserId> = state
        .members()
        .map(|(user, _)| (MembershipId::of(tenant, user, organization).0, user))
        .collect();
    for stream in touched {
        let Some(&user) = of_stream.get(&stream) else { continue };
        let membership = cx.load::<Membership>(stream).await?;
        if !membership.entries().any(|(scope, _)| *scope == own) {
            continue;
        }
        let end = MembershipCommand::EndNpiPermission {
            of: MembershipKey { user, organization },
            npi: own.clone(),
            cause: GrantEnd::NpiDetached,
            effective_at,
        };
        cx.decide::<Membership>(stream, end).await?;
    }
    Ok(())
}
