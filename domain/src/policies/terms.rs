//! The words that parameters choose from, and the small structs in which a policy answers.
//!
//! Invariant: a word's list here is the list that the parameter's type admits: [`super::key`]
//! refers to it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// An enum whose variants are the words of a parameter.
pub(super) trait Word: Sized {
    /// Reads a stored word back.
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every word's meaning, in the canonical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored words, in their canonical order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The stored word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl Word for $name {
            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// What a person signs in with.
    LoginIdentifier {
        /// The email address.
        Email = "EMAIL",
        /// The user name.
        Username = "USERNAME",
    }
}

words! {
    /// How a person resets a forgotten password without help.
    ResetMethod {
        /// Not at all: somebody resets it for them (CC-06).
        None = "NONE",
        /// By a mailed link.
        Link = "LINK",
        /// By a mailed link and a one-time passcode (MC-26).
        LinkAndOtp = "LINK_AND_OTP",
        /// By a mailed link, asked for with user name and address together (AL-04).
        UsernameAndEmail = "USERNAME_AND_EMAIL",
        /// By a mailed temporary password (CX-07).
        TemporaryPassword = "TEMPORARY_PASSWORD",
    }
}

words! {
    /// Who may reset another person's password (CC-06).
    ResetHelper {
        /// An administrator of the person's organisation.
        OrganizationAdmin = "OA",
        /// Plan support staff.
        PlanStaff = "PS",
    }
}

words! {
    /// A second factor.
    OtpMethod {
        /// Text message.
        Sms = "SMS",
        /// Voice call.
        Voice = "VOICE",
        /// Authenticator application.
        Totp = "TOTP",
        /// Passkey.
        Passkey = "PASSKEY",
    }
}

words! {
    /// An action that may ask for a one-time passcode each time (MC-28).
    StepUpAction {
        /// Signing in.
        SignIn = "SIGN_IN",
        /// Setting the first password (MC-23, C-19).
        FirstPassword = "FIRST_PASSWORD",
        /// Setting a new password by link (MC-26).
        ResetPassword = "RESET_PASSWORD",
        /// Changing the password while signed in (MC-27).
        ChangePassword = "CHANGE_PASSWORD",
        /// Changing the phone number (MC-27).
        ChangePhone = "CHANGE_PHONE",
        /// Changing the email address (GN-06).
        ChangeEmail = "CHANGE_EMAIL",
        /// Showing a PIN (MC-52).
        RevealPin = "REVEAL_PIN",
        /// Resetting a PIN (MC-53).
        ResetPin = "RESET_PIN",
        /// Adding an organisation while signed in (MC-11, C-08).
        AddOrganization = "ADD_ORGANIZATION",
        /// Signing an agreement (MC-55).
        SignAgreement = "SIGN_AGREEMENT",
    }
}

words! {
    /// Who or what ends a lock before its time (C-05).
    Unlocker {
        /// An administrator of the person's organisation.
        OrganizationAdmin = "OA",
        /// Plan support staff.
        PlanStaff = "PS",
        /// A completed password reset (CX-09).
        ResetLink = "RESET_LINK",
    }
}

words! {
    /// Who may make a person administrator of an organisation (C-06).
    AdminCreator {
        /// An administrator of the same organisation.
        OrganizationAdmin = "OA",
        /// Plan support staff, at any time.
        PlanStaff = "PS",
        /// Plan support staff, when the administrator has left (CC-07).
        PlanStaffWhenAdminLeft = "PS_WHEN_ADMIN_LEFT",
        /// Plan support staff, on request of an administrator (CX-05).
        PlanStaffOnRequest = "PS_ON_REQUEST",
    }
}

words! {
    /// What an organisation administrator may do without a further grant (C-07).
    ImpliedRight {
        /// Admin level on every NPI, later ones included (MC-08).
        AllNpis = "ALL_NPIS",
        /// Every correspondence type (MC-08).
        AllCorrespondence = "ALL_CORRESPONDENCE",
        /// The user-management features (CC-10).
        UserManagement = "USER_MANAGEMENT",
        /// Every credentialed location.
        Locations = "LOCATIONS",
    }
}

words! {
    /// A person's level on an NPI, where a parameter names who may do something (C-03).
    NpiRole {
        /// NPI Admin.
        Admin = "NPI_ADMIN",
        /// NPI Processor.
        Processor = "NPI_PROCESSOR",
    }
}

words! {
    /// What a PIN is made of.
    PinAlphabet {
        /// `0` to `9`.
        Digits = "DIGITS",
        /// Digits and capital letters.
        LettersAndDigits = "LETTERS_AND_DIGITS",
    }
}

words! {
    /// What places access is granted by.
    LocationMode {
        /// None.
        Off = "OFF",
        /// Branch locations (CX-12).
        Locations = "LOCATIONS",
        /// Sites (AL-08).
        Sites = "SITES",
    }
}

words! {
    /// What happens when a review is overdue (GN-15).
    OverdueAction {
        /// The plan is told.
        Escalate = "ESCALATE",
        /// The rights under review are suspended.
        Suspend = "SUSPEND",
    }
}

words! {
    /// What has somebody's access reviewed at once, beside the schedule (GN-15).
    ReviewedChange {
        /// Somebody became an administrator.
        NewAdministrator = "NEW_ADMINISTRATOR",
        /// A right was granted to somebody who had not signed in for long.
        GrantedWhileDormant = "GRANTED_WHILE_DORMANT",
        /// An affiliation ended under which they worked for another organisation.
        AffiliationEnded = "AFFILIATION_ENDED",
        /// They came from another organisation.
        Moved = "MOVED",
        /// They were taken over from another portal.
        Imported = "IMPORTED",
    }
}

words! {
    /// When what a review takes away or changes is carried out (GN-15); by default as before there was a choice.
    #[derive(Default)]
    RevocationMode {
        /// As it is decided.
        #[default]
        AtOnce = "AT_ONCE",
        /// When the review is closed; until then a decision is only recorded.
        AtClose = "AT_CLOSE",
    }
}

impl RevocationMode {
    #[must_use]
    pub const fn is_at_once(&self) -> bool {
        match self {
            Self::AtOnce => true,
            Self::AtClose => false,
        }
    }
}

words! {
    /// Who has to confirm what a reviewer decided, as somebody else, before it counts (GN-15); by default nobody.
    #[derive(Default)]
    SecondReviewer {
        /// Nobody.
        #[default]
        None = "NONE",
        /// Another administrator, or the plan.
        Reviewer = "REVIEWER",
        /// The plan.
        Plan = "PLAN",
    }
}

impl SecondReviewer {
    #[must_use]
    pub const fn is_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::Reviewer | Self::Plan => false,
        }
    }
}

words! {
    /// What becomes of an item about which nobody decided until a review's grace was over (GN-15); by default what
    /// it was before there was a choice.
    #[derive(Default)]
    UndecidedAction {
        /// It stays undecided, and is left to the plan.
        #[default]
        Escalate = "ESCALATE",
        /// The policy keeps it.
        Keep = "KEEP",
        /// The policy takes it away.
        Revoke = "REVOKE",
    }
}

impl UndecidedAction {
    #[must_use]
    pub const fn is_escalate(&self) -> bool {
        match self {
            Self::Escalate => true,
            Self::Keep | Self::Revoke => false,
        }
    }
}

/// How failed sign-ins lock an account, and what unlocks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockoutPolicy {
    /// The failure in a row that locks (C-04).
    pub threshold: u32,
    /// After how long the lock ends by itself; `None`: never.
    pub auto: Option<TimeDelta>,
    /// A try while locked starts that time anew.
    pub retry_restarts_timer: bool,
    /// Who or what may end it before.
    pub unlockers: Vec<Unlocker>,
}

/// How one-time passcodes work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtpPolicy {
    /// In use at all.
    pub enabled: bool,
    /// The factors offered.
    pub methods: Vec<OtpMethod>,
    /// How many last digits are typed and compared.
    pub digits: u32,
    /// How many digits are sent, at least `digits`.
    pub sent_length: u32,
    /// How long a code works.
    pub ttl: TimeDelta,
    /// How many tries it has.
    pub tries: u32,
}

impl OtpPolicy {
    /// Whether people may use an authenticator app.
    #[must_use]
    pub fn offers_authenticator(&self) -> bool {
        self.enabled && self.methods.contains(&OtpMethod::Totp)
    }
}

/// How long sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Without activity.
    pub idle: TimeDelta,
    /// In any case.
    pub absolute: TimeDelta,
    /// How long before the idle end it warns.
    pub warning: TimeDelta,
    /// How many a person may hold at once.
    pub concurrent: u32,
}

/// How PINs are made, shown and reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPolicy {
    /// In use at all.
    pub enabled: bool,
    /// Resets per NPI and local day.
    pub resets_per_day: u32,
    /// Characters of a PIN.
    pub length: u32,
    /// What it is made of.
    pub alphabet: PinAlphabet,
    /// Who of the NPI may view and reset it.
    pub roles: Vec<NpiRole>,
}

/// How often access is reviewed, and what follows when it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewPolicy {
    /// Days between reviews.
    pub cadence_days: u32,
    /// Whether the scheduled ones ask about what changed since the last signed one alone.
    pub changed_only: bool,
    /// Days from its opening until a review is due.
    pub open_days: u32,
    /// Days from then until it is escalated.
    pub grace_days: u32,
    /// Days before it is due on which reviewers are reminded.
    pub remind_days: Vec<u32>,
    /// What happens when it is overdue.
    pub overdue: OverdueAction,
    /// What becomes of ordinary items that are undecided then, and of those of high risk.
    pub undecided: UndecidedAction,
    pub undecided_high: UndecidedAction,
    /// When what is taken away or changed is carried out; a review keeps the mode that it began with.
    pub revocations: RevocationMode,
    /// Whether people are asked to say of their own access whether they need it still, where the opener does
    /// not say.
    pub self_attestation: bool,
    /// Who has to confirm what is decided, where the opener does not say.
    pub second_reviewer: SecondReviewer,
    /// Of how many items it is told that they were kept quicker than anybody reads (GN-15).
    pub hasty_items: u32,
    /// Seconds that an item takes at least to be read.
    pub hasty_seconds: u32,
    /// What has somebody's access reviewed at once.
    pub changes: Vec<ReviewedChange>,
}
