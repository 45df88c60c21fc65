//! Legal holds: what must be kept because of a legal matter, whatever retention says (GN-26), and the
//! plan administrators who are named to know of them.
//!
//! Invariant: a hold is placed and released by name and with reason; while one covers a person,
//! nothing of theirs is erased.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{LegalHoldId, OrganizationId, SubjectId, TenantId, UserId};
use crate::values::{ContentLine, Npi, Reason};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// Holds that may be in force, and officers that may be named, at a time.
pub const MOST_HOLDS: usize = 500;
pub const MOST_OFFICERS: usize = 20;

/// What a hold covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HoldScope {
    Person {
        user: UserId,
    },
    /// Everybody who is or ever was on its roster.
    Organization {
        organization: OrganizationId,
    },
    /// Everybody who ever had a right to it, or belongs to whoever ever held it.
    Npi {
        npi: Npi,
    },
    /// Everybody.
    Tenant,
}

impl HoldScope {
    /// Under whose key the words about it are sealed: they may name whom it is about.
    fn subject(&self, tenant: TenantId) -> SubjectId {
        match self {
            Self::Person { user } => SubjectId(user.0),
            Self::Organization { organization } => SubjectId(organization.0),
            Self::Npi { .. } | Self::Tenant => SubjectId(tenant.0),
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::Person { user } => Facets::default().subject(*user),
            Self::Organization { organization } => Facets::default().organization(*organization),
            Self::Npi { npi } => Facets::default().npi(npi),
            Self::Tenant => Facets::default(),
        }
    }
}

/// A hold in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    pub scope: HoldScope,
    pub matter: Sealed<ContentLine>,
    pub reason: Sealed<Reason>,
    pub placed_by: UserId,
    pub placed_at: DateTime<Utc>,
}

/// An event of stream `audit.legal_holds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LegalHoldsEvent {
    /// Something has to be kept.
    LegalHoldPlaced {
        hold: LegalHoldId,
        scope: HoldScope,
        /// The matter's name or reference.
        matter: Sealed<ContentLine>,
        by: UserId,
        at: DateTime<Utc>,
        reason: Sealed<Reason>,
    },
    /// It need not be kept for this matter any more.
    LegalHoldReleased { hold: LegalHoldId, scope: HoldScope, by: UserId, reason: Sealed<Reason> },
    /// A plan administrator may know of legal holds from now on.
    RecordsOfficerNamed { user: UserId, by: UserId },
    /// And no more.
    RecordsOfficerRelieved { user: UserId, by: UserId },
}

impl Event for LegalHoldsEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::LegalHoldPlaced { .. } => "audit.legal_holds.legal_hold_placed",
            Self::LegalHoldReleased { .. } => "audit.legal_holds.legal_hold_released",
            Self::RecordsOfficerNamed { .. } => "audit.legal_holds.records_officer_named",
            Self::RecordsOfficerRelieved { .. } => "audit.legal_holds.records_officer_relieved",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::LegalHoldPlaced { scope, .. } | Self::LegalHoldReleased { scope, .. } => {
                scope.facets()
            }
            Self::RecordsOfficerNamed { user, .. } | Self::RecordsOfficerRelieved { user, .. } => {
                Facets::default().subject(*user)
            }
        }
    }
}

/// A command to stream `audit.legal_holds`. That scope and person exist is checked outside.
#[derive(Clone, Debug)]
pub enum LegalHoldsCommand {
    Place {
        tenant: TenantId,
        hold: LegalHoldId,
        scope: HoldScope,
        matter: ContentLine,
        by: UserId,
        reason: Reason,
    },
    Release {
        tenant: TenantId,
        hold: LegalHoldId,
        by: UserId,
        reason: Reason,
    },
    NameOfficer {
        user: UserId,
        by: UserId,
    },
    RelieveOfficer {
        user: UserId,
        by: UserId,
    },
}

/// Why a hold or an officer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LegalHoldsRefusal {
    #[error("There is no such hold in force. Look at the list of holds.")]
    Unknown,
    #[error("Up to {MOST_HOLDS} holds are in force at a time. Release one, or widen another.")]
    TooMany,
    #[error("Nobody names themself. Ask another plan administrator.")]
    OneSelf,
    #[error("This person is named already.")]
    AlreadyNamed,
    #[error("Up to {MOST_OFFICERS} people are named at a time. Relieve one first.")]
    TooManyOfficers,
    #[error("This person is not named.")]
    NotNamed,
}

impl From<LegalHoldsRefusal> for Refusal {
    fn from(refusal: LegalHoldsRefusal) -> Self {
        use LegalHoldsRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Unknown => Self::new(Code::NotFound, message).at("holdId"),
            R::TooMany | R::TooManyOfficers => Self::new(Code::FieldInvalid, message),
            R::OneSelf => Self::new(Code::SelfGrant, message).at("userId"),
            R::AlreadyNamed => Self::new(Code::AlreadyAssigned, message).at("userId"),
            R::NotNamed => Self::new(Code::NotFound, message).at("userId"),
        }
    }
}

/// Where somebody has been, as far as holds ask.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    pub organizations: BTreeSet<OrganizationId>,
    /// Those that somebody had a right to, or that their organisations ever held.
    pub npis: BTreeSet<Npi>,
}

/// The holds in force, and who may know of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegalHolds {
    holds: BTreeMap<LegalHoldId, LegalHold>,
    officers: BTreeSet<UserId>,
}

impl LegalHolds {
    /// The holds in force, oldest first.
    pub fn holds(&self) -> impl Iterator<Item = (LegalHoldId, &LegalHold)> {
        self.holds.iter().map(|(id, hold)| (*id, hold))
    }

    /// The plan administrators who are named to know of them.
    #[must_use]
    pub fn officers(&self) -> &BTreeSet<UserId> {
        &self.officers
    }

    /// How many holds cover a person.
    #[must_use]
    pub fn covering(&self, user: UserId, traces: &Traces) -> usize {
        let covers = |hold: &&LegalHold| match &hold.scope {
            HoldScope::Person { user: held } => *held == user,
            HoldScope::Organization { organization } => traces.organizations.contains(organization),
            HoldScope::Npi { npi } => traces.npis.contains(npi),
            HoldScope::Tenant => true,
        };
        self.holds.values().filter(covers).count()
    }
}

impl Decider for LegalHolds {
    const TYPE: &'static str = "audit.legal_holds";
    type Command = LegalHoldsCommand;
    type Event = LegalHoldsEvent;
    type Refusal = LegalHoldsRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: LegalHoldsCommand,
    ) -> Result<Vec<LegalHoldsEvent>, LegalHoldsRefusal> {
        use LegalHoldsCommand as C;
        use LegalHoldsEvent as E;
        let event = match command {
            C::Place { tenant, hold, scope, matter, by, reason } => {
                if self.holds.len() >= MOST_HOLDS {
                    return Err(LegalHoldsRefusal::TooMany);
                }
                let subject = scope.subject(tenant);
                let (matter, reason) = (Sealed::new(subject, matter), Sealed::new(subject, reason));
                E::LegalHoldPlaced { hold, scope, matter, by, at: decision.now, reason }
            }
            C::Release { tenant, hold, by, reason } => {
                let held = self.holds.get(&hold).ok_or(LegalHoldsRefusal::Unknown)?;
                let scope = held.scope.clone();
                let reason = Sealed::new(scope.subject(tenant), reason);
                E::LegalHoldReleased { hold, scope, by, reason }
            }
            C::NameOfficer { user, by } if user == by => return Err(LegalHoldsRefusal::OneSelf),
            C::NameOfficer { user, .. } if self.officers.contains(&user) => {
                return Err(LegalHoldsRefusal::AlreadyNamed);
            }
            C::NameOfficer { .. } if self.officers.len() >= MOST_OFFICERS => {
                return Err(LegalHoldsRefusal::TooManyOfficers);
            }
            C::NameOfficer { user, by } => E::RecordsOfficerNamed { user, by },
            C::RelieveOfficer { user, .. } if !self.officers.contains(&user) => {
                return Err(LegalHoldsRefusal::NotNamed);
            }
            C::RelieveOfficer { user, by } => E::RecordsOfficerRelieved { user, by },
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &LegalHoldsEvent) {
        match event {
            LegalHoldsEvent::LegalHoldPlaced { hold, scope, matter, by, at, reason } => {
                let placed = LegalHold {
                    scope: scope.clone(),
                    matter: matter.clone(),
                    reason: reason.clone(),
                    placed_by: *by,
                    placed_at: *at,
                };
                self.holds.insert(*hold, placed);
            }
            LegalHoldsEvent::LegalHoldReleased { hold, .. } => {
                self.holds.remove(hold);
            }
            LegalHoldsEvent::RecordsOfficerNamed { user, .. } => {
                self.officers.insert(*user);
            }
            LegalHoldsEvent::RecordsOfficerRelieved { user, .. } => {
                self.officers.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id, start};

    fn reason() -> Reason {
        Reason::parse("The complaint was served.").unwrap()
    }

    fn matter() -> ContentLine {
        ContentLine::parse("Doe v. Plan").unwrap()
    }

    fn placed(n: u128, scope: HoldScope) -> LegalHoldsEvent {
        let subject = scope.subject(id(100));
        LegalHoldsEvent::LegalHoldPlaced {
            hold: id(n),
            scope,
            matter: Sealed::new(subject, matter()),
            by: id(1),
            at: start(),
            reason: Sealed::new(subject, reason()),
        }
    }

    #[test]
    fn a_hold_is_placed_and_released_once() {
        let scope = HoldScope::Person { user: id(7) };
        let place = LegalHoldsCommand::Place {
            tenant: id(100),
            hold: id(9),
            scope: scope.clone(),
            matter: matter(),
            by: id(1),
            reason: reason(),
        };
        let placed = placed(9, scope.clone());
        given::<LegalHolds>(&[]).when(place).then(std::slice::from_ref(&placed));
        let release = LegalHoldsCommand::Release {
            tenant: id(100),
            hold: id(9),
            by: id(2),
            reason: reason(),
        };
        let released = LegalHoldsEvent::LegalHoldReleased {
            hold: id(9),
            scope,
            by: id(2),
            reason: Sealed::new(SubjectId(id::<UserId>(7).0), reason()),
        };
        given::<LegalHolds>(std::slice::from_ref(&placed))
            .when(release.clone())
            .then(std::slice::from_ref(&released));
        given::<LegalHolds>(&[placed, released]).when(release).refused(Code::NotFound);
    }

    #[test]
    fn a_hold_covers_whoever_ever_had_to_do_with_its_scope() {
        let npi = Npi::parse("1234567893").unwrap();
        let mut state = LegalHolds::default();
        let scopes = [
            HoldScope::Person { user: id(7) },
            HoldScope::Organization { organization: id(8) },
            HoldScope::Npi { npi: npi.clone() },
        ];
        for (n, scope) in (1..).zip(scopes) {
            state.evolve(&placed(n, scope));
        }
        let nowhere = Traces::default();
        let there = Traces { organizations: [id(8)].into(), npis: [npi].into() };
        assert_eq!((state.covering(id(7), &nowhere), state.covering(id(6), &nowhere)), (1, 0));
        assert_eq!((state.covering(id(7), &there), state.covering(id(6), &there)), (3, 2));
        state.evolve(&placed(4, HoldScope::Tenant));
        assert_eq!(state.covering(id(6), &nowhere), 1);
    }

    #[test]
    fn an_officer_is_named_by_another_administrator() {
        let name = |user, by| LegalHoldsCommand::NameOfficer { user: id(user), by: id(by) };
        let named = LegalHoldsEvent::RecordsOfficerNamed { user: id(2), by: id(1) };
        given::<LegalHolds>(&[]).when(name(1, 1)).refused(Code::SelfGrant);
        given::<LegalHolds>(&[]).when(name(2, 1)).then(std::slice::from_ref(&named));
        let relieve = LegalHoldsCommand::RelieveOfficer { user: id(2), by: id(1) };
        given::<LegalHolds>(&[]).when(relieve.clone()).refused(Code::NotFound);
        given::<LegalHolds>(std::slice::from_ref(&named))
            .when(name(2, 3))
            .refused(Code::AlreadyAssigned);
        let relieved = LegalHoldsEvent::RecordsOfficerRelieved { user: id(2), by: id(1) };
        given::<LegalHolds>(&[named]).when(relieve).then(&[relieved]);
    }
}
