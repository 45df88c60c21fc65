//! Rollcall's journal as a command uses it: policy, session and membership are read and guarded, the
//! stream is loaded, decided on and appended, the command id is kept.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use rollcall_domain::{
    Actor, Decision, Sealed,
    kernel::ids::{MembershipId, OrganizationId, SessionId, SubjectId, TenantId, UserId},
    permissions::{Membership, MembershipCommand, membership::MembershipKey},
    policies::{PolicyCommand, PolicyHistory, Preset},
    sessions::{LoginMethod, Session, SessionCommand},
    values::Reason,
};
use rollcall_journal::{
    Header, Journal, JournalConfig, MasterKey, SystemClock, Work, pools, schema,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    clients::{Load, Measured, Variant, drive},
    ground::Ground,
    register::{Enter, Register, RegisterEvent},
};

/// As the service has.
const CONNECTIONS: u32 = 16;
const CACHED_STATES: usize = 100_000;
/// Clients beyond this number share the people.
const PEOPLE: usize = 256;

pub struct Rollcall {
    journal: Journal,
    /// Another process, whose states the one measured does not have.
    filler: Journal,
    people: Arc<Vec<Person>>,
}

/// Somebody signed in, acting for an organisation.
#[derive(Clone, Copy)]
struct Person {
    tenant: TenantId,
    user: UserId,
    organization: OrganizationId,
    session: SessionId,
}

impl Rollcall {
    pub async fn prepare(ground: &Ground) -> Self {
        let options = ground.database("rollcall", "").await;
        schema::migrate(&options).await.expect("the schema is made");
        let writer = pools::writer(options, CONNECTIONS).await.expect("the server answers");
        let open = async || {
            let config = JournalConfig {
                writer: writer.clone(),
                master: MasterKey::from_bytes([7; 32]),
                clock: Arc::new(SystemClock),
                injected_time: false,
                cache_states: CACHED_STATES,
            };
            Journal::open(config).await.expect("the log opens")
        };
        let (journal, filler) = (open().await, open().await);
        let tenant = TenantId::of_slug("bench");
        let organization = OrganizationId(Uuid::new_v4());
        let person = |_| Person {
            tenant,
            user: UserId(Uuid::new_v4()),
            organization,
            session: SessionId(Uuid::new_v4()),
        };
        let people: Vec<_> = (0..PEOPLE).map(person).collect();
        people[0].begins_the_tenant(&journal).await;
        join_all(people.iter().map(|person| person.signs_in(&journal))).await;
        Self { journal, filler, people: Arc::new(people) }
    }

    /// Writes streams of `prior` events.
    async fn fill(&self, streams: &[Uuid], prior: usize) {
        let Person { user, organization, .. } = self.people[0];
        for stream in streams {
            let mut work = self.filler.begin(self.people[0].header());
            let events = RegisterEvent::lines(prior, user, organization);
            work.record::<Register>(*stream, events).await.expect("recordable");
            work.commit(Value::Null).await.expect("the stream is filled");
        }
    }
}

#[async_trait]
impl Variant for Rollcall {
    fn name(&self) -> &'static str {
        "rollcall"
    }

    fn describe(&self) -> String {
        format!("the journal, four guards to a command, {CONNECTIONS} connections")
    }

    async fn run(&self, load: Load, time: Duration) -> Measured {
        let streams = load.streams();
        self.fill(&streams, load.prior).await;
        let (journal, people) = (self.journal.clone(), Arc::clone(&self.people));
        drive(load, time, streams, move |sent| {
            people[sent.client % PEOPLE].enters(journal.clone(), sent.stream)
        })
        .await
    }
}

impl Person {
    fn header(self) -> Header {
        let command_id = Uuid::now_v7();
        Header {
            tenant: self.tenant,
            actor: Actor::user(self.user),
            organization: Some(self.organization),
            session: Some(self.session),
            client_address: None,
            correlation_id: command_id,
            causation_id: None,
            command_id,
            request_hash: [1; 32],
            policy_version: 1,
            reason: None,
            occurred_at: Utc::now(),
            command: "Enter",
        }
    }

    /// The command measured.
    async fn enters(self, journal: Journal, stream: Uuid) {
        let mut work = journal.begin(self.header());
        work.load::<Session>(self.session).await.expect("the session loads");
        let membership = MembershipId::of(self.tenant, self.user, self.organization);
        work.load::<Membership>(membership).await.expect("the membership loads");
        let policies = work.load::<PolicyHistory>(self.tenant.policy_stream()).await;
        let policies = policies.expect("the policy loads");
        let now = work.now();
        let (_, policy) = policies.at(now);
        let decision = Decision { now, actor: Actor::user(self.user), policy };
        let command = Enter { user: self.user, organization: self.organization };
        work.decide::<Register>(stream, &decision, command).await.expect("it is allowed");
        work.commit(json!({ "ok": stream })).await.expect("it is appended");
    }

    async fn begins_the_tenant(self, journal: &Journal) {
        let reason = Reason::parse("The tenant begins.").expect("a valid reason");
        let apply = PolicyCommand::ApplyPreset {
            preset: Preset::MediCal,
            effective_at: None,
            reason: Sealed::new(SubjectId(self.tenant.0), reason),
        };
        let mut work = journal.begin(self.header());
        let policy = Preset::MediCal.into();
        let decision = Decision { now: work.now(), actor: Actor::SYSTEM, policy: &policy };
        let stream = self.tenant.policy_stream();
        work.decide::<PolicyHistory>(stream, &decision, apply).await.expect("it is allowed");
        done(work).await;
    }

    async fn signs_in(self, journal: &Journal) {
        let mut work = journal.begin(self.header());
        let policy = Preset::MediCal.into();
        let decision = Decision { now: work.now(), actor: Actor::SYSTEM, policy: &policy };
        let start = SessionCommand::StartSession {
            user: self.user,
            method: LoginMethod::Password,
            organization: Some(self.organization),
            absolute_expires_at: work.now() + TimeDelta::hours(12),
            must_change_password: false,
            must_enrol: false,
        };
        work.decide::<Session>(self.session, &decision, start).await.expect("it is allowed");
        let key = MembershipKey { user: self.user, organization: self.organization };
        let membership = MembershipId::of(self.tenant, self.user, self.organization);
        for grant in MembershipCommand::grant_everything(key) {
            let granted = work.decide::<Membership>(membership, &decision, grant).await;
            granted.expect("it is allowed");
        }
        done(work).await;
    }
}

async fn done(work: Work) {
    work.commit(Value::Null).await.expect("it is appended");
}
