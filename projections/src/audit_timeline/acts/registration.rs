//! How organisations and people come in.

use rollcall_domain::{
    organizations::{AccountRequestEvent, RegistrationEvent, RegistrationTokenEvent},
    users::invitation::InvitationEvent,
};

use super::{Act, AuthenticationAct, Thing, UseAct, Verb};

pub(super) fn token(event: &RegistrationTokenEvent) -> Act {
    use RegistrationTokenEvent as E;
    match event {
        E::RegistrationTokenIssued { .. } => Act::Managed(Verb::Created, Thing::Own),
        E::LetterQueued { .. } | E::LetterReturned { .. } => {
            Act::Managed(Verb::Updated, Thing::Own)
        }
        E::RegistrationTokenRedeemed { .. } => Act::Managed(Verb::Activated, Thing::Own),
        E::RegistrationTokenRejected { .. } => Act::Authentication(AuthenticationAct::Preauth),
        E::RegistrationTokenExpired { .. } | E::RegistrationTokenRevoked { .. } => {
            Act::Managed(Verb::Deactivated, Thing::Own)
        }
        E::LetterOpened { .. } => Act::Use(UseAct::Exported),
    }
}

pub(super) fn account_request(event: &AccountRequestEvent) -> Act {
    use AccountRequestEvent as E;
    let verb = match event {
        E::AccountRequestSubmitted { .. } => Verb::Created,
        E::AccountRequestFulfilled { .. } => Verb::Activated,
        E::AccountRequestRejected { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn registration(event: &RegistrationEvent) -> Act {
    use RegistrationEvent as E;
    match event {
        E::OrganizationRegistrationStarted { .. } => Act::Managed(Verb::Created, Thing::Own),
        E::AgreementAccepted { .. } | E::RegistrantVerified { .. } => {
            Act::Managed(Verb::Updated, Thing::Own)
        }
        E::RegistrantMismatch { .. } | E::PasscodeVerified { .. } => {
            Act::Authentication(AuthenticationAct::Preauth)
        }
        E::OrganizationRegistrationCompleted { .. } => Act::Managed(Verb::Activated, Thing::Own),
    }
}

pub(super) fn invitation(event: &InvitationEvent) -> Act {
    use InvitationEvent as E;
    let verb = match event {
        E::UserInvited { .. } => Verb::Created,
        E::InvitationReissued { .. }
        | E::InvitedDetailsCorrected { .. }
        | E::InvitationOpened { .. }
        | E::AgreementAccepted { .. }
        | E::InviteeDetailsSubmitted { .. } => Verb::Updated,
        E::PasscodeVerified { .. } => return Act::Authentication(AuthenticationAct::Preauth),
        E::InvitationCompleted { .. } => Verb::Activated,
        E::InvitationExpired { .. } | E::InvitationCancelled { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}
