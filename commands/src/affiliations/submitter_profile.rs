//! `SetTransactionTypes`, `SetDirectoryVisibility` and `RecordTransactionTest`: a submitter in the
//! directory (MC-61 to MC-63).
//!
//! Invariant: what a submitter offers is its own to say, what its tests showed is the plan's.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    affiliations::{SubmitterProfile, SubmitterProfileCommand, TransactionTestResult},
    kernel::ids::OrganizationId,
    organizations::{Organization, OrganizationKinds},
    policies::Feature,
    tenants::PlanRole,
    values::TransactionType,
};

use crate::{Access, Command, Context, Failure};

/// Offers exactly these types from now on.
pub struct SetTransactionTypes {
    pub organization: OrganizationId,
    pub types: BTreeSet<TransactionType>,
}

#[async_trait]
impl Command for SetTransactionTypes {
    const NAME: &'static str = "SetTransactionTypes";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let organization = self.organization;
        let kinds = kinds(cx, organization).await?;
        let types = self.types.clone();
        let set = SubmitterProfileCommand::SetTransactionTypes { organization, kinds, types };
        decide(cx, organization, set).await
    }
}

/// Is listed in the directory, or hides from all but those affiliated already.
pub struct SetDirectoryVisibility {
    pub organization: OrganizationId,
    pub visible: bool,
}

#[async_trait]
impl Command for SetDirectoryVisibility {
    const NAME: &'static str = "SetDirectoryVisibility";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (organization, visible) = (self.organization, self.visible);
        let kinds = kinds(cx, organization).await?;
        let set = SubmitterProfileCommand::SetDirectoryVisibility { organization, kinds, visible };
        decide(cx, organization, set).await
    }
}

/// Records what a test of a type came to.
pub struct RecordTransactionTest {
    pub organization: OrganizationId,
    pub kind: TransactionType,
    pub result: TransactionTestResult,
}

#[async_trait]
impl Command for RecordTransactionTest {
    const NAME: &'static str = "RecordTransactionTest";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, &[PlanRole::Pa, PlanRole::Ps])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let Self { organization, kind, result } = *self;
        kinds(cx, organization).await?;
        let record = SubmitterProfileCommand::RecordTransactionTest { organization, kind, result };
        decide(cx, organization, record).await
    }
}

/// The organisation's kinds, where the portal has affiliations.
async fn kinds(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<OrganizationKinds, Failure> {
    let state = cx.load::<Organization>(organization).await?;
    let record = state.record().ok_or_else(|| Refusal::not_found("organizationId"))?;
    Ok(record.kinds.clone())
}

async fn decide(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    command: SubmitterProfileCommand,
) -> Result<(), Failure> {
    let stream = cx.tenant().submitter_profile_stream(organization);
    cx.decide::<SubmitterProfile>(stream, command).await?;
    Ok(())
}
