//! The portal's features, and whether each is on, off or coming soon (MC-01).
//!
//! Invariant: a feature that a parameter of its own switches (`pins.enabled`) is never on against
//! that parameter; the others are on where `portal.features` lists them or an administrator says so.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::terms::Word;
use super::{Policy, PolicyKey};
use crate::values::ContentLine;
use crate::{Code, Refusal};

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $label:literal, $switch:ident;)+) => {
        /// A part of the portal that is switched as a whole.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Feature { $($(#[$doc])* $variant,)+ }

        impl Feature {
            /// All features, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored words, in their order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The stored word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Under which name changes of its availability stand beside those of parameters.
            #[must_use]
            pub const fn policy_name(self) -> &'static str {
                match self { $(Self::$variant => concat!("feature.", $word)),+ }
            }

            /// As people read it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }

            /// How it is switched.
            #[must_use]
            pub const fn switch(self) -> Switch {
                match self { $(Self::$variant => Switch::$switch),+ }
            }
        }
    };
}

features! {
    /// Add, remove and modify users (CC-08).
    UserManagement = "USER_MANAGEMENT", "User management", Always;
    /// Ask for access and decide requests (CC-11).
    AccessRequests = "ACCESS_REQUESTS", "Access requests", Listed;
    /// PINs of NPIs (MC-50).
    Pins = "PINS", "PINs", Pins;
    /// Affiliations of submitters and providers (MC-54).
    Affiliations = "AFFILIATIONS", "Affiliations", Affiliations;
    /// Correspondence by NPI and type (MC-45, MC-70).
    Correspondence = "CORRESPONDENCE", "Correspondence", Listed;
    /// Tax documents (MC-78).
    TaxDocuments = "TAX_DOCUMENTS", "Tax documents", Listed;
    /// The way into Transaction Services (MC-38).
    TransactionServices = "TRANSACTION_SERVICES", "Transaction Services", Listed;
    /// Eligibility of members (AL-12).
    Eligibility = "ELIGIBILITY", "Eligibility", Granted;
    /// Search of claims (AL-13).
    Claims = "CLAIMS", "Claims", Granted;
    /// Authorizations (AL-17).
    Authorizations = "AUTHORIZATIONS", "Authorizations", Granted;
    /// Referrals (AL-16, CX-14).
    Referrals = "REFERRALS", "Referrals", Granted;
    /// Explanation of payment reports (CC-15).
    EopReports = "EOP_REPORTS", "EOP reports", Granted;
    /// Electronic funds transfer reports (CC-15).
    EftReports = "EFT_REPORTS", "EFT reports", Granted;
    /// The plan's own attestation (CC-14).
    Attestation = "ATTESTATION", "Attestation", Granted;
    /// Quality reports (AL-27).
    QualityReports = "QUALITY_REPORTS", "Quality reports", Granted;
    /// Uploads to the data submission tool (AL-19).
    DataSubmission = "DATA_SUBMISSION", "Data submission", Granted;
    /// Provider change requests (AL-09).
    ProviderChangeRequests =
        "PROVIDER_CHANGE_REQUESTS", "Provider change requests", ProviderChangeRequests;
    /// Chat with the care center (CX-25).
    Chat = "CHAT", "Chat", Chat;
}

impl Word for Feature {
    fn from_word(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word)
            .ok_or_else(|| serde::de::Error::custom(format!("no feature is called {word}")))
    }
}

/// How a feature is switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Never off: a portal without it could not be run.
    Always,
    /// By `portal.features`, and for everybody.
    Listed,
    /// By `portal.features`; where the portal grants features one by one, only to those who were
    /// granted it (CC-08).
    Granted,
    /// By `pins.enabled`.
    Pins,
    /// By `affiliations.enabled`.
    Affiliations,
    /// By `pcr.enabled`.
    ProviderChangeRequests,
    /// By `chat.enabled`.
    Chat,
}

impl Feature {
    /// Reads a stored word back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feature| feature.as_str() == word)
    }

    /// Whether people are granted it one by one where the portal does that (CC-08).
    #[must_use]
    pub const fn is_granted(self) -> bool {
        matches!(self.switch(), Switch::Always | Switch::Granted)
    }

    /// Whether administrators of an organisation hold it without a grant, where the policy lets
    /// them manage users (CC-10).
    #[must_use]
    pub const fn is_user_management(self) -> bool {
        matches!(self, Self::UserManagement)
    }

    /// The parameter that switches it, if it has one of its own.
    #[must_use]
    pub const fn parameter(self) -> Option<PolicyKey> {
        match self.switch() {
            Switch::Always | Switch::Listed | Switch::Granted => None,
            Switch::Pins => Some(PolicyKey::PinsEnabled),
            Switch::Affiliations => Some(PolicyKey::AffiliationsEnabled),
            Switch::ProviderChangeRequests => Some(PolicyKey::PcrEnabled),
            Switch::Chat => Some(PolicyKey::ChatEnabled),
        }
    }
}

/// Whether a feature can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeatureState {
    On,
    Off,
    /// Announced, with a text; using it is refused.
    ComingSoon,
}

impl FeatureState {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "ON",
            Self::Off => "OFF",
            Self::ComingSoon => "COMING_SOON",
        }
    }

    /// Reads a stored word back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::On, Self::Off, Self::ComingSoon].into_iter().find(|state| state.as_str() == word)
    }
}

/// A feature's state with the text that people read, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    pub state: FeatureState,
    pub message: Option<ContentLine>,
}

impl From<FeatureState> for Availability {
    fn from(state: FeatureState) -> Self {
        Self { state, message: None }
    }
}

impl Policy {
    /// Whether a feature is on, off or coming soon, and what is said of it (MC-01).
    #[must_use]
    pub fn availability(&self, feature: Feature) -> Availability {
        let offered = self.offers(feature);
        match self.set_availability(feature) {
            None if offered => FeatureState::On.into(),
            None => FeatureState::Off.into(),
            // What a parameter switches off is off, whatever was said while it was on.
            Some(set) if set.state == FeatureState::On && feature.parameter().is_some() => {
                let state = if offered { FeatureState::On } else { FeatureState::Off };
                Availability { state, message: set.message.clone() }
            }
            Some(set) => set.clone(),
        }
    }

    /// Whether a feature can be used.
    #[must_use]
    pub fn is_on(&self, feature: Feature) -> bool {
        self.availability(feature).state == FeatureState::On
    }

    /// Demands that a feature can be used.
    ///
    /// # Errors
    /// `FEATURE_DISABLED`, or `FEATURE_COMING_SOON` with the text that announces it.
    pub fn require(&self, feature: Feature) -> Result<(), Refusal> {
        let Availability { state, message } = self.availability(feature);
        let said = message.map(|message| message.to_string());
        let (code, otherwise) = match state {
            FeatureState::On => return Ok(()),
            FeatureState::Off => (Code::FeatureDisabled, "This portal does not offer this."),
            FeatureState::ComingSoon => (Code::FeatureComingSoon, "This is coming soon."),
        };
        Err(Refusal::new(code, said.unwrap_or_else(|| otherwise.to_owned())))
    }

    /// What the parameters alone say.
    fn offers(&self, feature: Feature) -> bool {
        match (feature.switch(), feature.parameter()) {
            (Switch::Always, _) => true,
            (_, Some(parameter)) => self.flag(parameter),
            (_, None) => {
                self.list(PolicyKey::PortalFeatures).iter().any(|word| word == feature.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::{PolicyValue, Preset};

    #[test]
    fn features_read_back_by_their_words() {
        for feature in Feature::ALL {
            assert_eq!(Feature::parse(feature.as_str()), Some(*feature));
            assert_eq!(serde_json::to_value(feature).unwrap(), feature.as_str());
            assert_eq!(feature.policy_name(), format!("feature.{}", feature.as_str()));
        }
        for state in [FeatureState::On, FeatureState::Off, FeatureState::ComingSoon] {
            assert_eq!(FeatureState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn presets_switch_the_features_of_their_sources() {
        let on = |preset: Preset| {
            let policy = Policy::from(preset);
            let on = Feature::ALL.iter().filter(move |feature| policy.is_on(**feature));
            on.map(|feature| feature.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            on(Preset::MediCal),
            "USER_MANAGEMENT ACCESS_REQUESTS PINS AFFILIATIONS CORRESPONDENCE TAX_DOCUMENTS \
             TRANSACTION_SERVICES"
        );
        assert_eq!(
            on(Preset::Cencal),
            "USER_MANAGEMENT ACCESS_REQUESTS ELIGIBILITY CLAIMS AUTHORIZATIONS EOP_REPORTS \
             EFT_REPORTS ATTESTATION"
        );
        assert_eq!(
            on(Preset::Alliance),
            "USER_MANAGEMENT ACCESS_REQUESTS ELIGIBILITY CLAIMS AUTHORIZATIONS REFERRALS \
             QUALITY_REPORTS DATA_SUBMISSION PROVIDER_CHANGE_REQUESTS"
        );
        assert_eq!(
            on(Preset::Carecentrix),
            "USER_MANAGEMENT ACCESS_REQUESTS CLAIMS AUTHORIZATIONS REFERRALS CHAT"
        );
        assert_eq!(on(Preset::Hardened), "USER_MANAGEMENT ACCESS_REQUESTS CORRESPONDENCE");
    }

    #[test]
    fn a_parameter_goes_before_what_was_said_of_its_feature() {
        let set = |state| Availability { state, message: None };
        let policy = Policy::from(Preset::MediCal);
        let announced = policy.clone().with_availability(Feature::Pins, set(FeatureState::On));
        assert!(announced.is_on(Feature::Pins));
        let off = announced.with(PolicyKey::PinsEnabled, PolicyValue::Boolean(false));
        assert_eq!(off.require(Feature::Pins).unwrap_err().code, Code::FeatureDisabled);
        let soon = policy.with_availability(Feature::Claims, set(FeatureState::ComingSoon));
        assert_eq!(soon.require(Feature::Claims).unwrap_err().code, Code::FeatureComingSoon);
    }
}
