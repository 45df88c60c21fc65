//! Refusals: the closed list of stable codes, and what a client is told.
//!
//! Invariant: a refusal changes nothing and leaks nothing about accounts that exist or not. Codes
//! are frozen once published (requirements, section 6); new ones are added at the end of their group.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// A stable refusal code, as it stands in `userErrors.code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

codes! {
    // authentication
    CredentialsInvalid = "CREDENTIALS_INVALID";
    AccountLocked = "ACCOUNT_LOCKED";
    AccountInactive = "ACCOUNT_INACTIVE";
    PasswordExpired = "PASSWORD_EXPIRED";
    PasswordChangeRequired = "PASSWORD_CHANGE_REQUIRED";
    OtpRequired = "OTP_REQUIRED";
    OtpWrong = "OTP_WRONG";
    OtpExpired = "OTP_EXPIRED";
    OtpTooMany = "OTP_TOO_MANY";
    OtpUsed = "OTP_USED";
    SecondFactorRequired = "SECOND_FACTOR_REQUIRED";
    SessionEnded = "SESSION_ENDED";
    SessionExpired = "SESSION_EXPIRED";
    CurrentPasswordWrong = "CURRENT_PASSWORD_WRONG";
    ApiKeyRevoked = "API_KEY_REVOKED";
    ApiKeyExpired = "API_KEY_EXPIRED";
    // links and tokens
    LinkInvalid = "LINK_INVALID";
    LinkExpired = "LINK_EXPIRED";
    LinkUsed = "LINK_USED";
    TokenInvalid = "TOKEN_INVALID";
    TokenExpired = "TOKEN_EXPIRED";
    TokenUsed = "TOKEN_USED";
    TokenRevoked = "TOKEN_REVOKED";
    TokenActive = "TOKEN_ACTIVE";
    HandoffInvalid = "HANDOFF_INVALID";
    HandoffExpired = "HANDOFF_EXPIRED";
    HandoffUsed = "HANDOFF_USED";
    // permission
    Forbidden = "FORBIDDEN";
    NotOrgAdmin = "NOT_ORG_ADMIN";
    NotAMember = "NOT_A_MEMBER";
    NpiNotPermitted = "NPI_NOT_PERMITTED";
    FeatureDisabled = "FEATURE_DISABLED";
    FeatureComingSoon = "FEATURE_COMING_SOON";
    NotContracted = "NOT_CONTRACTED";
    NotCounterparty = "NOT_COUNTERPARTY";
    IssuerNotTrusted = "ISSUER_NOT_TRUSTED";
    NotSignedIn = "NOT_SIGNED_IN";
    SelfGrant = "SELF_GRANT";
    OrganizationNotSelected = "ORGANIZATION_NOT_SELECTED";
    FeatureNotGranted = "FEATURE_NOT_GRANTED";
    SelfApproval = "SELF_APPROVAL";
    SelfReview = "SELF_REVIEW";
    // validation
    FieldRequired = "FIELD_REQUIRED";
    FieldInvalid = "FIELD_INVALID";
    FieldTooLong = "FIELD_TOO_LONG";
    NameInvalid = "NAME_INVALID";
    EmailInvalid = "EMAIL_INVALID";
    PhoneInvalid = "PHONE_INVALID";
    NpiInvalid = "NPI_INVALID";
    TaxIdInvalid = "TAX_ID_INVALID";
    ZipInvalid = "ZIP_INVALID";
    SlugInvalid = "SLUG_INVALID";
    UsernameInvalid = "USERNAME_INVALID";
    DateInvalid = "DATE_INVALID";
    ReasonRequired = "REASON_REQUIRED";
    BoxNotTicked = "BOX_NOT_TICKED";
    NameRequired = "NAME_REQUIRED";
    RoleUnknown = "ROLE_UNKNOWN";
    TypeUnknown = "TYPE_UNKNOWN";
    FrequencyUnknown = "FREQUENCY_UNKNOWN";
    RangeInvalid = "RANGE_INVALID";
    PageSizeExceeded = "PAGE_SIZE_EXCEEDED";
    PasswordPolicy = "PASSWORD_POLICY";
    PasswordReused = "PASSWORD_REUSED";
    PasswordTooSimilar = "PASSWORD_TOO_SIMILAR";
    DetailsDoNotMatch = "DETAILS_DO_NOT_MATCH";
    ConfirmationRequired = "CONFIRMATION_REQUIRED";
    PolicyKeyUnknown = "POLICY_KEY_UNKNOWN";
    PolicyValueInvalid = "POLICY_VALUE_INVALID";
    NpiStepRequired = "NPI_STEP_REQUIRED";
    EvidenceRequired = "EVIDENCE_REQUIRED";
    CsvInvalid = "CSV_INVALID";
    // state
    AlreadyInactive = "ALREADY_INACTIVE";
    AlreadySigned = "ALREADY_SIGNED";
    AlreadyDecided = "ALREADY_DECIDED";
    AlreadyAccepted = "ALREADY_ACCEPTED";
    AlreadyVerified = "ALREADY_VERIFIED";
    DuplicateRequest = "DUPLICATE_REQUEST";
    AlreadyEnrolled = "ALREADY_ENROLLED";
    NotEnrolled = "NOT_ENROLLED";
    NotInactive = "NOT_INACTIVE";
    NotPending = "NOT_PENDING";
    NotLocked = "NOT_LOCKED";
    NotInvited = "NOT_INVITED";
    StepOutOfOrder = "STEP_OUT_OF_ORDER";
    LastAdmin = "LAST_ADMIN";
    DomainInUse = "DOMAIN_IN_USE";
    EmailTaken = "EMAIL_TAKEN";
    EmailTakenInOrg = "EMAIL_TAKEN_IN_ORG";
    OrgAlreadyRegistered = "ORG_ALREADY_REGISTERED";
    OrgKindWrong = "ORG_KIND_WRONG";
    OrgNotActive = "ORG_NOT_ACTIVE";
    NpiAttached = "NPI_ATTACHED";
    NpiNotInOrg = "NPI_NOT_IN_ORG";
    NpiNotAssigned = "NPI_NOT_ASSIGNED";
    NoPayToAddress = "NO_PAY_TO_ADDRESS";
    VersionExists = "VERSION_EXISTS";
    AgreementSuperseded = "AGREEMENT_SUPERSEDED";
    AgreementUnknown = "AGREEMENT_UNKNOWN";
    AgreementRequired = "AGREEMENT_REQUIRED";
    SlugTaken = "SLUG_TAKEN";
    TenantInactive = "TENANT_INACTIVE";
    AffiliationExists = "AFFILIATION_EXISTS";
    ProviderNotFound = "PROVIDER_NOT_FOUND";
    UserUnknown = "USER_UNKNOWN";
    TaxIdTaken = "TAX_ID_TAKEN";
    AlreadyAssigned = "ALREADY_ASSIGNED";
    SelfAffiliation = "SELF_AFFILIATION";
    LocationNotCredentialed = "LOCATION_NOT_CREDENTIALED";
    LocationTerminated = "LOCATION_TERMINATED";
    TaxIdUnknown = "TAX_ID_UNKNOWN";
    StillInEffect = "STILL_IN_EFFECT";
    RetentionActive = "RETENTION_ACTIVE";
    LegalHoldActive = "LEGAL_HOLD_ACTIVE";
    RequestExpired = "REQUEST_EXPIRED";
    AlreadyErased = "ALREADY_ERASED";
    ItemsUndecided = "ITEMS_UNDECIDED";
    ReviewClosed = "REVIEW_CLOSED";
    // limits
    PinResetLimit = "PIN_RESET_LIMIT";
    RateLimited = "RATE_LIMITED";
    TooEarly = "TOO_EARLY";
    ProviderTypeExcluded = "PROVIDER_TYPE_EXCLUDED";
    BulkLimit = "BULK_LIMIT";
    // concurrency and repetition
    VersionConflict = "VERSION_CONFLICT";
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED";
    ResultWithheld = "RESULT_WITHHELD";
    // tenancy
    NotFound = "NOT_FOUND";
    BeforeRecords = "BEFORE_RECORDS";
}

impl Code {
    /// Reads a stable name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The help page's key: the code in kebab-case (AL-34).
    #[must_use]
    pub fn help_key(self) -> String {
        self.as_str().to_ascii_lowercase().replace('_', "-")
    }
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct Refusal {
    pub code: Code,
    /// One plain sentence that says what to do; no account's existence, no secret.
    pub message: String,
    /// Path of the input field at fault, e.g. `["npis", "0", "npi"]`; empty when it is none's.
    pub field: Vec<String>,
    /// When trying again makes sense, if that is known.
    pub retry_at: Option<DateTime<Utc>>,
    /// What else the code names, e.g. the password rules violated or the users of a domain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

impl Refusal {
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: Vec::new(),
            retry_at: None,
            details: Vec::new(),
        }
    }

    /// Names the input field at fault; nested paths are dotted (`"address.zip"`).
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = field.split('.').map(str::to_owned).collect();
        self
    }

    #[must_use]
    pub fn retry_at(mut self, at: DateTime<Utc>) -> Self {
        self.retry_at = Some(at);
        self
    }

    #[must_use]
    pub fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details = details.into_iter().collect();
        self
    }

    /// The one answer for an id that does not exist here, whether or not another tenant has it.
    #[must_use]
    pub fn not_found(field: &str) -> Self {
        Self::new(Code::NotFound, "Nothing with this id exists here. Check the id and try again.")
            .at(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_is_unique() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for name in &names {
            assert_eq!(Code::parse(name).map(Code::as_str), Some(*name));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
