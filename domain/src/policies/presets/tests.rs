use chrono::{NaiveDate, TimeDelta};

use super::super::terms::Word;
use super::super::{
    AdminCreator, Feature, ImpliedRight, LocationMode, LoginIdentifier, OverdueAction, Policy,
    PolicyValue, ResetMethod, StepUpAction, Unlocker, ValueType, parse_change,
};
use super::*;
use crate::notifications::Frequency;
use crate::values::{Password, PasswordViolation, SpecialRule};

fn policy(preset: Preset) -> Policy {
    Policy::from(preset)
}

#[test]
fn every_name_parses_back_and_is_its_json() {
    for preset in Preset::ALL {
        assert_eq!(Preset::parse(preset.name()), Ok(*preset));
        assert_eq!(serde_json::to_string(preset).expect("json"), format!("\"{preset}\""));
    }
    assert_eq!(Preset::parse("medical").unwrap_err().code, Code::FieldInvalid);
}

#[test]
fn every_value_of_a_table_is_within_bounds_and_listed_once() {
    for preset in Preset::ALL {
        let mut keys: Vec<_> = preset.values().iter().map(|(key, _)| *key).collect();
        for (key, literal) in preset.values() {
            let value = PolicyValue::from(*literal);
            let accepted = parse_change(key.name(), &value.to_json());
            assert_eq!(accepted, Ok((*key, value)), "{preset} {key}");
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), preset.values().len(), "{preset}");
    }
}

#[test]
fn no_preset_contradicts_itself() {
    for preset in Preset::ALL {
        assert_eq!(policy(*preset).contradiction(), None, "{preset}");
    }
    assert_eq!(Policy::default().contradiction(), None);
}

/// Every answer a policy gives, as one text.
fn answers(policy: &Policy) -> String {
    let steps = StepUpAction::WORDS.iter().map(|word| StepUpAction::from_word(word).expect(word));
    let rights = ImpliedRight::WORDS.iter().map(|word| ImpliedRight::from_word(word).expect(word));
    let day = NaiveDate::from_ymd_opt(2026, 1, 13).expect("a day");
    let midnight = policy.time_zone().start_of_day(day);
    let answers: [&dyn std::fmt::Debug; 41] = [
        &(policy.time_zone(), policy.needs_four_eyes()),
        &(policy.contracted_only(), policy.contact_page()),
        &policy.retention_years(),
        &(policy.activity_review(), policy.activity_review_grace()),
        &policy.login_identifier(),
        &policy.password_rules(),
        &policy.password_history(),
        &policy.password_similar_distance(),
        &policy.password_max_days(),
        &policy.password_warn_days(),
        &policy.password_min_age(),
        &policy.reset_method(),
        &policy.reset_assisted_by(),
        &policy.reset_link_ttl(),
        &policy.temporary_password_ttl(),
        &policy.setup_link_ttl(),
        &policy.invite_ttl(),
        &policy.org_token_days(),
        &policy.org_token_tries(),
        &policy.otp(),
        &steps.map(|action| policy.needs_step_up(action)).collect::<Vec<_>>(),
        &policy.lockout(),
        &policy.session(),
        &(policy.transactions_enabled(), policy.handoff_ttl(), policy.api_key_max_days()),
        &policy.admin_creators(),
        &rights.map(|right| policy.admin_implies(right)).collect::<Vec<_>>(),
        &policy.account_request_days(),
        &(policy.unassigned_days(), policy.unassigned_warn_days()),
        &policy.dormant_days(),
        &policy.reactivation_confirm_after(),
        &(policy.pins(), policy.pin_propagation(), policy.pin_support_excluded_types()),
        &policy.tax_document_roles(),
        &policy.affiliations_enabled(),
        &Feature::ALL.iter().map(|feature| policy.is_on(*feature)).collect::<Vec<_>>(),
        &policy.affiliation_request_ttl(),
        &policy.affiliation_rerequest_after(),
        &(policy.job_roles_enabled(), policy.feature_grants_enabled()),
        &(policy.locations(), policy.review(), policy.access_request_ttl()),
        &(policy.notify_in_portal(), policy.notify_email_default()),
        &[Frequency::Daily, Frequency::Weekly].map(|often| policy.next_digest(often, midnight)),
        &[30, 12 * 3600, 24 * 3600 - 30]
            .map(|seconds| policy.quiet_until(midnight + TimeDelta::seconds(seconds))),
    ];
    format!("{answers:?}")
}

/// Values at the bounds of a type, and each of its words.
fn samples(value_type: ValueType) -> Vec<PolicyValue> {
    let words = |words: &[&str]| PolicyValue::Words(words.iter().map(|&w| w.to_owned()).collect());
    let text = |text: &str| PolicyValue::Text(text.to_owned());
    match value_type {
        ValueType::Integer { min, max, .. } => [min, max].map(PolicyValue::Integer).to_vec(),
        ValueType::OptionalInteger { min, max, .. } => {
            vec![PolicyValue::Off, PolicyValue::Integer(min), PolicyValue::Integer(max)]
        }
        ValueType::Integers { min, max, .. } => vec![PolicyValue::Integers(vec![max, min])],
        ValueType::Boolean => [true, false].map(PolicyValue::Boolean).to_vec(),
        ValueType::Choice(of) => of.iter().map(|word| text(word)).collect(),
        ValueType::Choices { of, .. } => {
            of.iter().map(|word| words(&[word])).chain([words(of)]).collect()
        }
        ValueType::Symbols => vec![PolicyValue::Off, text("!?")],
        ValueType::WebAddress => vec![PolicyValue::Off, text("https://plan.example/contact")],
        ValueType::TimeOfDay => vec![text("00:00"), text("23:59")],
        ValueType::TimeZone => vec![text("Pacific/Honolulu")],
    }
}

#[test]
fn every_parameter_decides_something_at_every_admitted_value() {
    const OF_LATER_CONTEXTS: [&str; 6] =
        ["pcr.notify", "dst.", "claims.", "chat.", "attachments.", "paperless."];
    for key in PolicyKey::ALL {
        let changes_an_answer = Preset::ALL.iter().flat_map(|preset| {
            samples(key.spec().value_type).into_iter().map(|value| {
                let base = policy(*preset);
                answers(&base) != answers(&base.clone().with(*key, value))
            })
        });
        let later = OF_LATER_CONTEXTS.iter().any(|context| key.name().starts_with(context))
            && *key != PolicyKey::ChatEnabled;
        assert_eq!(changes_an_answer.fold(false, |any, changes| any | changes), !later, "{key}");
    }
}

#[test]
fn passwords_follow_the_sources() {
    let medi_cal = policy(Preset::MediCal).password_rules();
    assert_eq!((medi_cal.min_length, medi_cal.special), (15, SpecialRule::OneOf("!$#%".into())));
    let cencal = policy(Preset::Cencal).password_rules();
    assert_eq!(cencal.violations(&Password::new("Portal123#"), &[]), []);
    assert_eq!(
        policy(Preset::Alliance).password_rules().violations(&Password::new("Vq7-zzkw"), &[]),
        [PasswordViolation::TooShort]
    );
    let hardened = policy(Preset::Hardened).password_rules();
    assert_eq!(hardened.violations(&Password::new("plum orchard"), &[]), []);
    assert_eq!(hardened.min_length, 8);
}

#[test]
fn the_shorter_password_needs_the_second_factor_at_sign_in() {
    let without = policy(Preset::Hardened)
        .with(PolicyKey::OtpStepUpActions, PolicyValue::Words(vec!["RESET_PIN".into()]));
    assert_eq!(without.password_rules().min_length, 15);
}

#[test]
fn lockout_follows_the_sources() {
    let lockout = |preset| policy(preset).lockout();
    let alliance = lockout(Preset::Alliance);
    assert_eq!((alliance.threshold, alliance.auto), (3, None));
    assert_eq!(alliance.unlockers, [Unlocker::OrganizationAdmin, Unlocker::PlanStaff]);
    let carecentrix = lockout(Preset::Carecentrix);
    assert_eq!(carecentrix.auto, Some(TimeDelta::minutes(30)));
    assert!(carecentrix.retry_restarts_timer);
    assert_eq!(carecentrix.unlockers, [Unlocker::OrganizationAdmin, Unlocker::ResetLink]);
    assert_eq!(lockout(Preset::Cencal).auto, None);
    assert_eq!(lockout(Preset::MediCal).threshold, 5);
}

#[test]
fn sign_in_and_sessions_follow_the_sources() {
    let idle = Preset::ALL.iter().map(|preset| policy(*preset).session_idle().num_minutes());
    assert_eq!(idle.collect::<Vec<_>>(), [20, 30, 30, 70, 15]);
    assert_eq!(policy(Preset::MediCal).login_identifier(), LoginIdentifier::Email);
    assert_eq!(policy(Preset::Cencal).login_identifier(), LoginIdentifier::Username);
    let methods = Preset::ALL.iter().map(|preset| policy(*preset).reset_method());
    assert_eq!(
        methods.collect::<Vec<_>>(),
        [
            ResetMethod::LinkAndOtp,
            ResetMethod::None,
            ResetMethod::UsernameAndEmail,
            ResetMethod::TemporaryPassword,
            ResetMethod::LinkAndOtp,
        ]
    );
    let ages = Preset::ALL.iter().map(|p| policy(*p).password_max_days());
    assert_eq!(ages.collect::<Vec<_>>(), [None, Some(180), Some(90), None, None]);
}

#[test]
fn medi_cal_has_tokens_passcodes_pins_and_affiliations_and_the_others_do_not() {
    for preset in Preset::ALL {
        let policy = policy(*preset);
        let only_medi_cal = *preset == Preset::MediCal;
        assert_eq!(policy.org_token_days().is_some(), only_medi_cal, "{preset}");
        assert_eq!(policy.pins().enabled, only_medi_cal, "{preset}");
        assert_eq!(policy.affiliations_enabled(), only_medi_cal, "{preset}");
        assert_eq!(policy.transactions_enabled(), only_medi_cal, "{preset}");
    }
    let medi_cal = policy(Preset::MediCal);
    assert_eq!(medi_cal.org_token_days(), Some(30));
    assert_eq!((medi_cal.pins().length, medi_cal.pins().resets_per_day), (7, 1));
    let otp = medi_cal.otp();
    assert_eq!((otp.digits, otp.ttl, otp.tries), (6, TimeDelta::minutes(10), 5));
    assert!(medi_cal.needs_step_up(StepUpAction::FirstPassword));
    assert_eq!(medi_cal.invite_ttl(), TimeDelta::hours(7 * 24));
}

#[test]
fn administrators_follow_the_sources() {
    let creators = Preset::ALL.iter().map(|preset| policy(*preset).admin_creators());
    assert_eq!(
        creators.collect::<Vec<_>>(),
        [
            vec![AdminCreator::OrganizationAdmin],
            vec![AdminCreator::OrganizationAdmin, AdminCreator::PlanStaffWhenAdminLeft],
            vec![AdminCreator::OrganizationAdmin, AdminCreator::PlanStaff],
            vec![AdminCreator::PlanStaffOnRequest],
            vec![AdminCreator::OrganizationAdmin],
        ]
    );
    assert!(policy(Preset::MediCal).admin_implies(ImpliedRight::AllNpis));
    assert!(!policy(Preset::Cencal).admin_implies(ImpliedRight::AllCorrespondence));
    assert!(policy(Preset::Carecentrix).admin_implies(ImpliedRight::Locations));
    assert_eq!(policy(Preset::Alliance).account_request_days(), Some(7));
    assert_eq!(policy(Preset::Cencal).account_request_days(), None);
    assert_eq!(policy(Preset::Alliance).locations(), LocationMode::Sites);
    assert_eq!(policy(Preset::Cencal).review().cadence_days, 90);
    assert_eq!(policy(Preset::MediCal).review().overdue, OverdueAction::Escalate);
}

#[test]
fn zones_are_pacific_but_for_carecentrix() {
    let zone = |preset| policy(preset).time_zone().name();
    assert_eq!(zone(Preset::MediCal), "America/Los_Angeles");
    assert_eq!(zone(Preset::Carecentrix), "America/New_York");
}
