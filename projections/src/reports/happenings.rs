//! Reports whose rows are events: PINs, terminations, revocations, reads of the records.
//!
//! Invariant: a row follows from its event alone; a type that no row can come of is not looked at.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    access_requests::{AccessRequestEvent, JoinRequestEvent, MoveRequestEvent},
    affiliations::AffiliationEvent,
    audit::{AuditExportEvent, EvidenceEvent, ReportName, ReportQuestion},
    organizations::{OrganizationEvent, RegistrationTokenEvent},
    permissions::{EntitlementChange, MembershipEvent, NpiLevel, right_use::RightKind},
    pins::PinEvent,
    tenants::{PlanRoleEnd, PlanStaffEvent},
    values::Npi,
};
use rollcall_journal::Recorded;
use serde_json::Value;

use super::row::Row;

/// The types of events that rows of a report come of.
pub(crate) const fn types(report: ReportName) -> &'static [&'static str] {
    match report {
        ReportName::PinActivity => &["pins.pin.pin_reset", "pins.pin.pin_revealed"],
        ReportName::Terminations => &[
            "organizations.organization.user_auto_deactivated",
            "organizations.organization.user_deactivated",
            "tenants.plan_staff.plan_role_ended",
        ],
        // Decisions of access reviews belong here once there are any.
        ReportName::Revocations => &[
            "access_requests.join_request.join_request_denied",
            "access_requests.move_request.move_request_denied",
            "access_requests.request.access_request_denied",
            "permissions.membership.correspondence_permission_set",
            "permissions.membership.feature_revoked",
            "permissions.membership.job_role_unassigned",
            "permissions.membership.location_access_revoked",
            "permissions.membership.npi_permission_set",
            "permissions.membership.tax_id_access_revoked",
            "organizations.organization.org_role_assigned",
            "affiliations.affiliation.affiliation_npis_assigned",
            "tenants.plan_staff.plan_role_ended",
            "tenants.plan_staff.plan_role_scoped",
        ],
        ReportName::AuditReads => &[
            "audit.evidence.evidence_opened",
            "audit.evidence.evidence_requested",
            "audit.export.audit_export_given",
            "audit.export.audit_export_requested",
            "organizations.registration_token.letter_opened",
        ],
        ReportName::ActiveAccounts
        | ReportName::Administrators
        | ReportName::Dormant
        | ReportName::Orphaned
        | ReportName::NeverAssigned
        | ReportName::SodConflicts
        | ReportName::AffiliationsInForce
        | ReportName::AccessToNpi => &[],
    }
}

/// The row of an event, if one comes of it.
pub(crate) fn row(question: &ReportQuestion, event: &Recorded<AnyEvent>) -> Option<Row> {
    let ReportQuestion { from, to, npi, .. } = question;
    let at = event.recorded_at;
    let in_time = from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
    let about = npi.as_ref().is_none_or(|npi| event.npi.as_deref() == Some(npi.as_str()));
    if !in_time || !about || !question.covers(event.subject_organization) {
        return None;
    }
    match question.report {
        ReportName::PinActivity => pin(event),
        ReportName::Terminations => termination(question, event),
        ReportName::Revocations => revocation(event),
        ReportName::AuditReads => read(event),
        ReportName::ActiveAccounts
        | ReportName::Administrators
        | ReportName::Dormant
        | ReportName::Orphaned
        | ReportName::NeverAssigned
        | ReportName::SodConflicts
        | ReportName::AffiliationsInForce
        | ReportName::AccessToNpi => None,
    }
}

fn row_of(event: &Recorded<AnyEvent>) -> Row {
    Row::at(event.tenant_position).maybe_id("organizationId", event.subject_organization).actor(
        "actorKind",
        "actorId",
        event.actor,
    )
}

fn pin(event: &Recorded<AnyEvent>) -> Option<Row> {
    let AnyEvent::Pin(pin) = &event.event else { return None };
    let (what, npi, version, by) = match pin {
        PinEvent::PinReset { npi, version, by, .. } => {
            let by = serde_json::to_value(by).unwrap_or_default();
            ("RESET", npi, version, by)
        }
        PinEvent::PinRevealed { npi, version, .. } => ("REVEALED", npi, version, Value::Null),
        PinEvent::PinIssued { .. }
        | PinEvent::PinPropagationPending { .. }
        | PinEvent::PinPropagationCompleted { .. } => return None,
    };
    let row = row_of(event).time("at", event.recorded_at).with("what", what);
    let row = row.with("npi", npi.to_string()).with("resetBy", by);
    Some(row.number("pinVersion", i64::from(*version)))
}

/// An end that the service carries out was planned, and held from its second on whoever looked.
fn enforced_at(event: &Recorded<AnyEvent>) -> DateTime<Utc> {
    if event.actor.id.is_none() { event.effective_at } else { event.occurred_at }
}

fn termination(question: &ReportQuestion, event: &Recorded<AnyEvent>) -> Option<Row> {
    use OrganizationEvent as E;
    let (role, cause, left_on) = if let AnyEvent::Organization(ended) = &event.event {
        if let E::UserDeactivated { left_on, .. } = ended {
            let cause = if event.actor.id.is_none() { "PLANNED" } else { "DECIDED" };
            (None, cause.to_owned(), left_on.map(|day| day.to_string()))
        } else if let E::UserAutoDeactivated { cause, .. } = ended {
            (None, word(cause), None)
        } else {
            return None;
        }
    } else if let AnyEvent::PlanStaff(PlanStaffEvent::PlanRoleEnded { role, cause, .. }) =
        &event.event
    {
        (Some(role.as_str()), word(cause), None)
    } else {
        return None;
    };
    let (ended, enforced) = (event.effective_at, enforced_at(event).max(event.effective_at));
    let seconds = (enforced - ended).num_seconds();
    let limit = i64::from(question.limit_hours.unwrap_or(ReportQuestion::LIMIT_HOURS)) * 3600;
    Some(
        row_of(event)
            .maybe_id("userId", event.subject)
            .with("planRole", role)
            .with("cause", cause)
            .with("leftOn", left_on)
            .time("endedAt", ended)
            .time("enforcedAt", enforced)
            .number("secondsToDisable", seconds)
            .with("overLimit", seconds > limit),
    )
}

fn word(of: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(of).unwrap_or_default();
    word.as_str().map_or_else(|| word.to_string(), str::to_owned)
}

/// What was refused or taken back.
struct Revoked {
    decision: &'static str,
    right: Option<&'static str>,
    npi: Option<String>,
    of: Option<String>,
}

fn revocation(event: &Recorded<AnyEvent>) -> Option<Row> {
    let Revoked { decision, right, npi, of } = revoked(&event.event)?;
    let decided = event.occurred_at;
    let removed = (decision != "REQUEST_DENIED").then(|| decided.max(event.effective_at));
    let seconds = removed.map(|at| (at - decided).num_seconds());
    Some(
        row_of(event)
            .maybe_id("userId", event.subject)
            .with("decision", decision)
            .with("right", right)
            .with("npi", npi)
            .with("of", of)
            .time("decidedAt", decided)
            .maybe_time("removedAt", removed)
            .with("secondsToRemoval", seconds),
    )
}

fn revoked(event: &AnyEvent) -> Option<Revoked> {
    let denied = || Some(Revoked { decision: "REQUEST_DENIED", right: None, npi: None, of: None });
    if let AnyEvent::AccessRequest(AccessRequestEvent::AccessRequestDenied { .. })
    | AnyEvent::JoinRequest(JoinRequestEvent::JoinRequestDenied { .. })
    | AnyEvent::MoveRequest(MoveRequestEvent::MoveRequestDenied { .. }) = event
    {
        denied()
    } else if let AnyEvent::Membership(event) = event {
        of_membership(event)
    } else if let AnyEvent::Organization(OrganizationEvent::OrgRoleAssigned { old, new, .. }) =
        event
    {
        (new < old).then(|| Revoked {
            decision: "ROLE_LOWERED",
            right: Some(RightKind::ViewOrganization.as_str()),
            npi: None,
            of: Some(word(new)),
        })
    } else if let AnyEvent::PlanStaff(event) = event {
        of_plan_staff(event)
    } else if let AnyEvent::Affiliation(AffiliationEvent::AffiliationNpisAssigned {
        removed, ..
    }) = event
    {
        of_submitter(removed)
    } else {
        None
    }
}

/// A role of the plan that was taken back, as a whole or for some of what it counted for.
fn of_plan_staff(event: &PlanStaffEvent) -> Option<Revoked> {
    let (role, is_revoked) = match event {
        PlanStaffEvent::PlanRoleEnded { role, cause, .. } => {
            (role, matches!(cause, PlanRoleEnd::Revoked | PlanRoleEnd::Review))
        }
        PlanStaffEvent::PlanRoleScoped { role, old, new, .. } => {
            let (was_whole, is_whole) = (old.is_empty(), new.is_empty());
            (role, !is_whole && (was_whole || !old.is_subset(new)))
        }
        PlanStaffEvent::PlanStaffInvited { .. } | PlanStaffEvent::PlanRoleAssigned { .. } => {
            return None;
        }
    };
    is_revoked.then(|| Revoked {
        decision: "RIGHT_REVOKED",
        right: Some(RightKind::PlanRole.as_str()),
        npi: None,
        of: Some(role.as_str().to_owned()),
    })
}

/// NPIs of a provider for which somebody works no longer; several of them stand side by side.
fn of_submitter(removed: &BTreeSet<Npi>) -> Option<Revoked> {
    let npis: Vec<String> = removed.iter().map(ToString::to_string).collect();
    let (npi, of) = match &npis[..] {
        [] => return None,
        [npi] => (Some(npi.clone()), None),
        [_, _, ..] => (None, Some(npis.join(" "))),
    };
    let right = Some(RightKind::SubmitTransactions.as_str());
    Some(Revoked { decision: "RIGHT_REVOKED", right, npi, of })
}

fn of_membership(event: &MembershipEvent) -> Option<Revoked> {
    if let MembershipEvent::NpiPermissionSet { npi, old, new, .. } = event {
        let decision = if *new == NpiLevel::None { "RIGHT_REVOKED" } else { "LEVEL_LOWERED" };
        return (new < old).then(|| Revoked {
            decision,
            right: Some(RightKind::ViewNpi.as_str()),
            npi: Some(npi.to_string()),
            of: (*new != NpiLevel::None).then(|| word(new)),
        });
    }
    if let MembershipEvent::CorrespondencePermissionSet { npi, removed, .. } = event {
        let types: Vec<String> = removed.iter().map(ToString::to_string).collect();
        return (!types.is_empty()).then(|| Revoked {
            decision: "RIGHT_REVOKED",
            right: Some(RightKind::ReadCorrespondence.as_str()),
            npi: Some(npi.to_string()),
            of: Some(types.join(" ")),
        });
    }
    let Some(EntitlementChange::Revoked { entitlement, .. }) = event.entitlement() else {
        return None;
    };
    use rollcall_domain::permissions::EntitlementKind as K;
    let right = match entitlement.kind() {
        K::Feature => RightKind::UseFeature,
        K::JobRole => RightKind::HoldJobRole,
        K::Location => RightKind::ViewLocation,
        K::TaxId => RightKind::ReadTaxId,
    };
    let (right, of) = (Some(right.as_str()), Some(entitlement.key()));
    Some(Revoked { decision: "RIGHT_REVOKED", right, npi: None, of })
}

fn read(event: &Recorded<AnyEvent>) -> Option<Row> {
    let document = event.aggregate_id.to_string();
    let read = |what: &str| row_of(event).time("at", event.recorded_at).with("what", what);
    let whole = |row: Row, rows: Option<u64>, sha256: Option<&str>| {
        let rows = rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX));
        let row = row.with("documentId", document.clone()).with("report", Value::Null);
        row.with("rows", rows).with("sha256", sha256)
    };
    if let AnyEvent::AuditExport(export) = &event.event {
        return Some(match export {
            AuditExportEvent::AuditExportRequested { report: Some(asked), .. } => {
                let row = whole(read("REPORT_ASKED"), None, None);
                row.with("report", asked.report.as_str())
            }
            AuditExportEvent::AuditExportRequested { review: Some(_), .. } => {
                whole(read("REVIEW_ASKED"), None, None)
            }
            AuditExportEvent::AuditExportRequested { report: None, .. } => {
                whole(read("EVENTS_ASKED"), None, None)
            }
            AuditExportEvent::AuditExportGiven { given, .. } => {
                whole(read("FILE_GIVEN"), Some(given.rows), Some(&given.sha256))
            }
        });
    }
    if let AnyEvent::Evidence(evidence) = &event.event {
        return Some(match evidence {
            EvidenceEvent::EvidenceRequested { .. } => whole(read("EVIDENCE_ASKED"), None, None),
            EvidenceEvent::EvidenceOpened { population, sha256, .. } => {
                whole(read("EVIDENCE_GIVEN"), Some(*population), Some(sha256))
            }
        });
    }
    if let AnyEvent::RegistrationToken(RegistrationTokenEvent::LetterOpened { .. }) = &event.event {
        return Some(whole(read("LETTER_OPENED"), None, None));
    }
    None
}
