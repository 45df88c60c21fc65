//! `AttachNpi`, `DetachNpi` and `MoveNpi`: which organisation holds an NPI (MC-13, GN-04).
//!
//! Invariant: one organisation holds an NPI at a time; what people held for it ends in the append
//! that detaches it.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Decider, Refusal,
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
    let NpiDetails { npi, name, provider_type, community } = details;
    let attach = OrganizationCommand::AttachNpi {
        npi: npi.clone(),
        name: name.clone(),
        provider_type: provider_type.clone(),
        community: community.clone(),
        effective_at: effective_at.unwrap_or(cx.now),
    };
    cx.decide::<Organization>(organization, attach).await?;
    cx.work.reserve(NPI, npi.as_str(), organization.0, held_elsewhere());
    pins::issue_pin(cx, npi, organization).await
}

pub(super) fn held_elsewhere() -> Refusal {
    Refusal::new(Code::NpiAttached, "Another organization holds this NPI. Detach it there first.")
        .at("npi")
}

/// Detaches an NPI; whatever people of the organisation held for it ends at the same time.
pub struct DetachNpi {
    pub organization: OrganizationId,
    pub npi: Npi,
    /// Since when; now if not given, never later.
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Option<Reason>,
}

#[async_trait]
impl Command for DetachNpi {
    const NAME: &'static str = "DetachNpi";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        let effective_at = not_in_advance(cx, self.effective_at)?;
        self.detach(cx, effective_at).await?;
        Ok(self.organization)
    }
}

/// Moves an NPI to another organisation: what people of the one held for it ends in the append in
/// which the other begins to hold it (GN-04).
pub struct MoveNpi {
    pub npi: Npi,
    pub from: OrganizationId,
    pub to: OrganizationId,
    /// Since when; now if not given, never later.
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Option<Reason>,
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
        let effective_at = not_in_advance(cx, self.effective_at)?;
        let holder = cx.load::<Organization>(self.from).await?;
        let holding = holder.npi(&self.npi).filter(|holding| holding.open_since().is_some());
        let Some(NpiHolding { name, provider_type, community, .. }) = holding.cloned() else {
            let message = "The organization does not hold this NPI. Check the number.";
            return Err(Refusal::new(Code::NpiNotInOrg, message).at("npi").into());
        };
        let (npi, organization) = (self.npi.clone(), self.from);
        let leave =
            DetachNpi { organization, npi, effective_at: None, reason: self.reason.clone() };
        leave.detach(cx, effective_at).await?;
        let details = NpiDetails { npi: self.npi.clone(), name, provider_type, community };
        attach(cx, self.to, &details, Some(effective_at)).await?;
        Ok(self.to)
    }
}

fn not_in_advance(
    cx: &Context<'_>,
    effective_at: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, Refusal> {
    match effective_at {
        Some(at) if at > cx.now => {
            let message = "Record that an NPI was given up when it is, not in advance.";
            Err(Refusal::new(Code::RangeInvalid, message).at("effectiveAt"))
        }
        Some(at) => Ok(at),
        None => Ok(cx.now),
    }
}

impl DetachNpi {
    async fn detach(
        &self,
        cx: &mut Context<'_>,
        effective_at: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let detach = OrganizationCommand::DetachNpi {
            npi: self.npi.clone(),
            effective_at,
            reason: self.reason.clone(),
        };
        cx.decide::<Organization>(self.organization, detach).await?;
        cx.work.release(NPI, self.npi.as_str(), self.organization.0);
        self.end_permissions(cx, effective_at).await
    }

    async fn end_permissions(
        &self,
        cx: &mut Context<'_>,
        effective_at: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let tenant = cx.tenant();
        let own = NpiScope::One(self.npi.clone());
        let touched =
            cx.journal().streams_about_npi(tenant, self.npi.as_str(), Membership::TYPE).await?;
        let organization = cx.load::<Organization>(self.organization).await?;
        let of_stream: HashMap<Uuid, UserId> = organization
            .members()
            .map(|(user, _)| (MembershipId::of(tenant, user, self.organization).0, user))
            .collect();
        for stream in touched {
            let Some(&user) = of_stream.get(&stream) else { continue };
            let membership = cx.load::<Membership>(stream).await?;
            if !membership.entries().any(|(scope, _)| *scope == own) {
                continue;
            }
            let end = MembershipCommand::EndNpiPermission {
                of: MembershipKey { user, organization: self.organization },
                npi: own.clone(),
                cause: GrantEnd::NpiDetached,
                effective_at,
            };
            cx.decide::<Membership>(stream, end).await?;
        }
        Ok(())
    }
}
