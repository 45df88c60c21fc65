//! Whether what is chosen to be reviewed is there.
//!
//! Invariant: a choice that names something is of the organisation under review, or is refused.

use std::collections::BTreeSet;

use rollcall_domain::{
    Code, Refusal,
    access_reviews::{MOST_PEOPLE, ReviewScope},
    affiliations::{Affiliated, Affiliation},
    kernel::ids::{OrganizationId, UserId},
    organizations::Organization,
    permissions::JobRole,
};

use crate::{Context, Failure};

/// Demands that what narrows a scope is there: an NPI that the organisation holds, a job role that its
/// people may have, a location of its own.
pub(super) async fn check_scope(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    scope: &ReviewScope,
) -> Result<(), Failure> {
    match scope {
        ReviewScope::Npi { npi: Some(npi) } => {
            let roster = cx.load::<Organization>(organization).await?;
            if roster.holds_npi(npi, cx.now) {
                return Ok(());
            }
            let message = "The organization does not hold this NPI. Check the number.";
            Err(Refusal::new(Code::NpiNotInOrg, message).at("npi").into())
        }
        ReviewScope::JobRole { role: Some(role) } => {
            let role = cx.load::<JobRole>(*role).await?;
            role.assignable_in(organization).map_err(Refusal::from)?;
            Ok(())
        }
        ReviewScope::Location { location: Some(location) } => {
            let roster = cx.load::<Organization>(organization).await?;
            let is_there = roster.location(*location).is_some();
            is_there.then_some(()).ok_or_else(|| Refusal::not_found("locationId").into())
        }
        ReviewScope::Affiliations { affiliation: Some(affiliation) } => {
            let state = cx.load::<Affiliation>(*affiliation).await?;
            let is_own = |it: &Affiliated| it.pair.submitter == organization;
            if state.in_force(cx.now).is_some_and(is_own) {
                return Ok(());
            }
            Err(Refusal::not_found("affiliationId").into())
        }
        ReviewScope::People { users } => check_people(cx, organization, users).await,
        ReviewScope::Roster
        | ReviewScope::Administrators
        | ReviewScope::Dormant { .. }
        | ReviewScope::Rights
        | ReviewScope::Npi { npi: None }
        | ReviewScope::Feature { .. }
        | ReviewScope::JobRole { role: None }
        | ReviewScope::Location { location: None }
        | ReviewScope::Affiliations { affiliation: None }
        | ReviewScope::ApiKeys
        | ReviewScope::PlanStaff => Ok(()),
    }
}

/// Demands that they are named, not too many of them, and active members.
async fn check_people(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    users: &BTreeSet<UserId>,
) -> Result<(), Failure> {
    if users.is_empty() || users.len() > MOST_PEOPLE {
        let message = format!("Name 1 to {MOST_PEOPLE} people whose access is to be reviewed.");
        return Err(Refusal::new(Code::RangeInvalid, message).at("userIds").into());
    }
    let roster = cx.load::<Organization>(organization).await?;
    match users.iter().find(|user| !roster.is_active_member(**user, cx.now)) {
        None => Ok(()),
        Some(user) => Err(Refusal::not_found("userIds").details([user.to_string()]).into()),
    }
}
