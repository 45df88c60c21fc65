//! `SetOrganizationKinds` (MC-12) and `SetContractStatus` (CC-01).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::OrganizationId,
    organizations::{
        ContractStatus, Organization, OrganizationCommand, OrganizationKind, OrganizationKinds,
    },
};

use super::ENROLMENT_STAFF;
use crate::{Access, Command, Context, Failure};

/// Makes an organisation provider, submitter or both.
pub struct SetOrganizationKinds {
    pub organization: OrganizationId,
    pub kinds: OrganizationKinds,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for SetOrganizationKinds {
    const NAME: &'static str = "SetOrganizationKinds";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        let set = OrganizationCommand::SetOrganizationKinds { kinds: self.kinds.clone() };
        cx.decide::<Organization>(self.organization, set).await?;
        Ok(self.organization)
    }
}

/// Records that the contract began, was found missing or ended.
pub struct SetContractStatus {
    pub organization: OrganizationId,
    pub status: ContractStatus,
    /// Since when, or from when on; now if not given.
    pub from: Option<DateTime<Utc>>,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for SetContractStatus {
    const NAME: &'static str = "SetContractStatus";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        let from = self.from.unwrap_or(cx.now);
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        let set = OrganizationCommand::SetContractStatus { status: self.status, from };
        cx.decide::<Organization>(self.organization, set).await?;
        Ok(self.organization)
    }
}

/// Reads kinds by their stored names.
///
/// # Errors
/// `FIELD_REQUIRED` for none, `TYPE_UNKNOWN` for an unknown one.
pub fn parse_kinds<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> Result<OrganizationKinds, Refusal> {
    let kinds = names
        .into_iter()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| match name {
            "PROVIDER" => Ok(OrganizationKind::Provider),
            "SUBMITTER" => Ok(OrganizationKind::Submitter),
            _ => Err(Refusal::new(Code::TypeUnknown, "Choose PROVIDER, SUBMITTER or both.")),
        })
        .collect::<Result<OrganizationKinds, _>>()?;
    if kinds.is_empty() {
        return Err(Refusal::new(Code::FieldRequired, "Choose PROVIDER, SUBMITTER or both."));
    }
    Ok(kinds)
}

/// Reads a contract status by its stored name.
///
/// # Errors
/// `FIELD_INVALID`.
pub fn parse_contract_status(name: &str) -> Result<ContractStatus, Refusal> {
    match name {
        "CONTRACTED" => Ok(ContractStatus::Contracted),
        "NOT_CONTRACTED" => Ok(ContractStatus::NotContracted),
        "TERMINATED" => Ok(ContractStatus::Terminated),
        _ => Err(Refusal::new(
            Code::FieldInvalid,
            "Choose one of CONTRACTED, NOT_CONTRACTED, TERMINATED.",
        )),
    }
}
