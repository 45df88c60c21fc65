//! An event as auditors see it. Invariant: names are today's, or none where a person was erased;
//! before and after hold nothing personal, and addresses are shown to few.

use async_graphql::{ID, Json, SimpleObject};
use rollcall_domain::Actor;
use rollcall_projections::audit_timeline::Entry;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::input::AuditOutcome;
use crate::graphql::{
    ids::NodeType,
    paging::connection,
    scalars::{DateTime, NpiScalar, Position},
    vocabulary::ActorKind,
};

/// Who acted.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditActor {
    pub kind: ActorKind,
    /// The person, or the machine's `ApiKey`; absent for visitors and the service itself.
    pub id: Option<ID>,
    /// The person's or the key's name, or what stands for them in a sentence.
    pub name: String,
}

/// A person, by name.
#[derive(Clone, Debug, SimpleObject)]
pub struct PersonReference {
    /// The id of the `User`.
    pub id: ID,
    /// Absent where the person was erased.
    pub name: Option<String>,
}

impl PersonReference {
    #[must_use]
    pub fn new(user: Uuid, name: Option<String>) -> Self {
        Self { id: NodeType::User.id(user), name }
    }
}

/// An organisation, by name.
#[derive(Clone, Debug, SimpleObject)]
pub struct OrganizationReference {
    /// The id of the `Organization`.
    pub id: ID,
    pub name: Option<String>,
}

impl OrganizationReference {
    #[must_use]
    pub fn new(organization: Uuid, name: Option<String>) -> Self {
        Self { id: NodeType::Organization.id(organization), name }
    }
}

/// One thing that happened (GN-26).
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditEvent {
    pub id: ID,
    /// Its place in the tenant's journal.
    pub position: Position,
    /// Its stored name, e.g. `permissions.membership.npi_permission_set`.
    #[graphql(name = "type")]
    pub event_type: String,
    pub outcome: AuditOutcome,
    /// What happened, in plain English.
    pub sentence: String,
    /// What stood there before, where something changed; nothing personal.
    pub before: Option<Json<Value>>,
    /// What stands there now; nothing personal.
    pub after: Option<Json<Value>>,
    pub actor: AuditActor,
    /// The organisation the actor acted for.
    pub organization: Option<OrganizationReference>,
    /// The person it was about.
    pub subject: Option<PersonReference>,
    /// The organisation it was about.
    pub subject_organization: Option<OrganizationReference>,
    /// The NPI it was about; absent for all NPIs.
    pub npi: Option<NpiScalar>,
    /// The command it came of.
    pub command: String,
    /// The session in which the actor was signed in.
    pub session_id: Option<ID>,
    /// The version of the tenant's policy the decision was made under.
    pub policy_version: Position,
    /// Shared by everything that came of one request.
    pub correlation_id: Uuid,
    /// The event that caused this one, where it was not a person's doing.
    pub causation_id: Option<Uuid>,
    /// The IP address the request came from, as auditors and plan administrators see it; absent for the
    /// service itself, and once the person was erased.
    pub client_address: Option<String>,
    /// When it was written down.
    pub recorded_at: DateTime,
    /// When it was decided.
    pub occurred_at: DateTime,
    /// When it applies.
    pub effective_at: DateTime,
}

connection!(AuditEventConnection, AuditEventEdge, AuditEvent);

impl From<Entry> for AuditEvent {
    fn from(entry: Entry) -> Self {
        let outcome = if entry.refused { AuditOutcome::Refused } else { AuditOutcome::Succeeded };
        let organization =
            |id: Option<Uuid>, name| id.map(|id| OrganizationReference::new(id, name));
        Self {
            id: NodeType::AuditEvent.id(entry.event_id),
            position: Position(entry.position),
            event_type: entry.event_type,
            outcome,
            sentence: entry.sentence,
            before: entry.before.as_deref().map(json),
            after: entry.after.as_deref().map(json),
            actor: AuditActor {
                kind: entry.actor.kind.into(),
                id: actor_id(entry.actor),
                name: entry.actor_name,
            },
            organization: organization(entry.organization, entry.organization_name),
            subject: entry.subject.map(|id| PersonReference::new(id, entry.subject_name)),
            subject_organization: organization(
                entry.subject_organization,
                entry.subject_organization_name,
            ),
            npi: entry.npi.map(NpiScalar),
            command: entry.command,
            session_id: entry.session.map(|id| NodeType::Session.id(id)),
            policy_version: Position(entry.policy_version),
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id,
            client_address: entry.client_address,
            recorded_at: entry.recorded_at.into(),
            occurred_at: entry.occurred_at.into(),
            effective_at: entry.effective_at.into(),
        }
    }
}

/// What is kept as text, as a value of the schema.
fn json(text: &RawValue) -> Json<Value> {
    Json(serde_json::from_str(text.get()).unwrap_or_default())
}

/// The global id of whoever acted: a person or a machine's key.
#[must_use]
pub fn actor_id(actor: Actor) -> Option<ID> {
    let key = actor.key().map(|key| NodeType::ApiKey.id(key));
    key.or_else(|| actor.id.map(|id| NodeType::User.id(id)))
}
