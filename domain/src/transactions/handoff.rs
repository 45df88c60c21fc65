//! The hand-off aggregate. Invariant: issued, then redeemed, each at most once, and never late.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::TransactionOption;
use crate::kernel::ids::{HandoffId, OrganizationId, UserId};
use crate::values::Npi;
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// One person's way to Transaction Services, for one NPI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Handoff {
    /// The id is not in use.
    #[default]
    NotIssued,
    /// Waiting to be redeemed.
    Issued(Issued),
    /// It has served.
    Redeemed,
}

/// What was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub user: UserId,
    /// The organisation acted for.
    pub organization: OrganizationId,
    pub npi: Npi,
    pub options: Vec<TransactionOption>,
    pub expires_at: DateTime<Utc>,
}

/// A command to stream `transactions.handoff`.
#[derive(Clone, Debug)]
pub enum HandoffCommand {
    /// Hand somebody over; how long it works is the policy's.
    Issue(IssueHandoff),
    /// Transaction Services took it.
    Redeem,
}

/// Whom to hand over, and for what.
#[derive(Clone, Debug)]
pub struct IssueHandoff {
    pub handoff: HandoffId,
    pub user: UserId,
    pub organization: OrganizationId,
    pub npi: Npi,
    /// What the person may do there now; nothing at all is refused.
    pub options: Vec<TransactionOption>,
}

/// An event of stream `transactions.handoff`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HandoffEvent {
    /// Somebody was handed over to Transaction Services with these options.
    TransactionHandoffIssued {
        handoff: HandoffId,
        user: UserId,
        organization: OrganizationId,
        npi: Npi,
        options: Vec<TransactionOption>,
        expires_at: DateTime<Utc>,
    },
    /// Transaction Services took them in.
    TransactionHandoffRedeemed { user: UserId, organization: OrganizationId, npi: Npi },
}

impl Event for HandoffEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::TransactionHandoffIssued { .. } => {
                "transactions.handoff.transaction_handoff_issued"
            }
            Self::TransactionHandoffRedeemed { .. } => {
                "transactions.handoff.transaction_handoff_redeemed"
            }
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::TransactionHandoffIssued { user, organization, npi, .. }
            | Self::TransactionHandoffRedeemed { user, organization, npi } => {
                Facets::default().subject(*user).organization(*organization).npi(npi)
            }
        }
    }
}

/// Why a hand-off refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandoffRefusal {
    #[error("You have no transactions for this NPI. Ask your administrator.")]
    NotPermitted,
    #[error("This hand-off is not valid. Start again from the portal.")]
    Invalid,
    #[error("This hand-off has expired. Start again from the portal.")]
    Expired,
    #[error("This hand-off has served already. Start again from the portal.")]
    Used,
}

impl From<HandoffRefusal> for Refusal {
    fn from(refusal: HandoffRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            HandoffRefusal::NotPermitted => Self::new(Code::NpiNotPermitted, message).at("npi"),
            HandoffRefusal::Invalid => Self::new(Code::HandoffInvalid, message).at("token"),
            HandoffRefusal::Expired => Self::new(Code::HandoffExpired, message).at("token"),
            HandoffRefusal::Used => Self::new(Code::HandoffUsed, message).at("token"),
        }
    }
}

impl Handoff {
    /// What was handed over, if it may be redeemed at `now`.
    ///
    /// # Errors
    /// HANDOFF_INVALID, HANDOFF_EXPIRED or HANDOFF_USED.
    pub fn to_redeem(&self, now: DateTime<Utc>) -> Result<&Issued, HandoffRefusal> {
        match self {
            Self::NotIssued => Err(HandoffRefusal::Invalid),
            Self::Redeemed => Err(HandoffRefusal::Used),
            Self::Issued(issued) if now >= issued.expires_at => Err(HandoffRefusal::Expired),
            Self::Issued(issued) => Ok(issued),
        }
    }
}

impl Decider for Handoff {
    const TYPE: &'static str = "transactions.handoff";
    type Command = HandoffCommand;
    type Event = HandoffEvent;
    type Refusal = HandoffRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: HandoffCommand,
    ) -> Result<Vec<HandoffEvent>, HandoffRefusal> {
        match command {
            HandoffCommand::Issue(issue) => {
                if *self != Self::NotIssued {
                    return Err(HandoffRefusal::Used);
                }
                if issue.options.is_empty() {
                    return Err(HandoffRefusal::NotPermitted);
                }
                let IssueHandoff { handoff, user, organization, npi, options } = issue;
                let expires_at = decision.now + decision.policy.handoff_ttl();
                Ok(vec![HandoffEvent::TransactionHandoffIssued {
                    handoff,
                    user,
                    organization,
                    npi,
                    options,
                    expires_at,
                }])
            }
            HandoffCommand::Redeem => {
                let Issued { user, organization, npi, .. } = self.to_redeem(decision.now)?.clone();
                Ok(vec![HandoffEvent::TransactionHandoffRedeemed { user, organization, npi }])
            }
        }
    }

    fn evolve(&mut self, event: &HandoffEvent) {
        *self = match event {
            HandoffEvent::TransactionHandoffIssued {
                user,
                organization,
                npi,
                options,
                expires_at,
                ..
            } => Self::Issued(Issued {
                user: *user,
                organization: *organization,
                npi: npi.clone(),
                options: options.clone(),
                expires_at: *expires_at,
            }),
            HandoffEvent::TransactionHandoffRedeemed { .. } => Self::Redeemed,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{after, given, id};
    use crate::transactions::as_provider;

    fn npi() -> Npi {
        Npi::parse("1234567893").unwrap()
    }

    fn issue(options: Vec<TransactionOption>) -> HandoffCommand {
        HandoffCommand::Issue(IssueHandoff {
            handoff: id(80),
            user: id(1),
            organization: id(10),
            npi: npi(),
            options,
        })
    }

    fn options() -> Vec<TransactionOption> {
        as_provider(id(10)).collect()
    }

    fn issued() -> HandoffEvent {
        HandoffEvent::TransactionHandoffIssued {
            handoff: id(80),
            user: id(1),
            organization: id(10),
            npi: npi(),
            options: options(),
            expires_at: after(60),
        }
    }

    fn redeemed() -> HandoffEvent {
        HandoffEvent::TransactionHandoffRedeemed { user: id(1), organization: id(10), npi: npi() }
    }

    #[test]
    fn mc_38_a_hand_off_works_once_to_the_last_second_of_its_minute() {
        given::<Handoff>(&[]).when(issue(options())).then(&[issued()]);
        given::<Handoff>(&[]).when(issue(Vec::new())).refused(Code::NpiNotPermitted);
        given::<Handoff>(&[issued()]).when(issue(options())).refused(Code::HandoffUsed);
        let redeem = || HandoffCommand::Redeem;
        given::<Handoff>(&[issued()]).at(after(59)).when(redeem()).then(&[redeemed()]);
        given::<Handoff>(&[issued()]).at(after(60)).when(redeem()).refused(Code::HandoffExpired);
        given::<Handoff>(&[issued(), redeemed()]).when(redeem()).refused(Code::HandoffUsed);
        given::<Handoff>(&[]).when(redeem()).refused(Code::HandoffInvalid);
    }
}
