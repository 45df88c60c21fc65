//! The words of every message, in plain English. Invariant: no patient data, and nothing that tells
//! a stranger more than that somebody has an account.

mod accounts;
mod affiliations;
mod joining;
mod notices;
mod organizations;

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
    match template {
        Template::TokenLetter => joining::token_letter(facts),
        Template::Invitation => joining::invitation(facts),
        Template::InvitationToMember => joining::invitation_to_member(facts),
        Template::InvitationReissued => joining::invitation_reissued(facts),
        Template::SetPassword => accounts::set_password(facts),
        Template::ResetLink => accounts::reset_link(facts),
        Template::ResetByAdmin => accounts::reset_by_admin(facts),
        Template::TemporaryPassword => accounts::temporary_password(facts),
        Template::TemporaryPasswordByAdmin => accounts::temporary_password_by_admin(facts),
        Template::PasswordChanged => accounts::password_changed(facts),
        Template::PasswordExpiring => accounts::password_expiring(facts),
        Template::PasswordExpired => accounts::password_expired(facts),
        Template::AccountLocked => accounts::account_locked(facts),
        Template::AccountUnlocked => accounts::account_unlocked(facts),
        Template::Deactivated => organizations::deactivated(facts),
        Template::DeactivatedUnassigned => organizations::deactivated_unassigned(facts),
        Template::DeactivationNear => organizations::deactivation_near(facts),
        Template::UserDeactivated => organizations::user_deactivated(facts),
        Template::AccessEndsSoon => organizations::access_ends_soon(facts),
        Template::DeactivatedDormant => organizations::deactivated_dormant(facts),
        Template::DormancyNear => organizations::dormancy_near(facts),
        Template::DormantUserDeactivated => organizations::dormant_user_deactivated(facts),
        Template::AdminRequested => organizations::admin_requested(facts),
        Template::AdminDeclined => organizations::admin_declined(facts),
        Template::AdminAppointed => organizations::admin_appointed(facts),
        Template::AccountRequestReceived => joining::account_request_received(facts),
        Template::AccountRequestRejected => joining::account_request_rejected(facts),
        Template::JoinRequestDenied => joining::join_request_denied(facts),
        Template::Reactivated => organizations::reactivated(facts),
        Template::UsernameDisclosed => accounts::username_disclosed(facts),
        Template::EmailChanged => accounts::email_changed(facts),
        Template::VerifyEmail => accounts::verify_email(facts),
        Template::PhoneChanged => accounts::phone_changed(facts),
        Template::AuthenticatorAdded => accounts::authenticator_added(facts),
        Template::AuthenticatorRemoved => accounts::authenticator_removed(facts),
        Template::RecoveryCodeUsed => accounts::recovery_code_used(facts),
        Template::ApiKeyCreated => organizations::api_key_created(facts),
        Template::ApiKeyRevoked => organizations::api_key_revoked(facts),
        Template::Passcode => accounts::passcode(facts),
        Template::PinReset => organizations::pin_reset(facts),
        Template::AffiliationRequested => affiliations::affiliation_requested(facts),
        Template::AffiliationApproved => affiliations::affiliation_approved(facts),
        Template::AffiliationDenied => affiliations::affiliation_denied(facts),
        Template::AffiliationExpired => affiliations::affiliation_expired(facts),
        Template::AffiliationWithdrawn => affiliations::affiliation_withdrawn(facts),
        Template::AffiliationTerminated => affiliations::affiliation_terminated(facts),
        Template::AffiliationGoesOn => affiliations::affiliation_goes_on(facts),
        Template::AffiliationTakenOver => affiliations::affiliation_taken_over(facts),
        Template::MergeBegun => organizations::merge_begun(facts),
        Template::AbsorptionBegun => organizations::absorption_begun(facts),
        Template::Absorbed => organizations::absorbed(facts),
        Template::Digest => notices::digest(facts),
        Template::Notice => notices::notice(facts),
    }
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

fn open_link(instruction: &str, facts: &Facts) -> String {
    let link = facts.link.as_deref().unwrap_or_default();
    format!("{instruction} and until {}:\n{link}", until(facts))
}

fn until(facts: &Facts) -> &str {
    facts.until.as_deref().unwrap_or("it is replaced")
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
