//! Templates, shown.

use proptest::prelude::*;

use super::*;
use crate::kernel::scenario::{Given, given, id, start};
use crate::{Actor, Code};

fn date(text: &str) -> CalendarDate {
    CalendarDate::parse(text).unwrap()
}

fn day(text: &str) -> NaiveDate {
    date(text).date()
}

fn every(every: u32, from: &str) -> Recurrence {
    Recurrence::Days { every, from: date(from) }
}

fn on(dates: &[&str]) -> Recurrence {
    Recurrence::Dates { dates: dates.iter().map(|day| MonthDay::parse(day).unwrap()).collect() }
}

fn terms(recurrence: Option<Recurrence>) -> TemplateTerms {
    TemplateTerms {
        name: ContentLine::parse("Administrators").unwrap(),
        scope: ReviewScope::Administrators,
        covers: Covers::default(),
        open_days: Some(30),
        changed_only: true,
        recurrence,
    }
}

fn create(terms: TemplateTerms) -> ReviewTemplateCommand {
    ReviewTemplateCommand::Create { template: id(9), terms: Box::new(terms) }
}

fn by_plan(events: &[ReviewTemplateEvent]) -> Given<ReviewTemplate> {
    given::<ReviewTemplate>(events).by(Actor::plan_staff(id(20)))
}

fn created(recurrence: Option<Recurrence>) -> Vec<ReviewTemplateEvent> {
    by_plan(&[]).when(create(terms(recurrence))).events().to_vec()
}

#[test]
fn gn_15_a_template_is_made_changed_opened_and_retired() {
    let events = created(None);
    let other = TemplateTerms { open_days: None, ..terms(Some(every(90, "2026-04-01"))) };
    by_plan(&events).when(ReviewTemplateCommand::Change(Box::new(terms(None)))).then(&[]);
    let change = || ReviewTemplateCommand::Change(Box::new(other.clone()));
    let changed = by_plan(&events).when(change());
    let state = changed.then(&[ReviewTemplateEvent::ReviewTemplateChanged {
        terms: Box::new(other.clone()),
        by: id(20),
        changed_at: start(),
    }]);
    assert_eq!(state.in_use().unwrap().terms, other);
    let opened = ReviewTemplateCommand::RecordOpened { campaign: id(7), due_on: None };
    let state =
        by_plan(&events).when(opened.clone()).then(&[ReviewTemplateEvent::ReviewTemplateOpened {
            campaign: id(7),
            due_on: None,
            opened_at: start(),
        }]);
    assert_eq!(state.in_use().unwrap().last_due, None, "by hand, beside its dates");
    let (due_on, reason) = (date("2026-04-01"), TemplateSkip::NoOrganizations);
    let skip = ReviewTemplateCommand::RecordSkipped { due_on, reason };
    let state = by_plan(&events)
        .when(skip)
        .then(&[ReviewTemplateEvent::ReviewTemplateSkipped { due_on, reason }]);
    assert_eq!(state.in_use().unwrap().last_due, Some(due_on));
    let retired = by_plan(&events).when(ReviewTemplateCommand::Retire).events().to_vec();
    let over = [events, retired].concat();
    for command in [change(), opened, ReviewTemplateCommand::Retire] {
        by_plan(&over).when(command).refused(Code::AlreadyInactive);
    }
}

#[test]
fn what_cannot_be_saved_is_refused() {
    let refused = |terms, code| by_plan(&[]).when(create(terms)).refused(code).field;
    for days in [0, MOST_DAYS_OPEN + 1] {
        let bad = TemplateTerms { open_days: Some(days), ..terms(None) };
        assert_eq!(refused(bad, Code::RangeInvalid), ["openDays"]);
    }
    for bad in [every(0, "2026-04-01"), every(MOST_DAYS_BETWEEN + 1, "2026-04-01"), on(&[])] {
        assert_eq!(refused(terms(Some(bad)), Code::RangeInvalid), ["recurrence"]);
    }
    let many: Vec<OrganizationId> = (0..=MOST_NAMED as u128).map(id).collect();
    for only in [Vec::new(), vec![id(1), id(1)], many] {
        let covers = Covers { only: Some(only), kind: None };
        let bad = TemplateTerms { covers, ..terms(None) };
        assert_eq!(refused(bad, Code::FieldInvalid), ["organizationIds"]);
    }
    by_plan(&created(None)).when(create(terms(None))).refused(Code::DuplicateRequest);
    by_plan(&[]).when(ReviewTemplateCommand::Retire).refused(Code::NotFound);
    given::<ReviewTemplate>(&[]).when(create(terms(None))).refused(Code::Forbidden);
    for bad in ["", "2-29", "02-30", "13-01", "1-1", "2026-01-01", "00-10"] {
        assert_eq!(MonthDay::parse(bad).unwrap_err().code, Code::DateInvalid, "{bad}");
    }
}

#[test]
fn dates_are_counted_by_the_calendar() {
    let quarterly = every(90, "2026-01-01");
    assert_eq!(quarterly.last(day("2025-12-31")), None);
    assert_eq!(quarterly.next(day("2025-06-01")), Some(day("2026-01-01")));
    assert_eq!(quarterly.last(day("2026-03-31")), Some(day("2026-01-01")));
    assert_eq!(quarterly.last(day("2026-04-01")), Some(day("2026-04-01")));
    assert_eq!(quarterly.next(day("2026-04-01")), Some(day("2026-06-30")));
    let yearly = on(&["02-29", "12-31"]);
    assert_eq!(yearly.last(day("2026-01-05")), Some(day("2025-12-31")));
    assert_eq!(yearly.next(day("2026-01-05")), Some(day("2026-02-28")));
    assert_eq!(yearly.next(day("2028-02-28")), Some(day("2028-02-29")));
    assert_eq!(yearly.next(day("2026-12-31")), Some(day("2027-02-28")));
}

#[test]
fn gn_15_of_missed_dates_the_last_is_due_once_and_none_from_before_it_was_set() {
    let zone = TenantZone::parse("America/Los_Angeles").unwrap();
    let quarterly = every(90, "2026-01-01");
    let calendar = |last_due: Option<&str>| Calendar {
        recurrence: &quarterly,
        zone,
        set_at: start(),
        last_due: last_due.map(date),
    };
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    assert_eq!(calendar(None).due(start()), None, "the first of January was before");
    assert_eq!(calendar(None).next(start()), Some(day("2026-04-01")));
    // By the clocks there.
    assert_eq!(calendar(None).due(at("2026-04-01T06:59:59Z")), None);
    let due = at("2026-04-01T07:00:00Z");
    assert_eq!(calendar(None).due(due), Some(day("2026-04-01")));
    assert_eq!(calendar(Some("2026-04-01")).due(due), None);
    assert_eq!(calendar(Some("2026-04-01")).next(due), Some(day("2026-06-30")));
    let late = at("2027-02-01T12:00:00Z");
    assert_eq!(calendar(None).due(late), Some(day("2026-12-27")), "one for all that were missed");
    assert_eq!(calendar(Some("2026-12-27")).next(late), Some(day("2027-03-27")));
    assert_eq!(by_plan(&created(None)).state().in_use().unwrap().calendar(zone).map(|_| ()), None);
}

proptest! {
    #[test]
    fn the_next_date_is_the_first_after_and_the_last_has_none_between(
        every_days in 1..=MOST_DAYS_BETWEEN,
        ahead in 0..2_000_i64,
        months in prop::collection::btree_set((1..=12_u32, 1..=29_u32), 1..6),
    ) {
        let dates = months.into_iter().filter_map(|(month, day)| {
            MonthDay::parse(&format!("{month:02}-{day:02}")).ok()
        });
        let today = day("2026-01-01") + chrono::TimeDelta::days(ahead);
        for recurrence in [every(every_days, "2026-02-01"), Recurrence::Dates { dates: dates.collect() }] {
            let next = recurrence.next(today).unwrap();
            prop_assert!(next > today);
            prop_assert_eq!(recurrence.last(next), Some(next));
            let before = recurrence.last(next - chrono::TimeDelta::days(1));
            prop_assert!(before.is_none_or(|before| before <= today));
            prop_assert_eq!(recurrence.last(today), before);
        }
    }
}
