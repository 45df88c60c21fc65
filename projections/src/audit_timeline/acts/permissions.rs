//! Rights of people, requests for them, and their use. Invariant: a change of rights names them, by
//! the words and ids of the access register.

use rollcall_domain::{
    access_requests::{AccessRequestEvent, JoinRequestEvent, MoveRequestEvent},
    access_reviews::{
        AccessReviewEvent, campaign::ReviewCampaignEvent, substitutes::ReviewSubstitutesEvent,
        template::ReviewTemplateEvent,
    },
    permissions::{
        CorrespondenceScope, Entitlement, EntitlementChange, JobRoleEvent, MembershipEvent,
        NpiLevel, NpiScope, right_use::RightUseEvent,
    },
    pins::PinEvent,
};
use serde::Serialize;
use serde_json::Value;

use super::{AccessAct, Act, Thing, UseAct, Verb};

/// A stored word.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn npis(npi: &NpiScope) -> String {
    match npi {
        NpiScope::All => "all NPIs".to_owned(),
        NpiScope::One(npi) => format!("NPI {npi}"),
    }
}

fn level(npi: &NpiScope, level: NpiLevel) -> Vec<String> {
    vec![format!("{}: {}", npis(npi), word(&level))]
}

fn correspondence(npi: &NpiScope, kind: &CorrespondenceScope) -> String {
    match kind {
        CorrespondenceScope::All => format!("{}: all correspondence", npis(npi)),
        CorrespondenceScope::One(kind) => format!("{}: {}", npis(npi), word(kind)),
    }
}

fn grant(entitlement: &Entitlement) -> Vec<String> {
    vec![match entitlement {
        Entitlement::Feature(feature) => format!("feature {}", word(feature)),
        Entitlement::JobRole(id) => format!("job role {id}"),
        Entitlement::Location(id) => format!("location {id}"),
        Entitlement::TaxId(id) => format!("tax id {id}"),
    }]
}

pub(super) fn membership(event: &MembershipEvent) -> Act {
    use MembershipEvent as E;
    match event {
        E::NpiPermissionSet { npi, new: NpiLevel::None, old, .. }
        | E::NpiPermissionEnded { npi, old, .. } => {
            Act::Access(AccessAct::Revoked, level(npi, *old))
        }
        E::NpiPermissionSet { npi, new, .. } => Act::Access(AccessAct::Assigned, level(npi, *new)),
        E::CorrespondencePermissionSet { npi, added, removed, .. } => {
            let act = match (added.is_empty(), removed.is_empty()) {
                (false, true) => AccessAct::Assigned,
                (true, false) => AccessAct::Revoked,
                (true, true) | (false, false) => AccessAct::Changed,
            };
            let changed = added.iter().chain(removed).map(|kind| correspondence(npi, kind));
            let changed: Vec<String> = changed.collect();
            // Set to what it was.
            let unchanged = || vec![format!("{}: correspondence", npis(npi))];
            Act::Access(act, if changed.is_empty() { unchanged() } else { changed })
        }
        E::FeatureGranted { .. }
        | E::FeatureRevoked { .. }
        | E::JobRoleAssigned { .. }
        | E::JobRoleUnassigned { .. }
        | E::LocationAccessGranted { .. }
        | E::LocationAccessRevoked { .. }
        | E::TaxIdAccessGranted { .. }
        | E::TaxIdAccessRevoked { .. }
        | E::GrantExpired { .. } => match event.entitlement().expect("these facts are about one") {
            EntitlementChange::Granted { grant: it, .. } => {
                Act::Access(AccessAct::Assigned, grant(&it.entitlement))
            }
            EntitlementChange::Revoked { entitlement, .. }
            | EntitlementChange::Expired { entitlement, .. } => {
                Act::Access(AccessAct::Revoked, grant(&entitlement))
            }
        },
        E::MembershipPermissionsEnded { .. } => {
            Act::Access(AccessAct::Revoked, vec!["all permissions".to_owned()])
        }
        E::PermissionsAssigned { .. }
        | E::PermissionsDeferred { .. }
        | E::FormerPermissionsConfirmed { .. } => Act::Managed(Verb::Other, Thing::Person),
    }
}

pub(super) fn job_role(event: &JobRoleEvent) -> Act {
    match event {
        JobRoleEvent::JobRoleDefined { .. } => Act::Managed(Verb::Created, Thing::Own),
        JobRoleEvent::JobRoleRetired { .. } => Act::Managed(Verb::Deleted, Thing::Own),
    }
}

pub(super) fn right_use(event: &RightUseEvent) -> Act {
    match event {
        RightUseEvent::RightUsed { .. } => Act::Use(UseAct::Performed),
    }
}

pub(super) fn pin(event: &PinEvent) -> Act {
    match event {
        PinEvent::PinIssued { .. } => Act::Managed(Verb::Created, Thing::Npi),
        PinEvent::PinReset { .. }
        | PinEvent::PinPropagationPending { .. }
        | PinEvent::PinPropagationCompleted { .. } => Act::Managed(Verb::Updated, Thing::Npi),
        PinEvent::PinRevealed { .. } => Act::Use(UseAct::Read),
    }
}

pub(super) fn request(event: &AccessRequestEvent) -> Act {
    use AccessRequestEvent as E;
    let verb = match event {
        E::AccessRequested { .. } => Verb::Created,
        E::AccessRequestRouted { .. } => Verb::Updated,
        E::AccessRequestApproved { .. } => Verb::Activated,
        E::AccessRequestDenied { .. }
        | E::AccessRequestWithdrawn { .. }
        | E::AccessRequestExpired { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn joining(event: &JoinRequestEvent) -> Act {
    use JoinRequestEvent as E;
    let verb = match event {
        E::JoinRequested { .. } => Verb::Created,
        E::JoinRequestApproved { .. } => Verb::Activated,
        E::JoinRequestDenied { .. } | E::JoinRequestExpired { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn moving(event: &MoveRequestEvent) -> Act {
    use MoveRequestEvent as E;
    let verb = match event {
        E::MoveRequested { .. } => Verb::Created,
        E::MoveRequestApproved { .. } => Verb::Activated,
        E::MoveRequestDenied { .. }
        | E::MoveRequestWithdrawn { .. }
        | E::MoveRequestExpired { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

/// What becomes of a campaign; each of its reviews has acts of its own.
pub(super) fn campaign(event: &ReviewCampaignEvent) -> Act {
    use ReviewCampaignEvent as E;
    let verb = match event {
        E::ReviewCampaignOpened { .. } => Verb::Created,
        E::CampaignOrganizationsListed { .. }
        | E::CampaignReviewOpened { .. }
        | E::CampaignOrganizationSkipped { .. }
        | E::CampaignReviewClosed { .. }
        | E::ReviewCampaignCompleted { .. } => Verb::Updated,
        E::ReviewCampaignCancelled { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

/// What becomes of a template; what it opens has acts of its own.
pub(super) fn template(event: &ReviewTemplateEvent) -> Act {
    use ReviewTemplateEvent as E;
    let verb = match event {
        E::ReviewTemplateCreated { .. } => Verb::Created,
        E::ReviewTemplateChanged { .. }
        | E::ReviewTemplateOpened { .. }
        | E::ReviewTemplateSkipped { .. } => Verb::Updated,
        E::ReviewTemplateRetired { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

/// Whoever stands in for somebody is given nothing of their own.
pub(super) fn substitutes(event: &ReviewSubstitutesEvent) -> Act {
    let verb = match event {
        ReviewSubstitutesEvent::ReviewSubstituteNamed { .. } => Verb::Updated,
        ReviewSubstitutesEvent::ReviewSubstitutionEnded { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

/// What a review takes away is the act of the event by which it goes.
pub(super) fn review(event: &AccessReviewEvent) -> Act {
    use AccessReviewEvent as E;
    let verb = match event {
        E::AccessReviewOpened { .. } => Verb::Created,
        E::ReviewItemsListed { .. }
        | E::ReviewItemsCarriedForward { .. }
        | E::ReviewItemDecided(_)
        | E::ReviewItemConfirmed { .. }
        | E::ReviewItemAttested { .. }
        | E::ReviewItemDelegated { .. }
        | E::ReviewDelegationLapsed { .. }
        | E::ReviewItemDecidedByPolicy(_)
        | E::ReviewItemLeftByPolicy { .. }
        | E::AccessReviewClosing { .. }
        | E::ReviewDecisionCarriedOut { .. }
        | E::ReviewDecisionNotCarriedOut { .. }
        | E::ReviewRevocationExecuted(_)
        | E::ReviewChangeExecuted(_)
        | E::HastyReviewSuspected { .. }
        | E::AccessReviewReminded { .. }
        | E::AccessReviewOverdue { .. }
        | E::AccessReviewEscalated { .. }
        | E::AccessReviewCompleted { .. } => Verb::Updated,
        E::AccessReviewCancelled { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}
