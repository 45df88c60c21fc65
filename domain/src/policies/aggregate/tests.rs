use chrono::TimeDelta;

use super::*;
use crate::kernel::ids::SubjectId;
use crate::kernel::scenario::{after, given, id, start};
use crate::policies::LoginIdentifier;

fn reason() -> Sealed<Reason> {
    Sealed::new(id::<SubjectId>(1), Reason::parse("agreed in the steering group").expect("valid"))
}

fn applied(preset: Preset, effective_at: DateTime<Utc>) -> PolicyEvent {
    PolicyEvent::PresetApplied { preset, effective_at, reason: reason() }
}

fn changed(key: PolicyKey, old: u32, new: u32, effective_at: DateTime<Utc>) -> PolicyEvent {
    let (old, new) = (PolicyValue::Integer(old), PolicyValue::Integer(new));
    PolicyEvent::PolicyChanged { key, old, new, effective_at, reason: reason() }
}

fn apply(preset: Preset, effective_at: Option<DateTime<Utc>>) -> PolicyCommand {
    PolicyCommand::ApplyPreset { preset, effective_at, reason: reason() }
}

fn change(
    key: PolicyKey,
    value: PolicyValue,
    effective_at: Option<DateTime<Utc>>,
) -> PolicyCommand {
    PolicyCommand::ChangePolicy { key, value, effective_at, reason: reason() }
}

fn idle_minutes(history: &PolicyHistory, moment: DateTime<Utc>) -> (u64, i64) {
    let (version, policy) = history.at(moment);
    (version.0, policy.session_idle().num_minutes())
}

const IDLE: PolicyKey = PolicyKey::SessionIdleMinutes;

#[test]
fn a_new_tenant_begins_with_a_preset() {
    let history = given::<PolicyHistory>(&[])
        .when(apply(Preset::Cencal, None))
        .then(&[applied(Preset::Cencal, start())]);
    let (version, policy) = history.at(start());
    assert_eq!((version, policy.preset()), (PolicyVersion(1), Some(Preset::Cencal)));
    assert_eq!(policy.login_identifier(), LoginIdentifier::Username);
}

#[test]
fn before_the_first_preset_the_careful_defaults_hold_as_version_0() {
    let history = given::<PolicyHistory>(&[applied(Preset::Cencal, start())]).state();
    let (version, policy) = history.at(after(-1));
    assert_eq!((version, &**policy), (PolicyVersion(0), &Policy::default()));
}

#[test]
fn a_change_names_old_and_new_and_applies_at_once() {
    let history = given::<PolicyHistory>(&[applied(Preset::MediCal, after(-60))])
        .when(change(IDLE, PolicyValue::Integer(15), None))
        .then(&[changed(IDLE, 20, 15, start())]);
    assert_eq!(idle_minutes(&history, after(-1)), (1, 20));
    assert_eq!(idle_minutes(&history, start()), (2, 15));
}

#[test]
fn a_future_change_waits_for_its_moment() {
    let history = given::<PolicyHistory>(&[applied(Preset::MediCal, after(-60))])
        .when(change(IDLE, PolicyValue::Integer(15), Some(after(3600))))
        .then(&[changed(IDLE, 20, 15, after(3600))]);
    assert_eq!(idle_minutes(&history, after(3599)), (1, 20));
    assert_eq!(idle_minutes(&history, after(3600)), (2, 15));
}

#[test]
fn a_change_recorded_later_may_take_effect_before_one_that_waits() {
    let history = given::<PolicyHistory>(&[
        applied(Preset::MediCal, after(-60)),
        changed(IDLE, 20, 15, after(3600)),
    ])
    .when(change(PolicyKey::SessionConcurrent, PolicyValue::Integer(1), Some(after(60))))
    .then(&[changed(PolicyKey::SessionConcurrent, 5, 1, after(60))]);
    assert_eq!(idle_minutes(&history, after(60)), (2, 20));
    let (version, policy) = history.at(after(3600));
    assert_eq!((version.0, policy.session().concurrent), (3, 1));
    assert_eq!(policy.session_idle(), TimeDelta::minutes(15));
}

#[test]
fn of_two_changes_for_the_same_moment_the_one_recorded_last_holds() {
    let history = given::<PolicyHistory>(&[
        applied(Preset::MediCal, after(-60)),
        changed(IDLE, 20, 15, after(60)),
        changed(IDLE, 15, 10, after(60)),
    ])
    .state();
    assert_eq!(idle_minutes(&history, after(60)), (3, 10));
}

#[test]
fn another_preset_drops_the_changes_before_it_and_keeps_those_to_come() {
    let history = given::<PolicyHistory>(&[
        applied(Preset::MediCal, after(-60)),
        changed(IDLE, 20, 15, after(-30)),
        changed(IDLE, 15, 25, after(3600)),
    ])
    .when(apply(Preset::Carecentrix, None))
    .then(&[applied(Preset::Carecentrix, start())]);
    assert_eq!(idle_minutes(&history, start()), (3, 70));
    assert_eq!(idle_minutes(&history, after(3600)), (4, 25));
}

#[test]
fn what_changes_nothing_leaves_no_event() {
    let events = [applied(Preset::MediCal, after(-60))];
    given::<PolicyHistory>(&events).when(change(IDLE, PolicyValue::Integer(20), None)).then(&[]);
    given::<PolicyHistory>(&events).when(apply(Preset::MediCal, None)).then(&[]);
}

#[test]
fn the_past_cannot_be_changed() {
    let refusal = given::<PolicyHistory>(&[applied(Preset::MediCal, after(-60))])
        .when(change(IDLE, PolicyValue::Integer(15), Some(after(-1))))
        .refused(Code::DateInvalid);
    assert_eq!(refusal.field, ["effectiveAt"]);
    given::<PolicyHistory>(&[])
        .when(apply(Preset::MediCal, Some(after(-1))))
        .refused(Code::DateInvalid);
}

#[test]
fn values_out_of_bounds_are_refused_with_the_bounds() {
    let refusal = given::<PolicyHistory>(&[applied(Preset::MediCal, after(-60))])
        .when(change(IDLE, PolicyValue::Integer(121), None))
        .refused(Code::PolicyValueInvalid);
    assert_eq!(
        refusal.message,
        "Give session.idle_minutes a whole number from 5 to 120 (minutes)."
    );
    assert_eq!(refusal.field, ["value"]);
}

#[test]
fn nobody_may_be_locked_out_for_ever() {
    given::<PolicyHistory>(&[applied(Preset::Cencal, after(-60))])
        .when(change(PolicyKey::LockoutUnlockers, PolicyValue::Words(vec![]), None))
        .refused(Code::PolicyValueInvalid);
}

#[test]
fn a_change_that_would_contradict_one_to_come_is_refused_today() {
    let timer_off = PolicyEvent::PolicyChanged {
        key: PolicyKey::LockoutAutoMinutes,
        old: PolicyValue::Integer(30),
        new: PolicyValue::Off,
        effective_at: after(3600),
        reason: reason(),
    };
    given::<PolicyHistory>(&[applied(Preset::MediCal, after(-60)), timer_off])
        .when(change(PolicyKey::LockoutUnlockers, PolicyValue::Words(vec![]), None))
        .refused(Code::PolicyValueInvalid);
}

#[test]
fn stored_names_and_payloads_are_frozen() {
    let event = changed(IDLE, 20, 15, start());
    assert_eq!(event.event_type(), "policies.policy.policy_changed");
    assert_eq!(event.facets().effective_at, Some(start()));
    let mut json = serde_json::to_value(&event).expect("json");
    json["PolicyChanged"].as_object_mut().expect("object").remove("reason");
    assert_eq!(
        json.to_string(),
        r#"{"PolicyChanged":{"key":"session.idle_minutes","old":20,"new":15,"effective_at":"2026-03-02T17:00:00Z"}}"#
    );
    let json = serde_json::to_string(&event).expect("json");
    assert_eq!(serde_json::from_str::<PolicyEvent>(&json).expect("json"), event);
    assert_eq!(applied(Preset::MediCal, start()).event_type(), "policies.policy.preset_applied");
}

fn switch(feature: Feature, state: FeatureState, message: Option<&str>) -> PolicyCommand {
    let message = message.map(|text| ContentLine::parse(text).expect("valid"));
    let reason = reason();
    PolicyCommand::SetFeatureAvailability { feature, state, message, effective_at: None, reason }
}

#[test]
fn a_feature_is_announced_with_a_text_and_a_preset_begins_it_anew() {
    let begun = || given::<PolicyHistory>(&[applied(Preset::MediCal, after(-60))]);
    let soon = FeatureState::ComingSoon;
    let announced = PolicyEvent::FeatureAvailabilityChanged {
        feature: Feature::Pins,
        old: FeatureState::On,
        new: soon,
        message: Some(ContentLine::parse("In spring.").expect("valid")),
        effective_at: start(),
        reason: reason(),
    };
    let history = begun()
        .when(switch(Feature::Pins, soon, Some("In spring.")))
        .then(std::slice::from_ref(&announced));
    let (version, policy) = history.at(start());
    let refusal = policy.require(Feature::Pins).expect_err("it is coming soon");
    assert_eq!((version.0, refusal.code), (2, Code::FeatureComingSoon));
    assert_eq!(refusal.message, "In spring.");
    begun().when(switch(Feature::Pins, soon, None)).refused(Code::FieldRequired);
    begun()
        .when(switch(Feature::UserManagement, FeatureState::Off, None))
        .refused(Code::FieldInvalid);
    begun().when(switch(Feature::Chat, FeatureState::On, None)).refused(Code::FeatureDisabled);
    let again = given::<PolicyHistory>(&[
        applied(Preset::MediCal, after(-60)),
        announced,
        applied(Preset::MediCal, after(1)),
    ]);
    assert!(again.state().at(after(1)).1.is_on(Feature::Pins));
}
