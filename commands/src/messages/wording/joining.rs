//! The words to those who are to join, or ask to. Invariant: each says what its reader does next.

use super::{Facts, Words, mail, open_link, until};

pub(super) fn token_letter(facts: &Facts) -> Words {
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

pub(super) fn invitation(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("You are invited to {portal}"),
        [
            format!("An administrator added you to {portal} for {organization}."),
            open_link("Open this link to register. It works once", facts),
        ],
    )
}

pub(super) fn invitation_to_member(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("You are invited to {organization} in {portal}"),
        [
            format!(
                "An administrator of {organization} added you. You keep the account that you have in {portal}."
            ),
            open_link("Open this link to accept. It works once", facts),
        ],
    )
}

pub(super) fn invitation_reissued(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("Your new registration link for {portal}"),
        [
            format!(
                "Here is a new link to register for {organization}. The earlier link no longer works."
            ),
            open_link("It works once", facts),
        ],
    )
}

pub(super) fn account_request_received(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        format!("Your request for an account in {portal} was received"),
        [
            format!("Somebody, presumably you, asked for an account in {portal}."),
            "The health plan answers by email. If it was not you, ignore this message.".to_owned(),
        ],
    )
}

pub(super) fn account_request_rejected(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        format!("Your request for an account in {portal} was declined"),
        ["Contact the health plan if you have questions.".to_owned()],
    )
}

pub(super) fn join_request_denied(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("Your request to join {organization} in {portal} was declined"),
        ["Contact an administrator of the organization if you have questions.".to_owned()],
    )
}
