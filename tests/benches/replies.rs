//! Whether the time of an answer tells a visitor which identifiers exist (GN-09).
//!
//! `cargo bench -p rollcall-tests --bench replies [-- tries=200]`
//!
//! Identifiers that exist and those that do not take turns, each used once, at the steps a visitor
//! can ask about: both of signing in (with a wrong password), a reset and a registration. Per step a
//! line with the medians and a two-sample Kolmogorov-Smirnov test of the times: `p` is how often two
//! samples of one distribution would lie as far apart as these. Below 0.01 the step tells.
//!
//! Invariant: the answers themselves are compared too, and must not differ but in ids they make up.

mod replies {
    #[path = "../append/ground.rs"]
    #[expect(dead_code, reason = "the other benchmarks need more of it")]
    pub mod ground;
    #[path = "../reads/population.rs"]
    pub mod population;
    #[path = "../reads/portal.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod portal;
    #[path = "../../acceptance/support/seed.rs"]
    #[expect(dead_code, reason = "the acceptance tests need more of it")]
    pub mod seed;
    pub mod two_samples;
}

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use chrono::Utc;
use replies::{ground::Ground, population::Population, portal::Portal, two_samples::Comparison};
use rollcall_commands::{
    authentication::Presented,
    organizations::{
        EnrolmentRow, ImportEnrolment, ImportOrigin,
        tokens::{IssueRegistrationToken, token_text},
    },
};
use rollcall_domain::policies::Preset;
use serde_json::{Value, json};
use uuid::Uuid;

/// Enough for a population of organisations whose people are the known identifiers.
const EVENTS: i64 = 6_000;
/// Tries from one address, below every limit on them.
const TRIES_PER_ADDRESS: usize = 50;
const WARM_UP: usize = 20;

const BEGIN: &str = "mutation($input: BeginLoginInput!) {
    beginLogin(input: $input) { loginId userErrors { code message } } }";
const COMPLETE: &str = "mutation($input: CompleteLoginInput!) {
    completeLogin(input: $input) { sessionToken userErrors { code message } } }";
const RESET: &str = "mutation($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { userErrors { code message } } }";
const REGISTER: &str = "mutation($input: StartOrganizationRegistrationInput!) {
    startOrganizationRegistration(input: $input) {
      registration { id step } userErrors { code message } } }";

fn main() {
    let tries = std::env::args().find_map(|argument| {
        let tries = argument.strip_prefix("tries=")?.to_owned();
        Some(tries.parse().expect("a number of tries"))
    });
    let ground = Ground::prepare();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(measure(tries.unwrap_or(200), &ground));
    runtime.shutdown_timeout(Duration::from_secs(5));
}

async fn measure(tries: usize, ground: &Ground) {
    let database = ground.database("replies", "").await;
    let population = Population::record(&database, EVENTS, Utc::now()).await;
    let portal = Portal::start(database, ground.folder(), population, None).await;
    let token = letter(&portal).await;
    let people = portal.population.practices.iter().flat_map(|practice| &practice.people);
    let known: Vec<_> = people.map(|person| person.email.clone()).take(WARM_UP + tries).collect();
    assert_eq!(known.len(), WARM_UP + tries, "there are fewer people than tries");

    println!("reply\tstep\ttries\tknown_p50_ms\tunknown_p50_ms\tks_distance\tp");
    let mut steps: [(&str, [Vec<f64>; 2]); 4] =
        ["beginLogin", "completeLogin", "requestPasswordReset", "startOrganizationRegistration"]
            .map(|step| (step, Default::default()));
    for (nth, email) in known.iter().enumerate() {
        let unknown = format!("nobody.{nth}@nowhere.example");
        // Neither of the two is always the first.
        let mut pair = [(0, email.as_str()), (1, unknown.as_str())];
        pair.rotate_left(nth % 2);
        let visitor = Visitor::from(nth, &portal);
        let mut answers = [Value::Null, Value::Null];
        for (which, identifier) in pair {
            let (times, answer) = visitor.tries(identifier, &token).await;
            answers[which] = answer;
            if nth >= WARM_UP {
                for ((_, samples), time) in steps.iter_mut().zip(times) {
                    samples[which].push(time.as_secs_f64() * 1e3);
                }
            }
        }
        assert_eq!(answers[0], answers[1], "the answer tells whether {email} exists");
    }
    for (step, [known, unknown]) in steps {
        let Comparison { medians, distance, p } = Comparison::of(known, unknown);
        let (known, unknown) = medians;
        println!("reply\t{step}\t{tries}\t{known:.2}\t{unknown:.2}\t{distance:.3}\t{p:.3}");
    }
    eprintln!("load average {}", ground.load_average());
    portal.service.stop().await;
}

/// The token on the letter to an organisation that nobody has registered.
async fn letter(portal: &Portal) -> String {
    let commands = &portal.service.commands;
    let world = &portal.population.world;
    let session =
        replies::seed::sign_in(&commands.journal, world.tenant, Preset::MediCal, &world.plan_admin);
    let session = session.await;
    let presented = Presented {
        token: &session,
        tenant: None,
        address: None,
        correlation_id: Uuid::new_v4(),
        is_activity: true,
    };
    let plan = commands.authenticate(presented).await.expect("a live session");
    let row = EnrolmentRow {
        organization: "Willow Clinic".into(),
        kinds: "PROVIDER".into(),
        tax_id_type: "EIN".into(),
        tax_id: "12-3456789".into(),
        pay_to_line1: "9 Elm St".into(),
        pay_to_city: "Fresno".into(),
        pay_to_state: "CA".into(),
        pay_to_zip: "93701".into(),
        contact_email: "office@willow.example".into(),
        npi: "2000000002".into(),
        provider_type: "GROUP".into(),
        community: "PHYSICIANS".into(),
        ..EnrolmentRow::default()
    };
    let import = ImportEnrolment {
        origin: ImportOrigin::Portal,
        file_sha256: "0".repeat(64),
        rows: vec![(2, row)],
    };
    let imported = commands.dispatch(&plan, None, &import).await.expect("it is put on file");
    let organization = imported.output[0].organization.expect("the row is good");
    let issue = IssueRegistrationToken { organization };
    let issued = commands.dispatch(&plan, None, &issue).await.expect("a token is issued");
    token_text(commands.journal.secrets(), issued.output.token)
}

/// Somebody without a session, at an address of their own.
struct Visitor {
    http: reqwest::Client,
    url: String,
    tenant: String,
}

impl Visitor {
    fn from(nth: usize, portal: &Portal) -> Self {
        let host = u8::try_from(2 + nth / TRIES_PER_ADDRESS % 250).expect("below 252");
        let http =
            reqwest::Client::builder().local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, host)));
        Self {
            http: http.build().expect("a client"),
            url: format!("http://{}/graphql", portal.service.address),
            tenant: portal.population.world.slug.clone(),
        }
    }

    /// Every step once: how long each took, and the answers without the ids they make up.
    async fn tries(&self, identifier: &str, token: &str) -> ([Duration; 4], Value) {
        // The connection is not what is measured.
        self.send("{ __typename }", Value::Null).await;
        let (begin, mut begun) = self.send(BEGIN, json!({ "identifier": identifier })).await;
        let login = begun["beginLogin"]["loginId"].take();
        let password = "Wrong-horse-battery-1!";
        let (complete, completed) =
            self.send(COMPLETE, json!({ "loginId": login, "password": password })).await;
        let (reset, requested) = self.send(RESET, json!({ "email": identifier })).await;
        let registration = json!({ "email": identifier, "token": token });
        let (register, mut registered) = self.send(REGISTER, registration).await;
        registered["startOrganizationRegistration"]["registration"]["id"].take();
        let answers = json!([begun, completed, requested, registered]);
        ([begin, complete, reset, register], answers)
    }

    async fn send(&self, document: &str, input: Value) -> (Duration, Value) {
        let request = self
            .http
            .post(&self.url)
            .header("accept", "application/graphql-response+json")
            .header("rollcall-tenant", &self.tenant)
            .json(&json!({ "query": document, "variables": { "input": input } }));
        let sent = Instant::now();
        let answer = request.send().await.expect("the service answers");
        let body = answer.bytes().await.expect("an answer has a body");
        (sent.elapsed(), replies::portal::data(&body))
    }
}
