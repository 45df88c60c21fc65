//! For which NPIs of providers people work under affiliations, as a review lists, takes and gives it back
//! (GN-15, GN-18).
//!
//! Invariant: it counts while the affiliation is in force and the provider holds the NPI; what is
//! assigned otherwise is nobody's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rollcall_domain::{
    Refusal,
    access_reviews::Submissions,
    affiliations::{Affiliation, AffiliationCommand, AffiliationRefusal, AssignNpis},
    kernel::ids::{AffiliationId, OrganizationId, UserId},
    organizations::Organization,
    permissions::Cause,
    values::Npi,
};
use uuid::Uuid;

use crate::{Context, Failure};

/// For which NPIs each of the organisation's people works.
pub(super) async fn submissions(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<BTreeMap<UserId, Submissions>, Failure> {
    let now = cx.now;
    let streams = cx.streams_with::<Affiliation>(organization, None).await?;
    let states = cx.load_all::<Affiliation>(&streams).await?;
    let own: Vec<(AffiliationId, Arc<Affiliation>)> = streams
        .into_iter()
        .map(AffiliationId)
        .zip(states)
        .filter(|(_, state)| {
            state.in_force(now).is_some_and(|it| it.pair.submitter == organization)
        })
        .collect();
    let providers = providers(cx, &own).await?;
    let mut found: BTreeMap<UserId, Submissions> = BTreeMap::new();
    for (id, state) in &own {
        let Some(affiliated) = state.in_force(now) else { continue };
        let held = providers.get(&affiliated.pair.provider);
        for (user, npis) in affiliated.assigned() {
            let counting = npis.iter().filter(|npi| held.is_some_and(|it| it.contains(*npi)));
            found.entry(user).or_default().extend(counting.map(|npi| (*id, npi.clone())));
        }
    }
    Ok(found)
}

/// The NPIs that each provider holds, each stream read once.
async fn providers(
    cx: &mut Context<'_>,
    own: &[(AffiliationId, Arc<Affiliation>)],
) -> Result<BTreeMap<OrganizationId, BTreeSet<Npi>>, Failure> {
    let now = cx.now;
    let ids: BTreeSet<OrganizationId> =
        own.iter().filter_map(|(_, it)| Some(it.in_force(now)?.pair.provider)).collect();
    let streams: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let found = cx.load_all::<Organization>(&streams).await?;
    let holding = |(id, provider): (OrganizationId, Arc<Organization>)| {
        let held = if provider.is_active() { provider.npis_at(now) } else { BTreeSet::new() };
        (id, held)
    };
    Ok(ids.into_iter().zip(found).map(holding).collect())
}

/// For which NPIs one person works under one affiliation.
pub(super) async fn submissions_under(
    cx: &mut Context<'_>,
    affiliation: AffiliationId,
    user: UserId,
) -> Result<Submissions, Failure> {
    let state = cx.load::<Affiliation>(affiliation).await?;
    let Some(affiliated) = state.in_force(cx.now) else { return Ok(Submissions::new()) };
    let provider = cx.load::<Organization>(affiliated.pair.provider).await?;
    if !provider.is_active() {
        return Ok(Submissions::new());
    }
    let held = provider.npis_at(cx.now);
    let assigned = affiliated.npis_of(user).into_iter().flatten();
    let counting = assigned.filter(|npi| held.contains(*npi));
    Ok(counting.map(|npi| (affiliation, npi.clone())).collect())
}

/// Lets somebody work for the NPI as a review decided, or not; what is so already is no error.
pub(super) async fn set_submission(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    (user, affiliation, npi): (UserId, AffiliationId, &Npi),
    works: bool,
) -> Result<(), Failure> {
    let state = cx.load::<Affiliation>(affiliation).await?;
    let Some(affiliated) = state.in_force(cx.now) else {
        return Err(Refusal::from(AffiliationRefusal::NotActive).into());
    };
    let provider = cx.load::<Organization>(affiliated.pair.provider).await?;
    let mut npis = affiliated.npis_of(user).cloned().unwrap_or_default();
    if works {
        npis.insert(npi.clone());
    } else {
        npis.remove(npi);
    }
    let (held, cause) = (provider.npis_at(cx.now), Some(Cause::Review));
    let assign = AssignNpis { organization, user, npis, held, cause };
    cx.decide::<Affiliation>(affiliation, AffiliationCommand::AssignNpis(Box::new(assign))).await?;
    Ok(())
}
