//! The successor goes on with the former organisation's affiliations.
//!
//! Invariant: its own begins before the former one's ends, so whoever submits under it never stops.
//! Of two organisations at most one affiliation is open: where the successor has one already, or would
//! have one with itself, the former one only ends.

use std::collections::BTreeSet;

use rollcall_domain::{
    Decider,
    affiliations::{Affiliated, Affiliation, AffiliationCommand, AssignNpis, Pair, Side, TakeOver},
    kernel::ids::{AffiliationId, OrganizationId, UserId},
    organizations::Organization,
    values::Npi,
};

use super::Scene;
use crate::{Context, Failure};

pub(super) async fn take_over(
    cx: &mut Context<'_>,
    scene: &Scene,
    most: usize,
) -> Result<usize, Failure> {
    let journal = cx.journal();
    let streams = journal.streams_with(cx.tenant(), scene.from, Affiliation::TYPE).await?;
    let mut taken = 0;
    for stream in streams {
        if taken >= most {
            break;
        }
        let state = cx.load::<Affiliation>(stream).await?;
        let Affiliation::Active(affiliated) = &*state else { continue };
        let Some(side) = affiliated.pair.side_of(scene.from) else { continue };
        let pair = with(affiliated.pair, side, scene.merger.into);
        if pair.submitter == pair.provider {
            continue;
        }
        let changed = match next_of(cx, scene, pair).await? {
            Next::Free(affiliation) => {
                let (predecessor, affiliated) = (AffiliationId(stream), affiliated.clone());
                let take = TakeOver { affiliation, pair, side, predecessor, affiliated };
                let take = AffiliationCommand::TakeOver(Box::new(take));
                cx.decide::<Affiliation>(affiliation, take).await?;
                assign(cx, affiliation, affiliated_people(&state)).await?;
                true
            }
            Next::InForce(affiliation) => {
                assign(cx, affiliation, affiliated_people(&state)).await?
            }
        };
        taken += usize::from(changed);
    }
    Ok(taken)
}

fn with(pair: Pair, side: Side, organization: OrganizationId) -> Pair {
    match side {
        Side::Submitter => Pair { submitter: organization, ..pair },
        Side::Provider => Pair { provider: organization, ..pair },
    }
}

enum Next {
    /// The stream of the pair's next affiliation.
    Free(AffiliationId),
    /// The successor has one of its own.
    InForce(AffiliationId),
}

/// A request between the two that is open gives way.
async fn next_of(cx: &mut Context<'_>, scene: &Scene, pair: Pair) -> Result<Next, Failure> {
    let mut n = 0;
    loop {
        let id = AffiliationId(cx.tenant().affiliation_stream(&pair, n));
        let earlier = cx.load::<Affiliation>(id).await?;
        if earlier.pair().is_none() {
            return Ok(Next::Free(id));
        }
        if earlier.in_force(cx.now).is_some() {
            return Ok(Next::InForce(id));
        }
        let organization = scene.merger.into;
        let end = AffiliationCommand::EndWithOrganization { organization };
        cx.decide::<Affiliation>(id, end).await?;
        n += 1;
    }
}

fn affiliated_people(state: &Affiliation) -> Vec<(UserId, BTreeSet<Npi>)> {
    match state {
        Affiliation::Active(affiliated) => {
            affiliated.assigned().map(|(user, npis)| (user, npis.clone())).collect()
        }
        Affiliation::NotRequested
        | Affiliation::Requested(_)
        | Affiliation::Terminated { .. }
        | Affiliation::Closed { .. } => Vec::new(),
    }
}

/// People work for the NPIs they worked for, as far as the affiliation reaches; whether that changed
/// anything.
async fn assign(
    cx: &mut Context<'_>,
    id: AffiliationId,
    people: Vec<(UserId, BTreeSet<Npi>)>,
) -> Result<bool, Failure> {
    let state = cx.load::<Affiliation>(id).await?;
    let Some(Affiliated { pair, .. }) = state.in_force(cx.now).cloned() else {
        return Ok(false);
    };
    let held = cx.load::<Organization>(pair.provider).await?.npis_at(cx.now);
    let mut changed = false;
    for (user, npis) in people {
        let state = cx.load::<Affiliation>(id).await?;
        let Some(affiliated) = state.in_force(cx.now) else { break };
        let has = affiliated.npis_of(user).cloned().unwrap_or_default();
        let reached = npis.into_iter().filter(|npi| affiliated.covers(npi) && held.contains(npi));
        let npis: BTreeSet<Npi> = reached.chain(has.iter().cloned()).collect();
        if npis == has {
            continue;
        }
        let organization = pair.submitter;
        let assign = AssignNpis { organization, user, npis, held: held.clone() };
        let assign = AffiliationCommand::AssignNpis(Box::new(assign));
        changed |= !cx.decide::<Affiliation>(id, assign).await?.is_empty();
    }
    Ok(changed)
}
