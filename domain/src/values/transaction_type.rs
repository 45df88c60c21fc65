//! The HIPAA transactions that a submitter may be approved for, each listed singly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Invalid;
use crate::Code;

macro_rules! transaction_types {
    ($($(#[$doc:meta])* $variant:ident $code:literal $guide:expr;)*) => {
        /// A transaction of ASC X12 005010 or NCPDP (45 CFR part 162; MC-61, MC-63).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TransactionType { $($(#[$doc])* $variant,)* }

        impl TransactionType {
            /// All types, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stored and shown code, such as `837P`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The X12 implementation guide; TA1 and NCPDP have none.
            pub fn guide(self) -> Option<&'static str> {
                match self { $(Self::$variant => $guide,)* }
            }
        }
    };
}

transaction_types! {
    /// Professional claim.
    ProfessionalClaim "837P" Some("005010X222A1");
    /// Institutional claim.
    InstitutionalClaim "837I" Some("005010X223A2");
    /// Dental claim.
    DentalClaim "837D" Some("005010X224A2");
    /// Claim payment and remittance advice.
    RemittanceAdvice "835" Some("005010X221A1");
    /// Eligibility inquiry and response.
    Eligibility "270/271" Some("005010X279A1");
    /// Claim status request and response.
    ClaimStatus "276/277" Some("005010X212");
    /// Health care services review, request.
    ServicesReviewRequest "278-REQUEST" Some("005010X217");
    /// Health care services review, inquiry.
    ServicesReviewInquiry "278-INQUIRY" Some("005010X215");
    /// Health care services review, notification.
    ServicesReviewNotification "278-NOTIFICATION" Some("005010X216");
    /// Benefit enrolment.
    Enrollment "834" Some("005010X220A1");
    /// Premium payment.
    PremiumPayment "820" Some("005010X218");
    /// Implementation acknowledgement.
    ImplementationAcknowledgement "999" Some("005010X231A1");
    /// Claim acknowledgement.
    ClaimAcknowledgement "277CA" Some("005010X214");
    /// Interchange acknowledgement.
    InterchangeAcknowledgement "TA1" None;
    /// Pharmacy claim.
    PharmacyClaim "NCPDP" None;
}

impl TransactionType {
    /// Parses a code such as `837P`.
    ///
    /// # Errors
    /// `TYPE_UNKNOWN`, listing the codes.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.iter().copied().find(|kind| kind.code() == text).ok_or_else(|| {
            let codes: Vec<_> = Self::ALL.iter().map(|kind| kind.code()).collect();
            Invalid::new(Code::TypeUnknown, format!("Choose one of {}.", codes.join(", ")))
        })
    }
}

impl fmt::Display for TransactionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for TransactionType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Serialize for TransactionType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for TransactionType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_parses_back_and_is_its_json() {
        assert_eq!(TransactionType::ALL.len(), 15);
        for kind in TransactionType::ALL {
            assert_eq!(TransactionType::parse(kind.code()), Ok(*kind));
            let json = serde_json::to_string(kind).expect("json");
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(serde_json::from_str::<TransactionType>(&json).expect("json"), *kind);
        }
    }

    #[test]
    fn guides_are_those_of_the_catalogue() {
        let guide = |code| TransactionType::parse(code).expect(code).guide();
        assert_eq!(guide("837P"), Some("005010X222A1"));
        assert_eq!(guide("278-INQUIRY"), Some("005010X215"));
        assert_eq!(guide("277CA"), Some("005010X214"));
        assert_eq!(guide("NCPDP"), None);
    }

    #[test]
    fn unknown_codes_are_refused() {
        for text in ["", "837", "837p", "278", "005010X222A1"] {
            assert_eq!(
                TransactionType::parse(text).unwrap_err().code.as_str(),
                "TYPE_UNKNOWN",
                "{text}"
            );
        }
    }
}
