//! The rules of an organisation: its file, NPIs and phases here, its members in `members`.
//!
//! Invariant: importing the same enrolment again decides nothing (GN-32).

pub(super) mod members;

use chrono::{DateTime, Utc};

use super::{
    Enrolment, Organization, OrganizationCommand, OrganizationEvent, OrganizationRefusal, Phase,
    Record,
};
use crate::kernel::ids::SubjectId;
use crate::organizations::{Change, ContractStatus, EnrolmentChanges};
use crate::values::{Npi, Reason};
use crate::{Decision, Sealed};

type Decided = Result<Vec<OrganizationEvent>, OrganizationRefusal>;

pub(super) fn decide(
    state: &Organization,
    decision: &Decision<'_>,
    command: OrganizationCommand,
) -> Decided {
    use OrganizationCommand as C;
    let sealed =
        |record: &Record, reason: Reason| Sealed::new(SubjectId(record.organization.0), reason);
    if state.is_frozen() && touches_what_goes_over(&command) {
        return Err(OrganizationRefusal::Merging);
    }
    match command {
        C::RecordEnrolment(enrolment) => record_enrolment(state, decision, *enrolment),
        C::SetContractStatus { status, from } => Ok(contract_change(on_file(state)?, status, from)),
        C::SetOrganizationKinds { kinds } => {
            let record = on_file(state)?;
            if kinds.is_empty() {
                return Err(OrganizationRefusal::NoKind);
            }
            let organization = record.organization;
            Ok(Change::between(&record.kinds, &kinds)
                .map(|Change { old, new }| OrganizationEvent::OrganizationKindsChanged {
                    organization,
                    old,
                    new,
                })
                .into_iter()
                .collect())
        }
        C::AttachNpi { npi, name, provider_type, community, effective_at } => {
            let organization = on_file(state)?.organization;
            check_attachable(state, &npi, effective_at)?;
            Ok(vec![OrganizationEvent::NpiAttached {
                organization,
                npi,
                name,
                provider_type,
                community,
                effective_at,
            }])
        }
        C::DetachNpi { npi, effective_at, reason } => {
            let record = on_file(state)?;
            let organization = record.organization;
            let holding = state.npi(&npi).ok_or(OrganizationRefusal::NpiNotInOrg)?;
            let since = holding.open_since().ok_or(OrganizationRefusal::NpiNotInOrg)?;
            let planned = holding.planned_end.as_ref().map(|end| end.at);
            let wanted = planned.map_or(effective_at, |end| end.min(effective_at));
            let effective_at = if since > decision.now {
                // One that has not begun never does.
                since.max(wanted)
            } else if wanted <= since {
                return Err(OrganizationRefusal::NpiRange);
            } else {
                wanted
            };
            let reason = reason.map(|reason| sealed(record, reason));
            Ok(vec![OrganizationEvent::NpiDetached { organization, npi, effective_at, reason }])
        }
        C::PlanNpiEnd { npi, to, effective_at, reason } => {
            let record = on_file(state)?;
            let holding = state.npi(&npi).ok_or(OrganizationRefusal::NpiNotInOrg)?;
            let since = holding.open_since().ok_or(OrganizationRefusal::NpiNotInOrg)?;
            if holding.planned_end.is_some() {
                return Err(OrganizationRefusal::EndPlanned);
            }
            if effective_at <= since || effective_at <= decision.now {
                return Err(OrganizationRefusal::NpiRange);
            }
            let reason = reason.map(|reason| sealed(record, reason));
            let organization = record.organization;
            let planned =
                OrganizationEvent::NpiEndPlanned { organization, npi, to, effective_at, reason };
            Ok(vec![planned])
        }
        C::CancelNpiEnd { npi } => {
            let organization = on_file(state)?.organization;
            let planned = state.npi(&npi).and_then(|holding| holding.planned_end.as_ref());
            let planned = planned.filter(|end| decision.now < end.at);
            let effective_at = planned.ok_or(OrganizationRefusal::NoEndPlanned)?.at;
            Ok(vec![OrganizationEvent::NpiEndCancelled { organization, npi, effective_at }])
        }
        C::CarryOutNpiEnd { npi } => {
            // Also of an organisation closed meanwhile: the NPI is free for others then.
            let record = state.record().ok_or(OrganizationRefusal::Unknown)?;
            let planned = state.npi(&npi).and_then(|holding| holding.planned_end.clone());
            let due = planned.filter(|end| end.at <= decision.now);
            let organization = record.organization;
            let detached = due.map(|end| OrganizationEvent::NpiDetached {
                organization,
                npi,
                effective_at: end.at,
                reason: end.reason,
            });
            Ok(detached.into_iter().collect())
        }
        C::FailNpiMove { npi, to, code } => {
            let organization = state.record().ok_or(OrganizationRefusal::Unknown)?.organization;
            Ok(vec![OrganizationEvent::NpiMoveFailed { organization, npi, to, code }])
        }
        C::SuspendOrganization { reason } => {
            let record = on_file(state)?;
            if matches!(state.phase(), Phase::Suspended { .. }) {
                return Err(OrganizationRefusal::NotActive);
            }
            let reason = sealed(record, reason);
            let organization = record.organization;
            Ok(vec![OrganizationEvent::OrganizationSuspended { organization, reason }])
        }
        C::ReopenOrganization => {
            let organization = on_file(state)?.organization;
            if !matches!(state.phase(), Phase::Suspended { .. }) {
                return Err(OrganizationRefusal::NotSuspended);
            }
            Ok(vec![OrganizationEvent::OrganizationReopened { organization }])
        }
        C::CloseOrganization { reason } => {
            let record = on_file(state)?;
            if state.is_merging() {
                return Err(OrganizationRefusal::Merging);
            }
            let reason = sealed(record, reason);
            let organization = record.organization;
            Ok(vec![OrganizationEvent::OrganizationClosed { organization, reason }])
        }
        C::Merge(command) => super::merging::decide(state, on_file(state)?, decision, command),
        C::Place(command) => {
            super::places::decide(state, on_file(state)?.organization, decision, command)
        }
        C::Roster(command) => members::decide(state, on_file(state)?, decision, command),
    }
}

/// What would change the things that a merger under way carries over: they stay as they are until it
/// is done. People come and go, and whoever is there when it is their turn goes over.
fn touches_what_goes_over(command: &OrganizationCommand) -> bool {
    use OrganizationCommand as C;
    match command {
        C::RecordEnrolment(_)
        | C::SetOrganizationKinds { .. }
        | C::AttachNpi { .. }
        | C::DetachNpi { .. }
        | C::PlanNpiEnd { .. }
        | C::CancelNpiEnd { .. }
        | C::Place(_) => true,
        C::SetContractStatus { .. }
        | C::CarryOutNpiEnd { .. }
        | C::FailNpiMove { .. }
        | C::Roster(_)
        | C::Merge(_)
        | C::SuspendOrganization { .. }
        | C::ReopenOrganization
        | C::CloseOrganization { .. } => false,
    }
}

/// The plan's record of an organisation that is not closed.
fn on_file(state: &Organization) -> Result<&Record, OrganizationRefusal> {
    match state.phase() {
        Phase::Closed => Err(OrganizationRefusal::Closed),
        Phase::NotEnrolled | Phase::Enrolled | Phase::Registered | Phase::Suspended { .. } => {
            state.record().ok_or(OrganizationRefusal::Unknown)
        }
    }
}

/// An NPI may be attached when no holding overlaps the new one.
fn check_attachable(
    state: &Organization,
    npi: &Npi,
    effective_at: DateTime<Utc>,
) -> Result<(), OrganizationRefusal> {
    let last = state.npi(npi).and_then(|holding| holding.periods.last().copied());
    match last {
        Some((_, None)) => Err(OrganizationRefusal::NpiAttached),
        Some((_, Some(until))) if effective_at < until => Err(OrganizationRefusal::NpiAttached),
        Some((_, Some(_))) | None => Ok(()),
    }
}

fn contract_change(
    record: &Record,
    status: ContractStatus,
    from: DateTime<Utc>,
) -> Vec<OrganizationEvent> {
    if !record.contract.would_change(status, from) {
        return Vec::new();
    }
    let organization = record.organization;
    vec![OrganizationEvent::OrganizationContractStatusChanged { organization, status, from }]
}

fn record_enrolment(
    state: &Organization,
    decision: &Decision<'_>,
    enrolment: Enrolment,
) -> Decided {
    if enrolment.kinds.is_empty() {
        return Err(OrganizationRefusal::NoKind);
    }
    if state.phase() == Phase::Closed {
        return Err(OrganizationRefusal::Closed);
    }
    let Enrolment {
        organization,
        name,
        kinds,
        tax_id,
        pay_to_address,
        pay_to_zip,
        contact_email,
        contract_status,
        source,
    } = enrolment;
    let contact_email = Sealed::new(SubjectId(organization.0), contact_email);
    let Some(record) = state.record() else {
        return Ok(vec![OrganizationEvent::OrganizationEnrolled {
            organization,
            name,
            kinds,
            tax_id,
            pay_to_address,
            pay_to_zip,
            contact_email,
            contract_status,
            source,
        }]);
    };
    let organization = record.organization;
    let mut events = Vec::new();
    let changes = EnrolmentChanges {
        name: Change::between(&record.name, &name),
        tax_id: Change::between(&record.tax_id, &tax_id),
        pay_to_address: Change::between(&record.pay_to_address, &pay_to_address),
        pay_to_zip: Change::between(&record.pay_to_zip, &pay_to_zip),
        contact_email: Change::between(&record.contact_email, &contact_email),
    };
    if changes != EnrolmentChanges::default() {
        let changes = Box::new(changes);
        events.push(OrganizationEvent::EnrolmentUpdated { organization, changes, source });
    }
    if let Some(Change { old, new }) = Change::between(&record.kinds, &kinds) {
        events.push(OrganizationEvent::OrganizationKindsChanged { organization, old, new });
    }
    // The file says what holds now; an end already planned for later stays planned.
    if record.contract.at(decision.now) != contract_status {
        events.extend(contract_change(record, contract_status, decision.now));
    }
    Ok(events)
}
