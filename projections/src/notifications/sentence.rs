//! What a notice says, in plain English. Invariant: put together from ids and names when it is read;
//! a person whose name was erased is "a user".

use rollcall_domain::notifications::{NotificationType, SubjectKind};

use super::Notice;

impl Notice {
    /// What it is about; `None` for a type that this version does not know.
    #[must_use]
    pub fn notification_type(&self) -> Option<NotificationType> {
        NotificationType::parse(&self.kind)
    }

    /// One sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let organization = self.organization_name.as_deref().unwrap_or("your organization");
        let person = self.subject_name.as_deref().unwrap_or("a user");
        match self.notification_type() {
            Some(NotificationType::AccessRequest) => {
                format!("Somebody asks {organization} for access.")
            }
            Some(NotificationType::NewCorrespondence) => {
                format!("New correspondence arrived for {organization}.")
            }
            Some(NotificationType::AffiliationRequest) => {
                format!("A request for an affiliation with {organization} was made or withdrawn.")
            }
            Some(NotificationType::AffiliationDecision) => {
                format!("An affiliation of {organization} was approved, denied or ended.")
            }
            Some(NotificationType::PinReset) => match &self.npi {
                Some(npi) => format!("The PIN of NPI {npi} of {organization} was reset."),
                None => format!("A PIN of {organization} was reset."),
            },
            Some(NotificationType::PermissionChange) => {
                format!("Your permissions in {organization} were changed.")
            }
            Some(NotificationType::UserActivity) => {
                format!("The access of {person} to {organization} has changed.")
            }
            Some(NotificationType::AccountSecurity) => {
                "Your password, telephone number, address or lock was changed.".to_owned()
            }
            Some(NotificationType::ReviewDue) => {
                format!("An access review of {organization} waits for you.")
            }
            Some(NotificationType::ReportReleased) => {
                format!("A report for {organization} was released.")
            }
            Some(NotificationType::SystemAlert) if self.subject_kind == ORGANIZATION => {
                format!("{organization} was registered, suspended, reopened or closed.")
            }
            Some(NotificationType::SystemAlert) | None => "The portal has news for you.".to_owned(),
        }
    }
}

const ORGANIZATION: &str = SubjectKind::Organization.as_str();

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn notice(kind: NotificationType) -> Notice {
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
            read_at: None,
        }
    }

    #[test]
    fn every_type_has_a_sentence_of_its_own() {
        let sentences: std::collections::HashSet<String> =
            NotificationType::ALL.into_iter().map(|kind| notice(kind).sentence()).collect();
        assert_eq!(sentences.len(), NotificationType::ALL.len());
    }

    #[test]
    fn a_pin_is_named_by_its_npi_and_an_erased_person_by_no_name() {
        assert_eq!(
            notice(NotificationType::PinReset).sentence(),
            "The PIN of NPI 1234567893 of Redwood Clinic was reset."
        );
        assert!(notice(NotificationType::UserActivity).sentence().contains("a user"));
    }
}
