//! The PIN aggregate, one stream per NPI. Invariant: of two resets at once one wins, because both
//! write the same stream (GN-17).

use chrono::{DateTime, TimeDelta, Utc};

use super::events::{PinEvent, ResetBy};
use crate::kernel::ids::{OrganizationId, UserId, VaultRef};
use crate::policies::Policy;
use crate::values::{Npi, PersonName};
use crate::{Code, Decider, Decision, Refusal, Sealed};

/// One NPI's PIN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    /// There is none yet.
    #[default]
    NotIssued,
    /// There is one.
    Issued(Holding),
}

/// A PIN that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    pub npi: Npi,
    pub organization: OrganizationId,
    pub pin_ref: VaultRef,
    pub version: u32,
    /// Resets of the last days, oldest first: enough to count those of one local day.
    resets: Vec<DateTime<Utc>>,
    /// The version that dependent files are taking over.
    propagating: Option<u32>,
}

/// A command to stream `pins.pin`.
#[derive(Clone, Debug)]
pub enum PinCommand {
    /// Give the NPI a PIN: its first, or a new one after it moved to another organisation.
    IssuePin { npi: Npi, organization: OrganizationId, pin_ref: VaultRef },
    /// Replace it (MC-53); the policy's limit counts resets by anybody. `caller` is whom support
    /// did it for.
    ResetPin {
        organization: OrganizationId,
        pin_ref: VaultRef,
        by: ResetBy,
        caller: Option<Sealed<PersonName>>,
    },
    /// Every file that depends on the PIN has this version; of an earlier one it is no error (GN-17).
    CompletePropagation { version: u32 },
    /// Record that `user` is about to see it (MC-52).
    RevealPin { organization: OrganizationId, user: UserId },
}

/// Why a PIN refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinRefusal {
    #[error("There is no PIN for this NPI. Ask the plan to issue one.")]
    NotIssued,
    #[error("This NPI has a PIN already. Reset it instead.")]
    AlreadyIssued,
    #[error("You may not use the PIN of this NPI. Ask your administrator.")]
    OtherOrganization,
    #[error("This PIN was reset today. Try again tomorrow.")]
    ResetLimit { next_allowed_at: DateTime<Utc> },
}

impl From<PinRefusal> for Refusal {
    fn from(refusal: PinRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            PinRefusal::NotIssued => Self::new(Code::NotFound, message).at("npi"),
            PinRefusal::AlreadyIssued => Self::new(Code::AlreadyAssigned, message).at("npi"),
            PinRefusal::OtherOrganization => Self::new(Code::NpiNotPermitted, message).at("npi"),
            PinRefusal::ResetLimit { next_allowed_at } => {
                Self::new(Code::PinResetLimit, message).at("npi").retry_at(next_allowed_at)
            }
        }
    }
}

impl Pin {
    /// The PIN in force.
    #[must_use]
    pub fn holding(&self) -> Option<&Holding> {
        match self {
            Self::NotIssued => None,
            Self::Issued(holding) => Some(holding),
        }
    }

    fn held_by(&self, organization: OrganizationId) -> Result<&Holding, PinRefusal> {
        let holding = self.holding().ok_or(PinRefusal::NotIssued)?;
        if holding.organization == organization {
            Ok(holding)
        } else {
            Err(PinRefusal::OtherOrganization)
        }
    }
}

impl Holding {
    fn reset(
        &self,
        decision: &Decision<'_>,
        pin_ref: VaultRef,
        (by, caller): (ResetBy, Option<Sealed<PersonName>>),
    ) -> Result<Vec<PinEvent>, PinRefusal> {
        if let Some(next_allowed_at) = next_reset_at(&self.resets, decision.policy, decision.now) {
            return Err(PinRefusal::ResetLimit { next_allowed_at });
        }
        let (npi, organization, version) = (self.npi.clone(), self.organization, self.version + 1);
        let lag = decision.policy.pin_propagation();
        let pending = (lag > TimeDelta::zero()).then(|| PinEvent::PinPropagationPending {
            npi: npi.clone(),
            organization,
            version,
            due_at: decision.now + lag,
        });
        let effective_at = decision.now;
        let reset =
            PinEvent::PinReset { npi, organization, pin_ref, version, effective_at, by, caller };
        Ok([Some(reset), pending].into_iter().flatten().collect())
    }

    fn take_reset(&mut self, pin_ref: VaultRef, version: u32, at: DateTime<Utc>) {
        self.pin_ref = pin_ref;
        self.version = version;
        // A local day has at most 25 hours; older resets count no more.
        self.resets.retain(|earlier| at - *earlier < TimeDelta::hours(48));
        self.resets.push(at);
    }
}

/// When a PIN with these resets may be reset next; `None` when it may be at once. Days are the
/// tenant's (MC-53).
#[must_use]
pub fn next_reset_at(
    resets: &[DateTime<Utc>],
    policy: &Policy,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let zone = policy.time_zone();
    let today = resets.iter().filter(|at| zone.same_local_day(**at, now)).count();
    (today >= policy.pins().resets_per_day as usize).then(|| zone.next_midnight(now))
}

impl Decider for Pin {
    const TYPE: &'static str = "pins.pin";
    type Command = PinCommand;
    type Event = PinEvent;
    type Refusal = PinRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: PinCommand,
    ) -> Result<Vec<PinEvent>, PinRefusal> {
        match command {
            PinCommand::IssuePin { npi, organization, pin_ref } => {
                let version = match self {
                    Self::NotIssued => 1,
                    Self::Issued(holding) if holding.organization == organization => {
                        return Err(PinRefusal::AlreadyIssued);
                    }
                    Self::Issued(holding) => holding.version + 1,
                };
                Ok(vec![PinEvent::PinIssued { npi, organization, pin_ref, version }])
            }
            PinCommand::ResetPin { organization, pin_ref, by, caller } => {
                self.held_by(organization)?.reset(decision, pin_ref, (by, caller))
            }
            PinCommand::CompletePropagation { version } => {
                let holding = self.holding().ok_or(PinRefusal::NotIssued)?;
                let completed = PinEvent::PinPropagationCompleted {
                    npi: holding.npi.clone(),
                    organization: holding.organization,
                    version,
                };
                let awaited = holding.propagating == Some(version);
                Ok(awaited.then_some(completed).into_iter().collect())
            }
            PinCommand::RevealPin { organization, user } => {
                let Holding { npi, version, .. } = self.held_by(organization)?.clone();
                Ok(vec![PinEvent::PinRevealed { npi, organization, user, version }])
            }
        }
    }

    fn evolve(&mut self, event: &PinEvent) {
        match event {
            PinEvent::PinIssued { npi, organization, pin_ref, version } => {
                *self = Self::Issued(Holding {
                    npi: npi.clone(),
                    organization: *organization,
                    pin_ref: *pin_ref,
                    version: *version,
                    resets: Vec::new(),
                    propagating: None,
                });
            }
            PinEvent::PinReset { pin_ref, version, effective_at, .. } => {
                if let Self::Issued(holding) = self {
                    holding.take_reset(*pin_ref, *version, *effective_at);
                }
            }
            PinEvent::PinPropagationPending { version, .. } => {
                if let Self::Issued(holding) = self {
                    holding.propagating = Some(*version);
                }
            }
            PinEvent::PinPropagationCompleted { .. } => {
                if let Self::Issued(holding) = self {
                    holding.propagating = None;
                }
            }
            PinEvent::PinRevealed { .. } => {}
        }
    }
}
