//! Which projections read which events.
//!
//! Invariant: every aggregate stands here once. One that is new does not compile until it is said
//! who reads it, and a projection is given nothing else; which events of an aggregate matter to it
//! is then its own match, without `_`.

use rollcall_domain::AnyEvent;

use crate::{access_register, access_reviews};

/// The projections that read an event, beside the audit timeline, which reads all.
pub(crate) const fn of(event: &AnyEvent) -> &'static [&'static str] {
    match event {
        AnyEvent::Tenant(_) | AnyEvent::PlanStaff(_) | AnyEvent::Policy(_) => {
            &["tenancy", access_register::NAME]
        }
        AnyEvent::Agreement(_) | AnyEvent::PolicyProposal(_) | AnyEvent::ClientGuidance(_) => {
            &["tenancy"]
        }
        AnyEvent::Organization(_) => &[
            "user_directory",
            "pins",
            "notifications_list",
            "organizations",
            access_register::NAME,
        ],
        AnyEvent::RegistrationToken(_) => &["organizations"],
        AnyEvent::AccountRequest(_) => &["account_requests"],
        AnyEvent::Registration(_) => &["acceptances"],
        AnyEvent::Membership(_) => &["user_directory", "permission_matrix", access_register::NAME],
        AnyEvent::JobRole(_) => &["permission_matrix", access_register::NAME],
        AnyEvent::AccessRequest(_) | AnyEvent::JoinRequest(_) | AnyEvent::MoveRequest(_) => {
            &["access_requests"]
        }
        AnyEvent::AccessReview(_)
        | AnyEvent::ReviewCampaign(_)
        | AnyEvent::ReviewTemplate(_)
        | AnyEvent::ReviewSubstitutes(_) => &[access_reviews::NAME],
        AnyEvent::User(_) => &[
            "user_directory",
            "people",
            "acceptances",
            "notifications_list",
            access_register::NAME,
        ],
        AnyEvent::Invitation(_) => &["people", "acceptances", "user_directory"],
        AnyEvent::Credential(_) => &["user_directory", "sessions"],
        AnyEvent::Session(_) => &["user_directory", "sessions"],
        AnyEvent::ApiKey(_) => &["api_keys"],
        AnyEvent::RightUse(_) => &["right_uses"],
        AnyEvent::Attestation(_) => &["attestations"],
        AnyEvent::Workspace(_) => &["audit_workspaces"],
        AnyEvent::Pin(_) => &["pins"],
        AnyEvent::Affiliation(_) => &["affiliations", access_register::NAME],
        AnyEvent::SubmitterProfile(_) => &["affiliations"],
        AnyEvent::Notification(_) | AnyEvent::Inbox(_) => &["notifications_list"],
        AnyEvent::Delivery(_) => &["user_directory"],
        AnyEvent::Erasure(_) => &["people", "account_requests", "erasures"],
        AnyEvent::Authenticator(_)
        | AnyEvent::TrustedIssuers(_)
        | AnyEvent::ExternalIdentities(_)
        | AnyEvent::OneTimePasscode(_)
        | AnyEvent::PeopleImport(_)
        | AnyEvent::Handoff(_)
        | AnyEvent::AuditExport(_)
        | AnyEvent::SodRules(_)
        | AnyEvent::ActivityReviews(_)
        | AnyEvent::AuditSinks(_)
        | AnyEvent::Evidence(_)
        | AnyEvent::LegalHolds(_)
        | AnyEvent::Denial(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::{
        kernel::ids::UserId,
        sessions::{EndCause, SessionEvent},
    };
    use uuid::Uuid;

    use super::*;

    #[test]
    fn readers_are_projections_and_read_what_is_theirs() {
        let user = UserId(Uuid::from_u128(1));
        let ended = SessionEvent::SessionEnded { user, organization: None, cause: EndCause::User };
        let reading: Vec<_> = crate::all()
            .iter()
            .filter(|projection| projection.reads(&AnyEvent::from(ended.clone())))
            .map(|projection| projection.name())
            .collect();
        assert_eq!(reading, ["user_directory", "sessions", "audit_timeline"]);
    }
}
