//! The words that point to notices. Invariant: they say what kind of notice, never what it says.

use rollcall_domain::notifications::NotificationType;

use super::{Facts, Words, mail};

/// Notices named one by one in a digest; of more only the number is told.
const DIGEST_LINES: usize = 50;

pub(super) fn digest(facts: &Facts) -> Words {
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

pub(super) fn notice(facts: &Facts) -> Words {
    let Facts { portal, .. } = facts;
    mail(
        format!("A notice from {portal}"),
        [
            format!("There is a new notice about {}.", about(facts.notice)),
            format!("Sign in to {portal} for more. You choose there which notices are mailed."),
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
        Some(NotificationType::ReviewDue) => "a review",
        Some(NotificationType::ReportReleased) => "a report",
        Some(NotificationType::SystemAlert) | None => "the portal",
    }
}
