//! Who may do what with which PIN: the domain's rule on the caller's current rights.
//!
//! Invariant: an NPI the organisation does not hold and one the person is not assigned are refused
//! alike (MC-49).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::OrganizationId,
    organizations::Organization,
    permissions::{NO_JOB_ROLES, NpiLevel, Situation, manages_pin},
    policies::Policy,
    values::Npi,
};

use crate::{Authority, Context, Failure};

/// The NPIs the caller is assigned in the organisation they act for, each with the level that
/// counts (MC-39, MC-50).
#[must_use]
pub fn npi_levels(
    authority: &Authority,
    organization: &Organization,
    policy: &Policy,
    now: DateTime<Utc>,
) -> BTreeMap<Npi, NpiLevel> {
    let Some(situation) = situation(authority, organization, policy, now) else {
        return BTreeMap::new();
    };
    let level = |npi: Npi| {
        let (level, _) = situation.level(&npi);
        (level > NpiLevel::None).then_some((npi, level))
    };
    organization.npis_at(now).into_iter().filter_map(level).collect()
}

/// Demands that the caller may view and reset the NPI's PIN now (MC-40, MC-52).
pub(super) async fn require_pin_right(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    npi: &Npi,
) -> Result<(), Failure> {
    let organization = cx.load::<Organization>(organization).await?;
    let level = situation(&cx.authority, &organization, &cx.policy, cx.now)
        .map_or(NpiLevel::None, |situation| situation.level(npi).0);
    if manages_pin(level, &cx.policy) { Ok(()) } else { Err(not_permitted().into()) }
}

fn situation<'a>(
    authority: &'a Authority,
    organization: &'a Organization,
    policy: &'a Policy,
    now: DateTime<Utc>,
) -> Option<Situation<'a>> {
    Some(Situation {
        user: authority.user?,
        // Whoever is deactivated has no live session, so authorisation has settled this.
        account_active: true,
        organization,
        membership: authority.membership.as_deref()?,
        policy,
        job_roles: &NO_JOB_ROLES,
        types: &[],
        now,
    })
}

fn not_permitted() -> Refusal {
    Refusal::new(
        Code::NpiNotPermitted,
        "You may not use the PIN of this NPI. Ask your administrator.",
    )
    .at("npi")
}
