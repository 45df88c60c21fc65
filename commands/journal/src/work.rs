//! One unit of work: what a command read and what it writes.
//!
//! Invariant: everything read is re-checked at the commit, and everything written commits together
//! or not at all. A unit of work that is dropped has changed nothing.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider, Decision, Event, Refusal, Sealed,
    kernel::ids::{SubjectId, TenantId},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    ahead::{Fate, Offer, Settling, Tip},
    batch::Verdict,
    cache::{AnyState, Cached, Moment},
    envelope::{Guard, Header},
    error::{CommitError, JournalError, WorkError},
    journal::{Journal, Loaded},
    lanes,
    prepare::{self, Draft, Prepared},
    request::{KeyRow, Request, ReservationRow, VaultRow},
};

/// How often a request is sealed anew because somebody else made or destroyed a key meanwhile.
const SEALINGS: usize = 3;

/// A command under way.
pub struct Work {
    journal: Journal,
    began: Moment,
    header: Header,
    streams: Vec<Stream>,
    /// Where each stands among them.
    places: HashMap<(&'static str, Uuid), usize>,
    guards: Vec<Guard>,
    drafts: Vec<Draft>,
    reservations: Vec<(ReservationRow, Option<Refusal>)>,
    vault: Vec<VaultRow>,
    erased: Vec<SubjectId>,
    /// Whether the command is kept even if it changes nothing.
    remembered: bool,
    lanes: lanes::Held,
}

/// A stream that was read, perhaps with events buffered on top.
struct Stream {
    aggregate_type: &'static str,
    id: Uuid,
    /// As loaded.
    version: i64,
    buffered: i64,
    state: AnyState,
    /// Of the request that left it like this, if that was not known to be written.
    after: Option<Fate>,
}

/// What a commit gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The tenant's position of the last event; of a command without events, where the tenant stood.
    pub position: i64,
    /// The same in the whole log; internal.
    pub global: i64,
    pub recorded_at: DateTime<Utc>,
    /// In the order recorded.
    pub event_ids: Vec<Uuid>,
}

impl Work {
    pub(crate) fn new(journal: Journal, header: Header) -> Self {
        Self {
            began: journal.0.cache.moment(),
            journal,
            header,
            streams: Vec::new(),
            places: HashMap::new(),
            guards: Vec::new(),
            drafts: Vec::new(),
            reservations: Vec::new(),
            vault: Vec::new(),
            erased: Vec::new(),
            remembered: false,
            lanes: lanes::Held::default(),
        }
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// For whoever learns only while working who acts and under which policy.
    pub fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    /// The journal it will be appended to.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The journal's time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.journal.now()
    }

    /// Reads a stream, including what other works have handed in and events this work has buffered;
    /// the commit fails if the stream has moved on by then.
    ///
    /// # Errors
    /// The database does not answer, or an event cannot be read.
    pub async fn load<A: Decider>(&mut self, id: impl Into<Uuid>) -> Result<Arc<A>, JournalError> {
        let at = self.open::<A>(id.into()).await?;
        Ok(downcast(&self.streams[at].state))
    }

    /// As [`Work::load`], of several streams of one type, in the order of `ids`: the queries do not
    /// grow with their number.
    ///
    /// # Errors
    /// As [`Work::load`].
    pub async fn load_all<A: Decider>(
        &mut self,
        ids: &[Uuid],
    ) -> Result<Vec<Arc<A>>, JournalError> {
        let (tenant, aggregate_type) = (self.header.tenant, A::TYPE);
        let appender = &self.journal.0.appender;
        let is_unread = |id: &Uuid| {
            self.position_of::<A>(*id).is_none() && appender.tip(&(tenant, A::TYPE, *id)).is_none()
        };
        let unread: Vec<Uuid> = ids.iter().copied().filter(is_unread).collect();
        let loaded = self.journal.load_together::<A>(tenant, &unread).await?;
        for (id, Loaded { state, version }) in unread.into_iter().zip(loaded) {
            let (state, buffered, after) = (state as AnyState, 0, None);
            self.hold(Stream { aggregate_type, id, version, buffered, state, after });
        }
        let mut states = Vec::with_capacity(ids.len());
        for id in ids {
            states.push(self.load::<A>(*id).await?);
        }
        Ok(states)
    }

    /// As [`Work::load`], of a tenant that is perhaps not the one written to.
    ///
    /// # Errors
    /// As [`Work::load`].
    pub async fn load_of<A: Decider>(
        &mut self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Arc<A>, JournalError> {
        if tenant == self.header.tenant {
            return self.load::<A>(id).await;
        }
        let loaded = self.journal.load_fresh::<A>(tenant, id).await?;
        self.guard(A::TYPE, id, loaded.version);
        Ok(loaded.state)
    }

    /// Waits for a stream's turn before anything is read: for a command that was outrun there once.
    pub async fn take_turn(&mut self, aggregate_type: &str, id: Uuid) {
        let stream = (self.header.tenant, aggregate_type, id);
        self.journal.0.lanes.enter(stream, &mut self.lanes).await;
    }

    /// Whether everything read so far still stands, and is written: what a refusal may rest on.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn still_holds(&self) -> Result<bool, JournalError> {
        let written = self.rests_on_what_is_written().await;
        Ok(written && self.journal.verify(self.header.tenant, &self.guards()).await?)
    }

    async fn rests_on_what_is_written(&self) -> bool {
        for fate in self.streams.iter().filter_map(|stream| stream.after.as_ref()) {
            if !fate.is_written().await {
                return false;
            }
        }
        true
    }

    /// The version of a stream as it was loaded, without buffered events.
    #[must_use]
    pub fn version<A: Decider>(&self, id: impl Into<Uuid>) -> Option<i64> {
        let at = self.position_of::<A>(id.into())?;
        Some(self.streams[at].version)
    }

    /// Buffers events of a stream.
    ///
    /// # Errors
    /// The stream has to be read first, which may fail, or an event is not representable as JSON.
    pub async fn record<A: Decider>(
        &mut self,
        id: impl Into<Uuid>,
        events: Vec<A::Event>,
    ) -> Result<(), JournalError> {
        if events.is_empty() {
            return Ok(());
        }
        let at = self.open_for_writing::<A>(id.into()).await?;
        self.buffer::<A>(at, &events)
    }

    /// Loads a stream, decides on it and buffers what follows.
    ///
    /// # Errors
    /// The aggregate's refusal, or as [`Work::record`].
    pub async fn decide<A: Decider>(
        &mut self,
        id: impl Into<Uuid>,
        decision: &Decision<'_>,
        command: A::Command,
    ) -> Result<Vec<A::Event>, WorkError> {
        let at = self.open_for_writing::<A>(id.into()).await?;
        let state: Arc<A> = downcast(&self.streams[at].state);
        let refused = |refusal: A::Refusal| WorkError::Refused(refusal.into());
        let events = state.decide(decision, command).map_err(refused)?;
        drop(state);
        self.buffer::<A>(at, &events)?;
        Ok(events)
    }

    /// Reserves a natural key (in its canonical form) for `owner`. It must be free or already theirs;
    /// else the commit answers `taken`.
    pub fn reserve(&mut self, kind: &'static str, natural: &str, owner: Uuid, taken: Refusal) {
        let key = self.journal.secrets().lookup_key(self.header.tenant, kind, natural);
        self.reserve_hash(kind, key, owner, taken);
    }

    /// As [`Work::reserve`], by the key's hash.
    pub fn reserve_hash(&mut self, kind: &'static str, key: [u8; 32], owner: Uuid, taken: Refusal) {
        let (row, refusal) = self.reservation(kind, key);
        row.owner = Some(owner);
        *refusal = Some(taken);
    }

    /// Sets a natural key of `owner` free. One that is free already stays so; one that has become
    /// somebody else's is a conflict.
    pub fn release(&mut self, kind: &'static str, natural: &str, owner: Uuid) {
        let key = self.journal.secrets().lookup_key(self.header.tenant, kind, natural);
        self.release_hash(kind, key, owner);
    }

    /// As [`Work::release`], by the key's hash.
    pub fn release_hash(&mut self, kind: &'static str, key: [u8; 32], owner: Uuid) {
        let (row, _) = self.reservation(kind, key);
        row.expected = Some(owner);
        row.owner = None;
    }

    /// Puts a secret into the vault, encrypted before it leaves the process.
    pub fn vault_put(&mut self, kind: &'static str, id: Uuid, plain: &[u8]) {
        let sealed = self.journal.secrets().seal_secret(self.header.tenant, kind, id, plain);
        self.vault_row(kind, id, Some(sealed));
    }

    /// Removes a secret from the vault.
    pub fn vault_delete(&mut self, kind: &'static str, id: Uuid) {
        self.vault_row(kind, id, None);
    }

    /// Destroys a subject's key: their personal data reads as erased from the commit on.
    pub fn erase(&mut self, subject: impl Into<SubjectId>) {
        self.erased.push(subject.into());
    }

    /// Relies on one more stream standing at `version`.
    pub fn guard(&mut self, aggregate_type: &'static str, id: Uuid, version: i64) {
        self.guards.push(Guard { aggregate_type, id, version });
    }

    /// Keeps the command's id and answer even if it changes nothing: judged anew at a late repetition,
    /// it could undo what others did in between.
    pub fn remember(&mut self) {
        self.remembered = true;
    }

    /// Gives the command's reason, free text and therefore sealed.
    pub fn set_reason(&mut self, reason: Sealed<String>) {
        self.header.reason = Some(reason);
    }

    /// Everything read, at the version seen.
    #[must_use]
    pub fn guards(&self) -> Vec<Guard> {
        let streams = self.streams.iter().map(Stream::guard);
        streams.chain(self.guards.iter().copied()).collect()
    }

    /// Whether no event is buffered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Appends the buffered events with everything that belongs to them, and stores `result` as the
    /// command's answer. A work that would write nothing at all leaves no trace, its command id
    /// included unless it is to be remembered, and answers with the tenant's position.
    ///
    /// # Errors
    /// See [`CommitError`]; nothing has been written then, unless the error says that this is
    /// unknown.
    pub async fn commit(mut self, result: Value) -> Result<Committed, CommitError> {
        if self.writes_nothing() {
            if !self.rests_on_what_is_written().await {
                return Err(CommitError::Orphaned);
            }
            let position = self.journal.tenant_position(self.header.tenant).await?;
            let global = *self.journal.appended().borrow();
            let recorded_at = self.now();
            return Ok(Committed { position, global, recorded_at, event_ids: Vec::new() });
        }
        for _ in 0..SEALINGS {
            let (settling, fate) = Settling::open();
            let (request, prepared) = self.request(&result, settling).await?;
            let event_ids = request.events.iter().map(|event| event.event_id).collect();
            let offered = self.offer(fate);
            let turns = std::mem::take(&mut self.lanes);
            let appender = &self.journal.0.appender;
            let verdict = appender.submit(request, &offered.offer, turns).await?;
            match verdict {
                Verdict::Appended(appended) => {
                    self.keep(prepared);
                    return Ok(Committed {
                        position: appended.position,
                        global: appended.global,
                        recorded_at: appended.recorded_at,
                        event_ids,
                    });
                }
                Verdict::KeyChanged => self.forget_keys(&prepared),
                Verdict::Duplicate
                | Verdict::Conflict(_)
                | Verdict::Outrun(_)
                | Verdict::Orphaned
                | Verdict::Taken(_)
                | Verdict::Restored(_) => return Err(self.refused(verdict).await),
            }
        }
        let id = self.header.command_id;
        Err(CommitError::Conflict { aggregate_type: "subject key".to_owned(), aggregate_id: id })
    }

    fn writes_nothing(&self) -> bool {
        !self.remembered
            && self.drafts.is_empty()
            && self.reservations.is_empty()
            && self.vault.is_empty()
            && self.erased.is_empty()
    }

    /// What the written streams come to, for those who go on from it.
    fn offer(&self, fate: Fate) -> Offered {
        let written = self.streams.iter().filter(|stream| stream.buffered > 0);
        let streams = written.map(|stream| {
            let key = (self.header.tenant, stream.aggregate_type, stream.id);
            (key, stream.left())
        });
        let offer = Offer { streams: streams.collect(), fate };
        Offered { journal: self.journal.clone(), offer }
    }

    async fn request(
        &self,
        result: &Value,
        settling: Settling,
    ) -> Result<(Request, Prepared), JournalError> {
        let Self { journal, header, drafts, .. } = self;
        let millis = journal.now().timestamp_millis();
        let mut prepared = prepare::seal(journal.keys(), header, millis, drafts).await?;
        let mut keys = std::mem::take(&mut prepared.keys);
        keys.extend(self.erased.iter().map(|subject| KeyRow::Destroy { subject: subject.0 }));
        let request = Request {
            tenant: header.tenant.0,
            command: header.command_id,
            attempt: Uuid::new_v4(),
            hash: header.request_hash,
            result: serde_json::to_string(result)?,
            actor: header.actor,
            organization: header.organization.map(|id| id.0),
            correlation: header.correlation_id,
            causation: header.causation_id,
            occurred_at: header.occurred_at,
            events: std::mem::take(&mut prepared.events),
            guards: self.guards(),
            reservations: self.reservations.iter().map(|(row, _)| row.clone()).collect(),
            vault: self.vault.clone(),
            keys,
            after: self.streams.iter().filter_map(|stream| stream.after.clone()).collect(),
            settling,
        };
        Ok((request, prepared))
    }

    /// After a commit: what was evolved is what is stored.
    fn keep(&mut self, prepared: Prepared) {
        let (journal, tenant) = (&self.journal.0, self.header.tenant);
        journal.keys.learn(tenant, prepared.new_keys);
        for stream in self.streams.iter().filter(|stream| stream.buffered > 0) {
            let key = (tenant, stream.aggregate_type, stream.id);
            journal.cache.put(key, stream.left(), self.began);
        }
        for subject in &self.erased {
            journal.erased(tenant, *subject);
        }
    }

    fn forget_keys(&self, prepared: &Prepared) {
        for subject in &prepared.subjects {
            self.journal.keys().forget(self.header.tenant, *subject);
        }
    }

    async fn refused(&mut self, verdict: Verdict) -> CommitError {
        let conflict = |aggregate_type: &str, aggregate_id| CommitError::Conflict {
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id,
        };
        let Header { tenant, command_id, .. } = self.header;
        match verdict {
            Verdict::Duplicate => match self.journal.stored_result(tenant, command_id).await {
                Ok(Some(stored)) => CommitError::Duplicate(stored),
                // Pruned between the two statements: decide again.
                Ok(None) => conflict("command", command_id),
                Err(error) => CommitError::Journal(error),
            },
            Verdict::Conflict(Guard { aggregate_type, id, .. }) => {
                self.journal.invalidate(tenant, aggregate_type, id);
                conflict(aggregate_type, id)
            }
            Verdict::Outrun(guard) => conflict(guard.aggregate_type, guard.id),
            Verdict::Orphaned => CommitError::Orphaned,
            Verdict::Taken(nth) => match self.reservations.swap_remove(nth) {
                (_, Some(refusal)) => CommitError::Taken(refusal),
                (row, None) => conflict(row.kind, row.expected.unwrap_or_default()),
            },
            Verdict::Restored(_) => {
                self.journal.0.cache.clear();
                self.journal.0.appender.forget();
                conflict("log", command_id)
            }
            Verdict::Appended(_) | Verdict::KeyChanged => conflict("subject key", command_id),
        }
    }

    fn position_of<A: Decider>(&self, id: Uuid) -> Option<usize> {
        self.places.get(&(A::TYPE, id)).copied()
    }

    fn hold(&mut self, stream: Stream) -> usize {
        let at = self.streams.len();
        self.places.insert((stream.aggregate_type, stream.id), at);
        self.streams.push(stream);
        at
    }

    async fn open<A: Decider>(&mut self, id: Uuid) -> Result<usize, JournalError> {
        if let Some(at) = self.position_of::<A>(id) {
            return Ok(at);
        }
        let tenant = self.header.tenant;
        let (state, version, after) = match self.journal.0.appender.tip(&(tenant, A::TYPE, id)) {
            Some(Tip { state, version, fate }) => (state, version, Some(fate)),
            None => {
                let loaded = self.journal.load::<A>(tenant, id).await?;
                (loaded.state as AnyState, loaded.version, None)
            }
        };
        let aggregate_type = A::TYPE;
        Ok(self.hold(Stream { aggregate_type, id, version, buffered: 0, state, after }))
    }

    async fn open_for_writing<A: Decider>(&mut self, id: Uuid) -> Result<usize, JournalError> {
        self.take_turn(A::TYPE, id).await;
        self.open::<A>(id).await
    }

    fn buffer<A: Decider>(&mut self, at: usize, events: &[A::Event]) -> Result<(), JournalError> {
        if events.is_empty() {
            return Ok(());
        }
        let stream = &mut self.streams[at];
        for (event, sequence) in events.iter().zip(stream.version + stream.buffered + 1..) {
            self.drafts.push(Draft {
                aggregate_type: A::TYPE,
                stream: stream.id,
                sequence,
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload: serde_json::to_string(event)?,
                facets: event.facets(),
            });
        }
        let mut state: Arc<A> = downcast(&std::mem::replace(&mut stream.state, Arc::new(())));
        let evolving = Arc::make_mut(&mut state);
        events.iter().for_each(|event| evolving.evolve(event));
        stream.buffered += events.len() as i64;
        stream.state = state;
        Ok(())
    }

    /// The row of a key within this work: moving it from one owner to another is one row.
    fn reservation(
        &mut self,
        kind: &'static str,
        key: [u8; 32],
    ) -> (&mut ReservationRow, &mut Option<Refusal>) {
        let same = |(row, _): &(ReservationRow, _)| row.kind == kind && row.key == key;
        let at = self.reservations.iter().position(same).unwrap_or_else(|| {
            let row = ReservationRow { kind, key, expected: None, owner: None };
            self.reservations.push((row, None));
            self.reservations.len() - 1
        });
        let (row, refusal) = &mut self.reservations[at];
        (row, refusal)
    }

    fn vault_row(&mut self, kind: &'static str, id: Uuid, value: Option<Vec<u8>>) {
        self.vault.retain(|row| row.kind != kind || row.id != id);
        self.vault.push(VaultRow { kind, id, value });
    }
}

impl Stream {
    fn guard(&self) -> Guard {
        let Self { aggregate_type, id, version, .. } = *self;
        Guard { aggregate_type, id, version }
    }

    /// As it is with what was buffered.
    fn left(&self) -> Cached {
        let version = self.version + self.buffered;
        Cached { state: Arc::clone(&self.state), version, outdated: false }
    }
}

/// An offer that stands as long as this is kept.
struct Offered {
    journal: Journal,
    offer: Offer,
}

impl Drop for Offered {
    fn drop(&mut self) {
        self.journal.0.appender.withdraw(&self.offer);
    }
}

fn downcast<A: Decider>(state: &AnyState) -> Arc<A> {
    Arc::clone(state).downcast().expect("a stream's aggregate type names its state's type")
}
