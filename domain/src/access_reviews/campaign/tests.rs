//! Campaigns, shown.

use super::*;
use crate::kernel::scenario::{Outcome, given, id, start};
use crate::values::Reason;
use crate::{Actor, Code};

fn plan() -> Actor {
    Actor::user(id(20))
}

fn open(organizations: &[u128]) -> NewCampaign {
    NewCampaign {
        campaign: id(9),
        name: ContentLine::parse("Spring 2026").unwrap(),
        scope: ReviewScope::Administrators,
        changed_only: false,
        as_of: 17,
        organizations: organizations.iter().map(|n| id(*n)).collect(),
        open_days: 30,
        grace_days: 14,
        opened_by: None,
        template: None,
    }
}

/// What happens to a campaign after these events.
fn when(events: &[ReviewCampaignEvent], command: ReviewCampaignCommand) -> Outcome<ReviewCampaign> {
    given::<ReviewCampaign>(events).by(plan()).when(command)
}

fn opening(new: NewCampaign) -> Outcome<ReviewCampaign> {
    when(&[], ReviewCampaignCommand::Open(Box::new(new)))
}

/// Campaign of these organisations, and what the commands added to it.
fn history(organizations: &[u128], commands: &[ReviewCampaignCommand]) -> Vec<ReviewCampaignEvent> {
    let mut events = opening(open(organizations)).events().to_vec();
    for command in commands {
        let more = when(&events, command.clone()).events().to_vec();
        events.extend(more);
    }
    events
}

fn status(events: &[ReviewCampaignEvent]) -> CampaignStatus {
    given::<ReviewCampaign>(events).state().campaign().unwrap().status()
}

fn opened_in(n: u128) -> ReviewCampaignCommand {
    let (organization, review) = (id(n), id(n + 100));
    ReviewCampaignCommand::RecordOpened { organization, review, items: 3 }
}

fn closed_in(n: u128, end: ReviewEnd) -> ReviewCampaignCommand {
    ReviewCampaignCommand::RecordClosed { organization: id(n), end }
}

fn skip(n: u128, reason: SkipReason) -> ReviewCampaignCommand {
    ReviewCampaignCommand::Skip { organization: id(n), reason }
}

fn cancel() -> ReviewCampaignCommand {
    ReviewCampaignCommand::Cancel { reason: Reason::parse("The wrong choice.").unwrap() }
}

#[test]
fn its_organisations_are_frozen_and_listed_in_parts() {
    let many: Vec<u128> = (1..=2_001).collect();
    let opened = opening(open(&many));
    let parts: Vec<_> = opened
        .events()
        .iter()
        .filter_map(|event| {
            let ReviewCampaignEvent::CampaignOrganizationsListed { first, organizations } = event
            else {
                return None;
            };
            Some((*first, organizations.len()))
        })
        .collect();
    assert_eq!(parts, [(1, 1_000), (1_001, 1_000), (2_001, 1)]);
    let ReviewCampaignEvent::ReviewCampaignOpened { organizations, sha256, due_at, .. } =
        &opened.events()[0]
    else {
        panic!("it begins otherwise");
    };
    assert_eq!(*organizations, 2_001);
    assert_eq!(*sha256, sha256_of_lines(many.iter().map(|n| id::<OrganizationId>(*n))));
    // The clocks are put forward in between.
    assert_eq!((*due_at - start()).num_hours(), 30 * 24 - 1);
}

#[test]
fn it_is_completed_when_each_organisation_has_its_end() {
    let first = [opened_in(1), skip(2, SkipReason::NothingToReview)];
    let events = history(&[1, 2, 3], &first);
    assert_eq!(status(&events), CampaignStatus::Opening);
    let more = [first.as_slice(), &[opened_in(3), closed_in(1, ReviewEnd::Signed)]].concat();
    let events = history(&[1, 2, 3], &more);
    assert_eq!(status(&events), CampaignStatus::Open);
    let last = when(&events, closed_in(3, ReviewEnd::Cancelled));
    let totals = CampaignTotals { organizations: 3, signed: 1, cancelled: 1, skipped: 1 };
    let (organization, review, end) = (id(3), id(103), ReviewEnd::Cancelled);
    let state = last.then(&[
        ReviewCampaignEvent::CampaignReviewClosed { organization, review, end },
        ReviewCampaignEvent::ReviewCampaignCompleted { totals, completed_at: start() },
    ]);
    assert_eq!(state.campaign().unwrap().status(), CampaignStatus::Completed);
    // One in which nobody is to be reviewed is over at once.
    let reasons =
        [SkipReason::OpenAlready { review: id(50) }, SkipReason::NotActive, SkipReason::TooMany];
    let unchanged = SkipReason::NothingChanged { since: id(51) };
    let reasons = reasons.into_iter().chain([unchanged]);
    let skipped: Vec<_> = (1..).zip(reasons).map(|(n, reason)| skip(n, reason)).collect();
    assert_eq!(status(&history(&[1, 2, 3, 4], &skipped)), CampaignStatus::Completed);
}

#[test]
fn what_is_told_twice_changes_nothing() {
    let told = [opened_in(1), opened_in(1), skip(1, SkipReason::TooMany)];
    let once = history(&[1, 2], &told[..1]);
    assert_eq!(history(&[1, 2], &told), once);
    assert_eq!(history(&[1, 2], &[closed_in(1, ReviewEnd::Signed)]).len(), 2, "not opened yet");
    assert!(when(&once, opened_in(7)).events().is_empty(), "it is not covered");
}

#[test]
fn once_cancelled_nothing_is_opened_and_what_is_under_way_can_end() {
    let events = history(&[1, 2], &[opened_in(1), cancel()]);
    assert_eq!(status(&events), CampaignStatus::Cancelled);
    let state = given::<ReviewCampaign>(&events).state();
    let campaign = state.campaign().unwrap();
    assert_eq!(campaign.waiting().count(), 0);
    assert_eq!(campaign.under_way().collect::<Vec<_>>(), [(id(1), id(101))]);
    assert!(when(&events, opened_in(2)).events().is_empty());
    assert_eq!(when(&events, closed_in(1, ReviewEnd::Cancelled)).events().len(), 1);
    when(&events, cancel()).refused(Code::ReviewClosed);
}

#[test]
fn what_cannot_be_opened_is_refused() {
    opening(open(&[])).refused(Code::FieldInvalid);
    opening(open(&[1, 1])).refused(Code::FieldInvalid);
    for open_days in [0, MOST_DAYS_OPEN + 1] {
        let refusal = opening(NewCampaign { open_days, ..open(&[1]) }).refused(Code::RangeInvalid);
        assert_eq!(refusal.field, ["openDays"]);
    }
    let many: Vec<u128> = (0..=MOST_ORGANIZATIONS as u128).collect();
    opening(open(&many)).refused(Code::BulkLimit);
    when(&history(&[1], &[]), ReviewCampaignCommand::Open(Box::new(open(&[1]))))
        .refused(Code::DuplicateRequest);
    when(&[], opened_in(1)).refused(Code::NotFound);
    let machine = given::<ReviewCampaign>(&[]);
    machine.when(ReviewCampaignCommand::Open(Box::new(open(&[1])))).refused(Code::Forbidden);
}
