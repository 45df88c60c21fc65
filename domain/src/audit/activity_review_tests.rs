use chrono::TimeDelta;

use super::*;
use crate::kernel::scenario::{after, given, id, start};

fn days(n: i64) -> DateTime<Utc> {
    start() + TimeDelta::days(n)
}

fn done((from, to): (DateTime<Utc>, DateTime<Utc>), now: DateTime<Utc>) -> CompletedReview {
    let review: ActivityReviewId = id(7);
    CompletedReview {
        review,
        by: id(1),
        period: ReviewPeriod { from, to },
        questions: vec![ReviewedQuestion {
            report: Some(ReportName::Terminations),
            filter: Some(Sealed::new(review, Reason::parse("limit 24 hours").unwrap())),
        }],
        findings: Sealed::new(review, Findings::parse("Two accounts closed late.").unwrap()),
        signature: ReviewSignature {
            name: Sealed::new(review, PersonName::parse("Aya Nash").unwrap()),
            statement: ATTESTATION_VERSION.to_owned(),
        },
        completed_at: now,
    }
}

fn complete(done: CompletedReview) -> ActivityReviewsCommand {
    ActivityReviewsCommand::Complete { done: Box::new(done), attested: true, began: start() }
}

fn completed(done: CompletedReview) -> ActivityReviewsEvent {
    ActivityReviewsEvent::ActivityReviewCompleted(Box::new(done))
}

fn watch() -> ActivityReviewsCommand {
    ActivityReviewsCommand::Watch { began: start() }
}

fn overdue((from, to): (i64, i64), periods: u32) -> ActivityReviewsEvent {
    ActivityReviewsEvent::ActivityReviewOverdue {
        period: ReviewPeriod { from: days(from), to: days(to) },
        periods,
        due_at: days(to + 7),
    }
}

#[test]
fn gn_34_a_review_is_overdue_at_its_second_and_told_once() {
    let almost = days(37) - TimeDelta::seconds(1);
    given::<ActivityReviews>(&[]).at(almost).when(watch()).then(&[]);
    let told = overdue((0, 30), 1);
    given::<ActivityReviews>(&[]).at(days(37)).when(watch()).then(std::slice::from_ref(&told));
    given::<ActivityReviews>(&[told]).at(days(50)).when(watch()).then(&[]);
}

#[test]
fn gn_34_several_missed_periods_are_one_alert_and_the_next_one_comes_alone() {
    let told = overdue((0, 90), 3);
    given::<ActivityReviews>(&[]).at(days(100)).when(watch()).then(std::slice::from_ref(&told));
    let all = overdue((0, 120), 4);
    given::<ActivityReviews>(std::slice::from_ref(&told)).at(days(127)).when(watch()).then(&[all]);
    let caught_up = completed(done((start(), days(100)), days(100)));
    let state = given::<ActivityReviews>(&[told, caught_up]).state();
    assert_eq!(state.reviewed_until(start()), days(100));
}

#[test]
fn gn_34_a_review_covers_what_was_not_reviewed_and_is_over() {
    let now = days(31);
    let good = done((start(), days(30)), now);
    let there = completed(good.clone());
    let first = given::<ActivityReviews>(&[]).at(now).when(complete(good.clone()));
    first.then(std::slice::from_ref(&there));
    let refuse = |period, code| {
        let review = done(period, now);
        given::<ActivityReviews>(std::slice::from_ref(&there))
            .at(now)
            .when(complete(review))
            .refused(code)
    };
    refuse((days(29), days(31)), Code::AlreadySigned);
    refuse((days(30), now + TimeDelta::seconds(1)), Code::RangeInvalid);
    refuse((days(31), days(31)), Code::RangeInvalid);
    refuse((after(-1), days(1)), Code::BeforeRecords);
    let rest = done((days(30), now), now);
    let next = given::<ActivityReviews>(&[there]).at(now).when(complete(rest.clone()));
    assert_eq!(next.then(&[completed(rest)]).reviewed_until(start()), now);
    let nothing = CompletedReview { questions: Vec::new(), ..good.clone() };
    given::<ActivityReviews>(&[]).at(now).when(complete(nothing)).refused(Code::FieldRequired);
    let unsigned =
        ActivityReviewsCommand::Complete { done: Box::new(good), attested: false, began: start() };
    given::<ActivityReviews>(&[]).at(now).when(unsigned).refused(Code::BoxNotTicked);
}
