//! The demonstration: two tenants with two years of history, made by ordinary commands under the
//! injected clock.
//!
//! Invariant: seeded once. `demo.json` is written when everything is there; a log that has events
//! and no `demo.json` was seeded half, and says so instead of going on.

mod cast;
mod firms;
mod hospitals;
mod opening;
mod stage;
mod years;

use std::{fs, path::Path, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_commands::Commands;
use rollcall_domain::{kernel::ids::TenantId, policies::Preset, tenants::PlanRole};
use rollcall_journal::InjectedClock;
use serde_json::{Value, json};

use self::{
    cast::character,
    firms::Firm,
    opening::Official,
    stage::{PASSWORD, Stage, StepError},
    years::{Casting, Outcome},
};

/// The first tenant's slug.
pub const MEDI_CAL: &str = "medi-cal-demo";
/// The second tenant's.
pub const CENCAL: &str = "cencal-demo";

/// Where the sign-ins are written.
pub const FILE: &str = "demo.json";

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(
        "this database has events but no {FILE}: the demonstration was interrupted while it was made. Remove the data folder {0} and start again"
    )]
    HalfSeeded(String),
    #[error("cannot write {FILE}: {0}")]
    File(#[from] std::io::Error),
}

/// Seeds an empty log. Answers the content of `demo.json`, also when it was seeded before.
///
/// # Errors
/// See [`DemoError`].
pub async fn seed(
    commands: &Commands,
    clock: &Arc<InjectedClock>,
    folder: &Path,
    is_empty: bool,
) -> Result<Value, DemoError> {
    let file = folder.join(FILE);
    if !is_empty {
        return match fs::read_to_string(&file) {
            Ok(text) => Ok(serde_json::from_str(&text).unwrap_or_default()),
            Err(_) => Err(DemoError::HalfSeeded(folder.display().to_string())),
        };
    }
    let stage = Stage {
        commands: commands.clone(),
        clock: Arc::clone(clock),
        tenant: TenantId::OPERATIONS,
    };
    let begin = stage.now();
    let content = play(&stage, begin).await?;
    let now = Utc::now();
    clock.set(stage.now().max(now));
    clock.run();
    write_private(&file, &serde_json::to_string_pretty(&content).unwrap_or_default())?;
    Ok(content)
}

/// Shows a sign-in of each role of the first portal.
pub fn print_sign_ins(content: &Value) {
    let mut shown = std::collections::BTreeSet::new();
    for tenant in content["tenants"].as_array().into_iter().flatten() {
        let slug = tenant["slug"].as_str().unwrap_or_default();
        for person in tenant["people"].as_array().into_iter().flatten() {
            let role = person["role"].as_str().unwrap_or_default();
            if shown.insert(role.to_owned()) {
                let identifier = person["identifier"].as_str().unwrap_or_default();
                let password = person["password"].as_str().unwrap_or_default();
                println!("  {role:<20} {slug:<16} {identifier:<44} {password}");
            }
        }
    }
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut out =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    out.write_all(text.as_bytes())
}

/// Moves the clock to a day of the story; it never goes back.
fn on_day(stage: &Stage, begin: DateTime<Utc>, day: i64) {
    let moment = begin + TimeDelta::days(day);
    if moment > stage.now() {
        stage.clock.set(moment);
    }
}

async fn play(stage: &Stage, begin: DateTime<Utc>) -> Result<Value, StepError> {
    let operator = character(250, "operator");
    let operations = opening::operator(stage, &operator).await?;
    let administrators = [character(200, "plan"), character(201, "plan")];
    let (portal, mut officials) = opening::portal(
        stage,
        &operations,
        MEDI_CAL,
        "Medi-Cal Demonstration Portal",
        Preset::MediCal,
        administrators,
    )
    .await?;
    let firms = medi_cal(&portal, begin, &mut officials).await?;
    let operations = stage.of(TenantId::OPERATIONS_SLUG).sign_in(&operator.email).await?;
    let (second, second_officials, second_firms) = cencal(stage, &operations).await?;
    Ok(json!({
        "tenants": [
            {
                "slug": TenantId::OPERATIONS_SLUG, "preset": "hardened", "organizations": [],
                "people": [person("OPERATOR", &operator.email, None)],
            },
            tenant(&portal, MEDI_CAL, Preset::MediCal, &officials, &firms).await?,
            tenant(&second, CENCAL, Preset::Cencal, &second_officials, &second_firms).await?,
        ]
    }))
}

async fn medi_cal(
    portal: &Stage,
    begin: DateTime<Utc>,
    officials: &mut Vec<Official>,
) -> Result<Vec<Firm>, StepError> {
    let admin_email = officials[0].who.email.clone();
    on_day(portal, begin, 1);
    let admin = portal.sign_in(&admin_email).await?;
    opening::keep_the_absent(portal, &admin).await?;
    let roles =
        [PlanRole::Ps, PlanRole::Ps, PlanRole::Au, PlanRole::Au, PlanRole::Qi, PlanRole::Ce];
    for (n, role) in roles.into_iter().enumerate() {
        let who = character(202 + n, "plan");
        officials.push(opening::official(portal, &admin, role, who).await?);
    }
    let mut firms = opening::enrol(portal, &admin).await?;
    let mut casting = Casting::new();
    // The invented organisations come first, then every fourth hospital; the others stay on file.
    let invented = firms.iter().filter(|firm| firm.fictional).count();
    let joining: Vec<usize> = (0..firms.len())
        .filter(|n| firms[*n].fictional || (*n - invented).is_multiple_of(4))
        .collect();
    for (turn, n) in joining.iter().enumerate() {
        on_day(portal, begin, 5 + 6 * i64::try_from(turn).unwrap_or(0));
        let admin = portal.sign_in(&admin_email).await?;
        years::open(portal, &admin, &mut firms[*n], &mut casting).await?;
        let people = if firms[*n].fictional { 10 } else { 8 };
        years::staff(portal, &mut firms[*n], &mut casting, people).await?;
    }
    history(portal, begin, &mut firms, &mut casting).await?;
    Ok(firms)
}

/// Seven quarters at the invented organisations, with affiliations between them.
async fn history(
    portal: &Stage,
    begin: DateTime<Utc>,
    firms: &mut [Firm],
    casting: &mut Casting,
) -> Result<(), StepError> {
    let providers: Vec<usize> = indexes(firms, "PROVIDER");
    let submitters: Vec<usize> = indexes(firms, "SUBMITTER");
    for number in 0..6 {
        on_day(portal, begin, 160 + 90 * i64::try_from(number).unwrap_or(0));
        let provider = providers[number % providers.len()];
        years::quarter(portal, &mut firms[provider], casting, number).await?;
        years::bad_day(portal, &firms[providers[(number + 1) % providers.len()]]).await?;
        let outcome = [Outcome::Approved, Outcome::Denied, Outcome::Terminated][number % 3];
        let submitter = submitters[number % submitters.len()];
        years::affiliate(portal, &firms[submitter], &firms[provider], outcome).await?;
    }
    // What is still open today began in the last days.
    on_day(portal, begin, 724);
    for (n, submitter) in submitters.iter().enumerate() {
        let provider = &firms[providers[(n + 1) % providers.len()]];
        years::affiliate(portal, &firms[*submitter], provider, Outcome::Pending).await?;
    }
    years::unanswered(portal, &firms[providers[0]], casting).await?;
    years::unanswered(portal, &firms[providers[1]], casting).await
}

fn indexes(firms: &[Firm], kind: &str) -> Vec<usize> {
    (0..firms.len()).filter(|n| firms[*n].fictional && firms[*n].kind == kind).collect()
}

/// The second tenant, which shows that the two are apart.
async fn cencal(
    stage: &Stage,
    operator: &rollcall_commands::Caller,
) -> Result<(Stage, Vec<Official>, Vec<Firm>), StepError> {
    let administrators = [character(240, "cencal-plan"), character(241, "cencal-plan")];
    let (portal, mut officials) = opening::portal(
        stage,
        operator,
        CENCAL,
        "CenCal Demonstration Portal",
        Preset::Cencal,
        administrators,
    )
    .await?;
    let admin = portal.sign_in(&officials[0].who.email).await?;
    opening::keep_the_absent(&portal, &admin).await?;
    let auditor = character(242, "cencal-plan");
    officials.push(opening::official(&portal, &admin, PlanRole::Au, auditor).await?);
    let firms = opening::enrol_second(&portal, &admin).await?;
    Ok((portal, officials, firms))
}

fn person(role: &str, identifier: &str, organization: Option<&Firm>) -> Value {
    json!({
        "role": role,
        "identifier": identifier,
        "password": PASSWORD,
        "organization": organization.map(|firm| firm.id.to_string()),
    })
}

async fn tenant(
    stage: &Stage,
    slug: &str,
    preset: Preset,
    officials: &[Official],
    firms: &[Firm],
) -> Result<Value, StepError> {
    let mut people = Vec::new();
    for official in officials {
        let identifier = stage.identifier(&official.who.email).await?;
        people.push(person(official.role.as_str(), &identifier, None));
    }
    for firm in firms {
        // The parts of `years::part`, in the order in which people joined.
        let provider = ["ORGANIZATION_ADMIN", "", "PROCESSOR", "NPI_ADMIN"];
        let submitter = ["SUBMITTER_ADMIN"];
        let roles = if firm.kind == "PROVIDER" { &provider[..] } else { &submitter[..] };
        for (role, member) in roles.iter().zip(&firm.members).filter(|(role, _)| !role.is_empty()) {
            let identifier = stage.identifier(&member.who.email).await?;
            people.push(person(role, &identifier, Some(firm)));
        }
    }
    let organizations: Vec<Value> = firms
        .iter()
        .map(|firm| json!({ "id": firm.id.to_string(), "name": firm.name, "kinds": [firm.kind] }))
        .collect();
    Ok(json!({
        "slug": slug,
        "id": stage.tenant.to_string(),
        "preset": preset.name(),
        "organizations": organizations,
        "people": people,
    }))
}
