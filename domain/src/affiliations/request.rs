//! A request for an affiliation, from the first signature to the answer.
//!
//! Invariant: the side that did not ask decides, and only on what the other one has signed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::affiliated::Signed;
use super::affiliation::Decided;
use super::command::{RequestAffiliation, Signature};
use super::events::{AffiliationEvent, AffiliationScope, NpiSelection, Pair, Side, SignerRole};
use super::refusal::AffiliationRefusal;
use crate::kernel::ids::OrganizationId;
use crate::organizations::OrganizationKind;
use crate::{Decision, Sealed};

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub pair: Pair,
    pub initiator: Side,
    pub scope: AffiliationScope,
    pub expires_at: DateTime<Utc>,
    /// Whether the side that asked has signed; before that the other sees nothing to decide.
    pub initiator_signed: bool,
    pub(super) signed: Signed,
}

/// A request that was refused: who had asked, and when the answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    pub initiator: Side,
    pub at: DateTime<Utc>,
}

impl Request {
    /// The request as the deciding side meets it.
    pub(super) fn to_decide(
        &self,
        organization: OrganizationId,
    ) -> Result<Side, AffiliationRefusal> {
        match self.pair.side_of(organization) {
            Some(side) if side != self.initiator && self.initiator_signed => Ok(side),
            Some(side) if side != self.initiator => Err(AffiliationRefusal::NotPending),
            Some(_) | None => Err(AffiliationRefusal::NotCounterparty),
        }
    }

    pub(super) fn approve(
        &self,
        now: DateTime<Utc>,
        organization: OrganizationId,
        signature: Signature,
    ) -> Decided {
        let side = self.to_decide(organization)?;
        let (pair, effective_from) = (self.pair, now);
        Ok(vec![
            signed(pair, side, signature)?,
            AffiliationEvent::AffiliationApproved { pair, side, effective_from },
        ])
    }

    pub(super) fn sign(
        &self,
        now: DateTime<Utc>,
        organization: OrganizationId,
        signature: Signature,
    ) -> Decided {
        if self.pair.side_of(organization) != Some(self.initiator) {
            self.approve(now, organization, signature)
        } else if self.initiator_signed {
            Err(AffiliationRefusal::AlreadySigned)
        } else {
            Ok(vec![signed(self.pair, self.initiator, signature)?])
        }
    }
}

pub(super) fn requested(decision: &Decision<'_>, request: RequestAffiliation) -> Decided {
    let RequestAffiliation { affiliation, pair, initiator, scope, .. } = request;
    if pair.submitter == pair.provider {
        return Err(AffiliationRefusal::WithItself);
    }
    if !request.submitter_kinds.contains(&OrganizationKind::Submitter)
        || !request.provider_kinds.contains(&OrganizationKind::Provider)
    {
        return Err(AffiliationRefusal::KindWrong);
    }
    if scope.transaction_types.is_empty() {
        return Err(AffiliationRefusal::NoTransactionType);
    }
    if scope.npis == NpiSelection::Listed(BTreeSet::new()) {
        return Err(AffiliationRefusal::NoNpi);
    }
    let expires_at = decision.now + decision.policy.affiliation_request_ttl();
    let mut events = vec![AffiliationEvent::AffiliationRequested {
        affiliation,
        pair,
        initiator,
        scope,
        expires_at,
    }];
    if let Some(signature) = request.signature {
        events.push(signed(pair, initiator, signature)?);
    }
    Ok(events)
}

/// MC-57: box, both names, and a role from the list.
pub(super) fn signed(
    pair: Pair,
    side: Side,
    signature: Signature,
) -> Result<AffiliationEvent, AffiliationRefusal> {
    if !signature.eligibility_confirmed {
        return Err(AffiliationRefusal::BoxNotTicked);
    }
    let user = signature.user;
    let first_name = signature.first_name.ok_or(AffiliationRefusal::FirstNameRequired)?;
    let last_name = signature.last_name.ok_or(AffiliationRefusal::LastNameRequired)?;
    Ok(AffiliationEvent::AffiliationAgreementSigned {
        pair,
        side,
        user,
        first_name: Sealed::new(user, first_name),
        last_name: Sealed::new(user, last_name),
        role: SignerRole::parse(&signature.role).ok_or(AffiliationRefusal::RoleUnknown)?,
        agreement_version: signature.agreement_version,
        sha256: signature.sha256,
        eligibility_confirmed: true,
    })
}
