//! From a unit of work to a request: event ids, salts, and the sealing of personal data.
//!
//! Invariant: what leaves here holds no personal data and no secret in the clear.

use std::collections::BTreeSet;

use rollcall_domain::kernel::{
    Facets,
    ids::{SubjectId, TenantId},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    envelope::Header,
    error::JournalError,
    keys::{KeyRing, NewKeys},
    load::MARK,
    request::{EventRow, KeyRow},
};

/// An event as recorded, still in the clear.
pub(crate) struct Draft {
    pub aggregate_type: &'static str,
    pub stream: Uuid,
    pub sequence: i64,
    pub event_type: &'static str,
    pub event_version: &'static str,
    /// JSON text.
    pub payload: String,
    pub facets: Facets,
}

/// Events ready to be written, and the keys they depend on.
pub(crate) struct Prepared {
    pub events: Vec<EventRow>,
    pub keys: Vec<KeyRow>,
    pub new_keys: NewKeys,
    /// Whose keys something was sealed under.
    pub subjects: Vec<SubjectId>,
}

/// Seals the drafts of one request, under event ids that begin with the time `unix_millis`.
pub(crate) async fn seal(
    keys: &KeyRing,
    header: &Header,
    unix_millis: i64,
    drafts: &[Draft],
) -> Result<Prepared, JournalError> {
    let sealed = drafts.iter().filter(|draft| draft.payload.contains(MARK));
    let subjects: BTreeSet<SubjectId> =
        sealed.filter_map(|draft| draft.facets.subject.map(Into::into)).collect();
    // One by one they would be read as each event is sealed.
    if subjects.len() > 1 {
        keys.prefetch(header.tenant, &subjects.into_iter().collect::<Vec<_>>()).await;
    }
    let metadata = serde_json::to_string(&header.metadata())?;
    let millis = u64::try_from(unix_millis).unwrap_or_default();
    let mut sealer =
        Sealer { keys, tenant: header.tenant, new_keys: NewKeys::default(), used: Vec::new() };
    let mut events = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let Randomness { id, salt } = Randomness::draw();
        let event_id = uuid::Builder::from_unix_timestamp_millis(millis, &id).into_uuid();
        events.push(EventRow {
            aggregate_type: draft.aggregate_type,
            stream: draft.stream,
            sequence: draft.sequence,
            event_id,
            event_type: draft.event_type,
            event_version: draft.event_version,
            payload: sealer.payload(event_id, &draft.payload).await?,
            metadata: sealer.metadata(event_id, &metadata).await?,
            facets: draft.facets.clone(),
            salt,
        });
    }
    let Sealer { new_keys, used, .. } = sealer;
    let subjects = used.iter().map(|(subject, _)| SubjectId(*subject)).collect();
    Ok(Prepared { events, keys: key_rows(&new_keys, &used), new_keys, subjects })
}

struct Randomness {
    id: [u8; 10],
    salt: [u8; 16],
}

impl Randomness {
    fn draw() -> Self {
        let mut bytes = [0; 26];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        let (mut id, mut salt) = ([0; 10], [0; 16]);
        id.copy_from_slice(&bytes[..10]);
        salt.copy_from_slice(&bytes[10..]);
        Self { id, salt }
    }
}

struct Sealer<'a> {
    keys: &'a KeyRing,
    tenant: TenantId,
    new_keys: NewKeys,
    used: Vec<(Uuid, i32)>,
}

impl Sealer<'_> {
    async fn payload(&mut self, event_id: Uuid, text: &str) -> Result<String, JournalError> {
        if !text.contains(MARK) {
            return Ok(text.to_owned());
        }
        let mut document: Value = serde_json::from_str(text)?;
        self.keys.seal(self.tenant, event_id, &mut document, &mut self.new_keys).await?;
        collect_used(&document, &mut self.used);
        Ok(document.to_string())
    }

    async fn metadata(&mut self, event_id: Uuid, text: &str) -> Result<String, JournalError> {
        if !text.contains(MARK) {
            return Ok(text.to_owned());
        }
        let mut document: Value = serde_json::from_str(text)?;
        self.keys.seal_metadata(self.tenant, event_id, &mut document, &mut self.new_keys).await?;
        collect_used(&document, &mut self.used);
        Ok(document.to_string())
    }
}

/// Finds the keys a sealed document was sealed under: subject and version.
fn collect_used(document: &Value, used: &mut Vec<(Uuid, i32)>) {
    match document {
        Value::Object(object) => match object.get("$sealed") {
            Some(body) => {
                let key = || {
                    let subject = body.get("subject")?.as_str()?.parse().ok()?;
                    Some((subject, i32::try_from(body.get("v")?.as_i64()?).ok()?))
                };
                used.extend(key().filter(|key| !used.contains(key)));
            }
            None => object.values().for_each(|member| collect_used(member, used)),
        },
        Value::Array(elements) => elements.iter().for_each(|e| collect_used(e, used)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn key_rows(new_keys: &NewKeys, used: &[(Uuid, i32)]) -> Vec<KeyRow> {
    let tenant = new_keys.tenant_key.iter();
    let tenant = tenant.map(|key| KeyRow::CreateTenant { wrapped: key.wrapped.clone() });
    let created = new_keys.subject_keys.iter().map(|key| KeyRow::Create {
        subject: key.subject.0,
        version: key.version,
        wrapped: key.wrapped.clone(),
    });
    let is_new = |subject: Uuid| new_keys.subject_keys.iter().any(|key| key.subject.0 == subject);
    let known = used.iter().filter(|(subject, _)| !is_new(*subject));
    let known =
        known.map(|(subject, version)| KeyRow::Use { subject: *subject, version: *version });
    tenant.chain(created).chain(known).collect()
}
