//! The keys that personal data is sealed under: one per subject, wrapped by the tenant's key, that by
//! the master key, which the database never sees.
//!
//! Invariant: that a key is *absent* is never remembered. A key row commits together with the first
//! event sealed under it, so whoever has read the event finds the row; a remembered absence would
//! read a living person as erased. That a key is *present* is remembered for a minute at most, so
//! that an erasure by another process takes hold everywhere even if nobody calls
//! [`KeyRing::forget`].

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_domain::kernel::ids::{SubjectId, TenantId};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    crypto::{self, Key, Unreadable},
    key_cache::KeyCache,
    master_key::MasterKey,
    seal::{self, FieldSecret, Part, SealError, SubjectKey},
};

/// Subjects whose keys are held in memory, roughly 10 MB.
const CAPACITY: usize = 50_000;

/// Why personal data could not be sealed or opened. Erasure is no error.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("keys could not be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A wrapped key or vault value was altered, or belongs to another master key.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Subject keys, in memory and in `es.tenant_keys` and `es.subject_keys`. Clones share the cache.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

struct Inner {
    wrapping: Key,
    pool: PgPool,
    cache: Mutex<KeyCache>,
}

/// Keys made while sealing the events of one append, to be written by that append. If the append
/// answers conflict they are dropped: another append made keys for the same subjects first.
#[derive(Default)]
pub struct NewKeys {
    pub tenant_key: Option<NewTenantKey>,
    pub subject_keys: Vec<NewSubjectKey>,
}

/// A row for `es.tenant_keys`.
pub struct NewTenantKey {
    pub wrapped: Vec<u8>,
    key: Key,
}

/// A row for `es.subject_keys`.
pub struct NewSubjectKey {
    pub subject: SubjectId,
    pub version: i32,
    pub wrapped: Vec<u8>,
    key: SubjectKey,
}

impl NewKeys {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tenant_key.is_none() && self.subject_keys.is_empty()
    }

    fn of(&self, subject: SubjectId) -> Option<&SubjectKey> {
        self.subject_keys.iter().find(|new| new.subject == subject).map(|new| &new.key)
    }
}

/// The versions of a subject's key, oldest first; `None` is a destroyed one.
pub(crate) type Versions = Vec<(i32, Option<SubjectKey>)>;

/// One JSON document of a stored event.
pub(crate) struct Document<'a> {
    pub event_id: Uuid,
    pub part: Part,
    pub value: &'a mut Value,
}

/// The keys for opening a batch of events, read once.
pub(crate) struct Opener(HashMap<SubjectId, Versions>);

impl Opener {
    /// Opens every marker that has a key; the others read as erased.
    pub(crate) fn open(
        &self,
        part: Part,
        event_id: Uuid,
        document: &mut Value,
    ) -> Result<(), SealError> {
        seal::open(part, event_id, document, |subject, version| {
            let versions = self.0.get(&subject)?;
            versions.iter().find(|(v, _)| *v == version)?.1.clone()
        })
    }
}

impl KeyRing {
    /// `pool` must be allowed to read `es.tenant_keys` and `es.subject_keys` of all tenants.
    #[must_use]
    pub fn new(master: &MasterKey, pool: PgPool) -> Self {
        Self(Arc::new(Inner {
            wrapping: master.derive("rollcall/tenant-key-wrapping/1"),
            pool,
            cache: Mutex::new(KeyCache::new(CAPACITY)),
        }))
    }

    /// Seals every `$sealed` marker of an event's payload under its subject's key. Keys that do not
    /// exist yet are made and added to `new_keys`, to be written by the same append; all calls for
    /// one append share one `new_keys`. A value about an erased subject is dropped.
    ///
    /// # Errors
    /// A malformed marker, or keys that cannot be read.
    pub async fn seal(
        &self,
        tenant: TenantId,
        event_id: Uuid,
        payload: &mut Value,
        new_keys: &mut NewKeys,
    ) -> Result<(), KeyError> {
        let keys = self.sealing_keys(tenant, seal::subjects(payload), new_keys).await?;
        Ok(seal::seal(Part::Payload, event_id, payload, |subject| latest(&keys, subject))?)
    }

    /// As [`KeyRing::seal`], for an event's metadata.
    ///
    /// # Errors
    /// As [`KeyRing::seal`].
    pub async fn seal_metadata(
        &self,
        tenant: TenantId,
        event_id: Uuid,
        metadata: &mut Value,
        new_keys: &mut NewKeys,
    ) -> Result<(), KeyError> {
        let keys = self.sealing_keys(tenant, seal::subjects(metadata), new_keys).await?;
        Ok(seal::seal(Part::Metadata, event_id, metadata, |subject| latest(&keys, subject))?)
    }

    /// Opens every marker of a stored payload that has a key; the others read as erased. Comes
    /// before upcasting: where a value stands in the stored payload is part of how it is sealed.
    ///
    /// # Errors
    /// A malformed marker, an altered field, or keys that cannot be read.
    pub async fn open(
        &self,
        tenant: TenantId,
        event_id: Uuid,
        payload: &mut Value,
    ) -> Result<(), KeyError> {
        let opener = self.opener(tenant, seal::subjects(payload)).await?;
        Ok(opener.open(Part::Payload, event_id, payload)?)
    }

    /// As [`KeyRing::open`], for an event's metadata.
    ///
    /// # Errors
    /// As [`KeyRing::open`].
    pub async fn open_metadata(
        &self,
        tenant: TenantId,
        event_id: Uuid,
        metadata: &mut Value,
    ) -> Result<(), KeyError> {
        let opener = self.opener(tenant, seal::subjects(metadata)).await?;
        Ok(opener.open(Part::Metadata, event_id, metadata)?)
    }

    /// Opens many documents with one query at most.
    pub(crate) async fn open_all(
        &self,
        tenant: TenantId,
        documents: Vec<Document<'_>>,
    ) -> Result<(), KeyError> {
        let subjects = documents.iter().flat_map(|document| seal::subjects(document.value));
        let opener = self.opener(tenant, subjects.collect()).await?;
        for Document { event_id, part, value } in documents {
            opener.open(part, event_id, value)?;
        }
        Ok(())
    }

    /// The keys of all that a batch of events is about, by one query at most.
    pub(crate) async fn opener(
        &self,
        tenant: TenantId,
        mut subjects: Vec<SubjectId>,
    ) -> Result<Opener, KeyError> {
        subjects.sort_unstable();
        subjects.dedup();
        Ok(Opener(self.versions(tenant, &subjects).await?))
    }

    /// Reads the keys of many subjects at once, ahead of their use. A failure costs nothing but the
    /// head start: whoever needs the keys reads them and gets the error.
    pub async fn prefetch(&self, tenant: TenantId, subjects: &[SubjectId]) {
        if let Err(error) = self.versions(tenant, subjects).await {
            tracing::debug!(%tenant, %error, "keys could not be read ahead");
        }
    }

    /// The secret that opens the one field at `pointer` of an event, for an evidence bundle; `None`
    /// once the subject's key of that version is gone.
    ///
    /// # Errors
    /// Keys that cannot be read.
    pub async fn disclose(
        &self,
        tenant: TenantId,
        event_id: Uuid,
        pointer: &str,
        (subject, version): (SubjectId, i32),
    ) -> Result<Option<FieldSecret>, KeyError> {
        let keys = self.versions(tenant, &[subject]).await?;
        let versions = keys.get(&subject).into_iter().flatten();
        let key = versions.filter(|(v, _)| *v == version).find_map(|(_, key)| key.as_ref());
        Ok(key.map(|key| seal::disclose(key, event_id, pointer)))
    }

    /// Keeps the keys that an append has written at hand.
    pub fn learn(&self, tenant: TenantId, written: NewKeys) {
        let mut cache = self.cache();
        if let Some(new) = written.tenant_key {
            cache.put_tenant(tenant, new.key);
        }
        for new in written.subject_keys {
            cache.put((tenant, new.subject), vec![(new.version, Some(new.key))]);
        }
    }

    /// Drops a subject's keys from memory, once they are destroyed in the database. Other processes
    /// drop theirs within a minute.
    pub fn forget(&self, tenant: TenantId, subject: SubjectId) {
        self.cache().forget((tenant, subject));
    }

    async fn sealing_keys(
        &self,
        tenant: TenantId,
        subjects: Vec<SubjectId>,
        new_keys: &mut NewKeys,
    ) -> Result<HashMap<SubjectId, Versions>, KeyError> {
        // Whom this append makes a key for is not looked up again with each of its events: where
        // somebody else was faster, the append says so.
        let (made, unmade): (Vec<_>, Vec<_>) =
            subjects.into_iter().partition(|subject| new_keys.of(*subject).is_some());
        let mut keys = self.versions(tenant, &unmade).await?;
        for subject in unmade {
            if let Entry::Vacant(missing) = keys.entry(subject) {
                let key = self.make_subject_key(tenant, subject, new_keys).await?;
                missing.insert(vec![(key.version, Some(key))]);
            }
        }
        for subject in made {
            let key = new_keys.of(subject).cloned();
            keys.extend(key.map(|key| (subject, vec![(key.version, Some(key))])));
        }
        Ok(keys)
    }

    async fn make_subject_key(
        &self,
        tenant: TenantId,
        subject: SubjectId,
        new_keys: &mut NewKeys,
    ) -> Result<SubjectKey, KeyError> {
        const FIRST: i32 = 1;
        let tenant_key = match self.tenant_key(tenant).await? {
            Some(key) => key,
            None => {
                new_keys.tenant_key.get_or_insert_with(|| self.make_tenant_key(tenant)).key.clone()
            }
        };
        let key = SubjectKey { version: FIRST, key: crypto::random_key() };
        let place = subject_place(tenant, subject, FIRST);
        let wrapped = crypto::wrap(&tenant_key, &place, key.key.as_slice());
        let new = NewSubjectKey { subject, version: FIRST, wrapped, key: key.clone() };
        new_keys.subject_keys.push(new);
        Ok(key)
    }

    fn make_tenant_key(&self, tenant: TenantId) -> NewTenantKey {
        let key = crypto::random_key();
        let wrapped = crypto::wrap(&self.0.wrapping, &tenant_place(tenant), key.as_slice());
        NewTenantKey { wrapped, key }
    }

    async fn tenant_key(&self, tenant: TenantId) -> Result<Option<Key>, KeyError> {
        if let Some(key) = self.cache().tenant(tenant) {
            return Ok(Some(key));
        }
        let wrapped: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT wrapped FROM es.tenant_keys WHERE tenant_id = $1")
                .bind(tenant.0)
                .fetch_optional(&self.0.pool)
                .await?;
        let Some(wrapped) = wrapped else { return Ok(None) };
        let key = crypto::unwrap_key(&self.0.wrapping, &tenant_place(tenant), &wrapped)?;
        self.cache().put_tenant(tenant, key.clone());
        Ok(Some(key))
    }

    /// All key versions of those `subjects` that have any, from memory or by one query.
    async fn versions(
        &self,
        tenant: TenantId,
        subjects: &[SubjectId],
    ) -> Result<HashMap<SubjectId, Versions>, KeyError> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        let forgotten = {
            let mut cache = self.cache();
            for &subject in subjects {
                match cache.get((tenant, subject)) {
                    Some(versions) => drop(found.insert(subject, versions)),
                    None => missing.push(subject.0),
                }
            }
            cache.forgotten()
        };
        if missing.is_empty() {
            return Ok(found);
        }
        let read = self.read_versions(tenant, &missing).await?;
        let mut cache = self.cache();
        for (subject, versions) in read {
            // What was forgotten while the query ran must not come back with its answer.
            if cache.forgotten() == forgotten && versions.iter().all(|(_, key)| key.is_some()) {
                cache.put((tenant, subject), versions.clone());
            }
            found.insert(subject, versions);
        }
        Ok(found)
    }

    async fn read_versions(
        &self,
        tenant: TenantId,
        subjects: &[Uuid],
    ) -> Result<HashMap<SubjectId, Versions>, KeyError> {
        let rows: Vec<(Uuid, i32, Option<Vec<u8>>)> = sqlx::query_as(
            "SELECT subject_id, version, CASE WHEN destroyed_at IS NULL THEN wrapped END
             FROM es.subject_keys WHERE tenant_id = $1 AND subject_id = ANY($2) ORDER BY version",
        )
        .bind(tenant.0)
        .bind(subjects)
        .fetch_all(&self.0.pool)
        .await?;
        let mut read: HashMap<_, Versions> = HashMap::new();
        if rows.is_empty() {
            return Ok(read);
        }
        // Without the tenant's key everything under it is gone: an erased tenant.
        let tenant_key = self.tenant_key(tenant).await?;
        for (subject, version, wrapped) in rows {
            let subject = SubjectId(subject);
            let key = match (&tenant_key, wrapped) {
                (Some(tenant_key), Some(wrapped)) => {
                    let place = subject_place(tenant, subject, version);
                    let key = crypto::unwrap_key(tenant_key, &place, &wrapped)?;
                    Some(SubjectKey { version, key })
                }
                (None, _) | (_, None) => None,
            };
            read.entry(subject).or_default().push((version, key));
        }
        Ok(read)
    }

    // Every method of the cache leaves it consistent before it can panic.
    fn cache(&self) -> MutexGuard<'_, KeyCache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn latest(keys: &HashMap<SubjectId, Versions>, subject: SubjectId) -> Option<SubjectKey> {
    keys.get(&subject)?.last()?.1.clone()
}

fn tenant_place(tenant: TenantId) -> Vec<u8> {
    crypto::framed(&[b"tenant-key", tenant.0.as_bytes()])
}

fn subject_place(tenant: TenantId, subject: SubjectId, version: i32) -> Vec<u8> {
    crypto::framed(&[
        b"subject-key",
        tenant.0.as_bytes(),
        subject.0.as_bytes(),
        &version.to_be_bytes(),
    ])
}
