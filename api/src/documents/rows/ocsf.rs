//! Events as OCSF 1.8.0 has them: <https://schema.ocsf.io/1.8.0>.
//!
//! Invariant: `type_uid` is the class times a hundred and the activity; whatever the class has no
//! place for stands under `unmapped`, so that nothing is lost.

use rollcall_domain::{AnyEvent, kernel::ActorKind, kernel::ids::TenantId};
use rollcall_projections::audit_timeline::{
    Entry,
    acts::{self, AccessAct, AccountAct, Act, AuthenticationAct, Thing, UseAct, Verb, act},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{moment, stated};

/// The edition of the standard.
pub const EDITION: &str = "1.8.0";

const PRODUCT: &str = "Rollcall";
/// An activity that the class has no number for.
const OTHER: (i64, &str) = (99, "Other");

/// A class of events: its number, its name, and its category's name.
type Class = (i64, &'static str, &'static str);

const ACCOUNT_CHANGE: Class = (3001, "Account Change", IAM);
const AUTHENTICATION: Class = (3002, "Authentication", IAM);
const ENTITY_MANAGEMENT: Class = (3004, "Entity Management", IAM);
const USER_ACCESS: Class = (3005, "User Access Management", IAM);
const API_ACTIVITY: Class = (6003, "API Activity", "Application Activity");
const IAM: &str = "Identity & Access Management";

const fn class(act: &Act) -> Class {
    match act {
        Act::Account(_) => ACCOUNT_CHANGE,
        Act::Authentication(_) => AUTHENTICATION,
        Act::Access(..) => USER_ACCESS,
        Act::Managed(..) => ENTITY_MANAGEMENT,
        Act::Use(_) => API_ACTIVITY,
    }
}

/// The number of an activity in its class, and its name.
const fn activity(act: &Act) -> (i64, &'static str) {
    match act {
        Act::Account(act) => match act {
            AccountAct::Created => (1, "Create"),
            AccountAct::Enabled => (2, "Enable"),
            AccountAct::PasswordChanged => (3, "Password Change"),
            AccountAct::PasswordReset => (4, "Password Reset"),
            AccountAct::Disabled => (5, "Disable"),
            AccountAct::Locked => (9, "Lock"),
            AccountAct::MfaEnabled => (10, "MFA Factor Enable"),
            AccountAct::MfaDisabled => (11, "MFA Factor Disable"),
            AccountAct::Unlocked => (12, "Unlock"),
            AccountAct::Changed => OTHER,
        },
        Act::Authentication(act) => match act {
            AuthenticationAct::Logon => (1, "Logon"),
            AuthenticationAct::Logoff => (2, "Logoff"),
            AuthenticationAct::Preauth => (6, "Preauth"),
            AuthenticationAct::Other => OTHER,
        },
        Act::Access(act, _) => match act {
            AccessAct::Assigned => (1, "Assign Privileges"),
            AccessAct::Revoked => (2, "Revoke Privileges"),
            AccessAct::Changed => OTHER,
        },
        Act::Managed(verb, _) => match verb {
            Verb::Created => (1, "Create"),
            Verb::Updated => (3, "Update"),
            Verb::Deleted => (4, "Delete"),
            Verb::Moved => (5, "Move"),
            Verb::Enrolled => (6, "Enroll"),
            Verb::Unenrolled => (7, "Unenroll"),
            Verb::Activated => (10, "Activate"),
            Verb::Deactivated => (11, "Deactivate"),
            Verb::Suspended => (12, "Suspend"),
            Verb::Resumed => (13, "Resume"),
            Verb::Other => OTHER,
        },
        Act::Use(act) => match act {
            UseAct::Read | UseAct::Exported => (2, "Read"),
            UseAct::Performed | UseAct::Denied => OTHER,
        },
    }
}

/// How much it matters to whoever watches.
const fn severity(act: &Act, refused: bool) -> (i64, &'static str) {
    match act {
        Act::Account(AccountAct::Locked) | Act::Use(UseAct::Denied) => (3, "Medium"),
        Act::Account(_)
        | Act::Authentication(_)
        | Act::Access(..)
        | Act::Managed(..)
        | Act::Use(_) => {
            if refused {
                (2, "Low")
            } else {
                (1, "Informational")
            }
        }
    }
}

/// One event.
pub fn event(entry: &Entry, tenant: TenantId) -> Value {
    let act = act(&entry.event);
    let (class_uid, class_name, category_name) = class(&act);
    let (activity_id, known) = activity(&act);
    let fact = fact(&entry.event_type);
    // An activity without a number is named as the source names it.
    let activity_name = if activity_id == OTHER.0 { &fact } else { known };
    let (severity_id, severity) = severity(&act, entry.refused);
    let (status_id, status) = if entry.refused { (2, "Failure") } else { (1, "Success") };
    let mut event = json!({
        "class_uid": class_uid,
        "class_name": class_name,
        "category_uid": class_uid / 1_000,
        "category_name": category_name,
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": class_uid * 100 + activity_id,
        "type_name": format!("{class_name}: {known}"),
        "time": entry.occurred_at.timestamp_millis(),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_detail": fact,
        "message": entry.sentence,
        "metadata": metadata(entry, tenant),
        "actor": actor(entry),
        "src_endpoint": entry.client_address.as_ref().map(|it| json!({ "ip": it })),
        "unmapped": unmapped(entry),
    });
    if let (Value::Object(event), Value::Object(own)) = (&mut event, of_class(&act, entry)) {
        event.extend(own);
    }
    stated(event)
}

/// What the class demands beside what all have.
fn of_class(act: &Act, entry: &Entry) -> Value {
    match act {
        Act::Account(_) => json!({ "user": user(entry) }),
        Act::Authentication(_) => json!({
            "user": user(entry),
            "service": { "name": PRODUCT },
            "session": entry.session.map(|session| json!({ "uid": session })),
        }),
        Act::Access(_, privileges) => json!({
            "user": user(entry), "privileges": privileges, "resources": resources(entry),
        }),
        Act::Managed(_, thing) => json!({ "entity": entity(*thing, entry) }),
        Act::Use(_) => json!({
            "api": { "operation": entry.command, "request": { "uid": entry.correlation_id } },
            "src_endpoint": source(entry),
            "resources": resources(entry),
        }),
    }
}

fn metadata(entry: &Entry, tenant: TenantId) -> Value {
    json!({
        "version": EDITION,
        "product": {
            "name": PRODUCT, "vendor_name": PRODUCT, "version": env!("CARGO_PKG_VERSION"),
        },
        "uid": entry.event_id,
        "event_code": entry.event_type,
        "log_name": "audit_timeline",
        "log_version": acts::VERSION,
        "tenant_uid": tenant.0,
        "correlation_uid": entry.correlation_id,
        "sequence": entry.position,
        "original_time": moment(entry.occurred_at),
        "logged_time": entry.recorded_at.timestamp_millis(),
    })
}

fn organization(id: Option<Uuid>, name: Option<&str>) -> Value {
    id.map_or(Value::Null, |id| json!({ "uid": id, "name": name }))
}

fn actor(entry: &Entry) -> Value {
    let (type_id, kind) = match entry.actor.kind {
        ActorKind::System => {
            return json!({ "app_name": PRODUCT, "session": session(entry) });
        }
        ActorKind::Anonymous => (0, "Unknown"),
        ActorKind::User => (1, "User"),
        ActorKind::PlanStaff | ActorKind::Operator => (2, "Admin"),
        ActorKind::ApiKey => (4, "Service"),
    };
    let nobody = entry.actor.id.is_none().then_some("anonymous");
    let user = json!({
        "uid": entry.actor.id,
        "name": nobody,
        "full_name": entry.actor_name,
        "type_id": type_id,
        "type": kind,
        "org": organization(entry.organization, entry.organization_name.as_deref()),
    });
    json!({ "user": user, "session": session(entry) })
}

fn session(entry: &Entry) -> Value {
    entry.session.map_or(Value::Null, |session| json!({ "uid": session }))
}

/// Whom it is about: a person, a machine's key, or an identifier that is nobody's.
fn user(entry: &Entry) -> Value {
    let org = organization(entry.subject_organization, entry.subject_organization_name.as_deref());
    let is_key = matches!(entry.event, AnyEvent::ApiKey(_));
    let (uid, type_id, kind) = match entry.subject {
        Some(person) => (person, 1, "User"),
        None if is_key => (entry.stream, 4, "Service"),
        None => (entry.stream, 0, "Unknown"),
    };
    json!({
        "uid": uid, "full_name": entry.subject.and(entry.subject_name.as_deref()),
        "type_id": type_id, "type": kind, "org": org,
    })
}

fn entity(thing: Thing, entry: &Entry) -> Value {
    let own = || other(words(entry.event.aggregate_type()), entry.stream.to_string());
    let name = entry.subject_organization_name.as_deref();
    match thing {
        Thing::Organization => entry.subject_organization.map_or_else(own, |id| {
            json!({ "type_id": 4, "type": "Organization", "uid": id, "name": name,
                    "org": organization(Some(id), name) })
        }),
        Thing::Person => match entry.subject {
            Some(id) => {
                json!({ "type_id": 2, "type": "User", "uid": id, "name": entry.subject_name,
                        "user": user(entry) })
            }
            None => own(),
        },
        Thing::Policy => json!({
            "type_id": 5, "type": "Policy", "uid": entry.stream, "name": "Portal policy",
            "policy": { "uid": entry.stream, "name": "Portal policy",
                        "version": entry.policy_version.to_string() },
        }),
        Thing::Npi => entry.npi.clone().map_or_else(own, |npi| other("NPI".to_owned(), npi)),
        Thing::Part(kind, id) => other(kind.to_owned(), id.to_string()),
        Thing::Own => own(),
    }
}

fn other(kind: String, uid: String) -> Value {
    json!({ "type_id": 99, "type": kind, "uid": uid })
}

/// The organisation and the NPI that it is about.
fn resources(entry: &Entry) -> Value {
    let mut resources = Vec::new();
    if let Some(id) = entry.subject_organization {
        let name = &entry.subject_organization_name;
        resources.push(json!({ "type": "Organization", "uid": id, "name": name }));
    }
    if let Some(npi) = &entry.npi {
        resources.push(json!({ "type": "NPI", "uid": npi }));
    }
    if resources.is_empty() { Value::Null } else { resources.into() }
}

/// Where it came from; an address is told to whom the timeline shows it.
fn source(entry: &Entry) -> Value {
    if let Some(address) = &entry.client_address {
        return json!({ "ip": address });
    }
    match entry.actor.kind {
        ActorKind::System => json!({ "svc_name": PRODUCT }),
        ActorKind::Anonymous
        | ActorKind::User
        | ActorKind::PlanStaff
        | ActorKind::Operator
        | ActorKind::ApiKey => json!({ "name": "(personal)" }),
    }
}

fn unmapped(entry: &Entry) -> Value {
    let own = json!({
        "actor_kind": entry.actor.kind.as_str(),
        "command": entry.command,
        "policy_version": entry.policy_version,
        "npi": entry.npi,
        "causation_id": entry.causation_id,
        "effective_at": moment(entry.effective_at),
        "stream": entry.stream,
        "subject_id": entry.subject,
        "subject_organization_id": entry.subject_organization,
        "before": entry.before,
        "after": entry.after,
    });
    own.as_object().cloned().map_or(Value::Null, |fields: Map<_, _>| fields.into())
}

/// The last part of a stored name, as a title: `npi_permission_set` becomes `Npi Permission Set`.
fn fact(event_type: &str) -> String {
    words(event_type.rsplit('.').next().unwrap_or(event_type))
}

fn words(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let title = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    last.split('_').map(title).collect::<Vec<_>>().join(" ")
}
