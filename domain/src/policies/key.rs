//! The parameters: one row each, with name, type, bounds, default, sentence and requirements.
//!
//! Invariant: names stand in stored events and never change, nor does a parameter's type; a
//! parameter that needs another type gets another name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Feature;
use super::spec::Literal::{Bool, Int, Ints, Off, Text, Words};
use super::spec::Unit::{
    Characters, Count, DayOfMonth, Days, Hours, Mebibytes, Minutes, Seconds, Years,
};
use super::spec::{PolicySpec, Unit, ValueType};
use super::terms::{
    AdminCreator, ImpliedRight, LocationMode, LoginIdentifier, NpiRole, OtpMethod, OverdueAction,
    PinAlphabet, ResetHelper, ResetMethod, ReviewedChange, RevocationMode, SecondReviewer,
    StepUpAction, UndecidedAction, Unlocker,
};

macro_rules! policy_keys {
    ($($variant:ident $name:literal: $kind:expr, $default:expr, $doc:literal, $ids:literal;)+) => {
        /// A parameter of a tenant's policy. Its stored name is dotted: `password.min_length`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum PolicyKey {
            $(#[doc = $doc] $variant,)+
        }

        impl PolicyKey {
            /// All parameters, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Type, bounds, default and documentation.
            pub const fn spec(self) -> PolicySpec {
                match self {
                    $(Self::$variant => PolicySpec {
                        key: self,
                        value_type: $kind,
                        default: $default,
                        doc: $doc,
                        requirements: $ids,
                    }),+
                }
            }
        }
    };
}

const BOOLEAN: ValueType = ValueType::Boolean;

const fn integer(unit: Unit, min: u32, max: u32) -> ValueType {
    ValueType::Integer { unit, min, max }
}

const fn optional(unit: Unit, min: u32, max: u32) -> ValueType {
    ValueType::OptionalInteger { unit, min, max }
}

const fn integers(unit: Unit, min: u32, max: u32) -> ValueType {
    ValueType::Integers { unit, min, max }
}

const fn one_of(words: &'static [&'static str]) -> ValueType {
    ValueType::Choice(words)
}

const fn any_of(of: &'static [&'static str]) -> ValueType {
    ValueType::Choices { of, at_least: 0 }
}

const fn some_of(of: &'static [&'static str]) -> ValueType {
    ValueType::Choices { of, at_least: 1 }
}

policy_keys! {
    // the tenant as a whole
    TimeZone "time_zone": ValueType::TimeZone, Text("America/Los_Angeles"),
        "The zone whose midnights begin the tenant's days.", "MC-04 MC-53";
    ContractedOnly "portal.contracted_only": BOOLEAN, Bool(false),
        "Only contracted providers may register and sign in.", "CC-01";
    ContactPage "portal.contact_page": ValueType::WebAddress, Off,
        "The page that tells people without a contract whom to ask.", "CC-01";
    FourEyes "policy.four_eyes": BOOLEAN, Bool(false),
        "A change of policy needs the approval of another plan administrator.", "GN-02";
    PortalFeatures "portal.features": any_of(Feature::WORDS),
        Words(&["ACCESS_REQUESTS", "CORRESPONDENCE"]),
        "The features that are on until an administrator switches them; those with a parameter of \
         their own follow that.", "MC-01 CC-08";
    RetentionYears "audit.retention_years": integer(Years, 6, 30), Int(10),
        "How many years a person in the records is kept after the newest of them, and after the \
         last thing of theirs in effect.", "GN-26";

    ActivityReviewDays "audit.activity_review_days": optional(Days, 1, 366), Off,
        "How many days of activity a review by the auditors covers at most.", "GN-34";
    ActivityReviewGraceDays "audit.activity_review_grace_days": integer(Days, 0, 90), Int(7),
        "How many days after its period a review of activity is overdue.", "GN-34";

    // sign-in and passwords
    LoginIdentifier "login.identifier": one_of(LoginIdentifier::WORDS), Text("EMAIL"),
        "What a person signs in with.", "MC-34 AL-03";
    PasswordMinLength "password.min_length": integer(Characters, 8, 64), Int(15),
        "Fewest characters of a password.", "MC-24 CC-05";
    PasswordMinLengthWithMfa "password.min_length_with_mfa": optional(Characters, 8, 64), Off,
        "Fewest characters where a second factor is asked at every sign-in.", "MC-24";
    PasswordMaxLength "password.max_length": integer(Characters, 64, 256), Int(128),
        "Most characters of a password.", "MC-24";
    PasswordClasses "password.classes": any_of(&["UPPER", "LOWER", "DIGIT", "SPECIAL"]), Words(&[]),
        "Kinds of characters a password needs at least one of each.", "MC-24 CC-05";
    PasswordSpecialSet "password.special_set": ValueType::Symbols, Off,
        "The special characters that count; others are allowed.", "MC-24";
    PasswordHistory "password.history": integer(Count, 0, 24), Int(5),
        "How many previous passwords may not be used again.", "MC-25";
    PasswordRejectSimilar "password.reject_similar": BOOLEAN, Bool(false),
        "A password may not resemble a previous one either.", "MC-25 GN-07";
    PasswordSimilarDistance "password.similar_distance": integer(Characters, 0, 8), Int(3),
        "Up to how many edits from the current password count as similar.", "GN-07";
    PasswordMaxAgeDays "password.max_age_days": optional(Days, 30, 730), Off,
        "After how many days a password must be changed.", "CC-04";
    PasswordWarnDays "password.warn_days": integers(Days, 1, 60), Ints(&[14, 7, 1]),
        "How many days before it expires the owner is told.", "CC-04";
    PasswordMinAgeHours "password.min_age_hours": integer(Hours, 0, 168), Int(24),
        "How long a new password stays before its owner may change it again.", "GN-08";
    PasswordNoUsername "password.no_username": BOOLEAN, Bool(true),
        "A password may not contain its owner's identifiers.", "GN-08";
    PasswordBlocklist "password.blocklist": BOOLEAN, Bool(true),
        "Common passwords are refused.", "GN-08";
    ResetBy "reset.method":
        one_of(ResetMethod::WORDS),
        Text("LINK"), "How a person resets a forgotten password without help.",
        "MC-26 AL-04 CX-07";
    ResetAssistedBy "reset.assisted_by": any_of(ResetHelper::WORDS), Words(&[]),
        "Who may reset another person's password.", "CC-06";
    ResetLinkMinutes "reset.link_minutes": integer(Minutes, 5, 1440), Int(30),
        "How long a reset link works.", "MC-26";
    ResetTempHours "reset.temp_hours": integer(Hours, 1, 72), Int(24),
        "How long a temporary password works.", "CX-07";
    SetupLinkMinutes "setup.link_minutes": integer(Minutes, 5, 1440), Int(30),
        "How long the link to the first password works.", "MC-21";
    InviteDays "invite.days": integer(Days, 1, 30), Int(7),
        "How long an invitation works, in days of 24 hours.", "MC-16";
    OrgTokenDays "org_token.days": optional(Days, 1, 90), Off,
        "To the end of which day after its issue a registration token works.", "MC-04";
    OrgTokenTries "org_token.tries": integer(Count, 1, 20), Int(5),
        "How many wrong tries a token and an address have.", "GN-03";

    // one-time passcodes
    OtpEnabled "otp.enabled": BOOLEAN, Bool(false),
        "One-time passcodes are in use.", "MC-20";
    OtpMethods "otp.methods": any_of(OtpMethod::WORDS), Words(&["SMS", "VOICE"]),
        "The second factors offered.", "MC-19 MC-20";
    OtpDigits "otp.digits": integer(Characters, 6, 8), Int(6),
        "How many last digits of the code are typed.", "MC-20";
    OtpSentLength "otp.sent_length": integer(Characters, 6, 12), Int(6),
        "How many digits are sent.", "MC-20";
    OtpMinutes "otp.minutes": integer(Minutes, 1, 10), Int(10),
        "How long a code works.", "MC-20";
    OtpTries "otp.tries": integer(Count, 1, 10), Int(5),
        "How many tries a code has.", "MC-20";
    OtpStepUpActions "otp.step_up_actions":
        any_of(StepUpAction::WORDS),
        Words(&[]), "What asks for a passcode each time.", "MC-23 MC-27 MC-28 MC-52";

    // lockout and sessions
    LockoutThreshold "lockout.threshold": integer(Count, 3, 20), Int(5),
        "The failed sign-in in a row that locks the account.", "AL-06";
    LockoutAutoMinutes "lockout.auto_minutes": optional(Minutes, 1, 1440), Int(30),
        "After how many minutes a lock ends by itself.", "CX-08 AL-06";
    LockoutRetryRestartsTimer "lockout.retry_restarts_timer": BOOLEAN, Bool(false),
        "A try while locked starts the wait anew.", "CX-08";
    LockoutUnlockers "lockout.unlockers": any_of(Unlocker::WORDS), Words(&["OA", "PS"]),
        "Who or what may unlock before the time is over.", "CC-06 AL-06 CX-09";
    SessionIdleMinutes "session.idle_minutes": integer(Minutes, 5, 120), Int(20),
        "After how long without activity a session ends.", "CX-10";
    SessionAbsoluteHours "session.absolute_hours": integer(Hours, 2, 24), Int(12),
        "After how long a session ends in any case.", "GN-11";
    SessionWarningMinutes "session.warning_minutes": integer(Minutes, 1, 4), Int(2),
        "How long before its idle end a session warns.", "GN-11";
    SessionConcurrent "session.concurrent": integer(Count, 1, 20), Int(5),
        "How many sessions a person may hold at once.", "GN-11";
    ApiKeysMaxDays "api_keys.max_days": optional(Days, 1, 730), Int(365),
        "How many days a machine's key works at most; without it there are no keys.", "GN-28";
    TransactionsEnabled "transactions.enabled": BOOLEAN, Bool(false),
        "People go on to Transaction Services with an NPI.", "MC-38";
    HandoffSeconds "transactions.handoff_seconds": integer(Seconds, 10, 300), Int(60),
        "How long a hand-off to Transaction Services works.", "MC-38";

    // administrators and users
    AdminCreators "admin.creators":
        some_of(AdminCreator::WORDS), Words(&["OA"]),
        "Who may make a person administrator of an organization.", "CC-07 CX-05 MC-09";
    AdminImplied "admin.implied":
        any_of(ImpliedRight::WORDS),
        Words(&["USER_MANAGEMENT"]), "What an administrator may do without a further grant.",
        "MC-08 CC-10";
    AccountRequestForm "user.account_request_form": BOOLEAN, Bool(false),
        "Anyone may ask the plan for an account.", "AL-01";
    AccountRequestDays "user.account_request_days": integer(Days, 1, 30), Int(7),
        "Business days within which the plan answers an account request.", "AL-01";
    UnassignedDeactivateDays "user.unassigned_deactivate_days": optional(Days, 1, 365), Off,
        "After how many days a person without any permission is deactivated.", "MC-32";
    UnassignedWarnDays "user.unassigned_warn_days": integer(Days, 1, 30), Int(7),
        "How many days before that, and before a deactivation for want of sign-ins, people are told.",
        "MC-32";
    DormantDeactivateDays "user.dormant_deactivate_days": optional(Days, 30, 730), Int(180),
        "After how many days without sign-in a person is deactivated.", "MC-32 GN-16";
    ReactivationConfirmDays "user.reactivation_confirm_days": integer(Days, 0, 365), Int(90),
        "After how many days away former rights must be confirmed again.", "MC-31 GN-12";

    // PINs and tax documents
    PinsEnabled "pins.enabled": BOOLEAN, Bool(false),
        "PINs are kept and shown.", "MC-50";
    PinsResetsPerDay "pins.resets_per_day": integer(Count, 1, 10), Int(1),
        "How often a PIN may be reset in a day of the tenant.", "MC-53";
    PinsLength "pins.length": integer(Characters, 4, 12), Int(7),
        "How many characters a PIN has.", "MC-52";
    PinsAlphabet "pins.alphabet": one_of(PinAlphabet::WORDS), Text("DIGITS"),
        "What a PIN is made of.", "MC-52";
    PinsRoles "pins.roles": some_of(NpiRole::WORDS), Words(&["NPI_ADMIN"]),
        "Who of an NPI may view and reset its PIN.", "MC-40 MC-52";
    PinsPropagationHours "pins.propagation_hours": integer(Hours, 0, 24), Int(2),
        "How long dependent files may lag behind a reset.", "GN-17";
    PinsSupportExcludedTypes "pins.support_excluded_types": any_of(&["DENTAL", "MENTAL_HEALTH"]),
        Words(&[]), "Provider types whose PINs plan support does not reset for callers.", "GN-17";
    TaxDocumentRoles "taxdocs.roles": some_of(NpiRole::WORDS),
        Words(&["NPI_ADMIN"]), "Who of an NPI may open its tax documents.", "MC-40";

    // affiliations
    AffiliationsEnabled "affiliations.enabled": BOOLEAN, Bool(false),
        "Submitters and providers affiliate in the portal.", "MC-54";
    AffiliationRequestDays "affiliations.request_expires_days": integer(Days, 1, 180), Int(30),
        "After how many days an undecided request expires.", "GN-18";
    AffiliationRerequestDays "affiliations.rerequest_days": integer(Days, 0, 365), Int(30),
        "How long after a denial the same request waits.", "GN-18";

    // grants beside NPIs, and reviews
    JobRolesEnabled "job_roles.enabled": BOOLEAN, Bool(false),
        "Administrators bundle features into job roles.", "CC-09";
    FeatureGrantsEnabled "features.per_user": BOOLEAN, Bool(false),
        "Features are granted person by person.", "CC-08";
    LocationsMode "locations.mode": one_of(LocationMode::WORDS), Text("OFF"),
        "What places access is granted by.", "CX-12 AL-08";
    AccessRequestDays "access_requests.expires_days": integer(Days, 1, 180), Int(30),
        "After how many days an undecided request for access expires.", "CC-11 CC-12";
    ReviewCadenceDays "review.cadence_days": integer(Days, 30, 730), Int(180),
        "How often an organization reviews its people.", "CC-13";
    ReviewChangedOnly "review.changed_only": BOOLEAN, Bool(false),
        "These reviews ask about what changed since the last signed one alone; the rest is carried forward.",
        "CC-13 GN-15";
    ReviewOpenDays "review.open_days": integer(Days, 1, 90), Int(30),
        "How long after it opened a review is due.", "CC-13";
    ReviewGraceDays "review.grace_days": integer(Days, 0, 90), Int(14),
        "How long after it was due a review is escalated.", "CC-13 GN-15";
    ReviewRemindDays "review.remind_days": integers(Days, 1, 60), Ints(&[7, 1]),
        "How many days before it is due reviewers are reminded.", "CC-13";
    ReviewOverdueAction "review.overdue_action": one_of(OverdueAction::WORDS), Text("ESCALATE"),
        "What happens when a review is overdue.", "CC-13 GN-15";
    ReviewUndecided "review.undecided": one_of(UndecidedAction::WORDS), Text("ESCALATE"),
        "What becomes of ordinary items that nobody decided about when the grace is over.", "GN-15";
    ReviewUndecidedHigh "review.undecided_high": one_of(UndecidedAction::WORDS), Text("ESCALATE"),
        "The same of administrators and of rights to PINs and to the management of users.", "GN-15";
    ReviewRevocations "review.revocations": one_of(RevocationMode::WORDS), Text("AT_ONCE"),
        "When what a review takes away or changes is carried out; reviews under way go on as they began.",
        "GN-15";
    ReviewSelfAttestation "review.self_attestation": BOOLEAN, Bool(false),
        "People are asked whether they need their own access still, which the reviewer sees.", "GN-15";
    ReviewSecondReviewer "review.second_reviewer": one_of(SecondReviewer::WORDS), Text("NONE"),
        "Who confirms what a reviewer decided, as somebody else, before it counts.", "GN-15";
    ReviewHastyItems "review.hasty_items": integer(Count, 5, 1_000), Int(20),
        "Of how many items in a row it is told that they were kept quicker than anybody reads.", "GN-15";
    ReviewHastySeconds "review.hasty_seconds": integer(Seconds, 0, 60), Int(2),
        "What an item takes at least to be read; with 0 nobody is told.", "GN-15";
    ReviewChanges "review.changes": any_of(ReviewedChange::WORDS), Words(&[]),
        "Changes after which the access of whom they concern is reviewed at once.", "GN-15";

    // notices
    NotifyInPortal "notify.in_portal": BOOLEAN, Bool(true),
        "Notices appear in the portal.", "MC-64";
    NotifyEmailDefault "notify.email_default": BOOLEAN, Bool(false),
        "Notices also go out by email until a person says otherwise; security mail always does.",
        "MC-64 GN-19";
    NotifyDigestAt "notify.digest_at": ValueType::TimeOfDay, Text("08:00"),
        "When digests go out, tenant time.", "MC-65";
    NotifyDigestDay "notify.digest_day":
        one_of(&["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]), Text("MON"),
        "The day weekly digests go out.", "MC-65";
    NotifyQuietFrom "notify.quiet_from": ValueType::TimeOfDay, Text("00:00"),
        "From when mail that does not concern security is held back, tenant time.", "GN-19";
    NotifyQuietUntil "notify.quiet_until": ValueType::TimeOfDay, Text("00:00"),
        "When the mail held back goes out; the same time as the beginning means never.", "GN-19";

    // change requests, submissions, care and chat
    PcrEnabled "pcr.enabled": BOOLEAN, Bool(false),
        "Provider change requests are taken.", "AL-09";
    PcrNotify "pcr.notify": BOOLEAN, Bool(false),
        "The requester is told of the decision.", "AL-10";
    DstCutoffDay "dst.cutoff_day": optional(DayOfMonth, 1, 28), Off,
        "The last day of a month whose uploads count for the next run.", "AL-26";
    DstRunAt "dst.run_at": ValueType::TimeOfDay, Text("18:00"),
        "When uploaded files are processed.", "AL-20";
    DstReportsAfter "dst.reports_after": integer(DayOfMonth, 1, 28), Int(6),
        "After which day monthly reports are out.", "AL-27";
    ClaimsEscalateEdiDays "claims.escalate_edi_days": optional(Days, 1, 365), Off,
        "After how many days an electronic claim may be escalated.", "CX-24";
    ClaimsEscalatePaperDays "claims.escalate_paper_days": optional(Days, 1, 365), Off,
        "After how many days from mailing a paper claim may be escalated.", "CX-24";
    ChatEnabled "chat.enabled": BOOLEAN, Bool(false),
        "The plan answers in a chat.", "CX-25";
    ChatDays "chat.days": any_of(&["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]),
        Words(&["MON", "TUE", "WED", "THU", "FRI"]), "The days the chat is open.", "CX-26";
    ChatOpensAt "chat.opens_at": ValueType::TimeOfDay, Text("08:00"),
        "When the chat opens, tenant time.", "CX-26";
    ChatClosesAt "chat.closes_at": ValueType::TimeOfDay, Text("18:00"),
        "When the chat closes, tenant time.", "CX-26";
    ChatWarnings "chat.warnings": integer(Count, 0, 5), Int(2),
        "How many warnings precede the end of an idle chat.", "CX-29";
    ChatIdleStepMinutes "chat.idle_step_minutes": integer(Minutes, 1, 60), Int(5),
        "How long a chat idles before each warning and its end.", "CX-29";
    AttachmentsMode "attachments.mode": one_of(&["NONE", "CHANGE_REQUESTS", "ANY"]), Text("NONE"),
        "Where files may be attached.", "CX-21 AL-09";
    AttachmentsMaxMib "attachments.max_mib": integer(Mebibytes, 1, 100), Int(25),
        "How large an attached file may be.", "CX-21";
    PaperlessMode "paperless.mode": one_of(&["OFF", "OPT_IN", "EOP_PAPER_ENDED"]), Text("OFF"),
        "Whether correspondence may replace paper.", "MC-76";
}

impl PolicyKey {
    /// Reads a stored name back.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }
}

impl fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for PolicyKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for PolicyKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| {
            serde::de::Error::custom(format!("no policy parameter is called {name}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PolicyValue, describe, parse_change};
    use super::*;

    #[test]
    fn every_name_is_unique_dotted_lower_case_and_reads_back() {
        for key in PolicyKey::ALL {
            assert_eq!(PolicyKey::parse(key.name()), Some(*key));
            let fits = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
            assert!(key.name().chars().all(fits), "{key}");
        }
    }

    #[test]
    fn every_default_is_within_its_own_bounds() {
        for key in PolicyKey::ALL {
            let default = PolicyValue::from(key.spec().default);
            let accepted = parse_change(key.name(), &default.to_json());
            assert_eq!(accepted, Ok((*key, default)), "{key}");
        }
    }

    #[test]
    fn every_parameter_has_a_sentence_bounds_and_a_requirement() {
        for spec in PolicyKey::ALL.iter().map(|key| key.spec()) {
            assert!(spec.doc.ends_with('.') && spec.doc.len() > 20, "{}", spec.key);
            assert!(!describe(spec.value_type).is_empty(), "{}", spec.key);
            for id in spec.requirements.split(' ') {
                let known = ["MC-", "CC-", "AL-", "CX-", "GN-"].contains(&&id[..3]);
                assert!(known && id.len() == 5, "{} {id}", spec.key);
            }
        }
    }
}
