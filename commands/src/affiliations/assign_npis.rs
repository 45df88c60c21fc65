//! `AssignAffiliatedNpis`: for which of a provider's NPIs a person of the submitter works (GN-18).
//!
//! Invariant: what is given counts in the Transaction Center only. PINs, correspondence and tax
//! documents ask for a level of the provider's own, which nobody gets here.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    affiliations::{Affiliation, AffiliationCommand, AffiliationRefusal, AssignNpis},
    kernel::ids::UserId,
    organizations::Organization,
    policies::Feature,
    values::Npi,
};

use super::Target;
use crate::{Access, Command, Context, Failure};

/// Lets a person of the submitter work for exactly these NPIs; none at all takes all away.
pub struct AssignAffiliatedNpis {
    pub target: Target,
    pub user: UserId,
    pub npis: BTreeSet<Npi>,
}

#[async_trait]
impl Command for AssignAffiliatedNpis {
    const NAME: &'static str = "AssignAffiliatedNpis";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.target.check(cx).await?;
        let organization = self.target.organization;
        let own = cx.load::<Organization>(organization).await?;
        if !own.is_active_member(self.user, cx.now) {
            return Err(Refusal::not_found("userId").into());
        }
        let affiliation = cx.load::<Affiliation>(self.target.affiliation).await?;
        let Some(affiliated) = affiliation.in_force(cx.now) else {
            return Err(Refusal::from(AffiliationRefusal::NotActive).into());
        };
        let provider = cx.load::<Organization>(affiliated.pair.provider).await?;
        let assign = AssignNpis {
            organization,
            user: self.user,
            npis: self.npis.clone(),
            held: provider.npis_at(cx.now),
            cause: None,
        };
        let assign = AffiliationCommand::AssignNpis(Box::new(assign));
        cx.decide::<Affiliation>(self.target.affiliation, assign).await?;
        Ok(())
    }
}
