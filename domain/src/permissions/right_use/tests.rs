//! Uses of rights, shown.

use super::*;
use crate::Code;
use crate::kernel::scenario::{Given, given, id};
use crate::values::{CalendarDate, Npi};

fn npi() -> Npi {
    Npi::parse("1234567893").unwrap()
}

fn record(day: &str) -> RightUseCommand {
    RightUseCommand::RecordRightUse {
        user: id(1),
        organization: Some(id(10)),
        right: UsedRight::to_npi(RightKind::ManagePin, &npi()),
        day: CalendarDate::parse(day).unwrap(),
        source: UseSource::Portal,
    }
}

fn used(day: &str) -> RightUseEvent {
    let RightUseCommand::RecordRightUse { user, organization, right, day, source } = record(day);
    RightUseEvent::RightUsed { user, organization, right, day, source }
}

#[test]
fn gn_16_a_day_is_written_down_once_and_only_a_later_one_says_more() {
    let none = || -> Given<RightUses> { given(&[]) };
    // The scenario begins on 2 March 2026, 9:00 in California.
    none().when(record("2026-03-02")).then(&[used("2026-03-02")]);
    none().when(record("2026-03-03")).refused(Code::DateInvalid);
    let known = || given::<RightUses>(&[used("2026-02-27")]);
    for day in ["2026-02-27", "2026-02-26"] {
        known().when(record(day)).then(&[]);
    }
    known().when(record("2026-02-28")).then(&[used("2026-02-28")]);
}

#[test]
fn gn_16_every_kind_of_right_names_the_operations_that_use_it_or_is_not_observable() {
    for kind in RightKind::ALL {
        assert_eq!(RightKind::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        match kind.observed() {
            Observed::By(operations) => {
                assert!(!operations.is_empty() && kind.is_observable(), "{}", kind.as_str());
                assert!(operations.iter().all(|name| kind.is_used_by(name)));
            }
            Observed::ByEverythingInTheRole => assert_eq!(kind, RightKind::PlanRole),
            Observed::Elsewhere => assert!(!kind.is_used_by("users") && !kind.is_observable()),
        }
    }
}

#[test]
fn gn_16_a_list_that_two_rights_open_tells_the_one_that_opened_it() {
    let told = RightKind::told_by;
    for list in ["users", "emailDomains", "npiAccess", "featureMatrix", "locationMatrix"] {
        assert_eq!(told(list, true), Some(RightKind::ViewOrganization), "{list}");
        assert_eq!(told(list, false), Some(RightKind::ManageUsers), "{list}");
    }
    for views in [true, false] {
        let managing = Some(RightKind::ManageUsers);
        assert_eq!(told("CancelUserDeactivation", views), managing);
        // Of these the operation itself says what was used.
        assert_eq!((told("RequestMove", views), told("pins", views)), (None, None));
        assert!(RightKind::ManageUsers.is_used_by("RequestMove"));
    }
}

#[test]
fn gn_16_a_reported_right_names_what_its_kind_takes_and_nothing_else() {
    let reported = UsedRight::reported;
    assert!(reported(RightKind::ManageUsers, None, None).is_ok());
    assert!(reported(RightKind::ViewNpi, Some(npi()), None).is_ok());
    assert!(reported(RightKind::UseFeature, None, Some("CLAIMS")).is_ok());
    let shouted = "0190A8F0-0000-7000-8000-000000000001";
    let role = reported(RightKind::HoldJobRole, None, Some(shouted)).unwrap();
    assert_eq!(role.of, Some(shouted.to_lowercase()), "an id is kept in its one form");
    let refused = |kind, npi, of| {
        let refusal = reported(kind, npi, of).unwrap_err();
        (refusal.code, refusal.field)
    };
    let at = |code, field: &str| (code, vec![field.to_owned()]);
    use Code::{FieldInvalid, FieldRequired};
    assert_eq!(refused(RightKind::ViewNpi, None, None), at(FieldRequired, "npi"));
    assert_eq!(refused(RightKind::ManageUsers, Some(npi()), None), at(FieldInvalid, "npi"));
    assert_eq!(refused(RightKind::UseFeature, None, None), at(FieldRequired, "of"));
    assert_eq!(refused(RightKind::UseFeature, None, Some("WEATHER")), at(FieldInvalid, "of"));
    assert_eq!(refused(RightKind::ManageUsers, None, Some("X")), at(FieldInvalid, "of"));
    assert_eq!(refused(RightKind::PlanRole, None, Some("PA")), at(FieldInvalid, "right"));
}
