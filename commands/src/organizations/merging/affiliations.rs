//! The successor goes on with the former organisation's affiliations, those included that are to end.
//!
//! Invariant: its own begins before the former one's ends, so whoever submits under it never stops.
//! Of two organisations at most one affiliation is open: where the successor has one already that
//! lasts as long, or would have one with itself, the former one only ends.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    affiliations::{
        Affiliated, Affiliation, AffiliationCommand, AssignNpis, Ending, Pair, Side, TakeOver,
    },
    kernel::ids::{AffiliationId, OrganizationId, UserId},
    organizations::Organization,
    values::Npi,
};

use super::{Scene, outlasts};
use crate::{Context, Failure};

/// Who works for which NPIs.
type Assigned = BTreeMap<UserId, BTreeSet<Npi>>;

pub(super) async fn take_over(
    cx: &mut Context<'_>,
    scene: &Scene,
    most: usize,
) -> Result<usize, Failure> {
    let streams = cx.streams_with::<Affiliation>(scene.from, None).await?;
    let mut taken = 0;
    for stream in streams {
        if taken >= most {
            break;
        }
        let state = cx.load::<Affiliation>(stream).await?;
        let Some(affiliated) = state.in_force(cx.now) else { continue };
        let Some(side) = affiliated.pair.side_of(scene.from) else { continue };
        let pair = with(affiliated.pair, side, scene.merger.into);
        if pair.submitter == pair.provider {
            continue;
        }
        let (predecessor, ending) = (AffiliationId(stream), state.ending().cloned());
        let mut people = Assigned::new();
        add(&mut people, affiliated);
        let former = Former { id: predecessor, until: ends_at(ending.as_ref()) };
        let changed = match next_of(cx, scene, pair, former).await? {
            Next::Gone => false,
            Next::Free(affiliation, before) => {
                let affiliated = affiliated.clone();
                let take = TakeOver { affiliation, pair, side, predecessor, affiliated, ending };
                let take = AffiliationCommand::TakeOver(Box::new(take));
                cx.decide::<Affiliation>(affiliation, take).await?;
                before.iter().for_each(|before| add(&mut people, before));
                assign(cx, affiliation, people).await?;
                true
            }
            Next::InForce(affiliation) => assign(cx, affiliation, people).await?,
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

fn ends_at(ending: Option<&Ending>) -> Option<DateTime<Utc>> {
    ending.map(|ending| ending.ends_at)
}

fn add(people: &mut Assigned, affiliated: &Affiliated) {
    for (user, npis) in affiliated.assigned() {
        people.entry(user).or_default().extend(npis.iter().cloned());
    }
}

/// An affiliation to go on with.
struct Former {
    id: AffiliationId,
    until: Option<DateTime<Utc>>,
}

enum Next {
    /// The stream of the pair's next affiliation, and the one before it that gave way.
    Free(AffiliationId, Option<Affiliated>),
    /// The successor goes on with it already, or has one of its own that lasts as long.
    InForce(AffiliationId),
    /// The successor went on with it, and that was ended since.
    Gone,
}

/// A request between the two that is open gives way, and so does an affiliation of the successor's own
/// that ends before the one to go on with.
async fn next_of(
    cx: &mut Context<'_>,
    scene: &Scene,
    pair: Pair,
    former: Former,
) -> Result<Next, Failure> {
    let mut before = None;
    let mut n = 0;
    loop {
        let id = AffiliationId(cx.tenant().affiliation_stream(&pair, n));
        let earlier = cx.load::<Affiliation>(id).await?;
        if earlier.pair().is_none() {
            return Ok(Next::Free(id, before));
        }
        let is_successor = earlier.predecessor() == Some(former.id);
        let lasts_as_long = !outlasts(former.until, ends_at(earlier.ending()));
        match earlier.in_force(cx.now) {
            Some(_) if is_successor || lasts_as_long => return Ok(Next::InForce(id)),
            Some(affiliated) => before = Some(affiliated.clone()),
            None if is_successor => return Ok(Next::Gone),
            None => {}
        }
        let organization = scene.merger.into;
        let end = AffiliationCommand::EndWithOrganization { organization };
        cx.decide::<Affiliation>(id, end).await?;
        n += 1;
    }
}

/// People work for the NPIs they worked for, as far as the affiliation reaches; whether that changed
/// anything.
async fn assign(
    cx: &mut Context<'_>,
    id: AffiliationId,
    people: Assigned,
) -> Result<bool, Failure> {
    let state = cx.load::<Affiliation>(id).await?;
    let Some(affiliated) = state.in_force(cx.now) else { return Ok(false) };
    let (organization, provider) = (affiliated.pair.submitter, affiliated.pair.provider);
    let provider = cx.load::<Organization>(provider).await?;
    let reaches = |npi: &Npi| affiliated.covers(npi) && provider.holds_npi(npi, cx.now);
    let mut changes = Vec::new();
    for (user, npis) in people {
        let has = affiliated.npis_of(user).cloned().unwrap_or_default();
        let held: BTreeSet<Npi> =
            npis.into_iter().filter(|npi| !has.contains(npi) && reaches(npi)).collect();
        if !held.is_empty() {
            let npis = has.union(&held).cloned().collect();
            changes.push(AssignNpis { organization, user, npis, held, cause: None });
        }
    }
    drop(state);
    let changed = !changes.is_empty();
    for assign in changes {
        let assign = AffiliationCommand::AssignNpis(Box::new(assign));
        cx.decide::<Affiliation>(id, assign).await?;
    }
    Ok(changed)
}
