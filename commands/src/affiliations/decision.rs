//! `ApproveAffiliation` and `DenyAffiliation`: the side that was asked answers (MC-59, MC-60).
//!
//! Invariant: approving is signing.

use async_trait::async_trait;
use rollcall_domain::{
    affiliations::{Affiliation, AffiliationCommand},
    policies::Feature,
    values::Reason,
};

use super::{GivenSignature, Target};
use crate::{Access, Command, Context, Failure};

/// Signs for the side that was asked; the affiliation is in force then.
pub struct ApproveAffiliation {
    pub target: Target,
    pub signature: GivenSignature,
}

#[async_trait]
impl Command for ApproveAffiliation {
    const NAME: &'static str = "ApproveAffiliation";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.target.check(cx).await?;
        let signature = self.signature.under_agreement(cx).await?;
        let organization = self.target.organization;
        let approve = AffiliationCommand::Approve { organization, signature };
        cx.decide::<Affiliation>(self.target.affiliation, approve).await?;
        Ok(())
    }
}

/// Refuses the request, after a prompt.
pub struct DenyAffiliation {
    pub target: Target,
    pub confirm: bool,
    pub reason: Option<Reason>,
}

#[async_trait]
impl Command for DenyAffiliation {
    const NAME: &'static str = "DenyAffiliation";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.target.check(cx).await?;
        let deny = AffiliationCommand::Deny {
            organization: self.target.organization,
            user: cx.person()?,
            confirm: self.confirm,
            reason: self.reason.clone(),
        };
        cx.decide::<Affiliation>(self.target.affiliation, deny).await?;
        Ok(())
    }
}
