//! `RequestAffiliation`: either side asks the other (MC-54, MC-56).
//!
//! Invariant: of two organisations at most one affiliation is open; earlier ones keep their streams.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Decision, Refusal,
    affiliations::{
        Affiliation, AffiliationCommand, AffiliationScope, NpiSelection, Pair,
        RequestAffiliation as Asked, Side,
    },
    kernel::ids::{AffiliationId, OrganizationId},
    organizations::{Organization, OrganizationKinds},
    policies::Feature,
};

use super::{Counterparty, GivenSignature, counterparty::Parties};
use crate::{Access, Command, Context, Failure};

/// Asks another organisation for an affiliation, signed at once or by
/// [`super::SignAffiliationAgreement`] in a step of its own.
pub struct RequestAffiliation {
    pub organization: OrganizationId,
    pub counterparty: Counterparty,
    /// On which side the asking organisation stands, where its kinds leave that open.
    pub side: Option<Side>,
    pub scope: AffiliationScope,
    pub signature: Option<GivenSignature>,
}

#[async_trait]
impl Command for RequestAffiliation {
    const NAME: &'static str = "RequestAffiliation";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = AffiliationId;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AffiliationId, Failure> {
        let parties = Parties::find(cx, self.organization, &self.counterparty, self.side).await?;
        let affiliation = next_of(cx, &parties.pair, parties.initiator).await?;
        self.check_npis(&parties.provider, cx)?;
        let signature = match &self.signature {
            Some(signature) => Some(signature.under_agreement(cx).await?),
            None => None,
        };
        let asked = Asked {
            affiliation,
            pair: parties.pair,
            initiator: parties.initiator,
            scope: self.scope.clone(),
            submitter_kinds: kinds(&parties.submitter),
            provider_kinds: kinds(&parties.provider),
            signature,
        };
        cx.decide::<Affiliation>(affiliation, AffiliationCommand::Request(Box::new(asked))).await?;
        Ok(affiliation)
    }
}

impl RequestAffiliation {
    /// Demands that the provider holds every NPI listed.
    fn check_npis(&self, provider: &Organization, cx: &Context<'_>) -> Result<(), Refusal> {
        let NpiSelection::Listed(npis) = &self.scope.npis else { return Ok(()) };
        let foreign: Vec<String> = npis
            .iter()
            .filter(|npi| !provider.holds_npi(npi, cx.now))
            .map(ToString::to_string)
            .collect();
        if foreign.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(
            Code::NpiNotInOrg,
            "The provider does not hold every NPI listed. Check them or choose all.",
        )
        .at("scope.npis")
        .details(foreign))
    }
}

/// The stream of the pair's next affiliation, once all earlier ones are over. A request that ran
/// out unnoticed is closed on record first.
///
/// # Errors
/// `AFFILIATION_EXISTS`, `TOO_EARLY`.
async fn next_of(
    cx: &mut Context<'_>,
    pair: &Pair,
    initiator: Side,
) -> Result<AffiliationId, Failure> {
    let mut n = 0;
    loop {
        let id = AffiliationId(cx.tenant().affiliation_stream(pair, n));
        let earlier = cx.load::<Affiliation>(id).await?;
        if earlier.pair().is_none() {
            return Ok(id);
        }
        let decision = Decision { now: cx.now, actor: cx.authority.actor, policy: &cx.policy };
        earlier.may_be_followed(initiator, &decision).map_err(Refusal::from)?;
        cx.decide::<Affiliation>(id, AffiliationCommand::Expire).await?;
        n += 1;
    }
}

fn kinds(organization: &Organization) -> OrganizationKinds {
    organization.record().map(|record| record.kinds.clone()).unwrap_or_default()
}
