//! A leaf of the tree: what the log commits to about one event.
//!
//! # Form (version 1, frozen by the first sealed event)
//! The RFC 8785 form of a flat object of strings and one integer:
//! ```text
//! v                  1
//! tenant, event_id, stream_type, stream_id, sequence, type, type_version,
//! recorded_at, occurred_at, effective_at, correlation_id, causation_id?, command_id
//! actor, organization, subject, subject_organization, npi, payload, metadata
//! ```
//! The seven of the last line are commitments, since what they hide may be guessed from few
//! possibilities (an NPI, a person of a clinic, a level): with the event's own 128-bit salt,
//! ```text
//! field key  K = HMAC-SHA-256(salt, "rollcall/leaf/1/" ‖ name)
//! commitment   = hex(HMAC-SHA-256(K, value))
//! ```
//! where the value of `payload` and `metadata` is the stored bytes, that of `actor` its kind, a colon
//! and its id, that of an absent field empty. Whoever is given K and the value can check them and
//! learns nothing of the event's other fields. A leaf's index is the event's tenant position − 1; it
//! is not part of the leaf.
//!
//! Invariant: the same stored event gives the same bytes forever.

use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, Mac};
use rollcall_domain::hex;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tlog_tiles::{Hash, tlog};
use uuid::Uuid;

/// The only form there is.
const VERSION: u32 = 1;

/// A field that a leaf hides behind a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hidden {
    /// `USER:<id>`, `SYSTEM`, …: kind and id of whoever acted.
    Actor,
    /// The organisation acted for.
    Organization,
    /// The person it is about.
    Subject,
    SubjectOrganization,
    Npi,
    Payload,
    Metadata,
}

impl Hidden {
    pub const ALL: [Self; 7] = [
        Self::Actor,
        Self::Organization,
        Self::Subject,
        Self::SubjectOrganization,
        Self::Npi,
        Self::Payload,
        Self::Metadata,
    ];

    /// Its name in the leaf.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Organization => "organization",
            Self::Subject => "subject",
            Self::SubjectOrganization => "subject_organization",
            Self::Npi => "npi",
            Self::Payload => "payload",
            Self::Metadata => "metadata",
        }
    }
}

/// An event as stored, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredEvent {
    pub tenant_id: Uuid,
    pub tenant_position: i64,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub metadata: String,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub organization_id: Option<Uuid>,
    pub subject_id: Option<Uuid>,
    pub subject_organization_id: Option<Uuid>,
    pub npi: Option<String>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub command_id: Uuid,
    pub recorded_at: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub effective_at: DateTime<Utc>,
    pub salt: Vec<u8>,
}

/// What `StoredEvent` is read by.
pub const COLUMNS: &str = "tenant_id, tenant_position, aggregate_type, aggregate_id, sequence, \
    event_id, event_type, event_version, payload::text AS payload, metadata::text AS metadata, \
    actor_kind, actor_id, organization_id, subject_id, subject_organization_id, npi, \
    correlation_id, causation_id, command_id, recorded_at, occurred_at, effective_at, salt";

/// The leaf of an event. Written out it is the leaf's bytes: its members are in the order of RFC 8785, and
/// strings and small integers are written as there by any writer of JSON without blanks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    pub command_id: Uuid,
    pub correlation_id: Uuid,
    /// RFC 3339 in UTC with six digits of a second, as the other moments.
    pub effective_at: String,
    pub event_id: Uuid,
    metadata: String,
    npi: String,
    pub occurred_at: String,
    organization: String,
    payload: String,
    pub recorded_at: String,
    pub sequence: i64,
    pub stream_id: String,
    pub stream_type: String,
    subject: String,
    subject_organization: String,
    pub tenant: Uuid,
    #[serde(rename = "type")]
    pub event_type: String,
    pub type_version: String,
    pub v: u32,
}

/// The key of one field of one event, with which its commitment is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// 64 hexadecimal digits.
    pub key: String,
    pub value: String,
}

/// A leaf that has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sequence above 2^53 - 1 has no exact form in JSON")]
pub struct NoForm;

impl StoredEvent {
    /// The leaf of this event.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        let commitment = |field| commit(&field_key(&self.salt, field), &self.value(field));
        Envelope {
            v: VERSION,
            tenant: self.tenant_id,
            event_id: self.event_id,
            stream_type: self.aggregate_type.clone(),
            stream_id: self.aggregate_id.clone(),
            sequence: self.sequence,
            event_type: self.event_type.clone(),
            type_version: self.event_version.clone(),
            recorded_at: moment(self.recorded_at),
            occurred_at: moment(self.occurred_at),
            effective_at: moment(self.effective_at),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            command_id: self.command_id,
            actor: commitment(Hidden::Actor),
            organization: commitment(Hidden::Organization),
            subject: commitment(Hidden::Subject),
            subject_organization: commitment(Hidden::SubjectOrganization),
            npi: commitment(Hidden::Npi),
            payload: commitment(Hidden::Payload),
            metadata: commitment(Hidden::Metadata),
        }
    }

    /// What lets a reader see one field and check it, and nothing else.
    #[must_use]
    pub fn opening(&self, field: Hidden) -> Opening {
        Opening { key: hex(&field_key(&self.salt, field)), value: self.value(field) }
    }

    /// What a field hides, in the form it is committed to.
    #[must_use]
    pub fn value(&self, field: Hidden) -> String {
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        match field {
            Hidden::Actor => match self.actor_id {
                Some(id) => format!("{}:{id}", self.actor_kind),
                None => self.actor_kind.clone(),
            },
            Hidden::Organization => id(self.organization_id),
            Hidden::Subject => id(self.subject_id),
            Hidden::SubjectOrganization => id(self.subject_organization_id),
            Hidden::Npi => self.npi.clone().unwrap_or_default(),
            Hidden::Payload => self.payload.clone(),
            Hidden::Metadata => self.metadata.clone(),
        }
    }
}

impl Envelope {
    /// The leaf's bytes.
    ///
    /// # Errors
    /// [`NoForm`]: the canonical form would round the sequence.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NoForm> {
        // RFC 8785 writes integers as JavaScript would, which is exact up to here only.
        if !(0..1 << 53).contains(&self.sequence) {
            return Err(NoForm);
        }
        serde_json::to_vec(self).map_err(|_| NoForm)
    }

    /// The leaf's hash (RFC 6962, 2.1).
    ///
    /// # Errors
    /// As [`Envelope::to_bytes`].
    pub fn hash(&self) -> Result<Hash, NoForm> {
        Ok(tlog::record_hash(&self.to_bytes()?))
    }

    /// Whether an opening is that of a field of this leaf.
    #[must_use]
    pub fn opens(&self, field: Hidden, opening: &Opening) -> bool {
        let commitment = match field {
            Hidden::Actor => &self.actor,
            Hidden::Organization => &self.organization,
            Hidden::Subject => &self.subject,
            Hidden::SubjectOrganization => &self.subject_organization,
            Hidden::Npi => &self.npi,
            Hidden::Payload => &self.payload,
            Hidden::Metadata => &self.metadata,
        };
        unhex(&opening.key).is_some_and(|key| commit(&key, &opening.value) == *commitment)
    }
}

fn field_key(salt: &[u8], field: Hidden) -> [u8; 32] {
    mac(salt, format!("rollcall/leaf/1/{}", field.as_str()).as_bytes())
}

fn commit(key: &[u8; 32], value: &str) -> String {
    hex(&mac(key, value.as_bytes()))
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// A moment in the form of leaves.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .bytes()
        .map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::TimeZone;

    use super::*;

    pub(crate) fn stored(position: i64) -> StoredEvent {
        let at = Utc.with_ymd_and_hms(2026, 3, 4, 5, 6, 7).unwrap();
        StoredEvent {
            tenant_id: Uuid::from_u128(1),
            tenant_position: position,
            aggregate_type: "permissions.membership".to_owned(),
            aggregate_id: Uuid::from_u128(2).to_string(),
            sequence: position,
            event_id: Uuid::from_u128(1_000 + position as u128),
            event_type: "permissions.membership.npi_permission_set".to_owned(),
            event_version: "1.0".to_owned(),
            payload: r#"{"NpiPermissionSet":{"npi":"1234567893"}}"#.to_owned(),
            metadata: r#"{"command":"SetNpiPermissions"}"#.to_owned(),
            actor_kind: "USER".to_owned(),
            actor_id: Some(Uuid::from_u128(3)),
            organization_id: Some(Uuid::from_u128(4)),
            subject_id: Some(Uuid::from_u128(5)),
            subject_organization_id: None,
            npi: Some("1234567893".to_owned()),
            correlation_id: Uuid::from_u128(6),
            causation_id: None,
            command_id: Uuid::from_u128(7),
            recorded_at: at,
            occurred_at: at,
            effective_at: at,
            salt: vec![9; 16],
        }
    }

    #[test]
    fn the_form_is_frozen() {
        let bytes = stored(1).envelope().to_bytes().unwrap();
        let expected = concat!(
            r#"{"actor":"ACTOR","command_id":"00000000-0000-0000-0000-000000000007","#,
            r#""correlation_id":"00000000-0000-0000-0000-000000000006","#,
            r#""effective_at":"2026-03-04T05:06:07.000000Z","#,
            r#""event_id":"00000000-0000-0000-0000-0000000003e9","#,
            r#""metadata":"METADATA","npi":"NPI","occurred_at":"2026-03-04T05:06:07.000000Z","#,
            r#""organization":"ORGANIZATION","payload":"PAYLOAD","#,
            r#""recorded_at":"2026-03-04T05:06:07.000000Z","sequence":1,"#,
            r#""stream_id":"00000000-0000-0000-0000-000000000002","#,
            r#""stream_type":"permissions.membership","subject":"SUBJECT","#,
            r#""subject_organization":"SUBJECT_ORG","#,
            r#""tenant":"00000000-0000-0000-0000-000000000001","#,
            r#""type":"permissions.membership.npi_permission_set","type_version":"1.0","v":1}"#,
        );
        // Made by Python's hmac and hashlib from the definition above.
        let commitments = [
            ("ACTOR", "fe1aa4ae5df2483e95f7f26a460001425d3c3db8238f7b980f1e4eedbad75835"),
            ("METADATA", "75ab9679f2b31b091a43c8e9da687ad71925e982b7bb2cb3cd75a0c531b17908"),
            ("NPI", "a8f56ab39f09854cf485b3a438e7522a073600535759b9495f028ce740e5dcaa"),
            ("SUBJECT_ORG", "c5ab2960851262b1e894fe50feedfac20ce26d008ec6bc0befcc277177bb7f60"),
            ("ORGANIZATION", "b5cd034865ab6e96783f31ab0b0f1b1f084280b0ca242b45eea2bcb43e2df4dd"),
            ("PAYLOAD", "dfa1200cc9e8e7c1c6aa853f9ba816a8cbf383910112b3089854c1ebc59f448f"),
            ("SUBJECT", "2965e269b64d9b7068c30c6bb23d3e88fc31aa394f96ed4c0a4f2a54f0fa44ac"),
        ];
        let expected = commitments.iter().fold(expected.to_owned(), |text, (name, hex)| {
            text.replace(&format!("\"{name}\""), &format!("\"{hex}\""))
        });
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn a_leaf_is_written_in_its_canonical_form_whatever_stands_in_it() {
        let controls: String = (0..0x20).chain(0x7e..0xa1).filter_map(char::from_u32).collect();
        let odd = format!("\"\\/{controls}é\u{2028}\u{fffd}\u{1f980}");
        let mut event = stored(1 << 52);
        event.causation_id = Some(Uuid::max());
        for text in [&mut event.aggregate_type, &mut event.aggregate_id, &mut event.event_type] {
            text.push_str(&odd);
        }
        let envelope = event.envelope();
        let canonical = serde_json_canonicalizer::to_vec(&envelope).unwrap();
        assert_eq!(envelope.to_bytes().unwrap(), canonical);
    }

    #[test]
    fn a_field_opens_with_its_own_key_and_value_only() {
        let event = stored(1);
        let envelope = event.envelope();
        for field in Hidden::ALL {
            let opening = event.opening(field);
            for other in Hidden::ALL {
                assert_eq!(envelope.opens(other, &opening), other == field);
            }
            let altered = Opening { value: format!("{} ", opening.value), ..opening.clone() };
            assert!(!envelope.opens(field, &altered));
            assert!(!envelope.opens(field, &Opening { key: "00".repeat(32), ..opening.clone() }));
            assert!(!envelope.opens(field, &Opening { key: "é".repeat(32), ..opening }));
        }
    }

    #[test]
    fn equal_facts_of_two_events_look_different() {
        let other = StoredEvent { salt: vec![8; 16], ..stored(1) };
        let (one, other) = (stored(1).envelope(), other.envelope());
        assert_ne!(one.npi, other.npi);
        assert_ne!(one.subject_organization, other.subject_organization);
    }

    #[test]
    fn whatever_is_stored_changes_the_leaf() {
        let hash = |event: &StoredEvent| event.envelope().hash().unwrap();
        let event = stored(1);
        let later = event.recorded_at + chrono::TimeDelta::microseconds(1);
        let changes: Vec<fn(&mut StoredEvent)> = vec![
            |e| e.tenant_id = Uuid::nil(),
            |e| e.aggregate_type.push('x'),
            |e| e.aggregate_id.push('x'),
            |e| e.sequence += 1,
            |e| e.event_id = Uuid::nil(),
            |e| e.event_type.push('x'),
            |e| e.event_version.push('x'),
            |e| e.payload.push(' '),
            |e| e.metadata.push(' '),
            |e| e.actor_kind = "SYSTEM".to_owned(),
            |e| e.actor_id = None,
            |e| e.organization_id = None,
            |e| e.subject_id = None,
            |e| e.subject_organization_id = Some(Uuid::nil()),
            |e| e.npi = None,
            |e| e.correlation_id = Uuid::nil(),
            |e| e.causation_id = Some(Uuid::nil()),
            |e| e.command_id = Uuid::nil(),
            |e| e.salt[0] ^= 1,
        ];
        for (nth, change) in changes.into_iter().enumerate() {
            let mut altered = event.clone();
            change(&mut altered);
            assert_ne!(hash(&altered), hash(&event), "change {nth}");
        }
        for altered in [
            StoredEvent { recorded_at: later, ..event.clone() },
            StoredEvent { occurred_at: later, ..event.clone() },
            StoredEvent { effective_at: later, ..event.clone() },
        ] {
            assert_ne!(hash(&altered), hash(&event));
        }
    }

    #[test]
    fn a_number_that_would_be_rounded_is_refused() {
        let envelope = Envelope { sequence: (1 << 53) + 1, ..stored(1).envelope() };
        assert_eq!(envelope.hash(), Err(NoForm));
    }
}
