//! `WithdrawAffiliation`, `TerminateAffiliation`, `CancelAffiliationTermination`,
//! `ExpireAffiliation`: how a request or an affiliation ends without being denied (GN-18, GN-04).
//!
//! Invariant: an end is never back-dated; the last day counts in full, in the tenant's zone.

use async_trait::async_trait;
use chrono::NaiveDate;
use rollcall_domain::{
    affiliations::{Affiliation, AffiliationCommand},
    kernel::ids::AffiliationId,
    policies::Feature,
    values::Reason,
};

use super::Target;
use crate::{Access, Command, Context, Failure};

/// The side that asked takes its request back.
pub struct WithdrawAffiliation {
    pub target: Target,
    pub reason: Option<Reason>,
}

#[async_trait]
impl Command for WithdrawAffiliation {
    const NAME: &'static str = "WithdrawAffiliation";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.target.check(cx).await?;
        let withdraw = AffiliationCommand::Withdraw {
            organization: self.target.organization,
            user: cx.person()?,
            reason: self.reason.clone(),
        };
        cx.decide::<Affiliation>(self.target.affiliation, withdraw).await?;
        Ok(())
    }
}

/// Either side ends the affiliation with the last day given, after a prompt.
pub struct TerminateAffiliation {
    pub target: Target,
    pub confirm: bool,
    pub ends_on: NaiveDate,
    pub reason: Option<Reason>,
}

#[async_trait]
impl Command for TerminateAffiliation {
    const NAME: &'static str = "TerminateAffiliation";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.target.check(cx).await?;
        let terminate = AffiliationCommand::Terminate {
            organization: self.target.organization,
            user: cx.person()?,
            confirm: self.confirm,
            ends_on: self.ends_on,
            reason: self.reason.clone(),
        };
        cx.decide::<Affiliation>(self.target.affiliation, terminate).await?;
        Ok(())
    }
}

/// The side that ended it lets it go on before its last day is over.
pub struct CancelAffiliationTermination {
    pub target: Target,
}

#[async_trait]
impl Command for CancelAffiliationTermination {
    const NAME: &'static str = "CancelAffiliationTermination";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.target.check(cx).await?;
        let organization = self.target.organization;
        let cancel = AffiliationCommand::CancelTermination { organization };
        cx.decide::<Affiliation>(self.target.affiliation, cancel).await?;
        Ok(())
    }
}

/// The scheduler found a request undecided at its end; too early or too late it changes nothing.
pub struct ExpireAffiliation {
    pub affiliation: AffiliationId,
}

#[async_trait]
impl Command for ExpireAffiliation {
    const NAME: &'static str = "ExpireAffiliation";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        cx.decide::<Affiliation>(self.affiliation, AffiliationCommand::Expire).await?;
        Ok(())
    }
}
