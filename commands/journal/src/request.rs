//! One request to the log, ready to be written: events already sealed and serialised, and everything
//! that has to hold for them to be written.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::{Actor, Facets, ids::TenantId};
use uuid::Uuid;

use crate::{
    ahead::{Fate, Settling},
    envelope::Guard,
};

/// Everything of one command; written together or not at all.
pub(crate) struct Request {
    pub tenant: Uuid,
    pub command: Uuid,
    /// Random per request: tells whether a stored command is this very one.
    pub attempt: Uuid,
    pub hash: [u8; 32],
    /// JSON text.
    pub result: String,
    pub actor: Actor,
    pub organization: Option<Uuid>,
    pub correlation: Uuid,
    pub causation: Option<Uuid>,
    pub occurred_at: DateTime<Utc>,
    pub events: Vec<EventRow>,
    /// Streams written and read.
    pub guards: Vec<Guard>,
    pub reservations: Vec<ReservationRow>,
    pub vault: Vec<VaultRow>,
    pub keys: Vec<KeyRow>,
    /// Of the requests that left streams at the versions guarded, where not known to be written.
    pub after: Vec<Fate>,
    /// Tells those that rely on this one.
    pub settling: Settling,
}

pub(crate) struct EventRow {
    pub aggregate_type: &'static str,
    pub stream: Uuid,
    pub sequence: i64,
    pub event_id: Uuid,
    pub event_type: &'static str,
    pub event_version: &'static str,
    /// JSON text, personal data sealed.
    pub payload: String,
    /// JSON text, personal data sealed.
    pub metadata: String,
    pub facets: Facets,
    pub salt: [u8; 16],
}

/// A compare-and-set: the key must be free or belong to `expected` or `owner` already.
#[derive(Clone)]
pub(crate) struct ReservationRow {
    pub kind: &'static str,
    pub key: [u8; 32],
    pub expected: Option<Uuid>,
    /// The owner from now on; `None` sets it free.
    pub owner: Option<Uuid>,
}

#[derive(Clone)]
pub(crate) struct VaultRow {
    pub kind: &'static str,
    pub id: Uuid,
    /// Encrypted; `None` deletes.
    pub value: Option<Vec<u8>>,
}

pub(crate) enum KeyRow {
    CreateTenant {
        wrapped: Vec<u8>,
    },
    Create {
        subject: Uuid,
        version: i32,
        wrapped: Vec<u8>,
    },
    /// Something was sealed under it: it must not be destroyed.
    Use {
        subject: Uuid,
        version: i32,
    },
    Destroy {
        subject: Uuid,
    },
}

impl Request {
    pub(crate) fn tenant(&self) -> TenantId {
        TenantId(self.tenant)
    }

    /// Whether one that it relies on is lost.
    pub(crate) fn is_orphaned(&self) -> bool {
        self.after.iter().any(Fate::is_lost)
    }

    /// Bytes on the wire, roughly.
    pub(crate) fn size(&self) -> usize {
        const ENVELOPE: usize = 300;
        let events = self.events.iter().map(|e| ENVELOPE + e.payload.len() + e.metadata.len());
        let vault = self.vault.iter().filter_map(|row| row.value.as_ref()).map(Vec::len);
        ENVELOPE + self.result.len() + events.chain(vault).sum::<usize>()
    }

    /// Whether it writes the stream that `guard` is about.
    pub(crate) fn writes(&self, guard: &Guard) -> bool {
        let same = |e: &EventRow| e.stream == guard.id && e.aggregate_type == guard.aggregate_type;
        self.events.iter().any(same)
    }

    /// What it writes and what it only relies on beside streams, as hashes. Two requests of which one
    /// writes what the other touches cannot be judged in one batch; a false match only costs a wait.
    /// Of streams, a request was handed in with the versions that those before it leave.
    pub(crate) fn touches(&self) -> Touches {
        let mut touches = Touches::default();
        touches.writes.push(hash(("command", self.tenant, self.command)));
        let reserved = self.reservations.iter().map(|r| hash((self.tenant, r.kind, r.key)));
        touches.writes.extend(reserved);
        touches.writes.extend(self.vault.iter().map(|v| hash((self.tenant, v.kind, v.id))));
        for key in &self.keys {
            match key {
                KeyRow::CreateTenant { .. } => touches.writes.push(hash(("key", self.tenant))),
                KeyRow::Create { subject, .. } | KeyRow::Destroy { subject } => {
                    touches.writes.push(hash(("key", self.tenant, *subject)));
                }
                KeyRow::Use { subject, .. } => {
                    touches.reads.push(hash(("key", self.tenant, *subject)));
                }
            }
        }
        touches
    }
}

#[derive(Default)]
pub(crate) struct Touches {
    pub writes: Vec<u64>,
    pub reads: Vec<u64>,
}

fn hash(thing: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}
