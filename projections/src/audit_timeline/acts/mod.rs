//! What kind of act each event is, in the terms in which auditors' formats class them: OCSF and
//! FHIR (GN-26).
//!
//! Invariant: every event is exactly one act. There is no `_` over events here, so a new one does not
//! compile before it is said which; a change of what one is, is a new [`VERSION`].

mod accounts;
mod organizations;
mod permissions;
mod plan;
mod registration;

use rollcall_domain::AnyEvent;
use uuid::Uuid;

/// The version of the whole table, as manifests name it.
pub const VERSION: &str = "1.0";

/// An act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A person's or a machine's account changed.
    Account(AccountAct),
    /// Somebody signed in or out, or took a step of it.
    Authentication(AuthenticationAct),
    /// Rights of a person changed: which.
    Access(AccessAct, Vec<String>),
    /// Something that is kept here changed.
    Managed(Verb, Thing),
    /// A right was used, or demanded in vain.
    Use(UseAct),
}

/// What became of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountAct {
    Created,
    Enabled,
    PasswordChanged,
    PasswordReset,
    Disabled,
    Locked,
    Unlocked,
    MfaEnabled,
    MfaDisabled,
    /// Anything else of it.
    Changed,
}

/// A step of signing in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationAct {
    Logon,
    Logoff,
    /// Before the session: a password, a passcode, a question for one.
    Preauth,
    /// In the session.
    Other,
}

/// What became of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessAct {
    Assigned,
    Revoked,
    /// Widened and narrowed at once.
    Changed,
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Created,
    Updated,
    Deleted,
    Moved,
    Enrolled,
    Unenrolled,
    Activated,
    Deactivated,
    Suspended,
    Resumed,
    Other,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The organisation that the event is about.
    Organization,
    /// The person that it is about.
    Person,
    /// The portal's policy.
    Policy,
    /// The NPI that it is about.
    Npi,
    /// A part of an organisation with an id of its own.
    Part(&'static str, Uuid),
    /// The stream's own: a request, an affiliation, a message.
    Own,
}

/// How a right was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseAct {
    /// Something protected was looked at.
    Read,
    /// It was taken away.
    Exported,
    /// It was used, as the day's roll-up says.
    Performed,
    /// It was missing.
    Denied,
}

/// The act that an event is.
#[must_use]
pub fn act(event: &AnyEvent) -> Act {
    match event {
        AnyEvent::Tenant(event) => plan::tenant(event),
        AnyEvent::PlanStaff(event) => plan::staff(event),
        AnyEvent::Policy(event) => plan::policy(event),
        AnyEvent::PolicyProposal(event) => plan::proposal(event),
        AnyEvent::Agreement(event) => plan::agreement(event),
        AnyEvent::ClientGuidance(event) => plan::guidance(event),
        AnyEvent::Attestation(event) => plan::attestation(event),
        AnyEvent::Evidence(event) => plan::evidence(event),
        AnyEvent::LegalHolds(event) => plan::holds(event),
        AnyEvent::Erasure(event) => plan::erasure(event),
        AnyEvent::Workspace(event) => plan::workspace(event),
        AnyEvent::Denial(event) => plan::denial(event),
        AnyEvent::AuditExport(event) => plan::export(event),
        AnyEvent::AuditSinks(event) => plan::sinks(event),
        AnyEvent::SodRules(event) => plan::sod_rules(event),
        AnyEvent::ActivityReviews(event) => plan::activity_review(event),
        AnyEvent::PeopleImport(event) => plan::import(event),
        AnyEvent::Notification(event) => plan::notification(event),
        AnyEvent::Inbox(event) => plan::inbox(event),
        AnyEvent::Delivery(event) => plan::delivery(event),
        AnyEvent::Organization(event) => organizations::organization(event),
        AnyEvent::SubmitterProfile(event) => organizations::profile(event),
        AnyEvent::Affiliation(event) => organizations::affiliation(event),
        AnyEvent::Handoff(event) => organizations::handoff(event),
        AnyEvent::RegistrationToken(event) => registration::token(event),
        AnyEvent::AccountRequest(event) => registration::account_request(event),
        AnyEvent::Registration(event) => registration::registration(event),
        AnyEvent::Invitation(event) => registration::invitation(event),
        AnyEvent::Membership(event) => permissions::membership(event),
        AnyEvent::JobRole(event) => permissions::job_role(event),
        AnyEvent::RightUse(event) => permissions::right_use(event),
        AnyEvent::Pin(event) => permissions::pin(event),
        AnyEvent::AccessRequest(event) => permissions::request(event),
        AnyEvent::JoinRequest(event) => permissions::joining(event),
        AnyEvent::MoveRequest(event) => permissions::moving(event),
        AnyEvent::AccessReview(event) => permissions::review(event),
        AnyEvent::ReviewCampaign(event) => permissions::campaign(event),
        AnyEvent::ReviewTemplate(event) => permissions::template(event),
        AnyEvent::ReviewSubstitutes(event) => permissions::substitutes(event),
        AnyEvent::User(event) => accounts::user(event),
        AnyEvent::Credential(event) => accounts::credential(event),
        AnyEvent::Authenticator(event) => accounts::authenticator(event),
        AnyEvent::TrustedIssuers(event) => accounts::issuers(event),
        AnyEvent::ExternalIdentities(event) => accounts::identities(event),
        AnyEvent::OneTimePasscode(event) => accounts::passcode(event),
        AnyEvent::Session(event) => accounts::session(event),
        AnyEvent::ApiKey(event) => accounts::api_key(event),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use rollcall_domain::kernel::EventSet;
    use serde_json::Value;

    use super::*;

    /// Which act each kind of event is, as `tests/golden/acts.txt` has it.
    #[test]
    fn each_event_is_the_act_of_the_committed_table() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
        let mut table = BTreeMap::new();
        for file in fs::read_dir(golden.join("events")).expect("golden events").flatten() {
            let text = fs::read_to_string(file.path()).expect("a golden event");
            let stored: Value = serde_json::from_str(&text).expect("JSON");
            let name = |field: &str| stored[field].as_str().expect("a name");
            let payload = stored["payload"].clone();
            let event = AnyEvent::decode(name("aggregate_type"), name("event_type"), payload);
            let act = match act(&event.expect("it reads")) {
                Act::Access(act, _) => format!("Access {act:?}"),
                Act::Managed(verb, Thing::Part(kind, _)) => format!("Managed {verb:?} {kind}"),
                Act::Managed(verb, thing) => format!("Managed {verb:?} {thing:?}"),
                Act::Account(act) => format!("Account {act:?}"),
                Act::Authentication(act) => format!("Authentication {act:?}"),
                Act::Use(act) => format!("Use {act:?}"),
            };
            table.insert(name("event_type").to_owned(), act);
        }
        let lines: String = table.iter().map(|(name, act)| format!("{name}: {act}\n")).collect();
        let text = format!("# Version {VERSION}\n{lines}");
        let file = golden.join("acts.txt");
        if std::env::var_os("ROLLCALL_GOLDEN").is_some_and(|value| value == "write") {
            fs::write(&file, &text).expect("the table can be written");
        }
        let committed = fs::read_to_string(&file).expect("a committed table");
        assert_eq!(committed, text, "the table moved: raise VERSION where an event is another act");
    }

    #[test]
    fn changed_rights_are_named() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/events");
        let mut named = 0;
        for file in fs::read_dir(golden).expect("golden events").flatten() {
            let text = fs::read_to_string(file.path()).expect("a golden event");
            let stored: Value = serde_json::from_str(&text).expect("JSON");
            let name = |field: &str| stored[field].as_str().expect("a name");
            let payload = stored["payload"].clone();
            let event = AnyEvent::decode(name("aggregate_type"), name("event_type"), payload);
            if let Act::Access(_, rights) = act(&event.expect("it reads")) {
                assert!(!rights.is_empty(), "{}", name("event_type"));
                named += 1;
            }
        }
        assert!(named > 10, "{named}");
    }
}
