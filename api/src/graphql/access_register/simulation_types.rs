//! What a rule would have done, as it is told. Invariant: nothing here is on record; it is an answer.

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject};
use rollcall_domain::{Code, Refusal};
use rollcall_projections::access_register::{
    AskedRight, Conflict, ConflictKey, EndKey, EndingRule, InForce, Names, Reach, SimulatedEnd,
};
use serde::{Deserialize, Serialize};

use super::types::{AccessCause, AccessRight};
use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    paging::{Page, PageInfo, Rows, connection},
    scalars::{Date, DateTime, NpiScalar, Position},
};

/// The longest number of days that a rule may name: ten years.
const MOST_DAYS: i32 = 3653;

/// Days of 24 hours.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct SimulatedDays {
    /// 1 to 3653.
    pub days: i32,
}

/// A right, named in full.
#[derive(Clone, Debug, InputObject)]
pub struct SimulatedRight {
    pub right: AccessRight,
    /// Which NPI, for rights that are about one.
    pub npi: Option<NpiScalar>,
    /// What it is a right to: a type of correspondence (`*` for all), a feature, a plan role, or the id of
    /// a job role, location or tax id.
    pub of: Option<String>,
}

/// Two rights that nobody is to hold at once.
#[derive(Clone, Debug, InputObject)]
pub struct SimulatedPair {
    pub one: SimulatedRight,
    pub other: SimulatedRight,
}

/// A rule to try; exactly one of them.
#[derive(Clone, Debug, OneofObject)]
pub enum PolicySimulationRule {
    /// Grants end that were not used for so many days (GN-16). Those whose use the portal does not notice
    /// are left out and counted apart.
    ExpireUnused(SimulatedDays),
    /// Grants end so many days after they were given.
    LimitGrants(SimulatedDays),
    /// Nobody holds both rights at once in one organisation; a role of the plan is held everywhere.
    ForbidTogether(SimulatedPair),
}

/// A rule, read.
#[derive(Clone, Debug)]
pub enum Simulated {
    Ending(EndingRule),
    Together(Box<(AskedRight, AskedRight)>),
}

impl PolicySimulationRule {
    pub(super) fn parse(&self) -> Result<Simulated, Refusal> {
        Ok(match self {
            Self::ExpireUnused(it) => {
                let days = days(*it, "rule.expireUnused.days")?;
                Simulated::Ending(EndingRule::Unused { days })
            }
            Self::LimitGrants(it) => {
                let days = days(*it, "rule.limitGrants.days")?;
                Simulated::Ending(EndingRule::Limited { days })
            }
            Self::ForbidTogether(pair) => {
                let path = "rule.forbidTogether";
                let one = pair.one.parse(&format!("{path}.one"))?;
                let other = pair.other.parse(&format!("{path}.other"))?;
                if one == other {
                    let message = "Name two rights: nobody can hold one right once only.";
                    let refusal = Refusal::new(Code::FieldInvalid, message);
                    return Err(refusal.at("rule.forbidTogether.other"));
                }
                Simulated::Together(Box::new((one, other)))
            }
        })
    }
}

impl SimulatedRight {
    fn parse(&self, path: &str) -> Result<AskedRight, Refusal> {
        let at = |refusal: Refusal| {
            let field = format!("{path}.{}", refusal.field.join("."));
            refusal.at(&field)
        };
        let npi = self.npi.as_ref().map(|npi| rollcall_domain::values::Npi::parse(&npi.0));
        let npi = npi.transpose().map_err(|invalid| at(Refusal::from(invalid).at("npi")))?;
        AskedRight::parse(self.right.into(), npi.as_ref(), self.of.as_deref()).map_err(at)
    }
}

fn days(given: SimulatedDays, field: &str) -> Result<i32, Refusal> {
    if (1..=MOST_DAYS).contains(&given.days) {
        return Ok(given.days);
    }
    let message = format!("Give a number of days from 1 to {MOST_DAYS}.");
    Err(Refusal::new(Code::RangeInvalid, message).at(field))
}

/// What was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AccessGrantKind {
    /// A role in an organisation.
    OrganizationRole,
    /// A level for an NPI, or for all of them.
    NpiLevel,
    /// Types of correspondence.
    Correspondence,
    Feature,
    JobRole,
    Location,
    TaxId,
    /// A role of the health plan.
    PlanRole,
    /// Work for an NPI of an affiliated provider.
    Submission,
}

impl AccessGrantKind {
    fn stored(kind: &str) -> Option<Self> {
        Some(match kind {
            "ORG_ROLE" => Self::OrganizationRole,
            "NPI_LEVEL" => Self::NpiLevel,
            "CORRESPONDENCE" => Self::Correspondence,
            "FEATURE" => Self::Feature,
            "JOB_ROLE" => Self::JobRole,
            "LOCATION" => Self::Location,
            "TAX_ID" => Self::TaxId,
            "PLAN_ROLE" => Self::PlanRole,
            "SUBMISSION" => Self::Submission,
            _ => return None,
        })
    }
}

/// A right, or a pair of rights, that the rule would have reached.
#[derive(Clone, Debug, SimpleObject)]
pub struct PolicySimulationEffect {
    pub user: PersonReference,
    /// Absent for roles that count for the whole plan.
    pub organization: Option<OrganizationReference>,
    /// What was granted; absent where two rights were held together.
    pub grant: Option<AccessGrantKind>,
    /// The NPI of the grant, `*` for all of them.
    pub npi: Option<String>,
    /// The feature or plan role, or the id of a job role, location or tax id.
    pub of: Option<String>,
    /// The level, role or types granted.
    pub level: Vec<String>,
    /// Since when it was held; of two rights both.
    pub held_from: DateTime,
    /// Until when in fact, or as is planned; absent where no end is known.
    pub held_until: Option<DateTime>,
    /// When the rule would have ended it, or would have blocked the second of two rights.
    pub reached_at: DateTime,
    /// The last day of use before; absent where there was none or the rule is about something else.
    pub last_used_on: Option<Date>,
    /// The grant; absent where two rights were held together.
    pub cause: Option<AccessCause>,
}

impl PolicySimulationEffect {
    pub(super) fn ended(row: SimulatedEnd, names: &Names, sentence: Option<String>) -> Self {
        Self {
            user: PersonReference::new(row.user, names.people.get(&row.user).cloned()),
            organization: organization(row.organization, names),
            grant: AccessGrantKind::stored(&row.kind),
            npi: row.npi,
            of: row.name,
            level: row.value,
            held_from: row.granted_from.into(),
            held_until: row.held_until.map(DateTime::from),
            reached_at: row.ends_at.into(),
            last_used_on: row.last_used.map(Date::from),
            cause: Some(AccessCause {
                kind: row.cause.into(),
                event_position: Position(row.cause_position),
                sentence,
            }),
        }
    }

    pub(super) fn blocked(row: Conflict, time: InForce, names: &Names) -> Self {
        Self {
            user: PersonReference::new(row.user, names.people.get(&row.user).cloned()),
            organization: organization(row.organization, names),
            grant: None,
            npi: None,
            of: None,
            level: Vec::new(),
            held_from: row.from.into(),
            held_until: row.until.map(DateTime::from),
            reached_at: row.from.max(time.from).into(),
            last_used_on: None,
            cause: None,
        }
    }
}

fn organization(id: Option<uuid::Uuid>, names: &Names) -> Option<OrganizationReference> {
    id.map(|id| OrganizationReference::new(id, names.organizations.get(&id).cloned()))
}

/// How much a rule would have reached.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct PolicySimulationReach {
    pub people: i32,
    pub organizations: i32,
    /// Grants that would have ended, or times in which both rights were held.
    pub rights: i32,
    /// False where so many people came into question that not all were looked at; the numbers are then
    /// at least these.
    pub complete: bool,
}

impl From<Reach> for PolicySimulationReach {
    fn from(reach: Reach) -> Self {
        let number = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            people: number(reach.people),
            organizations: number(reach.organizations),
            rights: number(reach.rights),
            complete: reach.complete,
        }
    }
}

/// Where a page goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum SimulationKey {
    Grant(EndKey),
    Pair(ConflictKey),
}

connection!(PolicySimulationEffects, PolicySimulationEdge, PolicySimulationEffect);

/// What a rule would have done (Relay), and of which time.
#[derive(SimpleObject)]
pub struct PolicySimulationConnection {
    pub edges: Vec<PolicySimulationEdge>,
    pub nodes: Vec<PolicySimulationEffect>,
    pub page_info: PageInfo,
    /// How much in all; counted only when selected.
    pub reach: Option<PolicySimulationReach>,
    /// Of `expireUnused`: how many grants were left out because nothing in the portal shows their use;
    /// counted only when selected.
    pub not_observable: Option<i32>,
    /// Since when the rule is taken to have been in force.
    pub from: DateTime,
    /// Until when.
    pub to: DateTime,
    /// The place in the tenant's journal at which all of this was known.
    pub as_of_position: Position,
}

impl PolicySimulationConnection {
    pub(super) fn of(
        page: &Page<SimulationKey>,
        rows: Vec<(SimulationKey, PolicySimulationEffect)>,
        (reach, not_observable): (Option<Reach>, Option<i64>),
        time: InForce,
    ) -> Self {
        let found = Rows { rows, total: None };
        let PolicySimulationEffects { edges, nodes, page_info, .. } =
            PolicySimulationEffects::of(page, found);
        Self {
            edges,
            nodes,
            page_info,
            reach: reach.map(Into::into),
            not_observable: not_observable.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            from: time.from.into(),
            to: time.to.into(),
            as_of_position: Position(time.known_at),
        }
    }
}
