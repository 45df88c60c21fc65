//! 64 clients that send mutations over HTTP, each its next one when the last was acknowledged.
//!
//! Invariant: a command whose outcome is unknown is sent again under the same idempotency key until
//! it is acknowledged, so in the end each has taken effect once or something is wrong.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rollcall_domain::kernel::ids::TenantId;
use serde_json::{Value, json};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};
use uuid::Uuid;

use crate::{
    ground::{Ground, within},
    portals::{self, Post},
};

const WRITERS: usize = 64;
/// Mails take their time, two commits each: a few of them will do.
const INVITES_ONE_IN: usize = 16;
/// Between attempts while nobody answers.
const PAUSE: Duration = Duration::from_millis(50);
/// An answer that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that was said to be carried out.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub tenant: TenantId,
    pub position: i64,
    pub effect: Effect,
}

/// What a command was to bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Somebody of this address is invited and gets mail.
    Invited(String),
    /// The permissions in this stream have changed.
    LevelSet(Uuid),
}

/// What the writers have been told.
#[derive(Default)]
pub struct Told {
    pub acknowledged: Vec<Acknowledged>,
    /// How many of them had been cut off before, their outcome unknown.
    pub cut_off: usize,
}

pub struct Writers {
    runtime: Runtime,
    stopping: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<Told>>,
}

impl Writers {
    /// Opens the portals and begins to write to them.
    pub fn start(ground: &Ground) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let posts = runtime.block_on(portals::open(ground.folder(), WRITERS));
        let http = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        let (stopping, count) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let begin = |(nth, post)| {
            let writer = Writer {
                nth,
                post,
                http: http.clone(),
                address: ground.address(),
                stopping: Arc::clone(&stopping),
                count: Arc::clone(&count),
            };
            runtime.spawn(writer.write())
        };
        let tasks = posts.into_iter().enumerate().map(begin).collect();
        Self { runtime, stopping, count, tasks }
    }

    /// Waits until commands are being acknowledged, and `time` longer.
    pub fn work_for(&self, time: Duration) {
        let enough = self.count.load(Ordering::Relaxed) + WRITERS;
        within(Duration::from_secs(60), "the writers get on", || {
            assert!(!self.tasks.iter().any(JoinHandle::is_finished), "a writer gave up");
            (self.count.load(Ordering::Relaxed) > enough).then_some(())
        });
        thread::sleep(time);
    }

    /// Lets everybody finish the command at hand; gives all that was acknowledged.
    pub fn finish(self) -> Told {
        self.stopping.store(true, Ordering::Relaxed);
        let mut all = Told::default();
        for task in self.tasks {
            let told = self.runtime.block_on(task).expect("no writer gives up");
            all.acknowledged.extend(told.acknowledged);
            all.cut_off += told.cut_off;
        }
        all
    }
}

struct Writer {
    nth: usize,
    post: Post,
    http: reqwest::Client,
    address: watch::Receiver<SocketAddr>,
    stopping: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
}

struct Mutation {
    document: &'static str,
    input: Value,
    effect: Effect,
}

impl Writer {
    async fn write(self) -> Told {
        let mut told = Told::default();
        for nth in 0.. {
            let mutation = self.mutation(nth);
            let position = self.carry_out(&mutation, &mut told.cut_off).await;
            self.count.fetch_add(1, Ordering::Relaxed);
            let (tenant, effect) = (self.post.tenant, mutation.effect.clone());
            told.acknowledged.push(Acknowledged { tenant, position, effect });
            if self.stopping.load(Ordering::Relaxed) {
                // Once more under the same key: the first answer comes again and nothing else.
                let again = self.carry_out(&mutation, &mut 0).await;
                assert_eq!(again, position, "a repetition took effect");
                break;
            }
        }
        told
    }

    /// The writer's `nth` command: in turns somebody is invited, and the level of one member for
    /// one NPI changes.
    fn mutation(&self, nth: usize) -> Mutation {
        let Post { organization, member, npi, .. } = &self.post;
        let key = format!("{}-{nth}", self.nth);
        if nth.is_multiple_of(INVITES_ONE_IN) {
            let address = format!("{key}@invited.example");
            return Mutation {
                document: "mutation($input: InviteUserInput!) { done: inviteUser(input: $input)
                             { position userErrors { code message } } }",
                input: json!({ "organizationId": organization, "email": address,
                               "firstName": "Kim", "lastName": "Lee", "mobile": "+12025550177",
                               "idempotencyKey": key }),
                effect: Effect::Invited(address),
            };
        }
        // Never what stands there already, also where an invitation lies in between.
        let level = ["ADMIN", "PROCESSOR", "NONE"][nth % 3];
        Mutation {
            document: "mutation($input: SetNpiPermissionsInput!)
                         { done: setNpiPermissions(input: $input)
                           { position userErrors { code message } } }",
            input: json!({ "organizationId": organization, "userId": member,
                           "permissions": [{ "npi": npi, "level": level }],
                           "idempotencyKey": key }),
            effect: Effect::LevelSet(self.post.membership()),
        }
    }

    /// Sends a command until it is acknowledged; answers its position.
    async fn carry_out(&self, mutation: &Mutation, cut_off: &mut usize) -> i64 {
        let mut unknown = false;
        loop {
            match self.attempt(mutation).await {
                Ok(position) => {
                    *cut_off += usize::from(unknown);
                    return position;
                }
                Err(NotDone::Conflict) => {}
                Err(NotDone::Unknown) => unknown = true,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn attempt(&self, mutation: &Mutation) -> Result<i64, NotDone> {
        let url = format!("http://{}/graphql", *self.address.borrow());
        let request = self
            .http
            .post(url)
            .header("accept", "application/graphql-response+json")
            .header("rollcall-tenant", &self.post.slug)
            .bearer_auth(&self.post.token)
            .json(&json!({ "query": mutation.document, "variables": { "input": mutation.input } }));
        let response = request.send().await.map_err(|_| NotDone::Unknown)?;
        let status = response.status();
        let body: Value = response.json().await.map_err(|_| NotDone::Unknown)?;
        let fault = body["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR";
        if fault || status.is_server_error() {
            return Err(NotDone::Unknown);
        }
        let done = &body["data"]["done"];
        if done["userErrors"][0]["code"] == "VERSION_CONFLICT" {
            return Err(NotDone::Conflict);
        }
        let position = done["position"].as_str().and_then(|position| position.parse().ok());
        Ok(position.unwrap_or_else(|| panic!("{} was refused: {body}", mutation.input)))
    }
}

/// Why a command is sent again.
enum NotDone {
    /// Others were faster; it was not carried out.
    Conflict,
    /// Nobody said what became of it.
    Unknown,
}
