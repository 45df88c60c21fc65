//! What sinks decide.

use super::*;
use crate::kernel::scenario::{Given, after, given, id, start};

const HOUR: i64 = 3_600;

fn named(sink: u128, name: &str) -> NewSink {
    NewSink {
        sink: id(sink),
        by: id(1),
        name: SinkName::parse(name).unwrap(),
        url: "https://siem.plan.example/rollcall".to_owned(),
        format: SinkFormat::Ocsf,
        filter: Box::default(),
        words: vec!["Kim".to_owned()],
        secret_ref: VaultRef(uuid::Uuid::from_u128(20)),
        after_position: 41,
    }
}

fn made(sink: u128, name: &str) -> AuditSinksEvent {
    let new = named(sink, name);
    AuditSinksEvent::AuditSinkCreated {
        sink: new.sink,
        by: new.by,
        name: new.name,
        url: new.url,
        format: new.format,
        filter: new.filter,
        words: Some(Sealed::new(id::<UserId>(1), new.words)),
        secret_ref: new.secret_ref,
        after_position: new.after_position,
    }
}

fn one() -> Given<AuditSinks> {
    given(&[made(7, "SIEM")])
}

fn reason() -> Reason {
    Reason::parse("Maintenance").unwrap()
}

fn paused(cause: PauseCause) -> AuditSinksEvent {
    let by = (cause == PauseCause::Administrator).then(|| id(1));
    let reason = by.map(|by: UserId| Sealed::new(SubjectId::from(by), reason()));
    AuditSinksEvent::AuditSinkPaused { sink: id(7), cause, by, reason }
}

#[test]
fn gn_26_a_plan_has_ten_sinks_of_different_names() {
    let create = |n, name: &str| AuditSinksCommand::Create(named(n, name));
    given::<AuditSinks>(&[]).when(create(7, "SIEM")).then(&[made(7, "SIEM")]);
    one().when(create(7, "Other")).refused(Code::VersionConflict);
    for same in ["SIEM", "Siem"] {
        one().when(create(8, same)).refused(Code::AlreadyAssigned);
    }
    let ten: Vec<_> = (0..10).map(|n| made(n, &format!("Sink {n}"))).collect();
    given::<AuditSinks>(&ten).when(create(11, "One more")).refused(Code::RangeInvalid);
    given::<AuditSinks>(&ten[1..]).when(create(11, "SIEM")).then(&[made(11, "SIEM")]);
    let mut typed = named(7, "SIEM");
    typed.filter.types = vec!["Paul Kim".to_owned()];
    let typed = AuditSinksCommand::Create(typed);
    given::<AuditSinks>(&[]).when(typed).refused(Code::FieldInvalid);
}

#[test]
fn gn_26_both_secrets_of_a_sink_sign_for_a_day() {
    let second = VaultRef(uuid::Uuid::from_u128(21));
    let rotate = |n| AuditSinksCommand::RotateSecret { sink: id(n), by: id(1), secret_ref: second };
    let rotated = AuditSinksEvent::AuditSinkSecretRotated {
        sink: id(7),
        by: id(1),
        secret_ref: second,
        both_until: after(24 * HOUR),
    };
    one().when(rotate(8)).refused(Code::NotFound);
    one().when(rotate(7)).then(std::slice::from_ref(&rotated));
    let mut sinks = AuditSinks::default();
    sinks.evolve(&made(7, "SIEM"));
    let first = named(7, "SIEM").secret_ref;
    assert_eq!(sinks.get(id(7)).unwrap().secrets(start()), [first]);
    sinks.evolve(&rotated);
    let sink = sinks.get(id(7)).unwrap();
    assert_eq!(sink.secrets(after(24 * HOUR - 1)), [second, first]);
    assert_eq!(sink.secrets(after(24 * HOUR)), [second]);
}

#[test]
fn gn_26_a_sink_is_paused_resumed_and_deleted_for_a_reason() {
    let pause = || AuditSinksCommand::Pause { sink: id(7), by: id(1), reason: reason() };
    let resume = || AuditSinksCommand::Resume { sink: id(7), by: id(1) };
    let resumed = AuditSinksEvent::AuditSinkResumed { sink: id(7), by: id(1) };
    one().when(pause()).then(&[paused(PauseCause::Administrator)]);
    one().when(resume()).refused(Code::NotInactive);
    let history = [made(7, "SIEM"), paused(PauseCause::Administrator)];
    given::<AuditSinks>(&history).when(pause()).refused(Code::AlreadyInactive);
    given::<AuditSinks>(&history).when(resume()).then(&[resumed]);
    let stop = |cause| AuditSinksCommand::Stop { sink: id(7), cause };
    one().when(stop(PauseCause::Gone)).then(&[paused(PauseCause::Gone)]);
    given::<AuditSinks>(&history).when(stop(PauseCause::Unreachable)).then(&[]);
    let delete = || AuditSinksCommand::Delete { sink: id(7), by: id(1), reason: reason() };
    let reason = Sealed::new(id::<UserId>(1), reason());
    let deleted = AuditSinksEvent::AuditSinkDeleted { sink: id(7), by: id(1), reason };
    given::<AuditSinks>(&history).when(delete()).then(std::slice::from_ref(&deleted));
    let over = [made(7, "SIEM"), deleted];
    given::<AuditSinks>(&over).when(delete()).refused(Code::NotFound);
    given::<AuditSinks>(&over).when(stop(PauseCause::Gone)).then(&[]);
}

#[test]
fn gn_26_what_a_receiver_took_is_on_record() {
    let delivered = Delivered { after_position: 41, to_position: 99, events: 50, batches: 2 };
    let record = AuditSinksCommand::RecordDelivered { sink: id(7), delivered };
    let done = AuditSinksEvent::AuditSinkDelivered { sink: id(7), delivered };
    one().when(record).then(&[done]);
}
