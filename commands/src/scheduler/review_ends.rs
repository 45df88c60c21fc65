//! What begins to have an end in reviews of access, and what ends no more.
//!
//! Invariant: every fact about a review is decided here by name; each portion of one has the next looked at.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    access_reviews::{
        AccessReviewEvent, ReviewDecision, campaign::ReviewCampaignEvent,
        template::ReviewTemplateEvent,
    },
    kernel::ids::OrganizationId,
    organizations::OrganizationEvent,
};
use rollcall_journal::Recorded;

use super::{due::End, kind::Kind};
use crate::access_reviews::VerifyReviewItems;

/// What the event says about ends in reviews.
pub(super) fn of(recorded: &Recorded<AnyEvent>) -> Vec<End> {
    let at = recorded.occurred_at;
    if let AnyEvent::Organization(event) = &recorded.event {
        return of_organization(event, at).into_iter().collect();
    }
    if let AnyEvent::ReviewCampaign(event) = &recorded.event {
        return of_campaign(event, at).into_iter().collect();
    }
    if let AnyEvent::ReviewTemplate(event) = &recorded.event {
        return of_template(event, at).into_iter().collect();
    }
    let AnyEvent::AccessReview(event) = &recorded.event else { return Vec::new() };
    of_review(event, at).into_iter().chain(portion_of(event, at)).collect()
}

/// Where somebody left an organisation, so that what was delegated to them in its reviews falls back.
pub(super) fn left(event: &AnyEvent) -> Option<OrganizationId> {
    use OrganizationEvent as E;
    let AnyEvent::Organization(event) = event else { return None };
    if let E::UserDeactivated { organization, .. }
    | E::UserAutoDeactivated { organization, .. }
    | E::MemberMoved { organization, .. } = event
    {
        return Some(*organization);
    }
    None
}

/// The portion after this one: what an append did has the rest looked at.
fn portion_of(event: &AccessReviewEvent, at: DateTime<Utc>) -> Option<End> {
    use AccessReviewEvent as E;
    let next = || End::at(Kind::ReviewClosing, at);
    match event {
        E::AccessReviewClosing { .. }
        | E::ReviewDecisionCarriedOut { .. }
        | E::ReviewDecisionNotCarriedOut { .. }
        | E::ReviewItemDecidedByPolicy(_)
        | E::ReviewItemLeftByPolicy { .. } => Some(next()),
        E::AccessReviewEscalated { ordinary, high, .. } => {
            (!ordinary.is_escalate() || !high.is_escalate()).then(next)
        }
        E::AccessReviewCompleted { .. } | E::AccessReviewCancelled { .. } => {
            Some(End::no_more(Kind::ReviewClosing))
        }
        E::AccessReviewOpened { .. }
        | E::ReviewItemsListed { .. }
        | E::ReviewItemsCarriedForward { .. }
        | E::ReviewItemDecided(_)
        | E::ReviewItemConfirmed { .. }
        | E::ReviewItemAttested { .. }
        | E::ReviewItemDelegated { .. }
        | E::ReviewDelegationLapsed { .. }
        | E::ReviewRevocationExecuted(_)
        | E::ReviewChangeExecuted(_)
        | E::HastyReviewSuspected { .. }
        | E::AccessReviewReminded { .. }
        | E::AccessReviewOverdue { .. } => None,
    }
}

/// What it says about an organisation's periodic reviews, beside any other end (CC-13): looked at at
/// once, to find out when the next one begins under the policy in force.
fn of_organization(event: &OrganizationEvent, at: DateTime<Utc>) -> Option<End> {
    use OrganizationEvent as E;
    if let E::OrganizationRegistered { .. } = event {
        return Some(End::at(Kind::ReviewOpening, at));
    }
    if let E::OrganizationMerged { .. } | E::OrganizationClosed { .. } = event {
        return Some(End::no_more(Kind::ReviewOpening));
    }
    None
}

/// A review is looked at at once, to find out when to look again; what a decision says is to be so, is
/// looked up once it was carried out. Where one waits for that, or was taken back, the look finds nothing
/// to look up.
fn of_review(event: &AccessReviewEvent, at: DateTime<Utc>) -> Option<End> {
    use AccessReviewEvent as E;
    let execution = |decision: Option<&ReviewDecision>, item: u32, at| {
        let portion = VerifyReviewItems::portion_of(item);
        let is_to_be = decision.is_none_or(ReviewDecision::is_to_be_carried_out);
        is_to_be.then(|| End::at(Kind::ReviewExecution, at).of(portion))
    };
    match event {
        E::AccessReviewOpened { opened_at, .. } => Some(End::at(Kind::AccessReview, *opened_at)),
        E::ReviewItemDecided(decided) => {
            execution(Some(&decided.new), decided.item, decided.decided_at)
        }
        E::ReviewItemConfirmed { item, decision, .. } => execution(Some(decision), *item, at),
        E::ReviewDecisionCarriedOut { item, .. } => execution(None, *item, at),
        E::ReviewItemDecidedByPolicy(decided) => execution(Some(&decided.new), decided.item, at),
        E::AccessReviewCompleted { .. } | E::AccessReviewCancelled { .. } => {
            Some(End::no_more(Kind::AccessReview))
        }
        // There may be more of them than an append takes, and whoever is delegated to may be gone by now.
        E::ReviewDelegationLapsed { .. } | E::ReviewItemDelegated { new: Some(_), .. } => {
            Some(End::at(Kind::AccessReview, at))
        }
        E::ReviewItemDelegated { new: None, .. }
        | E::ReviewItemAttested { .. }
        | E::ReviewItemsListed { .. }
        | E::ReviewItemsCarriedForward { .. }
        | E::ReviewRevocationExecuted(_)
        | E::ReviewChangeExecuted(_)
        | E::HastyReviewSuspected { .. }
        | E::AccessReviewReminded { .. }
        | E::AccessReviewClosing { .. }
        | E::ReviewDecisionNotCarriedOut { .. }
        | E::ReviewItemLeftByPolicy { .. }
        | E::AccessReviewOverdue { .. }
        | E::AccessReviewEscalated { .. } => None,
    }
}

/// Its reviews are opened, or called off, portion by portion from then on.
fn of_campaign(event: &ReviewCampaignEvent, at: DateTime<Utc>) -> Option<End> {
    use ReviewCampaignEvent as E;
    match event {
        E::ReviewCampaignOpened { .. } | E::ReviewCampaignCancelled { .. } => {
            Some(End::at(Kind::ReviewCampaign, at))
        }
        E::ReviewCampaignCompleted { .. } => Some(End::no_more(Kind::ReviewCampaign)),
        E::CampaignOrganizationsListed { .. }
        | E::CampaignReviewOpened { .. }
        | E::CampaignOrganizationSkipped { .. }
        | E::CampaignReviewClosed { .. } => None,
    }
}

/// Looked at at once, to find out when its next date comes.
fn of_template(event: &ReviewTemplateEvent, at: DateTime<Utc>) -> Option<End> {
    use ReviewTemplateEvent as E;
    match event {
        E::ReviewTemplateCreated { .. } | E::ReviewTemplateChanged { .. } => {
            Some(End::at(Kind::ReviewTemplate, at))
        }
        E::ReviewTemplateRetired { .. } => Some(End::no_more(Kind::ReviewTemplate)),
        E::ReviewTemplateOpened { .. } | E::ReviewTemplateSkipped { .. } => None,
    }
}
