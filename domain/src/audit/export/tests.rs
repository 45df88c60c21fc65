//! What exports decide.

use super::*;
use crate::kernel::scenario::{after, given, id, start};

fn filter(name: &str) -> ExportFilter {
    ExportFilter {
        types: vec![name.to_owned()],
        npi: Npi::parse("1234567893").ok(),
        ..ExportFilter::default()
    }
}

fn request(name: &str) -> AuditExportCommand {
    AuditExportCommand::Request {
        export: id(7),
        by: id(1),
        organization: Some(id(10)),
        format: ExportFormat::Csv,
        filter: Box::new(filter(name)),
        words: vec!["Kim".to_owned()],
        report: None,
        review: None,
        up_to: 41,
    }
}

fn requested() -> AuditExportEvent {
    AuditExportEvent::AuditExportRequested {
        export: id(7),
        by: id(1),
        organization: Some(id(10)),
        format: ExportFormat::Csv,
        filter: Box::new(filter("pins.pin.pin_reset")),
        words: Some(Sealed::new(id::<UserId>(1), vec!["Kim".to_owned()])),
        report: None,
        review: None,
        up_to: 41,
        expires_at: after(15 * 60),
    }
}

fn what_left() -> Given {
    Given {
        rows: 2,
        from_position: Some(3),
        to_position: Some(40),
        bytes: 812,
        sha256: "ab".repeat(32),
    }
}

#[test]
fn what_was_asked_is_on_record_with_its_words_sealed() {
    let done = requested();
    given::<AuditExport>(&[]).when(request("pins.pin.pin_reset")).then(std::slice::from_ref(&done));
    given::<AuditExport>(&[done]).when(request("x")).refused(Code::VersionConflict);
}

#[test]
fn nothing_but_names_stands_open_in_a_filter() {
    for typed in ["Paul Kim", "paul@clinic.example", &"x".repeat(101)] {
        given::<AuditExport>(&[]).when(request(typed)).refused(Code::FieldInvalid);
    }
}

#[test]
fn only_who_asked_fetches_it_and_only_until_the_link_has_run_out() {
    let mut export = AuditExport::default();
    assert!(export.open_to(id(1), start()).is_err());
    export.evolve(&requested());
    assert!(export.open_to(id(1), after(15 * 60 - 1)).is_ok());
    assert!(export.open_to(id(1), after(15 * 60)).is_err());
    assert!(export.open_to(id(2), start()).is_err());
}

#[test]
fn what_left_is_on_record_each_time() {
    let record = |by| AuditExportCommand::RecordGiven { by: id(by), given: what_left() };
    let done = AuditExportEvent::AuditExportGiven { export: id(7), by: id(1), given: what_left() };
    given::<AuditExport>(&[]).when(record(1)).refused(Code::NotFound);
    given::<AuditExport>(&[requested()]).when(record(2)).refused(Code::NotFound);
    let history = [requested(), done.clone()];
    given::<AuditExport>(&history).when(record(1)).then(&[done]);
}

#[test]
fn gn_15_a_review_is_taken_away_in_formats_of_its_own() {
    let asked = |review: Option<u128>, format: ExportFormat| AuditExportCommand::Request {
        export: id(7),
        by: id(1),
        organization: None,
        format,
        filter: Box::default(),
        words: Vec::new(),
        report: None,
        review: review.map(id),
        up_to: 41,
    };
    for format in [ExportFormat::Csv, ExportFormat::Json, ExportFormat::Pdf] {
        let mut export = AuditExport::default();
        let done = given::<AuditExport>(&[]).when(asked(Some(9), format));
        export.evolve(&done.events()[0]);
        let open = export.open_to(id(1), start()).expect("it may be fetched");
        assert_eq!((open.review, open.format), (Some(id(9)), format));
    }
    for (review, format) in [(Some(9), ExportFormat::Ocsf), (None, ExportFormat::Pdf)] {
        given::<AuditExport>(&[]).when(asked(review, format)).refused(Code::FieldInvalid);
    }
}
