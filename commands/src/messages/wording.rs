//! The words of every message, in plain English. Invariant: no patient data, and nothing that tells
//! a stranger more than that somebody has an account.

use rollcall_domain::notifications::NotificationType;

use super::Template;

/// What the words are made of; a template uses what it needs.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The portal's name.
    pub portal: String,
    pub link: Option<String>,
    /// The link's token alone, for a letter whose reader types it.
    pub token: Option<String>,
    pub code: Option<String>,
    /// How many of the code's last digits are to be typed.
    pub digits: u32,
    pub password: Option<String>,
    /// A time in the tenant's zone.
    pub until: Option<String>,
    pub organization: String,
    pub counterparty: String,
    pub npi: Option<String>,
    pub notice: Option<NotificationType>,
    /// What the notices of a digest are about, each with its organisation.
    pub digest: Vec<(NotificationType, Option<String>)>,
}

/// A subject line and the paragraphs under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    pub subject: String,
    pub paragraphs: Vec<String>,
}

impl Wording {
    /// The words of `template`.
    #[must_use]
    pub fn of(template: Template, facts: &Facts) -> Self {
        let (subject, paragraphs) = words(template, facts);
        Self { subject, paragraphs }
    }
}

type Words = (String, Vec<String>);

fn words(template: Template, facts: &Facts) -> Words {
    let Facts { portal, organization, counterparty, .. } = facts;
    match template {
        Template::TokenLetter => token_letter(facts),
        Template::Invitation => mail(
            format!("You are invited to {portal}"),
            [
                format!("An administrator added you to {portal} for {organization}."),
                open_link("Open this link to register. It works once", facts),
            ],
        ),
        Template::InvitationToMember => mail(
            format!("You are invited to {organization} in {portal}"),
            [
                format!(
                    "An administrator of {organization} added you. You keep the account that you have in {portal}."
                ),
                open_link("Open this link to accept. It works once", facts),
            ],
        ),
        Template::InvitationReissued => mail(
            format!("Your new registration link for {portal}"),
            [
                format!(
                    "Here is a new link to register for {organization}. The earlier link no longer works."
                ),
                open_link("It works once", facts),
            ],
        ),
        Template::SetPassword => mail(
            "Set your new password".to_owned(),
            [
                format!("Your registration in {portal} is complete but for your password."),
                open_link("Open this link to set it. It works once", facts),
                "If the time has passed, ask for a password reset with this email address."
                    .to_owned(),
            ],
        ),
        Template::ResetLink => mail(
            "Reset your password".to_owned(),
            [
                format!("Somebody, presumably you, asked to reset your password in {portal}."),
                open_link("Open this link to choose a new one. It works once", facts),
                "If it was not you, do nothing: your password stays as it is.".to_owned(),
            ],
        ),
        Template::ResetByAdmin => mail(
            "An administrator reset your password".to_owned(),
            [
                format!("An administrator started a password reset for your account in {portal}."),
                open_link("Open this link to choose a new password. It works once", facts),
            ],
        ),
        Template::TemporaryPassword => mail(
            "Your temporary password".to_owned(),
            [
                format!("Somebody, presumably you, asked for a temporary password for {portal}:"),
                facts.password.clone().unwrap_or_default(),
                format!(
                    "It works once, until {}. You choose a new password when you have signed in. Your present password goes on working.",
                    until(facts)
                ),
            ],
        ),
        Template::TemporaryPasswordByAdmin => mail(
            "An administrator reset your password".to_owned(),
            [
                format!(
                    "An administrator reset the password of your account in {portal}. This is a temporary one:"
                ),
                facts.password.clone().unwrap_or_default(),
                format!(
                    "It works until {}. You choose a new password when you have signed in.",
                    until(facts)
                ),
            ],
        ),
        Template::PasswordChanged => security(
            portal,
            "Your password was changed",
            format!("The password of your account in {portal} was set or changed."),
        ),
        Template::PasswordExpiring => mail(
            "Your password expires soon".to_owned(),
            [format!("Sign in to {portal} and change your password before {}.", until(facts))],
        ),
        Template::PasswordExpired => mail(
            "Your password has expired".to_owned(),
            [format!(
                "Sign in to {portal} and choose a new password; nothing else works until then."
            )],
        ),
        Template::AccountLocked => account_locked(facts),
        Template::AccountUnlocked => security(
            portal,
            "Your account is unlocked",
            format!("You can sign in to {portal} again."),
        ),
        Template::Deactivated => mail(
            format!("Your access to {portal} has ended"),
            [
                format!("An administrator ended your access for {organization}."),
                "If this is a mistake, ask an administrator there; your access can be given back."
                    .to_owned(),
            ],
        ),
        Template::DeactivatedUnassigned => mail(
            format!("Your access to {portal} has ended"),
            [
                format!(
                    "Your access for {organization} ended, because you have no permissions there."
                ),
                "If you still need it, ask an administrator there; your access can be given back."
                    .to_owned(),
            ],
        ),
        Template::DeactivationNear => mail(
            format!("A user of {organization} will be deactivated"),
            [
                format!(
                    "A user of {organization} in {portal} has no permissions yet and will be deactivated on {}.",
                    until(facts)
                ),
                "Sign in and give the user the permissions they need, or let it happen.".to_owned(),
            ],
        ),
        Template::UserDeactivated => mail(
            format!("A user of {organization} was deactivated"),
            [
                format!(
                    "A user of {organization} in {portal} was deactivated, because nobody gave them permissions."
                ),
                "You may reactivate the user at any time.".to_owned(),
            ],
        ),
        Template::AccessEndsSoon => mail(
            format!("Your access to {portal} ends soon"),
            [format!(
                "You have not signed in for a long time. Sign in before {} to keep your access for {organization}.",
                until(facts)
            )],
        ),
        Template::DeactivatedDormant => mail(
            format!("Your access to {portal} has ended"),
            [
                format!(
                    "Your access for {organization} ended, because you have not signed in for a long time."
                ),
                "If you still need it, ask an administrator there; your access can be given back."
                    .to_owned(),
            ],
        ),
        Template::DormancyNear => mail(
            format!("A user of {organization} will be deactivated"),
            [
                format!(
                    "A user of {organization} in {portal} has not signed in for a long time and will be deactivated on {}.",
                    until(facts)
                ),
                "Let it happen, or ask the user to sign in.".to_owned(),
            ],
        ),
        Template::DormantUserDeactivated => mail(
            format!("A user of {organization} was deactivated"),
            [
                format!(
                    "A user of {organization} in {portal} was deactivated for not having signed in for a long time."
                ),
                "You may reactivate the user at any time.".to_owned(),
            ],
        ),
        Template::AdminRequested => mail(
            format!("A further administrator of {organization} was requested"),
            [
                format!(
                    "An administrator of {organization} asked for a further one in {portal}. The health plan will decide."
                ),
                "If nobody of you did, contact the health plan.".to_owned(),
            ],
        ),
        Template::AdminDeclined => mail(
            format!("The request for a further administrator of {organization} was declined"),
            ["Contact the health plan if you need one.".to_owned()],
        ),
        Template::AdminAppointed => mail(
            format!("The health plan appointed an administrator of {organization}"),
            [
                format!(
                    "The health plan made a person administrator of {organization} in {portal}."
                ),
                "If none of you asked for it, contact the health plan.".to_owned(),
            ],
        ),
        Template::AccountRequestReceived => mail(
            format!("Your request for an account in {portal} was received"),
            [
                format!("Somebody, presumably you, asked for an account in {portal}."),
                "The health plan answers by email. If it was not you, ignore this message."
                    .to_owned(),
            ],
        ),
        Template::AccountRequestRejected => mail(
            format!("Your request for an account in {portal} was declined"),
            ["Contact the health plan if you have questions.".to_owned()],
        ),
        Template::JoinRequestDenied => mail(
            format!("Your request to join {organization} in {portal} was declined"),
            ["Contact an administrator of the organization if you have questions.".to_owned()],
        ),
        Template::Reactivated => mail(
            format!("You have access to {portal} again"),
            [format!("An administrator gave you back your access for {organization}.")],
        ),
        Template::UsernameDisclosed => security(
            portal,
            "Your user name was told by support",
            format!("Support told somebody who asked for it your user name in {portal}."),
        ),
        Template::EmailChanged => security(
            portal,
            "Your email address was changed",
            format!(
                "The email address of your account in {portal} was changed. This message goes to the old and the new address."
            ),
        ),
        Template::VerifyEmail => mail(
            "Verify your email address".to_owned(),
            [
                format!("This address was given for an account in {portal}."),
                open_link("Open this link to show that it is yours. It works once", facts),
            ],
        ),
        Template::PhoneChanged => security(
            portal,
            "Your telephone number was changed",
            format!("The number that passcodes for {portal} are sent to was changed."),
        ),
        Template::AuthenticatorAdded => security(
            portal,
            "An authenticator app was added",
            format!("An authenticator app now belongs to your account in {portal}."),
        ),
        Template::AuthenticatorRemoved => security(
            portal,
            "Your authenticator app was removed",
            format!("The authenticator app of your account in {portal} serves no more."),
        ),
        Template::RecoveryCodeUsed => security(
            portal,
            "A recovery code was used",
            format!(
                "One of your recovery codes for {portal} was used in place of the authenticator app."
            ),
        ),
        Template::ApiKeyCreated => api_key(
            facts,
            "A key for a machine was made",
            format!(
                "An administrator made a key by which a machine may act for {organization} in {portal} until {}.",
                until(facts)
            ),
        ),
        Template::ApiKeyRevoked => api_key(
            facts,
            "A machine's key was revoked",
            format!(
                "An administrator revoked a key by which a machine could act for {organization} in {portal}."
            ),
        ),
        Template::Passcode => passcode(facts),
        Template::PinReset => security(
            portal,
            "A PIN was reset",
            format!(
                "The PIN of NPI {} of {organization} was reset. The earlier PIN no longer works.",
                facts.npi.as_deref().unwrap_or_default()
            ),
        ),
        Template::AffiliationRequested => mail(
            format!("{counterparty} asks for an affiliation"),
            [
                format!("{counterparty} asks to be affiliated with {organization} in {portal}."),
                "Sign in to approve or deny the request.".to_owned(),
            ],
        ),
        Template::AffiliationApproved => mail(
            format!("{counterparty} approved the affiliation"),
            [format!(
                "The affiliation of {organization} with {counterparty} was approved and is in force."
            )],
        ),
        Template::AffiliationDenied => mail(
            format!("{counterparty} denied the affiliation"),
            [format!(
                "The request of {organization} for an affiliation with {counterparty} was denied."
            )],
        ),
        Template::AffiliationExpired => mail(
            "A request for an affiliation has expired".to_owned(),
            [format!(
                "{counterparty} did not decide in time on the request of {organization}. You may ask again."
            )],
        ),
        Template::AffiliationWithdrawn => mail(
            "A request for an affiliation was withdrawn".to_owned(),
            [format!(
                "{counterparty} withdrew its request for an affiliation with {organization}."
            )],
        ),
        Template::AffiliationTerminated => mail(
            format!("{counterparty} ended the affiliation"),
            [format!(
                "The affiliation of {organization} with {counterparty} ends. Sign in to {portal} for its last day."
            )],
        ),
        Template::AffiliationGoesOn => mail(
            format!("{counterparty} lets the affiliation go on"),
            [format!(
                "The affiliation of {organization} with {counterparty} does not end as was announced."
            )],
        ),
        Template::AffiliationTakenOver => mail(
            format!("{counterparty} goes on with an affiliation"),
            [format!(
                "{counterparty} took over an organization that {organization} is affiliated with, and goes on with the affiliation."
            )],
        ),
        Template::MergeBegun => mail(
            format!("{organization} becomes part of {counterparty}"),
            [format!(
                "The health plan merges {organization} into {counterparty}. Its people go over one by one and sign in again for {counterparty}."
            )],
        ),
        Template::AbsorptionBegun => mail(
            format!("{organization} takes {counterparty} over"),
            [format!(
                "The health plan merges {counterparty} into {organization}. People, NPIs and affiliations come over; sign in to {portal} to see them."
            )],
        ),
        Template::Absorbed => mail(
            format!("{counterparty} is part of {organization} now"),
            [format!(
                "The merger of {counterparty} into {organization} is complete. Sign in to {portal} and look through the permissions that came with it."
            )],
        ),
        Template::Digest => digest(facts),
        Template::Notice => mail(
            format!("A notice from {portal}"),
            [
                format!("There is a new notice about {}.", about(facts.notice)),
                format!("Sign in to {portal} for more. You choose there which notices are mailed."),
            ],
        ),
    }
}

/// Notices named one by one in a digest; of more only the number is told.
const DIGEST_LINES: usize = 50;

fn digest(facts: &Facts) -> Words {
    let Facts { portal, digest, .. } = facts;
    let count = match digest.len() {
        1 => "1 notice".to_owned(),
        several => format!("{several} notices"),
    };
    let line = |(kind, organization): &(NotificationType, Option<String>)| match organization {
        Some(organization) => format!("- {} ({organization})", about(Some(*kind))),
        None => format!("- {}", about(Some(*kind))),
    };
    let mut lines: Vec<String> = digest.iter().take(DIGEST_LINES).map(line).collect();
    if let Some(more) = digest.len().checked_sub(DIGEST_LINES).filter(|more| *more > 0) {
        lines.push(format!("- and {more} more"));
    }
    mail(
        format!("{count} from {portal}"),
        [
            format!("Since the digest before there was news about:\n{}", lines.join("\n")),
            format!("Sign in to {portal} for more. You choose there which notices are mailed."),
        ],
    )
}

fn mail<const N: usize>(subject: String, paragraphs: [String; N]) -> Words {
    (subject, paragraphs.into())
}

/// What happened to an account, and what to do if its owner did not do it.
fn security(portal: &str, subject: &str, what: String) -> Words {
    let warning = format!(
        "If you know nothing of this, reset your password at once and tell your administrator of {portal}."
    );
    (subject.to_owned(), vec![what, warning])
}

fn api_key(facts: &Facts, subject: &str, what: String) -> Words {
    let portal = &facts.portal;
    let advice = format!(
        "The list of keys in {portal} says who made it and what for. If you know nothing of this, ask \
         the other administrators and revoke what nobody knows."
    );
    (subject.to_owned(), vec![what, advice])
}

fn open_link(instruction: &str, facts: &Facts) -> String {
    let link = facts.link.as_deref().unwrap_or_default();
    format!("{instruction} and until {}:\n{link}", until(facts))
}

fn until(facts: &Facts) -> &str {
    facts.until.as_deref().unwrap_or("it is replaced")
}

fn account_locked(facts: &Facts) -> Words {
    let portal = &facts.portal;
    let end = match &facts.until {
        Some(until) => format!("It unlocks by itself at {until}."),
        None => "An administrator can unlock it.".to_owned(),
    };
    security(
        portal,
        "Your account is locked",
        format!(
            "After too many failed sign-ins your account in {portal} is locked. {end} A password reset may unlock it as well."
        ),
    )
}

fn passcode(facts: &Facts) -> Words {
    let code = facts.code.as_deref().unwrap_or_default();
    let text = format!(
        "{}: your code is {code}. Type its last {} digits. It works until {}. Nobody will ever ask you for it.",
        facts.portal,
        facts.digits,
        until(facts)
    );
    ("Your code".to_owned(), vec![text])
}

fn token_letter(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("Register {organization} in {portal}"),
        [
            format!(
                "{organization} can now use {portal}. Whoever registers first becomes its administrator, so give this letter to the person who should."
            ),
            format!(
                "Open {} or type this token where you are asked for it:",
                facts.link.as_deref().unwrap_or_default()
            ),
            facts.token.clone().unwrap_or_default(),
            format!(
                "It works once and until {}. Have your tax id, pay-to ZIP code and contact email at hand.",
                until(facts)
            ),
        ],
    )
}

fn about(notice: Option<NotificationType>) -> &'static str {
    match notice {
        Some(NotificationType::AccessRequest) => "a request for access",
        Some(NotificationType::NewCorrespondence) => "new correspondence",
        Some(NotificationType::AffiliationRequest) => "a request for an affiliation",
        Some(NotificationType::AffiliationDecision) => "an affiliation",
        Some(NotificationType::PinReset) => "a PIN",
        Some(NotificationType::PermissionChange) => "your permissions",
        Some(NotificationType::UserActivity) => "a user of your organization",
        Some(NotificationType::AccountSecurity) => "the security of an account",
        Some(NotificationType::ReviewDue) => "an access review",
        Some(NotificationType::ReportReleased) => "a report",
        Some(NotificationType::SystemAlert) | None => "the portal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            portal: "Test Portal".to_owned(),
            link: Some("https://portal.test/x/TOKEN".to_owned()),
            token: Some("TOKEN".to_owned()),
            code: Some("12345678".to_owned()),
            digits: 6,
            password: Some("SECRET".to_owned()),
            until: Some("Monday".to_owned()),
            organization: "Redwood Clinic".to_owned(),
            counterparty: "Golden Gate Billing".to_owned(),
            npi: Some("1234567893".to_owned()),
            notice: Some(NotificationType::PermissionChange),
            digest: vec![(NotificationType::PermissionChange, Some("Redwood Clinic".to_owned()))],
        }
    }

    #[test]
    fn every_message_has_one_line_of_subject_and_something_to_say() {
        for template in Template::ALL {
            let Wording { subject, paragraphs } = Wording::of(*template, &facts());
            assert!(!subject.is_empty() && !subject.contains('\n'), "{template:?}");
            assert!(paragraphs.iter().all(|paragraph| !paragraph.is_empty()), "{template:?}");
        }
    }

    #[test]
    fn mc_65_a_digest_names_fifty_notices_and_counts_the_rest() {
        let digest = vec![(NotificationType::UserActivity, None); 53];
        let Wording { subject, paragraphs } =
            Wording::of(Template::Digest, &Facts { digest, ..facts() });
        assert_eq!(subject, "53 notices from Test Portal");
        assert_eq!(paragraphs[0].matches("\n- a user of your organization").count(), 50);
        assert!(paragraphs[0].ends_with("\n- and 3 more"), "{}", paragraphs[0]);
    }

    #[test]
    fn only_messages_that_need_a_secret_hold_it() {
        let holding = |secret: &str| -> Vec<Template> {
            let holds = |template: &Template| {
                let Wording { subject, paragraphs } = Wording::of(*template, &facts());
                format!("{subject} {}", paragraphs.join(" ")).contains(secret)
            };
            Template::ALL.iter().copied().filter(holds).collect()
        };
        assert_eq!(holding("12345678."), [Template::Passcode]);
        let temporary = [Template::TemporaryPassword, Template::TemporaryPasswordByAdmin];
        assert_eq!(holding("SECRET"), temporary);
        assert_eq!(
            holding("TOKEN"),
            [
                Template::TokenLetter,
                Template::Invitation,
                Template::InvitationToMember,
                Template::InvitationReissued,
                Template::SetPassword,
                Template::ResetLink,
                Template::ResetByAdmin,
                Template::VerifyEmail
            ]
        );
    }
}
