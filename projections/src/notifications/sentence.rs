//! What a notice says, in plain English. Invariant: put together from ids and names when it is read;
//! a person whose name was erased is "a user", and of another organisation no person is named.

use rollcall_domain::notifications::{Happening, NotificationType};

use super::{Notice, title};
use crate::access_reviews::THE_PLAN;

impl Notice {
    /// What it is about; `None` for a type that this version does not know.
    #[must_use]
    pub fn notification_type(&self) -> Option<NotificationType> {
        NotificationType::parse(&self.kind)
    }

    /// One sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        // A review of no organisation's people is of the plan's own.
        let is_plans = self.notification_type() == Some(NotificationType::ReviewDue)
            && self.organization_id.is_none();
        let (own, other) = match is_plans {
            true => (THE_PLAN, THE_PLAN),
            false => ("your organization", "The other organization"),
        };
        let words = Words {
            organization: self.organization_name.as_deref().unwrap_or(own),
            person: self.subject_name.as_deref().unwrap_or("a user"),
            other: self.counterparty_name.as_deref().unwrap_or(other),
            npi: self.npi.as_deref(),
        };
        let happening = self.happening.as_deref().and_then(Happening::parse);
        sentence(self.notification_type(), happening, &words)
    }
}

/// The names in a sentence.
struct Words<'a> {
    organization: &'a str,
    person: &'a str,
    /// The other organisation of an affiliation.
    other: &'a str,
    npi: Option<&'a str>,
}

/// For each type and happening, as `TYPE` or `TYPE/HAPPENING`, the words in small letters that its
/// notices have whatever the names.
pub(super) fn fixed_words() -> impl Iterator<Item = (String, String)> {
    let happenings = || std::iter::once(None).chain(Happening::ALL.into_iter().map(Some));
    let nameless = Words { organization: "", person: "", other: "", npi: None };
    NotificationType::ALL
        .into_iter()
        .flat_map(move |kind| happenings().map(move |h| (kind, h)))
        .map(move |(kind, happening)| {
            let suffix = happening.map(|happening| format!("/{}", happening.as_str()));
            let what = format!("{}{}", kind.as_str(), suffix.unwrap_or_default());
            let said = format!("{} {}", title(kind), sentence(Some(kind), happening, &nameless));
            (what, said.to_lowercase())
        })
}

fn sentence(
    kind: Option<NotificationType>,
    happening: Option<Happening>,
    words: &Words<'_>,
) -> String {
    let Words { organization, npi, .. } = words;
    match kind {
        Some(NotificationType::AccessRequest) => access_request(happening, words),
        Some(NotificationType::NewCorrespondence) => {
            format!("New correspondence arrived for {organization}.")
        }
        Some(NotificationType::AffiliationRequest | NotificationType::AffiliationDecision) => {
            affiliation(happening, words)
        }
        Some(NotificationType::PinReset) => match npi {
            Some(npi) => format!("The PIN of NPI {npi} of {organization} was reset."),
            None => format!("A PIN of {organization} was reset."),
        },
        Some(NotificationType::PermissionChange) if happening == Some(Happening::RoleChanged) => {
            format!("Your role in {organization} was changed.")
        }
        Some(NotificationType::PermissionChange) if happening == Some(Happening::Moved) => {
            format!("You belong to {organization} now, which took {} over.", words.other)
        }
        Some(NotificationType::PermissionChange) => {
            format!("Your permissions in {organization} were changed.")
        }
        Some(NotificationType::UserActivity) => activity(happening, words),
        Some(NotificationType::AccountSecurity) => match happening {
            Some(Happening::ApiKeyCreated) => {
                format!("A key was made by which a machine may act for {organization}.")
            }
            Some(Happening::ApiKeyRevoked) => {
                format!("A key by which a machine could act for {organization} was revoked.")
            }
            Some(_) | None => security(happening).to_owned(),
        },
        Some(NotificationType::ReviewDue) => review(happening, words),
        Some(NotificationType::ReportReleased) => {
            format!("A report for {organization} was released.")
        }
        Some(NotificationType::SystemAlert) => alert(happening, words),
        None => "The portal has news for you.".to_owned(),
    }
}

fn review(happening: Option<Happening>, words: &Words<'_>) -> String {
    let Words { organization, other, .. } = words;
    match happening {
        Some(Happening::ActivityReviewOverdue) => {
            "A review of the activity in the portal is overdue.".to_owned()
        }
        Some(Happening::ReviewReminded) => {
            format!("The access review of {organization} is due soon.")
        }
        Some(Happening::ReviewOverdue) => {
            format!("The access review of {organization} is overdue.")
        }
        Some(Happening::ReviewUnsigned) => {
            format!("Nobody signed the access review of {other} in time.")
        }
        Some(Happening::ReviewHasty) => {
            format!(
                "Somebody keeps almost everybody in the access review of {other}, quicker than anybody \
                 reads."
            )
        }
        Some(Happening::ReviewEscalated) => {
            format!("The health plan was told that the access review of {organization} is overdue.")
        }
        Some(Happening::ReviewCompleted) => {
            format!("The access review of {organization} was signed.")
        }
        Some(Happening::ReviewNotCarriedOut) => {
            format!(
                "Something that was decided in the access review of {organization} could not be carried \
                 out. Decide about it again."
            )
        }
        Some(Happening::ReviewLeft) => {
            format!(
                "The policy could not take everything away that nobody decided about in the access \
                 review of {other}. Decide about it."
            )
        }
        Some(Happening::ReviewFellBack) => {
            format!(
                "Somebody who was to decide in the access review of {organization} has left. Their part \
                 is yours again."
            )
        }
        Some(Happening::ReviewAsksToAttest) => {
            format!(
                "Say in the access review of {organization} whether you need your access still."
            )
        }
        Some(Happening::ReviewReadyToSign) => {
            format!(
                "What was decided in the access review of {organization} is carried out. Sign the review."
            )
        }
        Some(Happening::ReviewStandsIn) => {
            format!("You review access at {organization} in somebody's place, who is away.")
        }
        Some(Happening::ReviewDelegated) => {
            format!("People of {organization} wait for your decision in an access review.")
        }
        Some(_) | None => format!("An access review of {organization} waits for you."),
    }
}

fn access_request(happening: Option<Happening>, words: &Words<'_>) -> String {
    let Words { organization, other, .. } = words;
    match happening {
        Some(Happening::Routed) => {
            format!("A request for access in {other} waits for the health plan.")
        }
        Some(Happening::Approved) => {
            format!("Your request for access in {organization} was approved.")
        }
        Some(Happening::Denied) => format!("Your request for access in {organization} was denied."),
        Some(Happening::Expired) => {
            format!("Nobody decided in time on your request for access in {organization}.")
        }
        Some(Happening::Withdrawn) => {
            format!("A request for access in {organization} was withdrawn.")
        }
        Some(_) | None => format!("Somebody asks {organization} for access."),
    }
}

fn affiliation(happening: Option<Happening>, words: &Words<'_>) -> String {
    let Words { organization, other, .. } = words;
    match happening {
        Some(Happening::Requested) => {
            format!("{other} asks for an affiliation with {organization}.")
        }
        Some(Happening::Withdrawn) => {
            format!("{other} withdrew its request for an affiliation with {organization}.")
        }
        Some(Happening::Approved) => {
            format!("{other} approved the affiliation with {organization}.")
        }
        Some(Happening::Denied) => format!("{other} denied the affiliation with {organization}."),
        Some(Happening::Expired) => {
            format!("{other} did not decide in time on an affiliation with {organization}.")
        }
        Some(Happening::Absorbed) => {
            format!("{other} took over an organization affiliated with {organization} and goes on.")
        }
        Some(Happening::EndCancelled) => {
            format!("{other} lets the affiliation with {organization} go on.")
        }
        Some(Happening::Terminated) => {
            format!("{other} ended the affiliation with {organization}.")
        }
        Some(_) | None => format!("An affiliation of {organization} has changed."),
    }
}

fn activity(happening: Option<Happening>, words: &Words<'_>) -> String {
    let Words { organization, person, .. } = words;
    let subject = match person.strip_prefix("a ") {
        Some(unnamed) => format!("A {unnamed}"),
        None => (*person).to_owned(),
    };
    match happening {
        Some(Happening::Invited) => format!("{subject} was invited to {organization}."),
        Some(Happening::Joined) => format!("{subject} joined {organization}."),
        Some(Happening::AdminRequested) => {
            format!("The health plan was asked to make {person} administrator of {organization}.")
        }
        Some(Happening::AdminDeclined) => {
            format!("The health plan declined to make {person} administrator of {organization}.")
        }
        Some(Happening::DeactivationNear) => {
            format!("{subject} has no permissions in {organization} and will be deactivated soon.")
        }
        Some(Happening::DormancyNear) => {
            format!("{subject} has not signed in and will be deactivated in {organization} soon.")
        }
        Some(Happening::Deactivated) => format!("{subject} was deactivated in {organization}."),
        Some(Happening::EndPlanned) => {
            format!("{subject} will be deactivated in {organization} after the last day at work.")
        }
        Some(Happening::EndCancelled) => {
            format!("{subject} will not be deactivated in {organization} as was planned.")
        }
        Some(Happening::Reactivated) => format!("{subject} was reactivated in {organization}."),
        Some(Happening::RoleChanged) => {
            format!("The role of {person} in {organization} was changed.")
        }
        Some(Happening::PermissionsChanged) => {
            format!("The permissions of {person} in {organization} were changed.")
        }
        Some(Happening::Locked) => format!("The account of {person} was locked."),
        Some(_) | None => format!("The access of {person} to {organization} has changed."),
    }
}

const fn security(happening: Option<Happening>) -> &'static str {
    match happening {
        Some(Happening::PasswordChanged) => "Your password was set or changed.",
        Some(Happening::PasswordExpiring) => "Your password expires soon.",
        Some(Happening::PasswordExpired) => "Your password has expired.",
        Some(Happening::PasswordReset) => "Somebody else had your password reset.",
        Some(Happening::PhoneChanged) => "Your telephone number was changed.",
        Some(Happening::EmailChanged) => "Your email address was changed.",
        Some(Happening::UsernameDisclosed) => "Support told somebody your user name.",
        Some(Happening::AuthenticatorAdded) => "An authenticator app was added to your account.",
        Some(Happening::AuthenticatorRemoved) => "Your authenticator app was removed.",
        Some(Happening::RecoveryCodeUsed) => "One of your recovery codes was used.",
        Some(Happening::Locked) => "Your account was locked.",
        Some(Happening::Unlocked) => "Your account was unlocked.",
        Some(_) | None => "Your password, telephone number, address or lock was changed.",
    }
}

fn alert(happening: Option<Happening>, words: &Words<'_>) -> String {
    let Words { organization, other, npi, .. } = words;
    match happening {
        Some(Happening::MergeBegun) => {
            format!("{organization} becomes part of {other}. Its people go over one by one.")
        }
        Some(Happening::AbsorptionBegun) => format!("{organization} begins to take {other} over."),
        Some(Happening::Absorbed) => format!("{organization} has taken {other} over."),
        Some(Happening::MoveFailed) => {
            let npi = npi.unwrap_or("of a provider");
            format!("The NPI {npi} left {other} as planned, and its next holder could not take it.")
        }
        Some(Happening::Registered) => format!("{organization} was registered."),
        Some(Happening::Suspended) => format!("The health plan suspended {organization}."),
        Some(Happening::Reopened) => format!("The health plan reopened {organization}."),
        Some(Happening::Closed) => format!("The health plan closed {organization} for good."),
        Some(Happening::SinkStopped) => {
            "Audit events are pushed to one of the sinks no more: it is gone, or took nothing for days."
                .to_owned()
        }
        Some(_) | None => "The portal has a message for you.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn notice(kind: NotificationType, happening: Option<Happening>) -> Notice {
        Notice {
            notification_id: Uuid::from_u128(1),
            raised_position: 7,
            raised_at: "2026-01-12T17:00:00Z".parse().expect("a time"),
            kind: kind.as_str().to_owned(),
            organization_id: Some(Uuid::from_u128(2)),
            organization_name: Some("Redwood Clinic".to_owned()),
            subject_kind: "USER".to_owned(),
            subject_id: Uuid::from_u128(3),
            subject_name: None,
            npi: Some("1234567893".to_owned()),
            happening: happening.map(|happening| happening.as_str().to_owned()),
            counterparty_name: Some("Golden Gate Billing".to_owned()),
            read_at: None,
        }
    }

    #[test]
    fn mc_58_the_notice_says_who_approved_or_denied() {
        let said =
            |happening| notice(NotificationType::AffiliationDecision, Some(happening)).sentence();
        let approved = "Golden Gate Billing approved the affiliation with Redwood Clinic.";
        assert_eq!(said(Happening::Approved), approved);
        let denied = "Golden Gate Billing denied the affiliation with Redwood Clinic.";
        assert_eq!(said(Happening::Denied), denied);
    }

    #[test]
    fn a_pin_is_named_by_its_npi_and_an_erased_person_by_no_name() {
        assert_eq!(
            notice(NotificationType::PinReset, None).sentence(),
            "The PIN of NPI 1234567893 of Redwood Clinic was reset."
        );
        let invited = notice(NotificationType::UserActivity, Some(Happening::Invited)).sentence();
        assert_eq!(invited, "A user was invited to Redwood Clinic.");
        let role = notice(NotificationType::UserActivity, Some(Happening::RoleChanged)).sentence();
        assert_eq!(role, "The role of a user in Redwood Clinic was changed.");
    }

    #[test]
    fn every_sentence_is_one_and_is_found_by_its_own_words() {
        for kind in NotificationType::ALL {
            for happening in Happening::ALL {
                let sentence = notice(kind, Some(happening)).sentence();
                assert!(sentence.ends_with('.') && !sentence.contains("  "), "{sentence}");
            }
        }
        let found = |word: &str| {
            fixed_words().filter(|(_, words)| words.contains(word)).map(|(what, _)| what).collect()
        };
        let denied: Vec<String> = found("denied");
        assert_eq!(
            denied,
            ["ACCESS_REQUEST/DENIED", "AFFILIATION_REQUEST/DENIED", "AFFILIATION_DECISION/DENIED"]
        );
    }
}
