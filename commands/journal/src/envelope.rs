//! What stands around an event: who, for whom, when, and which command. The stored shape is frozen
//! by the first stored event.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, Sealed,
    kernel::ids::{OrganizationId, SessionId, TenantId, UserId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every event of one command shares.
#[derive(Clone, Debug)]
pub struct Header {
    pub tenant: TenantId,
    pub actor: Actor,
    /// The organisation the actor acts for.
    pub organization: Option<OrganizationId>,
    pub session: Option<SessionId>,
    pub client_address: Option<Sealed<String>>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    /// The idempotency key: a tenant commits each id once.
    pub command_id: Uuid,
    /// Hash of the request under that key, to tell a repetition from its reuse.
    pub request_hash: [u8; 32],
    /// The version of the tenant's policy the decision was made under.
    pub policy_version: u64,
    pub reason: Option<Sealed<String>>,
    pub occurred_at: DateTime<Utc>,
    /// The command's name.
    pub command: &'static str,
}

impl Header {
    pub(crate) fn metadata(&self) -> Metadata {
        Metadata {
            session_id: self.session,
            client_address: self.client_address.clone(),
            policy_version: self.policy_version,
            command: self.command.to_owned(),
            reason: self.reason.clone(),
        }
    }
}

/// The stored `metadata`: a flat object whose values are strings (cqrs-es reads it as a map of
/// those), but for sealed values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_address: Option<Sealed<String>>,
    #[serde(with = "digits")]
    pub policy_version: u64,
    pub command: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<String>>,
}

mod digits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(n: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(n)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// One stored event, opened.
#[derive(Clone, Debug)]
pub struct Recorded<E> {
    /// In the whole log; internal.
    pub position: i64,
    pub tenant: TenantId,
    /// In the tenant's log: the public position.
    pub tenant_position: i64,
    pub aggregate_type: String,
    pub aggregate_id: Uuid,
    /// In its stream, from 1.
    pub sequence: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub event_version: String,
    pub event: E,
    pub metadata: Metadata,
    pub actor: Actor,
    /// The organisation the actor acted for.
    pub organization: Option<OrganizationId>,
    pub subject: Option<UserId>,
    pub subject_organization: Option<OrganizationId>,
    pub npi: Option<String>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub command_id: Uuid,
    pub recorded_at: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub effective_at: DateTime<Utc>,
}

/// A stream and the version a decision relied on; 0 is a stream without events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    pub aggregate_type: &'static str,
    pub id: Uuid,
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_flat_and_says_only_what_there_is() {
        let metadata = Metadata {
            session_id: None,
            client_address: None,
            policy_version: 12,
            command: "SetNpiPermissions".to_owned(),
            reason: None,
        };
        let json = serde_json::to_string(&metadata).unwrap();
        assert_eq!(json, r#"{"policy_version":"12","command":"SetNpiPermissions"}"#);
        assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap(), metadata);
    }
}
