//! What goes over in which step. Invariant: a step takes so many and answers how many; none is left
//! when it answers none.

use rollcall_domain::{
    access_requests::{AccessRequest, AccessRequestCommand},
    affiliations::{Affiliation, AffiliationCommand},
    kernel::ids::TaxIdId,
    organizations::{
        InvitationEnd, MergePart, MergeStage, Organization, OrganizationCommand,
        organization::{MergeCommand, RosterCommand, Standing},
    },
    users::invitation::{Invitation, InvitationCommand},
};

use super::{Scene, affiliations, people};
use crate::{
    Context, Failure,
    organizations::npis::{NPI, held_elsewhere},
    pins,
};

/// How many of a kind one append takes at most.
const NPIS: usize = 50;
const PLACES: usize = 50;
const AFFILIATIONS: usize = 5;
const PEOPLE: usize = 20;
const REQUESTS: usize = 20;
const HANDOVERS: usize = 20;

pub(super) async fn take(
    cx: &mut Context<'_>,
    scene: &Scene,
    stage: MergeStage,
) -> Result<u32, Failure> {
    let count = match stage {
        MergeStage::Npis if scene.takes(MergePart::Npis) => npis(cx, scene).await?,
        MergeStage::Places => places(cx, scene).await?,
        MergeStage::Affiliations if scene.takes(MergePart::Affiliations) => {
            affiliations::take_over(cx, scene, AFFILIATIONS).await?
        }
        MergeStage::Npis | MergeStage::Affiliations => 0,
        MergeStage::People => people::take(cx, scene, PEOPLE).await?,
        MergeStage::Requests => requests(cx, scene).await?,
        MergeStage::Handover => handover(cx, scene).await?,
        MergeStage::Ends => ends(cx, scene).await?,
    };
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The successor holds NPIs that the former organisation holds as well for a while.
async fn npis(cx: &mut Context<'_>, scene: &Scene) -> Result<usize, Failure> {
    let former = cx.load::<Organization>(scene.from).await?;
    let successor = cx.load::<Organization>(scene.merger.into).await?;
    let is_new = |npi| successor.npi(npi).is_none_or(|holding| holding.open_since().is_none());
    let missing = former.open_npis().filter(|(npi, _)| is_new(npi)).take(NPIS);
    let mut taken = 0;
    for (npi, holding) in missing {
        let since = holding.open_since().unwrap_or(cx.now).max(cx.now);
        let take = MergeCommand::TakeNpi {
            npi: npi.clone(),
            name: holding.name.clone(),
            provider_type: holding.provider_type.clone(),
            community: holding.community.clone(),
            effective_at: since,
        };
        cx.decide::<Organization>(scene.merger.into, take.into()).await?;
        cx.work.release(NPI, npi.as_str(), scene.from.0);
        cx.work.reserve(NPI, npi.as_str(), scene.merger.into.0, held_elsewhere());
        taken += 1;
    }
    Ok(taken)
}

/// Tax ids, locations and email domains.
async fn places(cx: &mut Context<'_>, scene: &Scene) -> Result<usize, Failure> {
    let former = cx.load::<Organization>(scene.from).await?;
    let successor = cx.load::<Organization>(scene.merger.into).await?;
    let mut commands = Vec::new();
    if scene.takes(MergePart::TaxIds) {
        let held: std::collections::BTreeMap<TaxIdId, _> = successor.tax_ids();
        let missing = former.tax_ids().into_iter().filter(|(id, _)| !held.contains_key(id));
        commands.extend(
            missing.map(|(tax_id, reference)| MergeCommand::TakeTaxId { tax_id, reference }),
        );
    }
    if scene.takes(MergePart::Locations) {
        let suffix = former.record().map(|record| record.name.to_string()).unwrap_or_default();
        let missing = former.locations().filter(|(id, _)| successor.location(*id).is_none());
        commands.extend(missing.map(|(id, location)| MergeCommand::TakeLocation {
            id,
            location: location.clone(),
            suffix: suffix.clone(),
        }));
    }
    if scene.takes(MergePart::EmailDomains) {
        let missing = former.domains().difference(successor.domains());
        commands
            .extend(missing.map(|domain| MergeCommand::TakeEmailDomain { domain: domain.clone() }));
    }
    commands.truncate(PLACES);
    let count = commands.len();
    for command in commands {
        cx.decide::<Organization>(scene.merger.into, command.into()).await?;
    }
    Ok(count)
}

/// Invitations and requests for access end; whoever still wants in asks the successor.
async fn requests(cx: &mut Context<'_>, scene: &Scene) -> Result<usize, Failure> {
    let former = cx.load::<Organization>(scene.from).await?;
    let invited: Vec<_> = former
        .members()
        .filter_map(|(user, member)| match member.standing {
            Standing::Invited { invitation } => Some((user, invitation)),
            Standing::Active | Standing::Inactive { .. } | Standing::Ended { .. } => None,
        })
        .take(REQUESTS)
        .collect();
    let mut ended = invited.len();
    for (user, invitation) in invited {
        let state = cx.load::<Invitation>(invitation).await?;
        let cancel = InvitationCommand::Cancel { reason: None };
        if cx.consider::<Invitation>(&state, cancel.clone()).is_ok() {
            cx.decide::<Invitation>(invitation, cancel).await?;
        }
        let cause = InvitationEnd::Cancelled;
        let end = RosterCommand::EndMemberInvitation { user, invitation, cause };
        cx.decide::<Organization>(scene.from, OrganizationCommand::from(end)).await?;
    }
    for stream in cx.streams_with::<AccessRequest>(scene.from, None).await? {
        if ended >= REQUESTS {
            break;
        }
        let end = AccessRequestCommand::EndWithOrganization { organization: scene.from };
        ended += cx.decide::<AccessRequest>(stream, end).await?.len();
    }
    Ok(ended)
}

/// The former organisation lets go of its NPIs; those that went over get a PIN that only the
/// successor's people know.
async fn handover(cx: &mut Context<'_>, scene: &Scene) -> Result<usize, Failure> {
    let former = cx.load::<Organization>(scene.from).await?;
    let successor = cx.load::<Organization>(scene.merger.into).await?;
    let left: Vec<_> = former.open_npis().map(|(npi, _)| npi.clone()).take(HANDOVERS).collect();
    for npi in &left {
        let let_go = MergeCommand::HandOverNpi { npi: npi.clone() };
        cx.decide::<Organization>(scene.from, let_go.into()).await?;
        if successor.npi(npi).is_some_and(|holding| holding.open_since().is_some()) {
            pins::issue_pin(cx, npi, scene.merger.into).await?;
        } else {
            cx.work.release(NPI, npi.as_str(), scene.from.0);
        }
    }
    Ok(left.len())
}

/// The affiliations of the former organisation end, what it had asked for or was asked included; the
/// successor first goes on with those formed since it was their turn.
async fn ends(cx: &mut Context<'_>, scene: &Scene) -> Result<usize, Failure> {
    if scene.takes(MergePart::Affiliations) {
        let taken = affiliations::take_over(cx, scene, AFFILIATIONS).await?;
        if taken > 0 {
            return Ok(taken);
        }
    }
    let streams = cx.streams_with::<Affiliation>(scene.from, None).await?;
    let mut ended = 0;
    for stream in streams {
        if ended >= AFFILIATIONS {
            break;
        }
        let organization = scene.from;
        let end = AffiliationCommand::EndWithOrganization { organization };
        ended += cx.decide::<Affiliation>(stream, end).await?.len();
    }
    Ok(ended)
}
