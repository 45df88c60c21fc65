//! Sentences about how organisations and people come in: letter tokens, registrations, invitations.
//! Invariant: of a mismatch only the number of fields is told (MC-07).

use rollcall_domain::{
    organizations::{
        AccountRequestEvent, RegistrationEvent, RegistrationRoute, RegistrationTokenEvent,
    },
    users::invitation::InvitationEvent,
};

use super::{Telling, accounts::changed_fields, channel, list, lower, time, title};

pub(super) fn token(event: &RegistrationTokenEvent, telling: Telling<'_>) -> String {
    use RegistrationTokenEvent as E;
    let who = telling.who();
    let named = |id| telling.organization(id);
    match event {
        E::RegistrationTokenIssued { organization, issued_on, expires_at, .. } => {
            let (name, end) = (named(*organization), time(expires_at));
            format!("{who} issued a registration token to {name} on {issued_on}, good until {end}.")
        }
        E::LetterQueued { organization, .. } => {
            format!("A letter with the registration token goes to {}.", named(*organization))
        }
        E::RegistrationTokenRedeemed { organization, .. } => {
            format!("The registration token of {} was redeemed.", named(*organization))
        }
        E::RegistrationTokenRejected { organization, why, .. } => {
            let of = telling.at("of", *organization);
            format!("{who} tried a registration token{of} in vain ({}).", lower(why))
        }
        E::RegistrationTokenExpired { organization } => {
            format!("The registration token of {} expired.", named(*organization))
        }
        E::RegistrationTokenRevoked { organization, .. } => {
            format!("{who} revoked the registration token of {}.", named(*organization))
        }
        E::LetterReturned { organization, .. } => {
            format!("The letter to {} came back.", named(*organization))
        }
        E::LetterOpened { organization, .. } => {
            format!("{who} opened the letter with the token of {}.", named(*organization))
        }
    }
}

pub(super) fn registration(event: &RegistrationEvent, telling: Telling<'_>) -> String {
    use RegistrationEvent as E;
    let named = |id| telling.organization(id);
    match event {
        E::OrganizationRegistrationStarted { organization, route, user, .. } => {
            let who = match route {
                RegistrationRoute::NewPerson => "A person without an account".to_owned(),
                RegistrationRoute::ExistingPerson | RegistrationRoute::SignedIn => {
                    telling.person_or(*user, "A person with an account")
                }
            };
            format!("{who} began to register {}.", named(*organization))
        }
        E::AgreementAccepted { organization, kind, version, .. } => {
            let (kind, name) = (title(kind), named(*organization));
            format!("The registrant of {name} accepted version {version} of the {kind}.")
        }
        E::RegistrantMismatch { organization, fields_count } => {
            let name = named(*organization);
            format!("{fields_count} of the details given for {name} did not match its file.")
        }
        E::RegistrantVerified { organization, .. } => {
            format!("The details given for {} matched its file.", named(*organization))
        }
        E::PasscodeVerified { organization, .. } => {
            format!("The registrant of {} typed the right passcode.", named(*organization))
        }
        E::OrganizationRegistrationCompleted { organization, user, .. } => {
            let (person, name) = (telling.person(*user), named(*organization));
            format!("{person} completed the registration of {name}.")
        }
    }
}

pub(super) fn invitation(event: &InvitationEvent, telling: Telling<'_>) -> String {
    use InvitationEvent as E;
    let who = telling.who();
    match event {
        E::UserInvited { user, organization, expires_at, .. } => {
            let (person, to) = (telling.person(*user), telling.at("to", *organization));
            format!("{who} invited {person}{to}; the link works until {}.", time(expires_at))
        }
        E::InvitationReissued { user, organization, expires_at, .. } => {
            let (person, to) = (telling.person(*user), telling.at("to", *organization));
            let end = time(expires_at);
            format!("{who} sent {person} a new invitation{to}; the link works until {end}.")
        }
        E::InvitedDetailsCorrected { user, organization, changed, mobile, .. } => {
            let (whose, to) = (telling.whose(*user), telling.at("to", *organization));
            let mobile = mobile.as_ref().map(|_| "mobile telephone".to_owned());
            let fields = list(changed_fields(changed).chain(mobile));
            format!("{who} corrected {whose} {fields} in the invitation{to}.")
        }
        E::InvitationOpened { user, organization } => {
            let to = telling.at("to", *organization);
            format!("{} opened the invitation{to}.", telling.person(*user))
        }
        E::AgreementAccepted { user, kind, version, .. } => {
            let (person, kind) = (telling.person(*user), title(kind));
            format!("{person} accepted version {version} of the {kind}.")
        }
        E::InviteeDetailsSubmitted { user, channel: way, .. } => {
            let (person, way) = (telling.person(*user), channel(*way));
            format!("{person} gave name and telephone, with passcodes by {way}.")
        }
        E::PasscodeVerified { user, .. } => {
            format!("{} typed the right passcode.", telling.person(*user))
        }
        E::InvitationCompleted { user, organization } => {
            let to = telling.at("to", *organization);
            format!("{} completed the invitation{to}.", telling.person(*user))
        }
        E::InvitationExpired { user, organization } => {
            let to = telling.at("to", *organization);
            format!("The invitation of {}{to} expired.", telling.person(*user))
        }
        E::InvitationCancelled { user, organization, .. } => {
            let to = telling.at("to", *organization);
            format!("{who} cancelled the invitation of {}{to}.", telling.person(*user))
        }
    }
}

pub(super) fn account_request(event: &AccountRequestEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        AccountRequestEvent::AccountRequestSubmitted { organization_name, due_at, .. } => {
            let (name, end) = (organization_name.as_str(), time(due_at));
            format!("Somebody asked for an account for {name}; an answer is due by {end}.")
        }
        AccountRequestEvent::AccountRequestFulfilled { organization, user, .. } => {
            let (person, name) = (telling.person(*user), telling.organization(*organization));
            format!("{who} fulfilled the account request of {person} for {name}.")
        }
        AccountRequestEvent::AccountRequestRejected { .. } => {
            format!("{who} declined an account request.")
        }
    }
}
