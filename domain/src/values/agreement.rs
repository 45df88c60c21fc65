//! Agreements as accepted: which text, which version, which boxes (MC-02, MC-06, MC-18).

use serde::{Deserialize, Serialize};

/// The texts a tenant publishes (MC-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AgreementKind {
    /// Terms and Conditions of the portal.
    PortalTerms,
    /// Online Conditions of Use Agreement, with two boxes (MC-06).
    OnlineConditionsOfUse,
    /// System Use Notification (MC-18).
    SystemUseNotification,
    /// Telecommunications Provider and Biller Application/Agreement (MC-55).
    AffiliationAgreement,
    /// Consent to electronic 1099 forms (MC-78).
    #[serde(rename = "ELECTRONIC_1099_CONSENT")]
    Electronic1099Consent,
    /// The plan's own attestation, signed by those who hold the feature for it (CC-14).
    PlanAttestation,
}

impl AgreementKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::PortalTerms,
        Self::OnlineConditionsOfUse,
        Self::SystemUseNotification,
        Self::AffiliationAgreement,
        Self::Electronic1099Consent,
        Self::PlanAttestation,
    ];

    /// Reads a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PortalTerms => "PORTAL_TERMS",
            Self::OnlineConditionsOfUse => "ONLINE_CONDITIONS_OF_USE",
            Self::SystemUseNotification => "SYSTEM_USE_NOTIFICATION",
            Self::AffiliationAgreement => "AFFILIATION_AGREEMENT",
            Self::Electronic1099Consent => "ELECTRONIC_1099_CONSENT",
            Self::PlanAttestation => "PLAN_ATTESTATION",
        }
    }
}

/// An agreement accepted with every mandatory box ticked; made by the check against the published
/// version, never from input alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    pub kind: AgreementKind,
    /// The version's name as the plan published it.
    pub version: String,
    /// Keys of the boxes ticked.
    pub boxes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_stored_under_its_name() {
        for kind in AgreementKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("json"), kind.as_str());
            assert_eq!(AgreementKind::parse(kind.as_str()), Some(kind));
        }
    }
}
