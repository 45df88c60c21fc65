//! The policy in force: every parameter with its value, asked by name of what it decides.
//!
//! Invariant: a policy is complete. Every parameter has a value of its type, so no reader needs a
//! fallback of its own.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::terms::{
    AdminCreator, ImpliedRight, LocationMode, LockoutPolicy, LoginIdentifier, NpiRole, OtpMethod,
    OtpPolicy, PinPolicy, ResetHelper, ResetMethod, ReviewPolicy, SessionPolicy, StepUpAction,
    Unlocker,
};
use super::{Availability, Feature, PolicyKey, PolicyValue, Preset};
use crate::values::{PasswordRules, SpecialRule, TenantZone};

/// All parameters of a tenant at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    preset: Option<Preset>,
    /// One value per key, in the order of [`PolicyKey::ALL`].
    values: Vec<PolicyValue>,
    /// What was said of features one by one (MC-01).
    features: BTreeMap<Feature, Availability>,
}

impl Default for Policy {
    /// The careful defaults, before a tenant has a preset.
    fn default() -> Self {
        let values = PolicyKey::ALL.iter().map(|key| key.spec().default.into()).collect();
        Self { preset: None, values, features: BTreeMap::new() }
    }
}

impl From<Preset> for Policy {
    fn from(preset: Preset) -> Self {
        let mut policy = Self { preset: Some(preset), ..Self::default() };
        for (key, literal) in preset.values() {
            policy.set(*key, PolicyValue::from(*literal));
        }
        policy
    }
}

impl Policy {
    /// The preset this policy began with.
    pub fn preset(&self) -> Option<Preset> {
        self.preset
    }

    /// A parameter's value.
    pub fn value(&self, key: PolicyKey) -> &PolicyValue {
        &self.values[key as usize]
    }

    /// Every parameter with its value, in the order in which they are shown.
    pub fn entries(&self) -> impl Iterator<Item = (PolicyKey, &PolicyValue)> {
        PolicyKey::ALL.iter().copied().zip(&self.values)
    }

    /// The parameters in which two policies differ.
    pub fn differences(&self, other: &Self) -> Vec<PolicyKey> {
        self.entries()
            .filter(|(key, value)| other.value(*key) != *value)
            .map(|(key, _)| key)
            .collect()
    }

    /// This policy with one parameter changed to a value that [`super::parse_change`] admitted.
    #[must_use]
    pub fn with(mut self, key: PolicyKey, value: PolicyValue) -> Self {
        self.set(key, value);
        self
    }

    /// This policy with something else said of a feature.
    #[must_use]
    pub fn with_availability(mut self, feature: Feature, availability: Availability) -> Self {
        self.features.insert(feature, availability);
        self
    }

    /// What was said of a feature itself.
    pub(super) fn set_availability(&self, feature: Feature) -> Option<&Availability> {
        self.features.get(&feature)
    }

    pub(super) fn set(&mut self, key: PolicyKey, value: PolicyValue) {
        self.values[key as usize] = value;
    }

    /// Why the parameters cannot stand together, if they cannot.
    pub fn contradiction(&self) -> Option<&'static str> {
        let lockout = self.lockout();
        let otp = self.otp();
        let needs_otp = self.reset_method() == ResetMethod::LinkAndOtp
            || !self.words::<StepUpAction>(PolicyKey::OtpStepUpActions).is_empty();
        let rules = [
            (
                lockout.auto.is_none() && lockout.unlockers.is_empty(),
                "Nothing would end a lock: set lockout.auto_minutes or name lockout.unlockers first.",
            ),
            (
                otp.sent_length < otp.digits,
                "A code must have at least the digits that are typed: otp.sent_length, otp.digits.",
            ),
            (
                otp.enabled && otp.methods.is_empty(),
                "Passcodes need a way to reach people: name otp.methods first.",
            ),
            (
                !otp.enabled && needs_otp,
                "Actions still ask for a passcode: change reset.method and otp.step_up_actions first.",
            ),
            (
                self.reset_method() == ResetMethod::None && self.reset_assisted_by().is_empty(),
                "Nobody could reset a password: set reset.method or name reset.assisted_by first.",
            ),
        ];
        rules.into_iter().find_map(|(broken, why)| broken.then_some(why))
    }

    // The tenant as a whole.

    /// The zone whose midnights begin the tenant's days.
    pub fn time_zone(&self) -> TenantZone {
        TenantZone::parse(self.text(PolicyKey::TimeZone)).expect(ADMITTED)
    }

    /// Only contracted providers register and sign in (CC-01).
    pub fn contracted_only(&self) -> bool {
        self.flag(PolicyKey::ContractedOnly)
    }

    /// The page that tells people without a contract whom to ask (CC-01).
    pub fn contact_page(&self) -> Option<&str> {
        self.optional_text(PolicyKey::ContactPage)
    }

    /// A change of policy needs the approval of another plan administrator (GN-02).
    pub fn needs_four_eyes(&self) -> bool {
        self.flag(PolicyKey::FourEyes)
    }

    /// Years for which the records about a person are kept (GN-26); for [`TenantZone::years_later`].
    pub fn retention_years(&self) -> u32 {
        self.integer(PolicyKey::RetentionYears)
    }

    /// How many days a review of activity covers; `None` where nobody has to review.
    pub fn activity_review(&self) -> Option<u32> {
        self.optional(PolicyKey::ActivityReviewDays)
    }

    /// How long after its period a review of activity is overdue.
    pub fn activity_review_grace(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.integer(PolicyKey::ActivityReviewGraceDays)))
    }

    // Sign-in and passwords.

    /// What a person signs in with.
    pub fn login_identifier(&self) -> LoginIdentifier {
        self.word(PolicyKey::LoginIdentifier)
    }

    /// What a password must be (MC-24, CC-05); shorter ones are accepted where a second factor is
    /// asked at every sign-in and the tenant says so.
    pub fn password_rules(&self) -> PasswordRules {
        let classes = self.list(PolicyKey::PasswordClasses);
        let needs = |class: &str| classes.iter().any(|word| word == class);
        let with_mfa = self
            .optional(PolicyKey::PasswordMinLengthWithMfa)
            .filter(|_| self.otp().enabled && self.needs_step_up(StepUpAction::SignIn));
        PasswordRules {
            min_length: with_mfa.unwrap_or(self.integer(PolicyKey::PasswordMinLength)),
            max_length: self.integer(PolicyKey::PasswordMaxLength),
            upper: needs("UPPER"),
            lower: needs("LOWER"),
            digit: needs("DIGIT"),
            special: match self.optional_text(PolicyKey::PasswordSpecialSet) {
                _ if !needs("SPECIAL") => SpecialRule::NotRequired,
                Some(set) => SpecialRule::OneOf(set.to_owned()),
                None => SpecialRule::Any,
            },
            forbid_identifiers: self.flag(PolicyKey::PasswordNoUsername),
            blocklist: self.flag(PolicyKey::PasswordBlocklist),
        }
    }

    /// How many previous passwords may not be used again (MC-25).
    pub fn password_history(&self) -> u32 {
        self.integer(PolicyKey::PasswordHistory)
    }

    /// Up to how many edits from the current password count as similar; `None`: similar ones are
    /// allowed (GN-07).
    pub fn password_similar_distance(&self) -> Option<usize> {
        self.flag(PolicyKey::PasswordRejectSimilar)
            .then(|| self.integer(PolicyKey::PasswordSimilarDistance) as usize)
    }

    /// After how many days a password expires (CC-04).
    pub fn password_max_days(&self) -> Option<u32> {
        self.optional(PolicyKey::PasswordMaxAgeDays)
    }

    /// When a password of this age expires: to the second at the hour it was set, by the tenant's
    /// clocks.
    pub fn password_expires_at(&self, set_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = self.password_max_days()?;
        Some(self.time_zone().days_later(set_at, i64::from(days)))
    }

    /// How many days before that its owner is told, largest first.
    pub fn password_warn_days(&self) -> &[u32] {
        self.integers(PolicyKey::PasswordWarnDays)
    }

    /// How long a password stays before its owner may change it again (GN-08).
    pub fn password_min_age(&self) -> TimeDelta {
        hours(self.integer(PolicyKey::PasswordMinAgeHours))
    }

    /// How a person resets a forgotten password without help.
    pub fn reset_method(&self) -> ResetMethod {
        self.word(PolicyKey::ResetBy)
    }

    /// Who may reset another person's password (CC-06).
    pub fn reset_assisted_by(&self) -> Vec<ResetHelper> {
        self.words(PolicyKey::ResetAssistedBy)
    }

    /// How long a reset link works.
    pub fn reset_link_ttl(&self) -> TimeDelta {
        minutes(self.integer(PolicyKey::ResetLinkMinutes))
    }

    /// How long a temporary password works (CX-07).
    pub fn temporary_password_ttl(&self) -> TimeDelta {
        hours(self.integer(PolicyKey::ResetTempHours))
    }

    /// How long the link to the first password works, to the second (MC-21).
    pub fn setup_link_ttl(&self) -> TimeDelta {
        minutes(self.integer(PolicyKey::SetupLinkMinutes))
    }

    /// How long an invitation works, to the second (MC-16).
    pub fn invite_ttl(&self) -> TimeDelta {
        days(self.integer(PolicyKey::InviteDays))
    }

    /// To the end of which local day after its issue a registration token works; `None`: this
    /// tenant issues none (MC-04). For [`TenantZone::end_of_nth_day`].
    pub fn org_token_days(&self) -> Option<u16> {
        let days = self.optional(PolicyKey::OrgTokenDays)?;
        Some(u16::try_from(days).expect(ADMITTED))
    }

    /// How many wrong tries a token and an address have (GN-03).
    pub fn org_token_tries(&self) -> u32 {
        self.integer(PolicyKey::OrgTokenTries)
    }

    // One-time passcodes, lockout and sessions.

    /// How one-time passcodes work (MC-20).
    pub fn otp(&self) -> OtpPolicy {
        OtpPolicy {
            enabled: self.flag(PolicyKey::OtpEnabled),
            methods: self.words::<OtpMethod>(PolicyKey::OtpMethods),
            digits: self.integer(PolicyKey::OtpDigits),
            sent_length: self.integer(PolicyKey::OtpSentLength),
            ttl: minutes(self.integer(PolicyKey::OtpMinutes)),
            tries: self.integer(PolicyKey::OtpTries),
        }
    }

    /// Whether an action asks for a passcode each time (MC-28).
    pub fn needs_step_up(&self, action: StepUpAction) -> bool {
        let by_method =
            action == StepUpAction::ResetPassword && self.reset_method() == ResetMethod::LinkAndOtp;
        by_method
            || self.list(PolicyKey::OtpStepUpActions).iter().any(|word| word == action.as_str())
    }

    /// Every action that asks for a passcode each time (MC-28).
    pub fn step_up_actions(&self) -> Vec<StepUpAction> {
        let asks = |action: &StepUpAction| self.needs_step_up(*action);
        StepUpAction::ALL.iter().copied().filter(asks).collect()
    }

    /// How failed sign-ins lock an account (AL-06, CX-08).
    pub fn lockout(&self) -> LockoutPolicy {
        LockoutPolicy {
            threshold: self.integer(PolicyKey::LockoutThreshold),
            auto: self.optional(PolicyKey::LockoutAutoMinutes).map(minutes),
            retry_restarts_timer: self.flag(PolicyKey::LockoutRetryRestartsTimer),
            unlockers: self.words::<Unlocker>(PolicyKey::LockoutUnlockers),
        }
    }

    /// How long sessions live (CX-10, GN-11).
    pub fn session(&self) -> SessionPolicy {
        SessionPolicy {
            idle: self.session_idle(),
            absolute: hours(self.integer(PolicyKey::SessionAbsoluteHours)),
            warning: minutes(self.integer(PolicyKey::SessionWarningMinutes)),
            concurrent: self.integer(PolicyKey::SessionConcurrent),
        }
    }

    /// After how long without activity a session ends (CX-10).
    pub fn session_idle(&self) -> TimeDelta {
        minutes(self.integer(PolicyKey::SessionIdleMinutes))
    }

    /// People go on to Transaction Services with an NPI (MC-38).
    pub fn transactions_enabled(&self) -> bool {
        self.flag(PolicyKey::TransactionsEnabled)
    }

    /// How long a hand-off to Transaction Services works (MC-38).
    pub fn handoff_ttl(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.integer(PolicyKey::HandoffSeconds)))
    }

    /// How many days a machine's key works at most; `None`: there are no keys (GN-28).
    pub fn api_key_max_days(&self) -> Option<u32> {
        self.optional(PolicyKey::ApiKeysMaxDays)
    }

    // Administrators and users.

    /// Who may make a person administrator (C-06).
    pub fn admin_creators(&self) -> Vec<AdminCreator> {
        self.words(PolicyKey::AdminCreators)
    }

    /// Whether an administrator may do this without a further grant (C-07).
    pub fn admin_implies(&self, right: ImpliedRight) -> bool {
        self.list(PolicyKey::AdminImplied).iter().any(|word| word == right.as_str())
    }

    /// Business days in which account requests are answered; `None`: there is no form (AL-01).
    pub fn account_request_days(&self) -> Option<u32> {
        self.flag(PolicyKey::AccountRequestForm)
            .then(|| self.integer(PolicyKey::AccountRequestDays))
    }

    /// After how many days a person without any permission is deactivated (MC-32).
    pub fn unassigned_days(&self) -> Option<u32> {
        self.optional(PolicyKey::UnassignedDeactivateDays)
    }

    /// How many days before that, and before a deactivation for want of sign-ins, the administrators
    /// are told (MC-32).
    pub fn unassigned_warn_days(&self) -> u32 {
        self.integer(PolicyKey::UnassignedWarnDays)
    }

    /// When somebody who waits for a first permission since then is deactivated, at the same hour
    /// of the tenant's clocks (MC-32).
    pub fn unassigned_until(&self, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = self.unassigned_days()?;
        Some(self.time_zone().days_later(since, i64::from(days)))
    }

    /// When the administrators are told of that end.
    pub fn unassigned_warned_at(&self, end: DateTime<Utc>) -> DateTime<Utc> {
        self.time_zone().days_later(end, -i64::from(self.unassigned_warn_days()))
    }

    /// Who has waited for a first permission since then or longer is told of at `now` (MC-32).
    pub fn unassigned_at_risk(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let untold = self.unassigned_days()?.saturating_sub(self.unassigned_warn_days());
        Some(self.time_zone().days_later(now, -i64::from(untold)))
    }

    /// After how many days without sign-in a person is deactivated.
    pub fn dormant_days(&self) -> Option<u32> {
        self.optional(PolicyKey::DormantDeactivateDays)
    }

    /// When somebody who was last there then is deactivated, at the same hour of the tenant's clocks.
    pub fn dormant_until(&self, seen: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.time_zone().days_later(seen, i64::from(self.dormant_days()?)))
    }

    /// When somebody whose time is up at `end` is deactivated, where people are told of it now: at the
    /// end, if that is as many days ahead as the policy wants, else so many days from now. A look may be
    /// late by a day.
    pub fn deactivation_after_word(&self, now: DateTime<Utc>, end: DateTime<Utc>) -> DateTime<Utc> {
        let (zone, days) = (self.time_zone(), i64::from(self.unassigned_warn_days()));
        if zone.days_later(now, days - 1) <= end { end } else { zone.days_later(now, days) }
    }

    /// After how long away former rights must be confirmed again (GN-12).
    pub fn reactivation_confirm_after(&self) -> TimeDelta {
        days(self.integer(PolicyKey::ReactivationConfirmDays))
    }

    // PINs, affiliations, grants, reviews, notices.

    /// How PINs are made, shown and reset (MC-50 to MC-53).
    pub fn pins(&self) -> PinPolicy {
        PinPolicy {
            enabled: self.flag(PolicyKey::PinsEnabled),
            resets_per_day: self.integer(PolicyKey::PinsResetsPerDay),
            length: self.integer(PolicyKey::PinsLength),
            alphabet: self.word(PolicyKey::PinsAlphabet),
            roles: self.words::<NpiRole>(PolicyKey::PinsRoles),
        }
    }

    /// How long dependent files may lag behind a PIN reset (GN-17).
    pub fn pin_propagation(&self) -> TimeDelta {
        hours(self.integer(PolicyKey::PinsPropagationHours))
    }

    /// Provider types whose PINs plan support does not reset for callers (GN-17).
    pub fn pin_support_excluded_types(&self) -> &[String] {
        self.list(PolicyKey::PinsSupportExcludedTypes)
    }

    /// Who of an NPI may open its tax documents (C-03).
    pub fn tax_document_roles(&self) -> Vec<NpiRole> {
        self.words(PolicyKey::TaxDocumentRoles)
    }

    /// Submitters and providers affiliate in the portal (MC-54).
    pub fn affiliations_enabled(&self) -> bool {
        self.flag(PolicyKey::AffiliationsEnabled)
    }

    /// After how long an undecided affiliation request expires (GN-18).
    pub fn affiliation_request_ttl(&self) -> TimeDelta {
        days(self.integer(PolicyKey::AffiliationRequestDays))
    }

    /// How long after a denial the same request waits (GN-18).
    pub fn affiliation_rerequest_after(&self) -> TimeDelta {
        days(self.integer(PolicyKey::AffiliationRerequestDays))
    }

    /// Administrators bundle features into job roles (CC-09).
    pub fn job_roles_enabled(&self) -> bool {
        self.flag(PolicyKey::JobRolesEnabled)
    }

    /// Features are granted person by person (CC-08).
    pub fn feature_grants_enabled(&self) -> bool {
        self.flag(PolicyKey::FeatureGrantsEnabled)
    }

    /// What places access is granted by (CX-12).
    pub fn locations(&self) -> LocationMode {
        self.word(PolicyKey::LocationsMode)
    }

    /// After how long an undecided request for access expires (CC-11).
    pub fn access_request_ttl(&self) -> TimeDelta {
        days(self.integer(PolicyKey::AccessRequestDays))
    }

    /// How often access is reviewed (CC-13).
    pub fn review(&self) -> ReviewPolicy {
        ReviewPolicy {
            cadence_days: self.integer(PolicyKey::ReviewCadenceDays),
            changed_only: self.flag(PolicyKey::ReviewChangedOnly),
            open_days: self.integer(PolicyKey::ReviewOpenDays),
            grace_days: self.integer(PolicyKey::ReviewGraceDays),
            remind_days: self.integers(PolicyKey::ReviewRemindDays).to_vec(),
            overdue: self.word(PolicyKey::ReviewOverdueAction),
            undecided: self.word(PolicyKey::ReviewUndecided),
            undecided_high: self.word(PolicyKey::ReviewUndecidedHigh),
            revocations: self.word(PolicyKey::ReviewRevocations),
            self_attestation: self.flag(PolicyKey::ReviewSelfAttestation),
            second_reviewer: self.word(PolicyKey::ReviewSecondReviewer),
            hasty_items: self.integer(PolicyKey::ReviewHastyItems),
            hasty_seconds: self.integer(PolicyKey::ReviewHastySeconds),
            changes: self.words(PolicyKey::ReviewChanges),
        }
    }
}

const ADMITTED: &str = "parse_change and the preset tables admit only values of the key's type";

fn minutes(count: u32) -> TimeDelta {
    TimeDelta::minutes(i64::from(count))
}

fn hours(count: u32) -> TimeDelta {
    TimeDelta::hours(i64::from(count))
}

fn days(count: u32) -> TimeDelta {
    TimeDelta::days(i64::from(count))
}
