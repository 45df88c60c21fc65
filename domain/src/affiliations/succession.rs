//! One pair's affiliations over time: the next is requested once the last is over (GN-18).
//!
//! Invariant: of two organisations at most one affiliation is open, pending or in force.

use super::{Affiliation, AffiliationRefusal, Denied, Pair, Side};
use crate::Decision;
use crate::kernel::ids::AffiliationId;

impl Affiliation {
    /// The two organisations, once requested.
    #[must_use]
    pub fn pair(&self) -> Option<&Pair> {
        match self {
            Self::NotRequested => None,
            Self::Requested(request) => Some(&request.pair),
            Self::Active(affiliated) | Self::Terminated { affiliated, .. } => {
                Some(&affiliated.pair)
            }
            Self::Closed { pair, .. } => Some(pair),
        }
    }

    /// The affiliation of an organisation merged away that it goes on with, or went on with.
    #[must_use]
    pub fn predecessor(&self) -> Option<AffiliationId> {
        match self {
            Self::Active(affiliated) | Self::Terminated { affiliated, .. } => {
                affiliated.predecessor
            }
            Self::NotRequested | Self::Requested(_) | Self::Closed { .. } => None,
        }
    }

    /// Whether another may be requested by `initiator` after this one: it is over, and an
    /// organisation that was refused waits as long as the policy says.
    ///
    /// # Errors
    /// AFFILIATION_EXISTS; TOO_EARLY with the moment from which the request is taken.
    pub fn may_be_followed(
        &self,
        initiator: Side,
        decision: &Decision<'_>,
    ) -> Result<(), AffiliationRefusal> {
        let now = decision.now;
        match self {
            Self::Requested(request) if now < request.expires_at => Err(AffiliationRefusal::Exists),
            Self::Active(_) => Err(AffiliationRefusal::Exists),
            Self::Terminated { ending, .. } if now < ending.ends_at => {
                Err(AffiliationRefusal::Exists)
            }
            Self::Closed { denied: Some(Denied { initiator: refused, at }), .. }
                if *refused == initiator =>
            {
                let retry_at = *at + decision.policy.affiliation_rerequest_after();
                if now < retry_at {
                    return Err(AffiliationRefusal::DeniedRecently { retry_at });
                }
                Ok(())
            }
            Self::NotRequested
            | Self::Requested(_)
            | Self::Terminated { .. }
            | Self::Closed { .. } => Ok(()),
        }
    }
}
