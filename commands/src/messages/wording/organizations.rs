//! The words about an organisation's people, PINs, keys and mergers. Invariant: no person is named.

use super::{Facts, Words, mail, security, until};

pub(super) fn deactivated(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("Your access to {portal} has ended"),
        [
            format!("An administrator ended your access for {organization}."),
            "If this is a mistake, ask an administrator there; your access can be given back."
                .to_owned(),
        ],
    )
}

pub(super) fn deactivated_unassigned(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("Your access to {portal} has ended"),
        [
            format!("Your access for {organization} ended, because you have no permissions there."),
            "If you still need it, ask an administrator there; your access can be given back."
                .to_owned(),
        ],
    )
}

pub(super) fn deactivation_near(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("A user of {organization} will be deactivated"),
        [
            format!(
                "A user of {organization} in {portal} has no permissions yet and will be deactivated on {}.",
                until(facts)
            ),
            "Sign in and give the user the permissions they need, or let it happen.".to_owned(),
        ],
    )
}

pub(super) fn user_deactivated(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("A user of {organization} was deactivated"),
        [
            format!(
                "A user of {organization} in {portal} was deactivated, because nobody gave them permissions."
            ),
            "You may reactivate the user at any time.".to_owned(),
        ],
    )
}

pub(super) fn access_ends_soon(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("Your access to {portal} ends soon"),
        [format!(
            "You have not signed in for a long time. Sign in before {} to keep your access for {organization}.",
            until(facts)
        )],
    )
}

pub(super) fn deactivated_dormant(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("Your access to {portal} has ended"),
        [
            format!(
                "Your access for {organization} ended, because you have not signed in for a long time."
            ),
            "If you still need it, ask an administrator there; your access can be given back."
                .to_owned(),
        ],
    )
}

pub(super) fn dormancy_near(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("A user of {organization} will be deactivated"),
        [
            format!(
                "A user of {organization} in {portal} has not signed in for a long time and will be deactivated on {}.",
                until(facts)
            ),
            "Let it happen, or ask the user to sign in.".to_owned(),
        ],
    )
}

pub(super) fn dormant_user_deactivated(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("A user of {organization} was deactivated"),
        [
            format!(
                "A user of {organization} in {portal} was deactivated for not having signed in for a long time."
            ),
            "You may reactivate the user at any time.".to_owned(),
        ],
    )
}

pub(super) fn admin_requested(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("A further administrator of {organization} was requested"),
        [
            format!(
                "An administrator of {organization} asked for a further one in {portal}. The health plan will decide."
            ),
            "If nobody of you did, contact the health plan.".to_owned(),
        ],
    )
}

pub(super) fn admin_declined(facts: &Facts) -> Words {
    let Facts { organization, .. } = facts;
    mail(
        format!("The request for a further administrator of {organization} was declined"),
        ["Contact the health plan if you need one.".to_owned()],
    )
}

pub(super) fn admin_appointed(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("The health plan appointed an administrator of {organization}"),
        [
            format!("The health plan made a person administrator of {organization} in {portal}."),
            "If none of you asked for it, contact the health plan.".to_owned(),
        ],
    )
}

pub(super) fn reactivated(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    mail(
        format!("You have access to {portal} again"),
        [format!("An administrator gave you back your access for {organization}.")],
    )
}

pub(super) fn api_key_created(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    api_key(
        facts,
        "A key for a machine was made",
        format!(
            "An administrator made a key by which a machine may act for {organization} in {portal} until {}.",
            until(facts)
        ),
    )
}

pub(super) fn api_key_revoked(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    api_key(
        facts,
        "A machine's key was revoked",
        format!(
            "An administrator revoked a key by which a machine could act for {organization} in {portal}."
        ),
    )
}

pub(super) fn pin_reset(facts: &Facts) -> Words {
    let Facts { portal, organization, .. } = facts;
    security(
        portal,
        "A PIN was reset",
        format!(
            "The PIN of NPI {} of {organization} was reset. The earlier PIN no longer works.",
            facts.npi.as_deref().unwrap_or_default()
        ),
    )
}

pub(super) fn merge_begun(facts: &Facts) -> Words {
    let Facts { organization, counterparty, .. } = facts;
    mail(
        format!("{organization} becomes part of {counterparty}"),
        [format!(
            "The health plan merges {organization} into {counterparty}. Its people go over one by one and sign in again for {counterparty}."
        )],
    )
}

pub(super) fn absorption_begun(facts: &Facts) -> Words {
    let Facts { portal, organization, counterparty, .. } = facts;
    mail(
        format!("{organization} takes {counterparty} over"),
        [format!(
            "The health plan merges {counterparty} into {organization}. People, NPIs and affiliations come over; sign in to {portal} to see them."
        )],
    )
}

pub(super) fn absorbed(facts: &Facts) -> Words {
    let Facts { portal, organization, counterparty, .. } = facts;
    mail(
        format!("{counterparty} is part of {organization} now"),
        [format!(
            "The merger of {counterparty} into {organization} is complete. Sign in to {portal} and look through the permissions that came with it."
        )],
    )
}

fn api_key(facts: &Facts, subject: &str, what: String) -> Words {
    let portal = &facts.portal;
    let advice = format!(
        "The list of keys in {portal} says who made it and what for. If you know nothing of this, ask \
         the other administrators and revoke what nobody knows."
    );
    (subject.to_owned(), vec![what, advice])
}
