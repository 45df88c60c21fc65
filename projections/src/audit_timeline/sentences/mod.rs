//! What happened, in plain English; one exhaustive match over all events, by context.
//!
//! Invariant: a sentence is rendered when it is asked for and never stored: names come from
//! [`Names`] alone, so an erased person is erased here too.

mod access_requests;
mod access_reviews;
mod accounts;
mod affiliations;
mod api_keys;
mod exports;
mod imports;
mod keeping;
mod messages;
mod organizations;
mod permissions;
mod plan;
mod registration;
mod right_use;

pub(crate) use api_keys::may;
pub(crate) use plan::role as plan_role;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, AnyEvent,
    kernel::{
        ActorKind,
        ids::{ApiKeyId, OrganizationId, UserId},
    },
    values::{CalendarDate, CodeChannel},
};
use serde::Serialize;
use uuid::Uuid;

/// The names that sentences need, read in one go for a whole page.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub people: HashMap<Uuid, String>,
    /// Who was erased.
    pub erased: HashSet<Uuid>,
    pub organizations: HashMap<Uuid, String>,
    /// Job roles, locations, tax ids and machines' keys.
    pub things: HashMap<Uuid, String>,
}

/// An event's surroundings as its sentence needs them.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    pub names: &'a Names,
    pub actor: Actor,
}

/// The sentence for an event.
#[must_use]
pub fn sentence(event: &AnyEvent, telling: Telling<'_>) -> String {
    let told = match event {
        AnyEvent::Tenant(event) => plan::tenant(event, telling),
        AnyEvent::PlanStaff(event) => plan::staff(event, telling),
        AnyEvent::Policy(event) => plan::policy(event, telling),
        AnyEvent::PolicyProposal(event) => plan::proposal(event, telling),
        AnyEvent::Agreement(event) => plan::agreement(event, telling),
        AnyEvent::ClientGuidance(event) => plan::guidance(event, telling),
        AnyEvent::JobRole(event) => permissions::job_role(event, telling),
        AnyEvent::Organization(event) => organizations::sentence(event, telling),
        AnyEvent::RegistrationToken(event) => registration::token(event, telling),
        AnyEvent::AccountRequest(event) => registration::account_request(event, telling),
        AnyEvent::Registration(event) => registration::registration(event, telling),
        AnyEvent::Membership(event) => permissions::membership(event, telling),
        AnyEvent::User(event) => accounts::user(event, telling),
        AnyEvent::Invitation(event) => registration::invitation(event, telling),
        AnyEvent::Credential(event) => accounts::credential(event, telling),
        AnyEvent::Authenticator(event) => accounts::authenticator(event, telling),
        AnyEvent::TrustedIssuers(event) => accounts::issuers(event, telling),
        AnyEvent::ExternalIdentities(event) => accounts::identities(event, telling),
        AnyEvent::OneTimePasscode(event) => accounts::passcode(event, telling),
        AnyEvent::Session(event) => accounts::session(event, telling),
        AnyEvent::RightUse(event) => right_use::sentence(event, telling),
        AnyEvent::ApiKey(event) => api_keys::sentence(event, telling),
        AnyEvent::AccessRequest(event) => access_requests::sentence(event, telling),
        AnyEvent::JoinRequest(event) => access_requests::joining(event, telling),
        AnyEvent::MoveRequest(event) => access_requests::moving(event, telling),
        AnyEvent::AccessReview(event) => access_reviews::sentence(event, telling),
        AnyEvent::ReviewCampaign(event) => access_reviews::campaign(event, telling),
        AnyEvent::ReviewTemplate(event) => access_reviews::template(event, telling),
        AnyEvent::ReviewSubstitutes(event) => access_reviews::substitutes(event, telling),
        AnyEvent::Attestation(event) => plan::attestation(event, telling),
        AnyEvent::Evidence(event) => plan::evidence(event, telling),
        AnyEvent::LegalHolds(event) => keeping::holds(event, telling),
        AnyEvent::Erasure(event) => keeping::erasure(event, telling),
        AnyEvent::Workspace(event) => plan::workspace(event, telling),
        AnyEvent::Pin(event) => permissions::pin(event, telling),
        AnyEvent::SubmitterProfile(event) => affiliations::profile(event, telling),
        AnyEvent::Affiliation(event) => affiliations::sentence(event, telling),
        AnyEvent::PeopleImport(event) => imports::sentence(event, telling),
        AnyEvent::Handoff(event) => affiliations::handoff(event, telling),
        AnyEvent::Notification(event) => messages::notification(event, telling),
        AnyEvent::Inbox(event) => messages::inbox(event, telling),
        AnyEvent::Delivery(event) => messages::delivery(event, telling),
        AnyEvent::Denial(event) => permissions::denial(event, telling),
        AnyEvent::AuditExport(event) => exports::sentence(event, telling),
        AnyEvent::SodRules(event) => exports::rule(event, telling),
        AnyEvent::ActivityReviews(event) => exports::review(event, telling),
        AnyEvent::AuditSinks(event) => exports::sinks(event, telling),
    };
    capitalised(&told)
}

impl Telling<'_> {
    /// Who acted, as a sentence's subject.
    #[must_use]
    pub fn who(&self) -> String {
        match self.actor.kind {
            ActorKind::System => "Rollcall".to_owned(),
            ActorKind::Operator => "An operator".to_owned(),
            ActorKind::User | ActorKind::PlanStaff => {
                self.person_or(self.actor.person(), "A visitor")
            }
            ActorKind::ApiKey => {
                self.actor.key().map_or_else(|| "A machine".to_owned(), |key| self.key(key))
            }
            ActorKind::Anonymous => "A visitor".to_owned(),
        }
    }

    /// `the key Nightly roster`.
    fn key(&self, key: ApiKeyId) -> String {
        match self.names.things.get(&key.0) {
            Some(name) => format!("the key {name}"),
            None => format!("the {}", short("key", key.0)),
        }
    }

    fn person(&self, user: UserId) -> String {
        if self.names.erased.contains(&user.0) {
            return format!("a person who was erased ({})", last_digits(user.0));
        }
        self.names.people.get(&user.0).cloned().unwrap_or_else(|| short("person", user.0))
    }

    fn person_or(&self, user: Option<UserId>, nobody: &str) -> String {
        user.map_or_else(|| nobody.to_owned(), |user| self.person(user))
    }

    fn own(&self, user: UserId) -> bool {
        self.actor.person() == Some(user)
    }

    /// `Bob Ray's`, or `their own` where the person acted.
    fn whose(&self, user: UserId) -> String {
        if self.own(user) { "their own".to_owned() } else { format!("{}'s", self.person(user)) }
    }

    /// `Bob Ray`, or `themself` where the person acted.
    fn whom(&self, user: UserId) -> String {
        if self.own(user) { "themself".to_owned() } else { self.person(user) }
    }

    fn organization(&self, id: OrganizationId) -> String {
        let name = self.names.organizations.get(&id.0).cloned();
        name.unwrap_or_else(|| short("organisation", id.0))
    }

    /// A job role, location or tax id by its name.
    fn thing(&self, kind: &str, id: Uuid) -> String {
        self.names.things.get(&id).cloned().unwrap_or_else(|| short(kind, id))
    }

    /// ` to join Mercy Clinic`-like endings, where there is an organisation.
    fn at(&self, preposition: &str, id: Option<OrganizationId>) -> String {
        id.map(|id| format!(" {preposition} {}", self.organization(id))).unwrap_or_default()
    }
}

/// What is said of somebody or something whose name is not known, or is erased.
fn short(kind: &str, id: Uuid) -> String {
    format!("{kind} {}", last_digits(id))
}

/// Enough of an id to tell two apart.
fn last_digits(id: Uuid) -> String {
    let digits = id.simple().to_string();
    digits[digits.len() - 8..].to_owned()
}

/// A stored word as text: `NPI_ADMIN` becomes `npi admin`.
fn lower(word: &impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " ").to_lowercase(),
        Ok(other) => other.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

/// A stored word as a title: `PROCESSOR` becomes `Processor`.
fn title(word: &impl Serialize) -> String {
    capitalised(&lower(word))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A moment, to the minute.
fn time(at: &DateTime<Utc>) -> String {
    at.format("%-d %B %Y %H:%M UTC").to_string()
}

/// ` until 3 March 2026 …`, where there is an end.
fn until(end: Option<&DateTime<Utc>>) -> String {
    end.map(|end| format!(" until {}", time(end))).unwrap_or_default()
}

fn left_on(day: Option<&CalendarDate>) -> String {
    day.map(|day| format!(", last at work on {day}")).unwrap_or_default()
}

fn channel(channel: CodeChannel) -> &'static str {
    match channel {
        CodeChannel::Sms => "text message",
        CodeChannel::Voice => "voice call",
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<I: IntoIterator<Item = String>>(items: I) -> String {
    let items: Vec<String> = items.into_iter().collect();
    match items.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lists_read_as_english() {
        assert_eq!(title(&rollcall_domain::permissions::NpiLevel::Processor), "Processor");
        assert_eq!(list(["a".to_owned(), "b".to_owned(), "c".to_owned()]), "a, b and c");
        assert_eq!(list([]), "nothing");
    }

    #[test]
    fn people_without_a_name_are_told_apart_by_the_end_of_their_id() {
        let names = Names::default();
        let telling = Telling { names: &names, actor: Actor::SYSTEM };
        let user = UserId(Uuid::from_u128(0x1234_abcd));
        assert_eq!(telling.person(user), "person 1234abcd");
        let names = Names { erased: [user.0].into(), ..Names::default() };
        let erased = Telling { names: &names, actor: Actor::SYSTEM }.person(user);
        assert_eq!(erased, "a person who was erased (1234abcd)");
        assert_eq!(telling.who(), "Rollcall");
    }

    #[test]
    fn a_machine_is_told_by_the_name_of_its_key() {
        let key = ApiKeyId(Uuid::from_u128(0x1234_abcd));
        let named =
            Names { things: [(key.0, "Nightly roster".to_owned())].into(), ..Names::default() };
        let by = |names| Telling { names, actor: Actor::api_key(key) }.who();
        assert_eq!(by(&named), "the key Nightly roster");
        assert_eq!(by(&Names::default()), "the key 1234abcd");
    }
}
