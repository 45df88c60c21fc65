//! The journal: the way to load states, to look up what is reserved or kept in the vault, and to
//! begin a unit of work.
//!
//! Invariant: nothing here writes; [`crate::work::Work::commit`] is the only way in.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    kernel::{
        EventSet,
        ids::{SubjectId, TenantId, UserId},
    },
};
use serde_json::Value;
use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    append::{Appender, announce},
    cache::{Cache, Cached, Moment, StreamKey},
    clock::Clock,
    envelope::{Guard, Header},
    error::{JournalError, StoredResult},
    keys::KeyRing,
    lanes::Lanes,
    load::{self, Loader},
    reader::Reader,
    secrets::{MasterKey, Secrets},
    upcast::Upcasters,
    work::Work,
};

/// Between two notifications of other processes.
const NOTIFY_PAUSE: Duration = Duration::from_millis(10);

/// What a journal needs.
pub struct JournalConfig {
    /// A pool of the role `rollcall_writer`; see [`crate::pools::writer`].
    pub writer: PgPool,
    pub master: MasterKey,
    pub clock: Arc<dyn Clock>,
    /// In a demo or development log `recorded_at` follows the injected clock too.
    pub injected_time: bool,
    /// How many loaded states are kept.
    pub cache_states: usize,
}

/// The event store of this process. Clones are the same journal.
#[derive(Clone)]
pub struct Journal(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub secrets: Secrets,
    pub keys: KeyRing,
    pub upcasters: Upcasters,
    pub cache: Cache,
    pub loader: Loader,
    pub lanes: Lanes,
    pub appender: Appender,
    appended: watch::Sender<i64>,
    erasures: watch::Sender<u64>,
    injected_time: bool,
    /// Dropped with the journal, which ends its listener.
    _stop: oneshot::Sender<()>,
}

/// A state and the version of the stream it stands for; 0 is a stream without events.
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    pub state: Arc<A>,
    pub version: i64,
}

impl Journal {
    /// Opens the log with no upcasters; see [`Journal::open_with`].
    ///
    /// # Errors
    /// The database cannot be reached or has not been migrated.
    pub async fn open(config: JournalConfig) -> Result<Self, JournalError> {
        Self::open_with(config, Upcasters::default()).await
    }

    /// Opens the log and starts to listen to what other processes append and erase.
    ///
    /// # Errors
    /// The database cannot be reached or has not been migrated.
    pub async fn open_with(
        config: JournalConfig,
        upcasters: Upcasters,
    ) -> Result<Self, JournalError> {
        let JournalConfig { writer: pool, master, clock, injected_time, cache_states } = config;
        let mut listener = PgListener::connect_with(&pool).await.map_err(JournalError::of)?;
        listener.listen_all(["es_appended", "es_erased"]).await.map_err(JournalError::of)?;
        let (position, epoch): (i64, Uuid) =
            sqlx::query_as("SELECT position, epoch FROM es.head WHERE shard = 1")
                .fetch_one(&pool)
                .await
                .map_err(JournalError::of)?;
        let (appended, _) = watch::channel(position);
        let time = injected_time.then(|| Arc::clone(&clock));
        let (own, untold) = watch::channel(0);
        let (stop, stopped) = oneshot::channel();
        let inner = Arc::new(Inner {
            secrets: Secrets::new(&master),
            keys: KeyRing::new(&master, pool.clone()),
            upcasters,
            cache: Cache::new(cache_states),
            loader: Loader::new(pool.clone()),
            lanes: Lanes::new(),
            appender: Appender::new(pool.clone(), time, epoch, appended.clone(), own),
            pool,
            clock,
            appended,
            erasures: watch::Sender::new(0),
            injected_time,
            _stop: stop,
        });
        tokio::spawn(listen(listener, Arc::downgrade(&inner), stopped));
        tokio::spawn(tell_others(inner.pool.clone(), untold));
        Ok(Self(inner))
    }

    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Whether times can be set: a demonstration or development.
    #[must_use]
    pub fn has_injected_time(&self) -> bool {
        self.0.injected_time
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    #[must_use]
    pub fn upcasters(&self) -> &Upcasters {
        &self.0.upcasters
    }

    /// A reader of the whole log that opens and upcasts as this journal does; `pool` as in
    /// [`Reader::new`].
    #[must_use]
    pub fn reader<E: EventSet>(&self, pool: PgPool) -> Reader<E> {
        Reader::new(pool, self.0.keys.clone()).with_upcasters(self.0.upcasters.clone())
    }

    /// Changes with each key that this process destroyed or heard is destroyed.
    #[must_use]
    pub fn erasures(&self) -> watch::Receiver<u64> {
        self.0.erasures.subscribe()
    }

    /// The last position in the whole log that this process appended or heard of.
    #[must_use]
    pub fn appended(&self) -> watch::Receiver<i64> {
        self.0.appended.subscribe()
    }

    /// Begins a unit of work.
    #[must_use]
    pub fn begin(&self, header: Header) -> Work {
        Work::new(self.clone(), header)
    }

    /// A stream's state, from the cache if it is there: good for a decision, whose append re-checks
    /// the version; for an answer see [`Journal::load_fresh`].
    ///
    /// # Errors
    /// The database does not answer, or an event cannot be read.
    pub async fn load<A: Decider>(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Loaded<A>, JournalError> {
        let read_from = self.0.cache.moment();
        match self.cached(tenant, id) {
            Some((loaded, false)) => Ok(loaded),
            Some((known, true)) => self.catch_up(tenant, id, known, read_from).await,
            None => self.catch_up(tenant, id, Loaded::default(), read_from).await,
        }
    }

    /// A stream's state as of now: what is cached, and whatever was appended since, by one query.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub async fn load_fresh<A: Decider>(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Loaded<A>, JournalError> {
        let read_from = self.0.cache.moment();
        let known = self.cached(tenant, id).map(|(known, _)| known).unwrap_or_default();
        self.catch_up(tenant, id, known, read_from).await
    }

    /// What is kept of a stream, and whether it has moved on since.
    pub(crate) fn cached<A: Decider>(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Option<(Loaded<A>, bool)> {
        let Cached { state, version, outdated } = self.0.cache.get(&(tenant, A::TYPE, id))?;
        Some((Loaded { state: state.downcast().ok()?, version }, outdated))
    }

    async fn catch_up<A: Decider>(
        &self,
        tenant: TenantId,
        id: Uuid,
        mut known: Loaded<A>,
        read_from: Moment,
    ) -> Result<Loaded<A>, JournalError> {
        let Inner { loader, keys, upcasters, cache, .. } = &*self.0;
        let stored = loader.stream(tenant, (A::TYPE, id), known.version).await?;
        if let Some(last) = stored.last() {
            let events: Vec<A::Event> = load::decode(keys, upcasters, tenant, &stored).await?;
            let state = Arc::make_mut(&mut known.state);
            events.iter().for_each(|event| state.evolve(event));
            known.version = last.sequence;
        } else if known.version == 0 {
            return Ok(known);
        }
        let Loaded { ref state, version } = known;
        let cached = Cached { state: Arc::clone(state) as _, version, outdated: false };
        cache.put((tenant, A::TYPE, id), cached, read_from);
        Ok(known)
    }

    /// All events of a stream, oldest first.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub async fn events<A: Decider>(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Vec<A::Event>, JournalError> {
        let stored = self.0.loader.stream(tenant, (A::TYPE, id), 0).await?;
        load::decode(&self.0.keys, &self.0.upcasters, tenant, &stored).await
    }

    /// All events of several streams, by two queries however many there are; a stream without
    /// events is missing.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub async fn events_of<A: Decider>(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<BTreeMap<Uuid, Vec<A::Event>>, JournalError> {
        let (streams, stored) = load::streams(&self.0.pool, tenant, A::TYPE, ids).await?;
        let events = load::decode(&self.0.keys, &self.0.upcasters, tenant, &stored).await?;
        let mut found: BTreeMap<Uuid, Vec<A::Event>> = BTreeMap::new();
        for (stream, event) in streams.into_iter().zip(events) {
            found.entry(stream).or_default().push(event);
        }
        Ok(found)
    }

    /// Single events of one type of aggregate by their positions in the tenant, by two queries however
    /// many there are: what people wrote in them, without their streams.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub async fn events_at<A: Decider>(
        &self,
        tenant: TenantId,
        positions: &[i64],
    ) -> Result<BTreeMap<i64, A::Event>, JournalError> {
        let (at, stored) = load::at(&self.0.pool, tenant, A::TYPE, positions).await?;
        let events = load::decode(&self.0.keys, &self.0.upcasters, tenant, &stored).await?;
        Ok(at.into_iter().zip(events).collect())
    }

    /// The states of several streams, past the cache and by two queries however many there are; a
    /// stream without events is missing.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub async fn load_all<A: Decider>(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<BTreeMap<Uuid, A>, JournalError> {
        let streams = self.events_of::<A>(tenant, ids).await?;
        let fold = |events: Vec<A::Event>| {
            let mut state = A::default();
            events.iter().for_each(|event| state.evolve(event));
            state
        };
        Ok(streams.into_iter().map(|(id, events)| (id, fold(events))).collect())
    }

    /// Whether every one of `guards` still stands at its version. Those that do not are read anew the
    /// next time.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn verify(&self, tenant: TenantId, guards: &[Guard]) -> Result<bool, JournalError> {
        let types: Vec<_> = guards.iter().map(|guard| guard.aggregate_type).collect();
        let streams: Vec<_> = guards.iter().map(|guard| guard.id.to_string()).collect();
        let versions: Vec<_> = guards.iter().map(|guard| guard.version).collect();
        let moved: Vec<i64> = sqlx::query_scalar(
            "SELECT g.nth FROM unnest($1::text[], $2::text[], $3::bigint[])
                    WITH ORDINALITY g(type, stream, version, nth)
              WHERE EXISTS (SELECT FROM es.events e
                             WHERE e.aggregate_type = g.type AND e.aggregate_id = g.stream
                               AND e.sequence = g.version + 1)",
        )
        .bind(types)
        .bind(streams)
        .bind(versions)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        for nth in &moved {
            if let Some(guard) = usize::try_from(nth - 1).ok().and_then(|n| guards.get(n)) {
                self.invalidate(tenant, guard.aggregate_type, guard.id);
            }
        }
        Ok(moved.is_empty())
    }

    /// Has a stream read anew the next time, from where it is known.
    pub fn invalidate(&self, tenant: TenantId, aggregate_type: &'static str, id: Uuid) {
        let key: StreamKey = (tenant, aggregate_type, id);
        self.0.cache.outdate(&key);
    }

    /// Whom a natural key is reserved for in a tenant.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn owner_of(
        &self,
        tenant: TenantId,
        kind: &str,
        natural: &str,
    ) -> Result<Option<Uuid>, JournalError> {
        let key = self.0.secrets.lookup_key(tenant, kind, natural);
        self.owner_of_hash(tenant, kind, &key).await
    }

    /// As [`Journal::owner_of`], by the key's hash.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn owner_of_hash(
        &self,
        tenant: TenantId,
        kind: &str,
        hash: &[u8],
    ) -> Result<Option<Uuid>, JournalError> {
        sqlx::query_scalar(
            "SELECT owner FROM es.reservations WHERE tenant_id = $1 AND kind = $2 AND key = $3",
        )
        .bind(tenant.0)
        .bind(kind)
        .bind(hash)
        .fetch_optional(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// The tenant and owner of a token that names no tenant, such as a session's or a link's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tenant_of_hash(
        &self,
        kind: &str,
        hash: &[u8],
    ) -> Result<Option<(TenantId, Uuid)>, JournalError> {
        let found: Option<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT tenant_id, owner FROM es.reservations WHERE kind = $1 AND key = $2 LIMIT 1",
        )
        .bind(kind)
        .bind(hash)
        .fetch_optional(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        Ok(found.map(|(tenant, owner)| (TenantId(tenant), owner)))
    }

    /// The streams of a type that hold an event about a person, such as the organisations that have
    /// or had them on the roster.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn streams_about(
        &self,
        tenant: TenantId,
        subject: UserId,
        aggregate_type: &str,
    ) -> Result<Vec<Uuid>, JournalError> {
        sqlx::query_scalar(
            "SELECT DISTINCT aggregate_id::uuid FROM es.events
              WHERE tenant_id = $1 AND subject_id = $2 AND aggregate_type = $3
              ORDER BY 1",
        )
        .bind(tenant.0)
        .bind(subject.0)
        .bind(aggregate_type)
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }

    /// A value from the vault, decrypted.
    ///
    /// # Errors
    /// The database does not answer, or the value was tampered with.
    pub async fn vault_get(
        &self,
        tenant: TenantId,
        kind: &str,
        id: Uuid,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, JournalError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT value FROM es.vault WHERE tenant_id = $1 AND kind = $2 AND id = $3",
        )
        .bind(tenant.0)
        .bind(kind)
        .bind(id)
        .fetch_optional(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        let open = |sealed: Vec<u8>| self.0.secrets.open_secret(tenant, kind, id, &sealed);
        Ok(sealed.map(open).transpose()?)
    }

    /// The stored answer of a command, if it was committed.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn stored_result(
        &self,
        tenant: TenantId,
        command_id: Uuid,
    ) -> Result<Option<StoredResult>, JournalError> {
        let row: Option<(Vec<u8>, Value, i64)> = sqlx::query_as(
            "SELECT request_hash, result, position FROM es.commands
              WHERE tenant_id = $1 AND command_id = $2",
        )
        .bind(tenant.0)
        .bind(command_id)
        .fetch_optional(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        Ok(row.map(|(hash, result, position)| {
            // Only this crate writes hashes, all of 32 bytes; another length matches no request.
            let request_hash = hash.try_into().unwrap_or_default();
            StoredResult { request_hash, result, position }
        }))
    }

    /// The tenant's position: how many events it has.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tenant_position(&self, tenant: TenantId) -> Result<i64, JournalError> {
        let position: Option<i64> =
            sqlx::query_scalar("SELECT position FROM es.tenant_heads WHERE tenant_id = $1")
                .bind(tenant.0)
                .fetch_optional(&self.0.pool)
                .await
                .map_err(JournalError::of)?;
        Ok(position.unwrap_or_default())
    }

    /// When the tenant's first event was recorded; that never changes.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn records_begin(
        &self,
        tenant: TenantId,
    ) -> Result<Option<DateTime<Utc>>, JournalError> {
        sqlx::query_scalar(
            "SELECT recorded_at FROM es.events WHERE tenant_id = $1 AND tenant_position = 1",
        )
        .bind(tenant.0)
        .fetch_optional(&self.0.pool)
        .await
        .map_err(JournalError::of)
    }
}

impl Inner {
    /// Forgets what this process knows of a subject whose key is destroyed. States may hold the
    /// person's data anywhere, so all of them go; erasure is rare.
    pub(crate) fn erased(&self, tenant: TenantId, subject: SubjectId) {
        self.keys.forget(tenant, subject);
        self.cache.clear();
        self.appender.forget();
        self.erasures.send_modify(|heard| *heard += 1);
    }
}

impl<A: Default> Default for Loaded<A> {
    fn default() -> Self {
        Self { state: Arc::default(), version: 0 }
    }
}

/// Tells other processes what this one appends: at once after a pause, and then no oftener than they
/// can make use of. A NOTIFY in each append would make them, and this process, wake for every batch.
/// What is not told is found by polling.
async fn tell_others(pool: PgPool, mut own: watch::Receiver<i64>) {
    while own.changed().await.is_ok() {
        let position = own.borrow_and_update().to_string();
        let told = sqlx::query("SELECT pg_notify('es_appended', $1)").bind(position);
        if let Err(error) = told.execute(&pool).await {
            tracing::debug!(%error, "other processes were not told of an append");
        }
        tokio::time::sleep(NOTIFY_PAUSE).await;
    }
}

async fn listen(
    mut listener: PgListener,
    journal: std::sync::Weak<Inner>,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let heard = tokio::select! {
            _ = &mut stopped => return,
            heard = listener.recv() => heard,
        };
        let Some(journal) = journal.upgrade() else { return };
        match heard {
            Ok(notification) => match notification.channel() {
                "es_appended" => {
                    if let Ok(position) = notification.payload().parse() {
                        announce(&journal.appended, position);
                    }
                }
                _ => {
                    let erased = notification.payload().split_once('/');
                    let erased = erased.and_then(|(t, s)| Some((t.parse().ok()?, s.parse().ok()?)));
                    if let Some((tenant, subject)) = erased {
                        journal.erased(tenant, subject);
                    }
                }
            },
            Err(error) => {
                // The listener connects anew by itself; what was missed meanwhile is found by polling.
                tracing::warn!(%error, "listening to the log was interrupted");
                drop(journal);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}
