//! The words about a person's account. Invariant: a change that its owner may not have made comes with
//! what to do then.

use super::{Facts, Words, mail, open_link, security, until};

pub(super) fn set_password(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        "Set your new password".to_owned(),
        [
            format!("Your registration in {portal} is complete but for your password."),
            open_link("Open this link to set it. It works once", facts),
            "If the time has passed, ask for a password reset with this email address.".to_owned(),
        ],
    )
}

pub(super) fn reset_link(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        "Reset your password".to_owned(),
        [
            format!("Somebody, presumably you, asked to reset your password in {portal}."),
            open_link("Open this link to choose a new one. It works once", facts),
            "If it was not you, do nothing: your password stays as it is.".to_owned(),
        ],
    )
}

pub(super) fn reset_by_admin(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        "An administrator reset your password".to_owned(),
        [
            format!("An administrator started a password reset for your account in {portal}."),
            open_link("Open this link to choose a new password. It works once", facts),
        ],
    )
}

pub(super) fn temporary_password(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        "Your temporary password".to_owned(),
        [
            format!("Somebody, presumably you, asked for a temporary password for {portal}:"),
            facts.password.clone().unwrap_or_default(),
            format!(
                "It works once, until {}. You choose a new password when you have signed in. Your present password goes on working.",
                until(facts)
            ),
        ],
    )
}

pub(super) fn temporary_password_by_admin(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
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
    )
}

pub(super) fn password_changed(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(
        portal,
        "Your password was changed",
        format!("The password of your account in {portal} was set or changed."),
    )
}

pub(super) fn password_expiring(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        "Your password expires soon".to_owned(),
        [format!("Sign in to {portal} and change your password before {}.", until(facts))],
    )
}

pub(super) fn password_expired(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        "Your password has expired".to_owned(),
        [format!("Sign in to {portal} and choose a new password; nothing else works until then.")],
    )
}

pub(super) fn account_locked(facts: &Facts) -> Words {
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

pub(super) fn account_unlocked(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(portal, "Your account is unlocked", format!("You can sign in to {portal} again."))
}

pub(super) fn username_disclosed(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(
        portal,
        "Your user name was told by support",
        format!("Support told somebody who asked for it your user name in {portal}."),
    )
}

pub(super) fn email_changed(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(
        portal,
        "Your email address was changed",
        format!(
            "The email address of your account in {portal} was changed. This message goes to the old and the new address."
        ),
    )
}

pub(super) fn verify_email(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        "Verify your email address".to_owned(),
        [
            format!("This address was given for an account in {portal}."),
            open_link("Open this link to show that it is yours. It works once", facts),
        ],
    )
}

pub(super) fn phone_changed(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(
        portal,
        "Your telephone number was changed",
        format!("The number that passcodes for {portal} are sent to was changed."),
    )
}

pub(super) fn authenticator_added(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(
        portal,
        "An authenticator app was added",
        format!("An authenticator app now belongs to your account in {portal}."),
    )
}

pub(super) fn authenticator_removed(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(
        portal,
        "Your authenticator app was removed",
        format!("The authenticator app of your account in {portal} serves no more."),
    )
}

pub(super) fn recovery_code_used(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    security(
        portal,
        "A recovery code was used",
        format!(
            "One of your recovery codes for {portal} was used in place of the authenticator app."
        ),
    )
}

pub(super) fn passcode(facts: &Facts) -> Words {
    let code = facts.code.as_deref().unwrap_or_default();
    let text = format!(
        "{}: your code is {code}. Type its last {} digits. It works until {}. Nobody will ever ask you for it.",
        facts.portal,
        facts.digits,
        until(facts)
    );
    ("Your code".to_owned(), vec![text])
}
