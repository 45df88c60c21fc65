//! Substitutes, shown: each for a time, and never for oneself.

use chrono::TimeDelta;

use super::*;
use crate::kernel::scenario::{after, given, id, start};
use crate::{Actor, Code};

const CLINIC: u128 = 10;

fn name(substitute: u128, from: Option<i64>, until: i64) -> ReviewSubstitutesCommand {
    ReviewSubstitutesCommand::Name {
        organization: id(CLINIC),
        substitute: id(substitute),
        from: from.map(after),
        until: after(until),
    }
}

fn named(substitute: u128, from: i64, until: i64) -> ReviewSubstitutesEvent {
    ReviewSubstitutesEvent::ReviewSubstituteNamed {
        organization: id(CLINIC),
        user: id(1),
        substitute: id(substitute),
        from: after(from),
        until: after(until),
    }
}

fn ended(substitute: u128) -> ReviewSubstitutesEvent {
    ReviewSubstitutesEvent::ReviewSubstitutionEnded {
        organization: id(CLINIC),
        user: id(1),
        substitute: id(substitute),
    }
}

fn ann(events: &[ReviewSubstitutesEvent]) -> crate::kernel::scenario::Given<ReviewSubstitutes> {
    given::<ReviewSubstitutes>(events).by(Actor::user(id(1)))
}

#[test]
fn gn_15_a_substitute_stands_in_from_the_first_second_to_the_last() {
    let state = ann(&[]).when(name(2, Some(10), 20)).then(&[named(2, 10, 20)]);
    let of = |second| state.substitute_of(id(1), after(second));
    assert_eq!([of(9), of(10), of(19), of(20)], [None, Some(id(2)), Some(id(2)), None]);
    assert_eq!(state.stood_in_for(id(2), after(10)).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(state.stood_in_for(id(1), after(10)).count(), 0);
    // Another takes the first one's place.
    let state = ann(&[named(2, 10, 20)]).when(name(3, None, 30)).then(&[named(3, 0, 30)]);
    assert_eq!(state.substitute_of(id(1), after(15)), Some(id(3)));
    ann(&[named(2, 10, 20)]).when(name(2, Some(10), 20)).then(&[]);
}

#[test]
fn gn_15_nobody_stands_in_for_themself_or_for_no_time() {
    ann(&[]).when(name(1, None, 20)).refused(Code::FieldInvalid);
    ann(&[]).when(name(2, None, 0)).refused(Code::RangeInvalid);
    ann(&[]).when(name(2, Some(20), 20)).refused(Code::RangeInvalid);
    let long = TimeDelta::days(MOST_DAYS_AWAY).num_seconds();
    ann(&[]).when(name(2, None, long)).then(&[named(2, 0, long)]);
    ann(&[]).when(name(2, None, long + 1)).refused(Code::RangeInvalid);
    given::<ReviewSubstitutes>(&[]).when(name(2, None, 20)).refused(Code::Forbidden);
}

#[test]
fn gn_15_who_is_back_ends_it_and_not_twice() {
    let end = || ReviewSubstitutesCommand::End { organization: id(CLINIC) };
    let state = ann(&[named(2, 0, 20)]).when(end()).then(&[ended(2)]);
    assert_eq!(state.substitute_of(id(1), start()), None);
    ann(&[named(2, 0, 20), ended(2)]).when(end()).refused(Code::NotPending);
    ann(&[named(2, 0, 20)]).at(after(20)).when(end()).refused(Code::NotPending);
    let other = given::<ReviewSubstitutes>(&[named(2, 0, 20)]).by(Actor::user(id(2)));
    other.when(end()).refused(Code::NotPending);
}
