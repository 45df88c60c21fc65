//! With whom, and who stands on which side (MC-54, MC-56).
//!
//! Invariant: an organisation that is not open to its members is nobody's counterparty.

use std::sync::Arc;

use rollcall_domain::{
    Code, Refusal,
    affiliations::{AffiliationRefusal, Pair, Side},
    kernel::ids::OrganizationId,
    organizations::{Organization, OrganizationKind},
    values::Npi,
};

use crate::{Context, Failure};

/// How the other organisation is named.
#[derive(Clone, Debug)]
pub enum Counterparty {
    /// As found in a directory.
    Organization(OrganizationId),
    /// By one of its NPIs: how a submitter knows a provider.
    HolderOf(Npi),
}

impl Counterparty {
    /// The input field it came in.
    const fn field(&self) -> &'static str {
        match self {
            Self::Organization(_) => "counterpartyId",
            Self::HolderOf(_) => "counterpartyNpi",
        }
    }
}

/// Both organisations, and on which side the one that asks stands.
pub(super) struct Parties {
    pub pair: Pair,
    pub initiator: Side,
    pub submitter: Arc<Organization>,
    pub provider: Arc<Organization>,
}

impl Parties {
    /// Finds the counterparty and who is the submitter. `asked` is the side the initiator chose; it
    /// matters only where both organisations are of both kinds.
    ///
    /// # Errors
    /// `SELF_AFFILIATION`, `PROVIDER_NOT_FOUND`, `ORG_KIND_WRONG`, or `FIELD_REQUIRED` where the
    /// kinds leave the side open.
    pub async fn find(
        cx: &mut Context<'_>,
        organization: OrganizationId,
        counterparty: &Counterparty,
        asked: Option<Side>,
    ) -> Result<Self, Failure> {
        let own = cx.load::<Organization>(organization).await?;
        let found = match counterparty {
            Counterparty::Organization(id) => Some(*id),
            Counterparty::HolderOf(npi) => {
                let owner = cx.journal().owner_of(cx.tenant(), "npi", npi.as_str()).await?;
                owner.map(OrganizationId)
            }
        };
        if found == Some(organization) {
            return Err(Refusal::from(AffiliationRefusal::WithItself).into());
        }
        let Some(id) = found else { return Err(not_found(counterparty).into()) };
        let other = cx.load::<Organization>(id).await?;
        if !other.is_active() {
            return Err(not_found(counterparty).into());
        }
        let initiator = side(&own, &other, asked)?;
        Ok(match initiator {
            Side::Submitter => Self {
                pair: Pair { submitter: organization, provider: id },
                initiator,
                submitter: own,
                provider: other,
            },
            Side::Provider => Self {
                pair: Pair { submitter: id, provider: organization },
                initiator,
                submitter: other,
                provider: own,
            },
        })
    }
}

/// The only side that fits both organisations' kinds, or the one asked for.
fn side(own: &Organization, other: &Organization, asked: Option<Side>) -> Result<Side, Refusal> {
    let fits = |side: Side| is(own, side) && is(other, side.other());
    if let Some(side) = asked {
        return Ok(side);
    }
    match (fits(Side::Submitter), fits(Side::Provider)) {
        (true, false) => Ok(Side::Submitter),
        (false, true) => Ok(Side::Provider),
        (true, true) => Err(Refusal::new(
            Code::FieldRequired,
            "Both organisations submit and provide. Say on which side yours stands.",
        )
        .at("side")),
        (false, false) => Err(AffiliationRefusal::KindWrong.into()),
    }
}

fn is(organization: &Organization, side: Side) -> bool {
    let kind = match side {
        Side::Submitter => OrganizationKind::Submitter,
        Side::Provider => OrganizationKind::Provider,
    };
    organization.record().is_some_and(|record| record.kinds.contains(&kind))
}

fn not_found(counterparty: &Counterparty) -> Refusal {
    Refusal::new(
        Code::ProviderNotFound,
        "No organisation of this portal is known by this. Check the number and try again.",
    )
    .at(counterparty.field())
}
