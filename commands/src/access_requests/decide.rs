//! `DecideAccessRequest`: the side that a request waits for answers (CC-12, CX-13).
//!
//! Invariant: an approval and what it gives stand in one append; nothing is given that an
//! administrator could not give then.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    access_requests::{
        AccessRequest, AccessRequestCommand, Asked, JoinRequest, MoveRequest, RequestItem,
        RouteCause, only_the_plan_adds,
    },
    kernel::ids::{AccessRequestId, LocationId, OrganizationId, TaxIdId},
    permissions::{
        Cause, Entitlement, EntitlementGrant, Membership, MembershipCommand, NpiScope,
        membership::NpiChange,
    },
    policies::Feature,
    values::Reason,
};

use super::{
    Found, REQUEST_STAFF, join, relocate,
    ways::{Kind, kind_of, release},
};
use crate::{
    Access, Command, Context, Failure,
    permissions::{
        grants::give,
        member::{Member, member},
    },
};

/// What is answered.
#[derive(Clone, Debug)]
pub enum Decision {
    Approve { note: Option<Reason> },
    Deny { reason: Reason },
}

/// What the plan added for an item that was missing: a location or a tax id.
#[derive(Clone, Copy, Debug)]
pub enum Resolution {
    Location { item: usize, location: LocationId },
    TaxId { item: usize, tax_id: TaxIdId },
}

/// Approves or denies a request.
pub struct DecideAccessRequest {
    pub organization: OrganizationId,
    pub request: AccessRequestId,
    pub decision: Decision,
    pub resolutions: Vec<Resolution>,
    /// For a move, what the request does not say.
    pub found: Found,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for DecideAccessRequest {
    const NAME: &'static str = "DecideAccessRequest";
    const FEATURE: Option<Feature> = Some(Feature::AccessRequests);
    type Output = AccessRequestId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REQUEST_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessRequestId, Failure> {
        match kind_of(cx, self.request, self.organization).await? {
            Kind::Access => {}
            Kind::Join => {
                cx.expect_version::<JoinRequest>(self.request, self.expected_version).await?;
                join::decide(cx, (self.request, self.organization), &self.decision).await?;
                return Ok(self.request);
            }
            Kind::Move => {
                cx.expect_version::<MoveRequest>(self.request, self.expected_version).await?;
                relocate::decide(cx, self.request, &self.decision, &self.found).await?;
                return Ok(self.request);
            }
        }
        cx.expect_version::<AccessRequest>(self.request, self.expected_version).await?;
        let by_plan = cx.authority.acts_for_plan();
        match &self.decision {
            Decision::Deny { reason } => {
                let deny = AccessRequestCommand::Deny { by_plan, reason: reason.clone() };
                cx.decide::<AccessRequest>(self.request, deny).await?;
            }
            Decision::Approve { note } => {
                let approve = AccessRequestCommand::Approve { by_plan, note: note.clone() };
                if self.hands_on(cx, by_plan).await? {
                    return self.agree(cx, approve, note.clone()).await;
                }
                cx.decide::<AccessRequest>(self.request, approve).await?;
                self.issue(cx).await?;
            }
        }
        release(cx, self.request).await?;
        Ok(self.request)
    }
}

impl DecideAccessRequest {
    /// Whether the administrator's yes is not enough: the plan has to add something (CX-13).
    async fn hands_on(&self, cx: &mut Context<'_>, by_plan: bool) -> Result<bool, Failure> {
        let asked = self.asked(cx).await?;
        let member = member(cx, asked.organization, asked.user, None).await?;
        let missing = |item: &RequestItem| only_the_plan_adds(item, &member.organization);
        Ok(!by_plan && asked.items.iter().any(missing))
    }

    /// The administrator's yes: whoever may not decide is refused as ever, then the plan decides.
    async fn agree(
        &self,
        cx: &mut Context<'_>,
        approve: AccessRequestCommand,
        note: Option<Reason>,
    ) -> Result<AccessRequestId, Failure> {
        let state = cx.load::<AccessRequest>(self.request).await?;
        cx.consider::<AccessRequest>(&state, approve)?;
        let cause = RouteCause::AdministratorAgreed;
        let route = AccessRequestCommand::Route { cause, note };
        cx.decide::<AccessRequest>(self.request, route).await?;
        Ok(self.request)
    }

    async fn asked(&self, cx: &mut Context<'_>) -> Result<Asked, Failure> {
        let state = cx.load::<AccessRequest>(self.request).await?;
        let asked = state.asked().cloned();
        Ok(asked.ok_or_else(|| Refusal::not_found("accessRequestId"))?)
    }

    /// Records what was asked for.
    async fn issue(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let asked = self.asked(cx).await?;
        let member = member(cx, asked.organization, asked.user, None).await?;
        let (mut levels, mut grants) = (Vec::new(), Vec::new());
        for (at, item) in asked.items.iter().enumerate() {
            let until = asked.until;
            match item {
                RequestItem::Npi { npi, level } => {
                    if member.permissions.level(npi, cx.now) < *level {
                        let npi = NpiScope::One(npi.clone());
                        levels.push(NpiChange { npi, level: *level, until });
                    }
                }
                RequestItem::Grant(entitlement) => {
                    grants.push(EntitlementGrant { entitlement: *entitlement, until });
                }
                RequestItem::NewLocation { .. } | RequestItem::NewTaxId { .. } => {
                    let entitlement = self.resolved(at, item)?;
                    grants.push(EntitlementGrant { entitlement, until });
                }
            }
        }
        self.set_levels(cx, &member, levels).await?;
        // Given meanwhile, for as long or longer: nothing is left to give.
        grants.retain(|grant| !member.permissions.holds(&grant.entitlement, cx.now));
        if !grants.is_empty() {
            give(cx, &member, grants, Cause::Request).await?;
        }
        Ok(())
    }

    async fn set_levels(
        &self,
        cx: &mut Context<'_>,
        member: &Member,
        changes: Vec<NpiChange>,
    ) -> Result<(), Failure> {
        if changes.is_empty() {
            return Ok(());
        }
        let set = MembershipCommand::SetNpiPermissions {
            of: member.key,
            changes,
            held: member.organization.npis_at(cx.now),
            cause: Cause::Request,
        };
        cx.decide::<Membership>(member.stream, set).await?;
        Ok(())
    }

    /// What the plan says an item that was missing is now.
    fn resolved(&self, at: usize, item: &RequestItem) -> Result<Entitlement, Refusal> {
        let wants_location = matches!(item, RequestItem::NewLocation { .. });
        let found = self.resolutions.iter().find_map(|resolution| match *resolution {
            Resolution::Location { item, location } if item == at && wants_location => {
                Some(Entitlement::Location(location))
            }
            Resolution::TaxId { item, tax_id } if item == at && !wants_location => {
                Some(Entitlement::TaxId(tax_id))
            }
            Resolution::Location { .. } | Resolution::TaxId { .. } => None,
        });
        found.ok_or_else(|| {
            let message = "Add what is missing to the organization, then say which one it is.";
            Refusal::new(Code::FieldRequired, message).at("resolutions")
        })
    }
}
