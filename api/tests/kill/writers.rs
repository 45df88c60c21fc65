//! 64 writers in a process of their own: this program, run again. Each acknowledged command is told
//! to whoever started it, in a line that leaves the process before the next command begins.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use chrono::Utc;
use rollcall_domain::{
    Actor, Code, Decider, Decision, Refusal, Sealed,
    kernel::ids::{SubjectId, TenantId, UserId},
    policies::{Policy, PolicyCommand, PolicyHistory, Preset},
    tenants::{Tenant, TenantCommand},
    users::user::{Registration, User, UserCommand},
    values::{CodeChannel, EmailAddress, OrganizationName, PersonName, PhoneNumber, Reason, Slug},
};
use rollcall_journal::{
    CommitError, Header, Journal, JournalConfig, SystemClock, Work, WorkError, pools,
};
use serde_json::json;
use uuid::Uuid;

use crate::ground::{self, Ground, within};

const WRITERS: usize = 64;
const SLUGS: [&str; 2] = ["first", "second"];
const FOLDER: &str = "ROLLCALL_KILL_WRITE_TO";
/// Mails take their time: a few of them will do.
const CHANGES_ONE_IN: u32 = 8;
/// Between attempts while nobody answers.
const PAUSE: Duration = Duration::from_millis(50);

/// A command that was said to be committed.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    pub tenant: Uuid,
    pub command: Uuid,
    pub position: i64,
}

/// The process of the writers, seen from the test.
pub struct Writers {
    process: Child,
    count: Arc<AtomicUsize>,
    listener: Option<JoinHandle<Vec<Acknowledged>>>,
}

impl Writers {
    pub fn start(ground: &Ground) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program has a path"))
            .env(FOLDER, ground.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the writers start");
        let lines = BufReader::new(process.stdout.take().expect("it was piped")).lines();
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let listener = thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            let heard = lines.filter_map(|line| parse(&line));
            heard.inspect(|_| _ = counter.fetch_add(1, Ordering::Relaxed)).collect()
        });
        Self { process, count, listener: Some(listener) }
    }

    /// Waits until commands are being acknowledged, and `time` longer.
    pub fn work_for(&self, time: Duration) {
        let enough = self.count.load(Ordering::Relaxed) + WRITERS;
        within(Duration::from_secs(60), "the writers get on", || {
            (self.count.load(Ordering::Relaxed) > enough).then_some(())
        });
        thread::sleep(time);
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().expect("the writers were running");
        self.process.wait().expect("the writers are ours");
    }

    /// What was acknowledged until the end.
    pub fn acknowledged(&mut self) -> Vec<Acknowledged> {
        let listener = self.listener.take().expect("asked once");
        listener.join().expect("the listener ends with the process")
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        // Only after a failure are they still running.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A line that was cut off by the kill is no acknowledgement.
fn parse(line: &str) -> Option<Acknowledged> {
    let mut words = line.strip_suffix('.')?.split(' ');
    let tenant = words.next()?.parse().ok()?;
    let command = words.next()?.parse().ok()?;
    Some(Acknowledged { tenant, command, position: words.next()?.parse().ok()? })
}

/// Whether this process is that of the writers, and where their service's folder is.
pub fn told_to_write() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Writes until killed.
pub fn write(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        let journal = open(folder).await;
        let mut writers = tokio::task::JoinSet::new();
        for nth in 0..WRITERS {
            let tenant = TenantId::of_slug(SLUGS[nth % SLUGS.len()]);
            writers.spawn(write_on(journal.clone(), tenant));
        }
        if let Some(ended) = writers.join_next().await {
            ended.expect("a writer goes on for ever");
        }
    });
}

async fn open(folder: &Path) -> Journal {
    loop {
        let opened = async {
            let writer = pools::writer(ground::database(folder), 16).await?;
            let master = ground::master_key(folder);
            let clock = Arc::new(SystemClock);
            let config =
                JournalConfig { writer, master, clock, injected_time: false, cache_states: 10_000 };
            let journal = Journal::open(config).await?;
            for slug in SLUGS {
                begin_tenant(&journal, slug).await?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(journal)
        };
        match opened.await {
            Ok(journal) => return journal,
            Err(error) => eprintln!("the writers cannot begin yet: {error}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A tenant with its policy, which every command relies on; an earlier process may have made it.
async fn begin_tenant(journal: &Journal, slug: &str) -> Result<(), CommitError> {
    let tenant = TenantId::of_slug(slug);
    let mut work = journal.begin(header(tenant, tenant.derive("kill", "begin")));
    if work.load::<Tenant>(tenant.0).await?.profile().is_some() {
        return Ok(());
    }
    let create = TenantCommand::CreateTenant {
        tenant,
        slug: Slug::parse(slug).expect("a valid slug"),
        name: OrganizationName::parse(slug).expect("a valid name"),
        preset: Preset::MediCal,
        administrators_required: 2,
    };
    decide::<Tenant>(&mut work, tenant.0, create).await?;
    let reason = Reason::parse("The tenant begins.").expect("a valid reason");
    let apply = PolicyCommand::ApplyPreset {
        preset: Preset::MediCal,
        effective_at: None,
        reason: Sealed::new(SubjectId(tenant.0), reason),
    };
    decide::<PolicyHistory>(&mut work, tenant.policy_stream(), apply).await?;
    match work.commit(json!({})).await {
        Ok(_) | Err(CommitError::Duplicate(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// People register, and some change their number, of which they are told by mail.
async fn write_on(journal: Journal, tenant: TenantId) {
    for nth in 0_u32.. {
        let user = UserId(Uuid::now_v7());
        carry_out(&journal, tenant, user, &register(user)).await;
        if nth % CHANGES_ONE_IN == 0 {
            let change = UserCommand::ChangePhone { mobile: number(nth + 1) };
            carry_out(&journal, tenant, user, &change).await;
        }
    }
}

/// Sends one command, under one id, until it is acknowledged.
async fn carry_out(journal: &Journal, tenant: TenantId, user: UserId, command: &UserCommand) {
    let id = Uuid::now_v7();
    loop {
        match attempt(journal, tenant, user, (id, command)).await {
            Ok(position) => return tell(tenant, id, position),
            // It was committed although nobody could say so: acknowledged only now.
            Err(CommitError::Duplicate(stored)) => return tell(tenant, id, stored.position),
            Err(CommitError::Conflict { .. } | CommitError::Journal(_)) => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error @ CommitError::Taken(_)) => panic!("ids are unique: {error:?}"),
        }
    }
}

/// One write, so that lines stay whole. A pipe that is gone means that the test is over.
fn tell(tenant: TenantId, id: Uuid, position: i64) {
    let line = format!("{tenant} {id} {position}.\n");
    let mut listener = std::io::stdout().lock();
    listener.write_all(line.as_bytes()).and_then(|()| listener.flush()).expect("somebody listens");
}

async fn attempt(
    journal: &Journal,
    tenant: TenantId,
    user: UserId,
    (id, command): (Uuid, &UserCommand),
) -> Result<i64, CommitError> {
    if let Some(stored) = journal.stored_result(tenant, id).await? {
        return Err(CommitError::Duplicate(stored));
    }
    let mut work = journal.begin(header(tenant, id));
    work.load::<PolicyHistory>(tenant.policy_stream()).await?;
    if let UserCommand::RegisterUser(registration) = command {
        let taken = Refusal::new(Code::EmailTaken, "Registered twice.");
        work.reserve("email", &registration.email.key(), user.0, taken);
        work.vault_put("password", user.0, b"not a password");
    }
    decide::<User>(&mut work, user.0, command.clone()).await?;
    Ok(work.commit(json!({ "ok": user })).await?.position)
}

async fn decide<A: Decider>(
    work: &mut Work,
    id: Uuid,
    command: A::Command,
) -> Result<(), CommitError> {
    let policy = Policy::from(Preset::MediCal);
    let decision = Decision { now: work.now(), actor: Actor::SYSTEM, policy: &policy };
    match work.decide::<A>(id, &decision, command).await {
        Ok(_) => Ok(()),
        Err(WorkError::Journal(error)) => Err(error.into()),
        Err(WorkError::Refused(refusal)) => panic!("the domain refused: {refusal:?}"),
    }
}

fn register(user: UserId) -> UserCommand {
    let email = format!("{}@kill.example", user.0.simple());
    UserCommand::RegisterUser(Box::new(Registration {
        user,
        email: EmailAddress::parse(&email).expect("a valid address"),
        first_name: PersonName::parse("Kim").expect("a valid name"),
        last_name: PersonName::parse("Lee").expect("a valid name"),
        mobile: number(0),
        business_phone: None,
        username: None,
        preferred_channel: CodeChannel::Sms,
    }))
}

fn number(nth: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1202555{:04}", 100 + nth % 90)).expect("a valid number")
}

fn header(tenant: TenantId, command_id: Uuid) -> Header {
    Header {
        tenant,
        actor: Actor::SYSTEM,
        organization: None,
        session: None,
        client_address: None,
        correlation_id: command_id,
        causation_id: None,
        command_id,
        request_hash: [0; 32],
        policy_version: 1,
        reason: None,
        occurred_at: Utc::now(),
        command: "Kill",
    }
}
