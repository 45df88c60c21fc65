//! The PIN aggregate, one stream per NPI. Invariant: of two resets at once one wins, because both
//! write the same stream (GN-17).

use chrono::{DateTime, TimeDelta, Utc};

use super::events::{PinEvent, ResetBy};
use crate::kernel::ids::{OrganizationId, UserId, VaultRef};
use crate::policies::Policy;
use crate::values::Npi;
use crate::{Code, Decider, Decision, Refusal};

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
}

/// A command to stream `pins.pin`.
#[derive(Clone, Debug)]
pub enum PinCommand {
    /// Give the NPI a PIN: its first, or a new one after it moved to another organisation.
    IssuePin { npi: Npi, organization: OrganizationId, pin_ref: VaultRef },
    /// Replace it (MC-53); the policy's limit counts resets by anybody.
    ResetPin { organization: OrganizationId, pin_ref: VaultRef, by: ResetBy },
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
        by: ResetBy,
    ) -> Result<PinEvent, PinRefusal> {
        match next_reset_at(&self.resets, decision.policy, decision.now) {
            Some(next_allowed_at) => Err(PinRefusal::ResetLimit { next_allowed_at }),
            None => Ok(PinEvent::PinReset {
                npi: self.npi.clone(),
                organization: self.organization,
                pin_ref,
                version: self.version + 1,
                effective_at: decision.now,
                by,
            }),
        }
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
            PinCommand::ResetPin { organization, pin_ref, by } => {
                Ok(vec![self.held_by(organization)?.reset(decision, pin_ref, by)?])
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
                });
            }
            PinEvent::PinReset { pin_ref, version, effective_at, .. } => {
                if let Self::Issued(holding) = self {
                    holding.take_reset(*pin_ref, *version, *effective_at);
                }
            }
            PinEvent::PinRevealed { .. } => {}
        }
    }
}
