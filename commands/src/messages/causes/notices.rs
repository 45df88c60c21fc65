//! What is mailed only to those who chose so: beside affiliations, for notices and as digests (MC-64,
//! MC-65). Invariant: what is mailed anyway is not repeated for its notice.

use rollcall_domain::{
    AnyEvent,
    affiliations::AffiliationEvent,
    kernel::ids::UserId,
    notifications::{Frequency, InboxEvent, Notice, NotificationType, Preference},
    policies::PolicyHistory,
    users::user::User,
};
use rollcall_journal::{Journal, JournalError, Recorded};

use super::to_account;
use crate::{
    messages::{Planned, Template},
    notifications::Audience,
};

pub(super) async fn of_affiliation(
    journal: &Journal,
    event: &AffiliationEvent,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    use AffiliationEvent as E;
    // Who acted, and so who did not and has to be told.
    let decision = NotificationType::AffiliationDecision;
    let request = NotificationType::AffiliationRequest;
    let (template, kind, pair, acted) = match event {
        E::AffiliationRequested { pair, initiator, .. } => {
            (Template::AffiliationRequested, request, pair, *initiator)
        }
        E::AffiliationApproved { pair, side, .. } => {
            (Template::AffiliationApproved, decision, pair, *side)
        }
        E::AffiliationDenied { pair, side, .. } => {
            (Template::AffiliationDenied, decision, pair, *side)
        }
        E::AffiliationWithdrawn { pair, side, .. } => {
            (Template::AffiliationWithdrawn, request, pair, *side)
        }
        E::AffiliationExpired { pair, initiator } => {
            (Template::AffiliationExpired, decision, pair, initiator.other())
        }
        E::AffiliationTerminated { pair, side, .. } => {
            (Template::AffiliationTerminated, decision, pair, *side)
        }
        E::AffiliationTakenOver { pair, side, .. } => {
            (Template::AffiliationTakenOver, decision, pair, *side)
        }
        E::AffiliationTerminationCancelled { pair, side, .. } => {
            (Template::AffiliationGoesOn, decision, pair, *side)
        }
        E::AffiliationAgreementSigned { .. }
        | E::AffiliationRenewed { .. }
        | E::AffiliationNpisAssigned { .. } => return Ok(Vec::new()),
    };
    let (told, other) = (pair.of(acted.other()), pair.of(acted));
    let audience = Audience::Administrators(told);
    let people = audience.resolve(journal, recorded.tenant, recorded.occurred_at).await?;
    let at_once = frequencies(journal, people, kind, recorded).await?;
    let at_once = at_once.into_iter().filter(|(_, frequency)| *frequency == Frequency::Immediate);
    let mail = at_once
        .map(|(user, _)| to_account(template, user).organization(Some(told)).counterparty(other));
    Ok(mail.collect())
}

/// Mail that follows a notice for those who chose so (MC-64); what is mailed anyway is not repeated.
pub(super) async fn of_notice(
    journal: &Journal,
    notice: &Notice,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<Planned>, JournalError> {
    if is_mailed_anyway(notice.notification_type) {
        return Ok(Vec::new());
    }
    let people = notice.audience.iter().copied();
    let chosen = frequencies(journal, people, notice.notification_type, recorded).await?;
    let at_once = chosen.into_iter().filter(|(_, frequency)| *frequency == Frequency::Immediate);
    let mail = at_once.map(|(user, _)| {
        let mut planned = to_account(Template::Notice, user);
        planned.particulars.notice = Some(notice.notification_type);
        planned.particulars.organization = notice.organization;
        planned
    });
    Ok(mail.collect())
}

/// How often mail follows notices of a type for each of these people, by a few queries however many
/// they are; never for somebody without an account.
pub(crate) async fn frequencies(
    journal: &Journal,
    people: impl IntoIterator<Item = UserId>,
    kind: NotificationType,
    recorded: &Recorded<AnyEvent>,
) -> Result<Vec<(UserId, Frequency)>, JournalError> {
    let tenant = recorded.tenant;
    let policies = journal.load_fresh::<PolicyHistory>(tenant, tenant.policy_stream()).await?.state;
    let (_, policy) = policies.at(recorded.occurred_at);
    let people: Vec<_> = people.into_iter().collect();
    let ids: Vec<_> = people.iter().map(|user| user.0).collect();
    let accounts = journal.load_all::<User>(tenant, &ids).await?;
    let frequency = |user: &UserId| match accounts.get(&user.0).and_then(User::profile) {
        None => Frequency::Off,
        Some(profile) => {
            let own = profile.preferences.get(&kind).copied();
            Preference::in_force(kind, own, policy).0.mail()
        }
    };
    Ok(people.iter().map(|user| (*user, frequency(user))).collect())
}

pub(super) fn of_inbox(event: &InboxEvent) -> Vec<Planned> {
    match event {
        InboxEvent::DigestSent { user, notifications, .. } => {
            let mut mail = to_account(Template::Digest, *user);
            mail.particulars.digest = notifications.clone();
            vec![mail]
        }
        InboxEvent::NotificationRead { .. } => Vec::new(),
    }
}

/// Whether the event behind such a notice causes mail of its own.
fn is_mailed_anyway(kind: NotificationType) -> bool {
    match kind {
        NotificationType::AffiliationRequest
        | NotificationType::AffiliationDecision
        | NotificationType::PinReset
        | NotificationType::AccountSecurity => true,
        NotificationType::AccessRequest
        | NotificationType::NewCorrespondence
        | NotificationType::PermissionChange
        | NotificationType::UserActivity
        | NotificationType::ReviewDue
        | NotificationType::ReportReleased
        | NotificationType::SystemAlert => false,
    }
}
