//! A service under test and the clients that drive it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use rollcall_api::{
    config::Config,
    http::TrustedDocuments,
    postgres::volatile,
    proxies::TrustedProxies,
    service::{Ground, Service, ServiceClock},
    witness::WitnessConfig,
};
use rollcall_commands::post::{SmtpConfig, TelephoneConfig};
use rollcall_domain::{
    Decider, Sealed,
    kernel::ids::{SubjectId, TenantId},
    organizations::{Organization, organization::RosterCommand},
    policies::{PolicyCommand, PolicyHistory, PolicyKey, PolicyValue, Preset},
    values::Reason,
};
use rollcall_journal::{InjectedClock, Lag, MasterKey, Progress, upcast::Upcasters};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    database,
    seed::{self, Company, Person, World},
};

/// When every test begins: a Monday morning in California, far from any change of the clock.
fn beginning() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 12, 17, 0, 0).unwrap()
}

/// A running service with its own database, clock and mailbox.
pub struct Portal {
    /// The seeded tenant; an empty portal has none.
    world: Option<World>,
    preset: Preset,
    pub clock: Arc<InjectedClock>,
    pub service: Service,
    database: String,
    /// Where the service keeps what is not in the database.
    folder: PathBuf,
    upcasters: Upcasters,
}

impl Portal {
    /// A service on an empty database.
    pub async fn empty() -> Self {
        Self::begin(Carriers::default(), Upcasters::default()).await
    }

    /// A service with a Medi-Cal tenant that sends its mail to this server.
    pub async fn with_smtp(url: &str) -> Self {
        let smtp = SmtpConfig { url: url.to_owned(), from: "portal@plan.example".to_owned() };
        let carriers = Carriers { smtp: Some(smtp), telephone: None };
        let portal = Self::begin(carriers, Upcasters::default()).await;
        portal.seed("medi-cal", Preset::MediCal).await
    }

    /// A service with a Medi-Cal tenant that texts and calls by this provider.
    pub async fn with_telephone(url: &str, from: &str) -> Self {
        let telephone = TelephoneConfig { url: url.to_owned(), from: from.to_owned() };
        let carriers = Carriers { smtp: None, telephone: Some(telephone) };
        let portal = Self::begin(carriers, Upcasters::default()).await;
        portal.seed("medi-cal", Preset::MediCal).await
    }

    /// A service with a Medi-Cal tenant for which some events are of an old version.
    pub async fn with_old_events(upcasters: Upcasters) -> Self {
        Self::begin(Carriers::default(), upcasters).await.seed("medi-cal", Preset::MediCal).await
    }

    async fn begin(carriers: Carriers, upcasters: Upcasters) -> Self {
        Self::begin_on(database::fresh().await, carriers, upcasters).await
    }

    async fn begin_on(
        (name, options): (String, PgConnectOptions),
        carriers: Carriers,
        upcasters: Upcasters,
    ) -> Self {
        let folder = std::env::temp_dir().join(&name);
        let clock = Arc::new(InjectedClock::starting_at(beginning()));
        let process = Process {
            database: options,
            folder: folder.clone(),
            carriers,
            upcasters: upcasters.clone(),
            trusted_documents: TrustedDocuments::default(),
            witnesses: Vec::new(),
        };
        let service = process.start(&clock).await;
        let preset = Preset::Hardened;
        Self { world: None, preset, clock, service, database: name, folder, upcasters }
    }

    /// A second process of the same service: another journal and other caches on the same database.
    pub async fn another_process(&self) -> Service {
        self.another_process_trusting(TrustedDocuments::default()).await
    }

    /// The same, with documents that its operator trusts.
    pub async fn another_process_trusting(&self, trusted_documents: TrustedDocuments) -> Service {
        let database = volatile::connect_options(&self.database);
        let upcasters = self.upcasters.clone();
        let (folder, carriers) = (self.folder.clone(), Carriers::default());
        let witnesses = Vec::new();
        let process =
            Process { database, folder, carriers, upcasters, trusted_documents, witnesses };
        process.start(&self.clock).await
    }

    /// Stops the service and starts it again; a client of before goes on [`Client::through`] it.
    pub async fn restarted(self) -> Self {
        self.restarted_before(Vec::new()).await
    }

    /// The same, with witnesses of its log.
    pub async fn restarted_before(self, witnesses: Vec<WitnessConfig>) -> Self {
        let Self { world, preset, clock, service, database, folder, upcasters } = self;
        service.stop().await;
        let process = Process {
            database: volatile::connect_options(&database),
            folder: folder.clone(),
            carriers: Carriers::default(),
            upcasters: upcasters.clone(),
            trusted_documents: TrustedDocuments::default(),
            witnesses,
        };
        let service = process.start(&clock).await;
        Self { world, preset, clock, service, database, folder, upcasters }
    }

    /// A service with a Medi-Cal tenant, seeded thirty days ago.
    pub async fn medi_cal() -> Self {
        Self::seeded("medi-cal", Preset::MediCal).await
    }

    /// A service with a tenant of another preset. It is seeded once per run; each test has a copy.
    pub async fn seeded(slug: &str, preset: Preset) -> Self {
        let seeded = Box::pin(Seeded::once(slug, preset)).await;
        let database = database::clone_of(&seeded.database).await;
        let mut portal = Self::begin_on(database, Carriers::default(), Upcasters::default()).await;
        portal.world = Some(seeded.world);
        portal.preset = preset;
        portal
    }

    async fn seed(mut self, slug: &str, preset: Preset) -> Self {
        self.clock.set(beginning() - TimeDelta::days(30));
        self.world =
            Some(Box::pin(seed::world(&self.service.commands.journal, slug, preset)).await);
        self.preset = preset;
        self.settle().await;
        self.clock.set(beginning() - TimeDelta::days(1));
        seed::newcomer(&self.service.commands.journal, preset, self.world()).await;
        self.settle().await;
        self.clock.set(beginning());
        self
    }

    /// Lets an aggregate of the seeded tenant decide, where what leads there is not the matter.
    pub async fn decide<A: Decider>(&self, stream: impl Into<Uuid>, command: A::Command) {
        let journal = &self.service.commands.journal;
        seed::decide::<A>(journal, (self.world().tenant, self.preset), stream, command).await;
    }

    /// Gives one parameter of the seeded tenant's policy another value from now on.
    pub async fn change_policy(&self, key: PolicyKey, value: PolicyValue) {
        let tenant = self.world().tenant;
        let reason = Reason::parse("As the test needs it.").expect("a valid reason");
        let reason = Sealed::new(SubjectId(tenant.0), reason);
        let change = PolicyCommand::ChangePolicy { key, value, effective_at: None, reason };
        self.decide::<PolicyHistory>(tenant.policy_stream(), change).await;
    }

    /// A further tenant beside the first, to show that the two are apart.
    pub async fn another_tenant(&self, slug: &str, preset: Preset) -> World {
        let journal = &self.service.commands.journal;
        let world = Box::pin(seed::world(journal, slug, preset)).await;
        seed::newcomer(journal, preset, &world).await;
        world
    }

    /// The seeded tenant.
    #[track_caller]
    pub fn world(&self) -> &World {
        self.world.as_ref().expect("this portal was seeded")
    }

    /// A signed-in operator.
    pub async fn operator(&self) -> Client {
        let journal = &self.service.commands.journal;
        let person = seed::operator(journal).await;
        let token = seed::sign_in(journal, TenantId::OPERATIONS, Preset::Hardened, &person).await;
        self.visitor(TenantId::OPERATIONS_SLUG).with_token(&token)
    }

    /// A seeded person, signed in.
    pub async fn client(&self, who: &Person) -> Client {
        let world = self.world();
        self.client_in(world, self.preset, who).await
    }

    /// A person of another tenant, signed in there.
    pub async fn client_in(&self, world: &World, preset: Preset, who: &Person) -> Client {
        let journal = &self.service.commands.journal;
        let token = seed::sign_in(journal, world.tenant, preset, who).await;
        self.visitor(&world.slug).with_token(&token)
    }

    /// Somebody who joined the clinic and never set the first password.
    pub async fn somebody_without_password(&self) -> Person {
        let (journal, world) = (&self.service.commands.journal, self.world());
        seed::without_password(journal, world.tenant, self.preset, &world.clinic).await
    }

    /// Changes an organisation's roster without anybody's doing.
    pub async fn roster(&self, of: &Company, command: RosterCommand) {
        self.decide::<Organization>(of.id.0, command.into()).await;
    }

    /// A visitor of `tenant`.
    pub fn visitor(&self, tenant: &str) -> Client {
        Client {
            http: reqwest::Client::new(),
            url: format!("http://{}/graphql", self.service.address),
            progress: self.service.progress.clone(),
            tenant: Some(tenant.to_owned()),
            token: None,
            address: None,
        }
    }

    /// What a GET of `path` answers, as JSON.
    pub async fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.get_text(path).await).expect("the answer is JSON")
    }

    pub async fn get_text(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.service.address);
        let response = reqwest::get(url).await.expect("the service answers");
        response.text().await.expect("the answer is text")
    }

    /// The seeded tenant's last position.
    pub async fn position(&self) -> i64 {
        let tenant = self.world().tenant;
        self.service.commands.journal.tenant_position(tenant).await.expect("the journal answers")
    }

    /// The service's database, as the user that migrates.
    pub fn database(&self) -> PgConnectOptions {
        volatile::connect_options(&self.database)
    }

    /// Stops the service, copies its database and starts it again: the copy's name.
    pub async fn backed_up(self) -> (Self, String) {
        let database = self.database.clone();
        let mut copy = String::new();
        let portal = Box::pin(self.resumed(database.clone(), async || {
            (copy, _) = database::clone_of(&database).await;
        }));
        let portal = portal.await;
        (portal, copy)
    }

    /// Stops the service and starts it on an older copy of its database, with the same data folder.
    pub async fn restored(self, copy: String) -> Self {
        let former = self.database.clone();
        Box::pin(self.resumed(copy, async || database::drop(&former).await)).await
    }

    async fn resumed(self, database: String, meanwhile: impl AsyncFnOnce()) -> Self {
        let Self { world, preset, clock, service, folder, upcasters, .. } = self;
        service.stop().await;
        meanwhile().await;
        let process = Process {
            database: volatile::connect_options(&database),
            folder: folder.clone(),
            carriers: Carriers::default(),
            upcasters: upcasters.clone(),
            trusted_documents: TrustedDocuments::default(),
            witnesses: Vec::new(),
        };
        let service = process.start(&clock).await;
        Self { world, preset, clock, service, database, folder, upcasters }
    }

    /// What its clock shows.
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        rollcall_journal::Clock::now(&*self.clock)
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.service.background.wake();
    }

    /// The service's data folder.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Ends a portal whose log was tampered with: what its projections say of it is no fault.
    pub async fn abandon(self) {
        self.service.stop().await;
        database::drop(&self.database).await;
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// Stops the service and drops its database; fails when a projection stands still.
    pub async fn finish(self) {
        let lags = self.service.progress.lag().await.expect("lag can be read");
        assert!(lags.iter().all(|lag| !lag.is_stalled()), "a projection is stalled: {lags:?}");
        self.service.stop().await;
        database::drop(&self.database).await;
        // Tests that sent nothing have no folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A seeded tenant, read to the end by all projections, in a database to copy.
#[derive(Clone)]
struct Seeded {
    world: World,
    database: String,
}

impl Seeded {
    async fn once(slug: &str, preset: Preset) -> Self {
        static MADE: Mutex<BTreeMap<String, Arc<OnceCell<Seeded>>>> = Mutex::new(BTreeMap::new());
        let key = format!("{slug} {preset:?}");
        let cell = Arc::clone(MADE.lock().expect("nobody panics here").entry(key).or_default());
        cell.get_or_init(|| Self::make(slug, preset)).await.clone()
    }

    async fn make(slug: &str, preset: Preset) -> Self {
        let portal = Portal::empty().await.seed(slug, preset).await;
        let world = portal.world().clone();
        portal.service.stop().await;
        let _ = std::fs::remove_dir_all(&portal.folder);
        Self { world, database: portal.database }
    }
}

/// Who carries messages; the local mailbox where nobody does.
#[derive(Default)]
struct Carriers {
    smtp: Option<SmtpConfig>,
    telephone: Option<TelephoneConfig>,
}

/// What one process of the service is started with.
struct Process {
    database: PgConnectOptions,
    folder: PathBuf,
    carriers: Carriers,
    upcasters: Upcasters,
    trusted_documents: TrustedDocuments,
    witnesses: Vec<WitnessConfig>,
}

impl Process {
    async fn start(self, clock: &Arc<InjectedClock>) -> Service {
        let config = Config {
            database_url: None,
            data_dir: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: "https://portal.test".to_owned(),
            production: false,
            allow_managed: false,
            demo: false,
            dev: true,
            tenant_hosts: Default::default(),
            trusted_proxies: TrustedProxies::read("127.0.0.1").expect("an address"),
            smtp: self.carriers.smtp,
            telephone: self.carriers.telephone,
            trusted_documents: self.trusted_documents,
            witnesses: self.witnesses,
        };
        let ground = Ground {
            config,
            database: self.database,
            folder: self.folder,
            master_key: MasterKey::from_bytes([7; 32]),
            clock: ServiceClock::Injected(Arc::clone(clock)),
            upcasters: self.upcasters,
        };
        Service::start(ground).await.expect("the service starts")
    }
}

/// Somebody who sends GraphQL.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    progress: Progress,
    pub tenant: Option<String>,
    pub token: Option<String>,
    /// Where a proxy in front of the service says that it is.
    address: Option<&'static str>,
}

impl Client {
    /// The same person elsewhere.
    pub fn from(&self, address: &'static str) -> Self {
        Self { address: Some(address), ..self.clone() }
    }

    /// The same person, signed in.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same person through another process.
    pub fn through(&self, service: &Service) -> Self {
        let url = format!("http://{}/graphql", service.address);
        Self { url, progress: service.progress.clone(), ..self.clone() }
    }

    /// Where the process is that it talks to.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches("/graphql")
    }

    /// Waits until everything written so far can be read, or it is clear that it cannot.
    async fn follow(&self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        let lags = self.progress.lag().await.unwrap_or_default();
        if lags.iter().any(Lag::is_stalled) {
            return;
        }
        let heads: BTreeMap<_, _> = lags.iter().map(|lag| (lag.tenant, lag.head)).collect();
        for (tenant, head) in heads {
            let _ = self.progress.wait(rollcall_projections::NAMES, tenant, head, PATIENCE).await;
        }
    }

    /// Sends a document with variables. What reads, reads what was written before.
    pub async fn send(&self, document: &str, variables: Value) -> Answer {
        let takes_away = ["exportAudit", "requestEvidence"];
        if !document.starts_with("mutation") || takes_away.iter().any(|it| document.contains(it)) {
            self.follow().await;
        }
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": document, "variables": variables }));
        if let Some(tenant) = &self.tenant {
            request = request.header("rollcall-tenant", tenant);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(address) = self.address {
            request = request.header("x-forwarded-for", address);
        }
        let response = request.send().await.expect("the service answers");
        let status = response.status().as_u16();
        let body = response.json().await.expect("the answer is JSON");
        Answer { status, body }
    }
}

/// A GraphQL response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// `data`, when there is no error at all.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(self.body.get("errors").is_none(), "unexpected errors: {}", self.body);
        &self.body["data"]
    }

    /// The payload of the only mutation, when it was not refused.
    #[track_caller]
    pub fn done(&self) -> &Value {
        let payload = self.payload();
        assert_eq!(payload["userErrors"], json!([]), "refused: {payload}");
        payload
    }

    /// The code of the only userError.
    #[track_caller]
    pub fn refused(&self) -> &str {
        let errors = self.payload()["userErrors"].as_array().expect("userErrors were selected");
        assert_eq!(errors.len(), 1, "expected one refusal: {}", self.body);
        errors[0]["code"].as_str().expect("a refusal has a code")
    }

    /// `extensions.code` of the first top-level error.
    #[track_caller]
    pub fn error_code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| {
            panic!("expected a top-level error: {}", self.body);
        })
    }

    #[track_caller]
    fn payload(&self) -> &Value {
        let fields = self.data().as_object().expect("data is an object");
        assert_eq!(fields.len(), 1, "expected one mutation: {}", self.body);
        fields.values().next().expect("one field")
    }
}
