//! The words about affiliations. Invariant: each names both sides and no person.

use super::{Facts, Words, mail};

pub(super) fn affiliation_requested(facts: &Facts) -> Words {
    let Facts { portal, organization, counterparty, .. } = facts;
    mail(
        format!("{counterparty} asks for an affiliation"),
        [
            format!("{counterparty} asks to be affiliated with {organization} in {portal}."),
            "Sign in to approve or deny the request.".to_owned(),
        ],
    )
}

pub(super) fn affiliation_approved(facts: &Facts) -> Words {
    let Facts { organization, counterparty, .. } = facts;
    mail(
        format!("{counterparty} approved the affiliation"),
        [format!(
            "The affiliation of {organization} with {counterparty} was approved and is in force."
        )],
    )
}

pub(super) fn affiliation_denied(facts: &Facts) -> Words {
    let Facts { organization, counterparty, .. } = facts;
    mail(
        format!("{counterparty} denied the affiliation"),
        [format!(
            "The request of {organization} for an affiliation with {counterparty} was denied."
        )],
    )
}

pub(super) fn affiliation_expired(facts: &Facts) -> Words {
    let Facts { organization, counterparty, .. } = facts;
    mail(
        "A request for an affiliation has expired".to_owned(),
        [format!(
            "{counterparty} did not decide in time on the request of {organization}. You may ask again."
        )],
    )
}

pub(super) fn affiliation_withdrawn(facts: &Facts) -> Words {
    let Facts { organization, counterparty, .. } = facts;
    mail(
        "A request for an affiliation was withdrawn".to_owned(),
        [format!("{counterparty} withdrew its request for an affiliation with {organization}.")],
    )
}

pub(super) fn affiliation_terminated(facts: &Facts) -> Words {
    let Facts { portal, organization, counterparty, .. } = facts;
    mail(
        format!("{counterparty} ended the affiliation"),
        [format!(
            "The affiliation of {organization} with {counterparty} ends. Sign in to {portal} for its last day."
        )],
    )
}

pub(super) fn affiliation_goes_on(facts: &Facts) -> Words {
    let Facts { organization, counterparty, .. } = facts;
    mail(
        format!("{counterparty} lets the affiliation go on"),
        [format!(
            "The affiliation of {organization} with {counterparty} does not end as was announced."
        )],
    )
}

pub(super) fn affiliation_taken_over(facts: &Facts) -> Words {
    let Facts { organization, counterparty, .. } = facts;
    mail(
        format!("{counterparty} goes on with an affiliation"),
        [format!(
            "{counterparty} took over an organization that {organization} is affiliated with, and goes on with the affiliation."
        )],
    )
}
