//! A report's rows computed anew from events alone, with no database: what a third party does who has
//! the events of a log and does not trust whoever keeps it.
//!
//! # How it is used
//! ```text
//! let mut recount = Recount::new(question, upcasters);
//! for event in events { recount.take(&event)?; }      // all of the tenant's that it reads, in order
//! let rows = recount.finish();
//! ```
//! [`reads`] tells by an event's stored type, which a leaf shows openly, whether it matters; the first
//! event of the log always does. Of those that matter the payload must be there as stored, sealed parts
//! closed, and kind and id of the actor, the subject, the subject's organisation and the NPI.
//!
//! Invariant: events, question and this code decide the rows, and nothing else.

use rollcall_domain::{
    AnyEvent, Decider,
    affiliations::{AffiliationEvent, AffiliationScope, NpiSelection},
    audit::{ReportName, ReportQuestion, SodRules},
    kernel::{
        Actor, ActorKind, EventSet,
        ids::{AffiliationId, OrganizationId, TenantId, UserId},
    },
    permissions::right_use::RightUseEvent,
    users::credential::CredentialEvent,
    values::TenantZone,
};
use rollcall_journal::{Metadata, Recorded, upcast::Upcasters};

use super::{
    facts::{Facts, Scope},
    happenings,
    held::Held,
    people::Ground,
    row::Row,
};
use crate::{
    access_register::{facts, interval::Timeline, ledger::Ledger},
    proof::leaf::StoredEvent,
};

/// An event that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the event at {position} ({event_type}) cannot be read: {reason}")]
pub struct Unreadable {
    pub position: i64,
    pub event_type: String,
    pub reason: String,
}

/// The streams that the access register follows.
const REGISTER: [&str; 8] = [
    "affiliations.affiliation.",
    "organizations.organization.",
    "permissions.job_role.",
    "permissions.membership.",
    "policies.policy.",
    "tenants.plan_staff.",
    "tenants.tenant.",
    "users.user.",
];
const SIGN_IN: &str = "users.credential.login_succeeded";
const USE: &str = "permissions.right_use.right_used";
const RULES: &str = "audit.sod_rules.";

/// Whether events of a stored type bear on a report.
#[must_use]
pub fn reads(report: ReportName, event_type: &str) -> bool {
    let of_register = || REGISTER.iter().any(|stream| event_type.starts_with(stream));
    match report {
        ReportName::PinActivity
        | ReportName::Terminations
        | ReportName::Revocations
        | ReportName::AuditReads => happenings::types(report).contains(&event_type),
        ReportName::ActiveAccounts => of_register() || event_type == SIGN_IN || event_type == USE,
        ReportName::Dormant => of_register() || event_type == SIGN_IN,
        ReportName::SodConflicts => of_register() || event_type.starts_with(RULES),
        ReportName::Administrators
        | ReportName::Orphaned
        | ReportName::NeverAssigned
        | ReportName::AffiliationsInForce
        | ReportName::AccessToNpi => of_register(),
    }
}

/// A report on its way.
pub struct Recount<'a> {
    question: &'a ReportQuestion,
    upcasters: &'a Upcasters,
    tenant: Option<TenantId>,
    ledger: Ledger,
    facts: Facts,
    rules: SodRules,
    rows: Vec<Row>,
}

impl<'a> Recount<'a> {
    #[must_use]
    pub fn new(question: &'a ReportQuestion, upcasters: &'a Upcasters) -> Self {
        Self {
            question,
            upcasters,
            tenant: None,
            ledger: Ledger::default(),
            facts: Facts::default(),
            rules: SodRules::default(),
            rows: Vec::new(),
        }
    }

    /// Takes the next event in; those after the position asked about change nothing.
    ///
    /// # Errors
    /// The event is one that the report reads, and cannot be read.
    pub fn take(&mut self, stored: &StoredEvent) -> Result<(), Unreadable> {
        if stored.tenant_position > self.question.known_at {
            return Ok(());
        }
        self.tenant.get_or_insert(TenantId(stored.tenant_id));
        if stored.tenant_position == 1 {
            self.facts.begins = Some(stored.recorded_at);
        }
        if !reads(self.question.report, &stored.event_type) {
            return Ok(());
        }
        let event = recorded(stored, self.upcasters)?;
        if self.question.report.is_of_events() {
            self.rows.extend(happenings::row(self.question, &event));
            return Ok(());
        }
        facts::take_in(&mut self.ledger, &event);
        self.ledger.forget();
        self.note(&event);
        Ok(())
    }

    fn note(&mut self, event: &Recorded<AnyEvent>) {
        let of_roles = matches!(event.event, AnyEvent::Organization(_) | AnyEvent::PlanStaff(_));
        if of_roles && self.question.report == ReportName::Administrators {
            self.facts.actors.insert(event.tenant_position, event.actor);
        } else if let AnyEvent::Credential(CredentialEvent::LoginSucceeded { .. }) = &event.event {
            if event.occurred_at <= self.question.true_at {
                self.facts.sign_ins.extend(event.subject.map(|user| (user, event.occurred_at)));
            }
        } else if let AnyEvent::RightUse(used) = &event.event {
            self.note_use(used);
        } else if let AnyEvent::Affiliation(affiliation) = &event.event {
            let id = AffiliationId(event.aggregate_id);
            self.facts.scopes.extend(scope_of(affiliation).map(|scope| (id, scope)));
        } else if let AnyEvent::SodRules(rules) = &event.event {
            self.rules.evolve(rules);
        }
    }

    fn note_use(&mut self, used: &RightUseEvent) {
        let RightUseEvent::RightUsed { user, organization, right, day, .. } = used;
        let zone = TenantZone::parse(&self.question.time_zone);
        if zone.is_ok_and(|zone| day.date() <= zone.local_date(self.question.true_at)) {
            let of = right.of.as_deref().unwrap_or_default();
            self.facts.note_use((*user, *organization), (right.kind, of), day.date());
        }
    }

    /// The rows, in the order of their keys.
    #[must_use]
    pub fn finish(mut self) -> Vec<Row> {
        let Some(tenant) = self.tenant else { return self.rows };
        self.facts.rules = self.rules.rules;
        let held = Held::of(tenant, self.ledger);
        let ground = Ground { held: &held, facts: &self.facts, question: self.question };
        let mut rows = self.rows;
        rows.extend(held.people().flat_map(|user| ground.of_person(user)));
        if self.question.report == ReportName::AffiliationsInForce {
            rows.extend(affiliations(&held).filter_map(|id| ground.affiliation(id)));
        }
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }
}

fn affiliations(held: &Held) -> impl Iterator<Item = AffiliationId> {
    held.timelines().filter_map(|timeline| {
        let Timeline::Affiliation(affiliation, _) = timeline else { return None };
        Some(*affiliation)
    })
}

fn scope_of(event: &AffiliationEvent) -> Option<Scope> {
    let (AffiliationEvent::AffiliationRequested { scope, .. }
    | AffiliationEvent::AffiliationTakenOver { scope, .. }) = event
    else {
        return None;
    };
    let AffiliationScope { npis, transaction_types } = scope;
    let npis = match npis {
        NpiSelection::All => None,
        NpiSelection::Listed(npis) => Some(npis.iter().map(ToString::to_string).collect()),
    };
    let transaction_types = transaction_types.iter().map(|kind| kind.code().to_owned()).collect();
    Some(Scope { npis, transaction_types })
}

/// A stored event as reports read it: what is sealed stays so, and of what stands around it nothing is
/// kept that no row depends on.
pub(super) fn recorded(
    stored: &StoredEvent,
    upcasters: &Upcasters,
) -> Result<Recorded<AnyEvent>, Unreadable> {
    let unreadable = |reason: String| Unreadable {
        position: stored.tenant_position,
        event_type: stored.event_type.clone(),
        reason,
    };
    let payload = serde_json::from_str(&stored.payload).map_err(|e| unreadable(e.to_string()))?;
    let payload = upcasters.apply(&stored.event_type, &stored.event_version, payload);
    let event = AnyEvent::decode(&stored.aggregate_type, &stored.event_type, payload)
        .map_err(|error| unreadable(error.to_string()))?;
    let kind = ActorKind::parse(&stored.actor_kind)
        .ok_or_else(|| unreadable(format!("unknown kind of actor {}", stored.actor_kind)))?;
    let aggregate_id = stored.aggregate_id.parse();
    Ok(Recorded {
        position: stored.tenant_position,
        tenant: TenantId(stored.tenant_id),
        tenant_position: stored.tenant_position,
        aggregate_type: stored.aggregate_type.clone(),
        aggregate_id: aggregate_id.map_err(|_| unreadable("its stream has no id".to_owned()))?,
        sequence: stored.sequence,
        event_id: stored.event_id,
        event_type: stored.event_type.clone(),
        event_version: stored.event_version.clone(),
        event,
        metadata: Metadata {
            session_id: None,
            client_address: None,
            policy_version: 0,
            command: String::new(),
            reason: None,
        },
        actor: Actor { kind, id: stored.actor_id },
        organization: stored.organization_id.map(OrganizationId),
        subject: stored.subject_id.map(UserId),
        subject_organization: stored.subject_organization_id.map(OrganizationId),
        npi: stored.npi.clone(),
        correlation_id: stored.correlation_id,
        causation_id: stored.causation_id,
        command_id: stored.command_id,
        recorded_at: stored.recorded_at,
        occurred_at: stored.occurred_at,
        effective_at: stored.effective_at,
    })
}
