//! A portal with a history: organisations, their people, and what these did day by day.
//!
//! Invariant: everything is decided by the domain and appended by the journal, and nothing lies in
//! the future of whoever asks about it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use rollcall_domain::{
    kernel::ids::{MembershipId, SessionId, TenantId, VaultRef},
    organizations::OrganizationKind,
    permissions::{
        Cause, Membership, MembershipCommand, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange},
    },
    pins::{Pin, PinCommand, ResetBy},
    policies::Preset,
    sessions::{LoginMethod, Session, SessionCommand},
    users::credential::{Credential, CredentialCommand, LoginAttempt},
    values::Npi,
};
use rollcall_journal::{InjectedClock, Journal, JournalConfig, MasterKey, pools, schema};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use super::seed::{self, Company, Person, Seeder, World};

pub const SLUG: &str = "reads";
const ORGANIZATIONS: usize = 200;
/// A hospital where two hundred people work; the others are practices.
const MEMBERS_OF_THE_FIRST: usize = 200;
const MEMBERS: usize = 9;
/// Days of work that make a hundred thousand events, about.
const DAYS: i64 = 16;
/// Organisations at the same time; their commits go together.
const AT_ONCE: usize = 8;
const FIRST_NAMES: [&str; 50] = [
    "Ada", "Alan", "Amy", "Ana", "Ben", "Bea", "Carl", "Cora", "Dan", "Dora", "Ed", "Ella", "Emil",
    "Eva", "Finn", "Flora", "Gus", "Greta", "Hal", "Hope", "Ian", "Ida", "Jack", "Jane", "Jim",
    "Joy", "Karl", "Kate", "Leo", "Lily", "Luke", "Mae", "Max", "Mia", "Ned", "Nina", "Oscar",
    "Olive", "Pete", "Pam", "Ray", "Rita", "Sam", "Sara", "Ted", "Tess", "Vic", "Vera", "Will",
    "Zoe",
];
const SURNAMES: [&str; 10] =
    ["Alder", "Birch", "Cedar", "Elm", "Hazel", "Linden", "Maple", "Oak", "Rowan", "Willow"];
const ENDINGS: [&str; 5] = ["ton", "son", "man", "well", "ford"];

#[derive(Clone)]
pub struct Population {
    pub master: MasterKey,
    pub world: World,
    pub practices: Vec<Practice>,
    pub events: i64,
}

/// An organisation and its people; the first is its administrator.
#[derive(Clone)]
pub struct Practice {
    pub company: Company,
    pub people: Vec<Person>,
}

impl Population {
    /// Makes a schema and records `events` events or a few more, the last of them before `end`.
    pub async fn record(database: &PgConnectOptions, events: i64, end: DateTime<Utc>) -> Self {
        schema::migrate(database).await.expect("the schema is made");
        let master = MasterKey::from_bytes([7; 32]);
        let days = DAYS * (events / 100_000 + 1);
        let clock = Arc::new(InjectedClock::starting_at(end - TimeDelta::days(days)));
        let config = JournalConfig {
            writer: pools::writer(database.clone(), 16).await.expect("the server answers"),
            master: master.clone(),
            clock: clock.clone(),
            injected_time: true,
            cache_states: 100_000,
        };
        let journal = Journal::open(config).await.expect("the log opens");
        let world = Box::pin(seed::world(&journal, SLUG, Preset::MediCal)).await;
        let practices: Vec<_> = stream::iter(0..ORGANIZATIONS)
            .map(|nth| Practice::enrol(&journal, nth))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut population = Self { master, world, practices, events: 0 };
        for day in 1..days {
            clock.set(end - TimeDelta::days(days - day));
            for some in population.practices.chunks(AT_ONCE) {
                stream::iter(some)
                    .for_each_concurrent(AT_ONCE, |practice| practice.works(&journal, day))
                    .await;
                let position = journal.tenant_position(population.world.tenant).await;
                population.events = position.expect("the log answers");
                if population.events >= events {
                    return population;
                }
            }
        }
        population
    }
}

impl Practice {
    async fn enrol(journal: &Journal, nth: usize) -> Self {
        let mut seeder = Seeder::begin(journal, TenantId::of_slug(SLUG), Preset::MediCal);
        let npis = [valid_npi(2 * nth), valid_npi(2 * nth + 1)];
        let npis: Vec<&str> = npis.iter().map(String::as_str).collect();
        let label = format!("Practice {nth}");
        let company = seeder.company(&label, OrganizationKind::Provider, &npis).await;
        let first = nth * (MEMBERS + 1) + if nth > 0 { MEMBERS_OF_THE_FIRST } else { 0 };
        let members = if nth > 0 { MEMBERS } else { MEMBERS_OF_THE_FIRST };
        seeder.people = first as u32;
        let (name, surname) = names(first);
        let mut people = vec![seeder.first_admin(&company, name, &surname).await];
        for member in 1..=members {
            let (name, surname) = names(first + member);
            let level = if member % 3 == 0 { NpiLevel::Admin } else { NpiLevel::Processor };
            people.push(seeder.member(&company, name, &surname, Some(level)).await);
        }
        seeder.commit().await;
        Self { company, people }
    }

    /// A day: everybody signs in, some at the second try, and out; the PINs are reset, somebody's level
    /// changes.
    async fn works(&self, journal: &Journal, day: i64) {
        let tenant = TenantId::of_slug(SLUG);
        let mut seeder = Seeder::begin(journal, tenant, Preset::MediCal);
        for (nth, person) in self.people.iter().enumerate() {
            let session = SessionId(Uuid::new_v4());
            let credential = tenant.credential_stream(person.user);
            let attempt = |matched| LoginAttempt {
                user: Some(person.user),
                session,
                matched,
                bar: None,
                challenge: None,
            };
            let mut attempts = vec![attempt(Some(seed::hash_ref(person.user)))];
            // Everybody mistypes the password at times.
            if (nth as i64 + day) % 10 == 0 {
                attempts.insert(0, attempt(None));
            }
            for attempt in attempts {
                let attempt = CredentialCommand::AttemptLogin(attempt);
                seeder.decide::<Credential>(credential, attempt).await;
            }
            let start = SessionCommand::StartSession {
                user: person.user,
                method: LoginMethod::Password,
                organization: person.organization,
                must_change_password: false,
                must_enrol: false,
                absolute_expires_at: journal.now() + TimeDelta::hours(12),
            };
            seeder.decide::<Session>(session.0, start).await;
            seeder.decide::<Session>(session.0, SessionCommand::SignOut).await;
        }
        for npi in self.npis() {
            let pin_ref = VaultRef(Uuid::new_v4());
            seeder.work.vault_put("pin", pin_ref.0, b"4711007");
            let organization = self.company.id;
            let by = ResetBy::User;
            let reset = PinCommand::ResetPin { organization, pin_ref, by, caller: None };
            seeder.decide::<Pin>(tenant.pin_stream(&npi), reset).await;
        }
        let person = &self.people[1 + day as usize % (self.people.len() - 1)];
        let of = MembershipKey { user: person.user, organization: self.company.id };
        let levels = [NpiLevel::Processor, NpiLevel::Admin];
        let change = |(nth, npi): (usize, Npi)| NpiChange {
            npi: NpiScope::One(npi),
            level: levels[(day as usize / MEMBERS + nth) % levels.len()],
            until: None,
        };
        let set = MembershipCommand::SetNpiPermissions {
            of,
            changes: self.npis().into_iter().enumerate().map(change).collect(),
            held: self.npis().into_iter().collect(),
            cause: Cause::Administrator,
        };
        let membership = MembershipId::of(tenant, person.user, self.company.id);
        seeder.decide::<Membership>(membership.0, set).await;
        seeder.commit().await;
    }

    fn npis(&self) -> Vec<Npi> {
        let npis = self.company.npis.iter();
        npis.map(|npi| Npi::parse(npi).expect("a valid NPI")).collect()
    }
}

/// Two thousand and five hundred people have names of their own.
fn names(nth: usize) -> (&'static str, String) {
    let family = nth / FIRST_NAMES.len();
    let surname = SURNAMES[family % SURNAMES.len()];
    let ending = ENDINGS[family / SURNAMES.len()];
    (FIRST_NAMES[nth % FIRST_NAMES.len()], format!("{surname}{ending}"))
}

/// The n-th NPI with a valid check digit.
fn valid_npi(nth: usize) -> String {
    (0..10)
        .map(|check| format!("1{:08}{check}", 40_000_000 + nth))
        .find(|npi| Npi::parse(npi).is_ok())
        .expect("one digit fits")
}
