//! `RequestAccess`: a member asks for what they lack (CC-11, AL-07, GN-13).
//!
//! Invariant: what waits already, or is held already, is not asked for again.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    access_requests::{
        AccessRequest, AccessRequestCommand, NewRequest, RequestItem, RouteCause,
        only_the_plan_decides,
    },
    kernel::ids::{AccessRequestId, OrganizationId, UserId},
    organizations::Organization,
    permissions::NpiLevel,
    policies::{Feature, LocationMode},
    values::Reason,
};
use uuid::Uuid;

use super::{PENDING, ways::close_if_run_out};
use crate::{
    Access, Command, Context, Failure,
    permissions::{
        grants::check,
        member::{Member, member},
    },
};

/// Asks for access in the organisation acted for.
pub struct RequestAccess {
    pub organization: OrganizationId,
    pub items: Vec<RequestItem>,
    pub why: Reason,
    /// The access asked for ends here by itself.
    pub until: Option<DateTime<Utc>>,
}

#[async_trait]
impl Command for RequestAccess {
    const NAME: &'static str = "RequestAccess";
    const FEATURE: Option<Feature> = Some(Feature::AccessRequests);
    type Output = AccessRequestId;

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessRequestId, Failure> {
        let user = cx.person()?;
        let member = member(cx, self.organization, user, None).await?;
        for (at, item) in self.items.iter().enumerate() {
            check_item(cx, &member, item).await.map_err(|failure| within(failure, at))?;
        }
        let request = AccessRequestId(Uuid::now_v7());
        let command = AccessRequestCommand::Request(Box::new(NewRequest {
            request,
            user,
            organization: self.organization,
            items: self.items.clone(),
            why: self.why.clone(),
            until: self.until,
            route: route(cx, &member.organization, user, &self.items),
        }));
        cx.decide::<AccessRequest>(request, command).await?;
        for item in &self.items {
            let key = pending_key(self.organization, user, item);
            close_if_run_out(cx, &key).await?;
            cx.work.reserve(PENDING, &key, request.0, duplicate());
        }
        Ok(request)
    }
}

/// Why the request goes to the plan at once, if it does.
fn route(
    cx: &Context<'_>,
    organization: &Organization,
    user: UserId,
    items: &[RequestItem],
) -> Option<RouteCause> {
    if items.iter().any(|item| only_the_plan_decides(item, organization, &cx.policy)) {
        return Some(RouteCause::NotGrantable);
    }
    let others = organization.active_admins(cx.now).any(|admin| admin != user);
    (!others).then_some(RouteCause::NoAdministrator)
}

/// Demands that the item could be given and is not held.
async fn check_item(
    cx: &mut Context<'_>,
    member: &Member,
    item: &RequestItem,
) -> Result<(), Failure> {
    let held = match item {
        RequestItem::Npi { level: NpiLevel::None, .. } => {
            let message = "Ask for the level Processor or Admin.";
            return Err(Refusal::new(Code::FieldInvalid, message).at("level").into());
        }
        RequestItem::Npi { npi, level } => member.permissions.level(npi, cx.now) >= *level,
        RequestItem::Grant(entitlement) => {
            check(cx, member, entitlement).await?;
            member.permissions.holds(entitlement, cx.now)
        }
        RequestItem::NewLocation { .. } if cx.policy.locations() == LocationMode::Off => {
            return Err(Refusal::new(Code::FeatureDisabled, "This portal has no locations.").into());
        }
        RequestItem::NewLocation { .. } | RequestItem::NewTaxId { .. } => false,
    };
    if held {
        let message = "You have this already. Ask for something else.";
        return Err(Refusal::new(Code::AlreadyAssigned, message).into());
    }
    Ok(())
}

/// The item's place in front of the field at fault.
fn within(failure: Failure, at: usize) -> Failure {
    match failure {
        Failure::Refused(mut refusal) => {
            let place = ["items".to_owned(), at.to_string()];
            refusal.field = place.into_iter().chain(refusal.field).collect();
            Failure::Refused(refusal)
        }
        other @ (Failure::RefusedOnRecord(_) | Failure::Journal(_) | Failure::Database(_)) => other,
    }
}

pub(super) fn pending_key(
    organization: OrganizationId,
    user: UserId,
    item: &RequestItem,
) -> String {
    format!("{organization}/{user}/{}", item.key())
}

fn duplicate() -> Refusal {
    let message = "You have asked for this already. Wait for the answer or withdraw the request.";
    Refusal::new(Code::DuplicateRequest, message).at("items")
}
