//! Events as AuditEvent resources of HL7 FHIR R4 (<https://hl7.org/fhir/R4/auditevent.html>), with the
//! agents and entities of IHE's Basic Audit Log Patterns.
//!
//! Invariant: who asked is the one agent with `requestor`; whatever has no place of its own is a detail of
//! the entity that the event is about.

use rollcall_domain::kernel::{ActorKind, ids::TenantId};
use rollcall_projections::audit_timeline::{
    Entry,
    acts::{AccessAct, AccountAct, Act, AuthenticationAct, UseAct, Verb, act},
};
use serde_json::{Value, json, value::RawValue};
use uuid::Uuid;

use super::{moment, stated};

/// The edition of the standard.
pub const EDITION: &str = "4.0.1";

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ENTITY_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const REQUEST: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
/// Our own names.
const EVENT_TYPE: &str = "urn:x-rollcall:event-type";
const ACTOR_KIND: &str = "urn:x-rollcall:actor-kind";
const URI: &str = "urn:ietf:rfc:3986";

type Coding = (&'static str, &'static str, Option<&'static str>);

const USER_AUTHENTICATION: Coding = (DICOM, "110114", Some("User Authentication"));
const SECURITY_ALERT: Coding = (DICOM, "110113", Some("Security Alert"));
const EXPORT: Coding = (DICOM, "110106", Some("Export"));

/// The kind of event, a finer kind where the standard has one, and C, R, U, D or E.
fn kind(act: &Act) -> (Coding, Option<Coding>, &'static str) {
    let attributes = (DICOM, "110137", Some("User Security Attributes Changed"));
    let roles = (DICOM, "110136", Some("Security Roles Changed"));
    let lifecycle = |code| (LIFECYCLE, code, None);
    match act {
        Act::Authentication(act) => {
            let step = match act {
                AuthenticationAct::Logon => Some((DICOM, "110122", Some("Login"))),
                AuthenticationAct::Logoff => Some((DICOM, "110123", Some("Logout"))),
                AuthenticationAct::Preauth | AuthenticationAct::Other => None,
            };
            (USER_AUTHENTICATION, step, "E")
        }
        Act::Account(AccountAct::Created) => (SECURITY_ALERT, Some(attributes), "C"),
        Act::Account(
            AccountAct::Enabled
            | AccountAct::PasswordChanged
            | AccountAct::PasswordReset
            | AccountAct::Disabled
            | AccountAct::Locked
            | AccountAct::Unlocked
            | AccountAct::MfaEnabled
            | AccountAct::MfaDisabled
            | AccountAct::Changed,
        ) => (SECURITY_ALERT, Some(attributes), "U"),
        Act::Access(AccessAct::Assigned | AccessAct::Revoked | AccessAct::Changed, _) => {
            (SECURITY_ALERT, Some(roles), "U")
        }
        Act::Managed(verb, _) => match verb {
            Verb::Created | Verb::Enrolled => (lifecycle("originate"), None, "C"),
            Verb::Deleted | Verb::Unenrolled => (lifecycle("deprecate"), None, "D"),
            Verb::Resumed => (lifecycle("reactivate"), None, "U"),
            Verb::Updated
            | Verb::Moved
            | Verb::Activated
            | Verb::Deactivated
            | Verb::Suspended
            | Verb::Other => (lifecycle("amend"), None, "U"),
        },
        Act::Use(UseAct::Read) => (lifecycle("access"), None, "R"),
        Act::Use(UseAct::Exported) => (EXPORT, None, "R"),
        Act::Use(UseAct::Performed) => (lifecycle("access"), None, "E"),
        Act::Use(UseAct::Denied) => (SECURITY_ALERT, None, "E"),
    }
}

/// One resource.
pub fn event(entry: &Entry, tenant: TenantId) -> Value {
    let act = act(&entry.event);
    let (class, finer, action) = kind(&act);
    let own = json!({ "system": EVENT_TYPE, "code": entry.event_type });
    let subtype: Vec<Value> = finer.map(coding).into_iter().chain([own]).collect();
    let occurred = moment(entry.occurred_at);
    stated(json!({
        "resourceType": "AuditEvent",
        "id": entry.event_id,
        "type": coding(class),
        "subtype": subtype,
        "action": action,
        "period": { "start": occurred, "end": occurred },
        "recorded": moment(entry.recorded_at),
        "outcome": if entry.refused { "4" } else { "0" },
        "outcomeDesc": entry.sentence,
        "agent": [
            requestor(entry),
            {
                "type": { "coding": [coding((DICOM, "110152", Some("Destination Role ID")))] },
                "who": { "display": "Rollcall" },
                "requestor": false,
            },
        ],
        "source": {
            "site": tenant.0,
            "observer": { "display": "Rollcall" },
            "type": [coding((SOURCE_TYPE, "4", Some("Application Server")))],
        },
        "entity": entities(&act, entry),
    }))
}

fn coding((system, code, display): Coding) -> Value {
    json!({ "system": system, "code": code, "display": display })
}

fn urn(id: Uuid) -> Value {
    json!({ "system": URI, "value": id.urn().to_string() })
}

/// Who asked: the person, the machine, or the service itself.
fn requestor(entry: &Entry) -> Value {
    let role = entry.actor.kind.as_str();
    let kind = match entry.actor.kind {
        ActorKind::System | ActorKind::ApiKey => (DICOM, "110153", Some("Source Role ID")),
        ActorKind::Anonymous | ActorKind::User | ActorKind::PlanStaff | ActorKind::Operator => {
            (PARTICIPATION, "IRCP", Some("information recipient"))
        }
    };
    json!({
        "type": { "coding": [coding(kind)] },
        "role": [{ "coding": [{ "system": ACTOR_KIND, "code": role }] }],
        "who": { "identifier": entry.actor.id.map(urn), "display": entry.actor_name },
        "requestor": true,
        "network": entry.client_address.as_ref().map(|it| json!({ "address": it, "type": "2" })),
    })
}

fn entities(act: &Act, entry: &Entry) -> Vec<Value> {
    let person = (ENTITY_TYPE, "1", Some("Person"));
    let object = (ENTITY_TYPE, "2", Some("System Object"));
    let organization = (ENTITY_TYPE, "3", Some("Organization"));
    let user = (ENTITY_ROLE, "6", Some("User"));
    let resource = (ENTITY_ROLE, "4", Some("Domain Resource"));
    let mut entities = vec![json!({
        "what": { "identifier": { "value": entry.correlation_id } },
        "type": coding((REQUEST, "XrequestId", None)),
    })];
    if let Some(id) = entry.subject {
        let who = json!({ "identifier": urn(id), "display": entry.subject_name });
        entities.push(json!({ "what": who, "type": coding(person), "role": coding(user) }));
    }
    let named = [
        (entry.subject_organization, &entry.subject_organization_name),
        (entry.organization, &entry.organization_name),
    ];
    for (n, (id, name)) in named.into_iter().enumerate() {
        if let Some(id) = id.filter(|id| n == 0 || entry.subject_organization != Some(*id)) {
            let what = json!({ "identifier": urn(id), "display": name });
            let (kind, role) = (coding(organization), coding(resource));
            entities.push(json!({ "what": what, "type": kind, "role": role }));
        }
    }
    entities.push(json!({
        "what": { "identifier": urn(entry.stream) },
        "type": coding(object),
        "role": coding(resource),
        "description": entry.event.aggregate_type(),
        "detail": details(act, entry),
    }));
    entities
}

fn details(act: &Act, entry: &Entry) -> Vec<Value> {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string());
    let raw = |side: &Option<Box<RawValue>>| side.as_ref().map(|side| side.get().to_owned());
    let privileges = match act {
        Act::Access(_, privileges) => Some(privileges.join("; ")),
        Act::Account(_) | Act::Authentication(_) | Act::Managed(..) | Act::Use(_) => None,
    };
    let details = [
        ("position", Some(entry.position.to_string())),
        ("command", Some(entry.command.clone())),
        ("npi", entry.npi.clone()),
        ("session", text(entry.session)),
        ("causation", text(entry.causation_id)),
        ("policyVersion", Some(entry.policy_version.to_string())),
        ("effectiveAt", Some(moment(entry.effective_at))),
        ("privileges", privileges),
        ("before", raw(&entry.before)),
        ("after", raw(&entry.after)),
    ];
    let stated = details.into_iter().filter_map(|(name, value)| Some((name, value?)));
    // A string of FHIR is not empty.
    let stated = stated.filter(|(_, value)| !value.is_empty());
    stated.map(|(name, value)| json!({ "type": name, "valueString": value })).collect()
}
