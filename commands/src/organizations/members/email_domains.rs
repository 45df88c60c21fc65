//! `RemoveEmailDomain`: takes an email domain off the organisation's list (MC-14).
//!
//! Invariant: a domain of an active user stays.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::OrganizationId,
    organizations::{Organization, OrganizationCommand, organization::RosterCommand},
};

use crate::{Access, Command, Context, Failure};

/// Removes one domain.
pub struct RemoveEmailDomain {
    pub organization: OrganizationId,
    /// In lower case, as addresses keep it.
    domain: String,
}

impl RemoveEmailDomain {
    /// Reads the domain as typed.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when it is blank.
    pub fn parse(organization: OrganizationId, domain: &str) -> Result<Self, Refusal> {
        let domain = domain.trim().to_lowercase();
        if domain.is_empty() {
            return Err(Refusal::new(Code::FieldRequired, "Enter the domain.").at("domain"));
        }
        Ok(Self { organization, domain })
    }
}

#[async_trait]
impl Command for RemoveEmailDomain {
    const NAME: &'static str = "RemoveEmailDomain";
    type Output = String;

    fn access(&self) -> Access {
        Access::OrgAdmin(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<String, Failure> {
        let remove = RosterCommand::RemoveEmailDomain { domain: self.domain.clone() };
        cx.decide::<Organization>(self.organization, OrganizationCommand::from(remove)).await?;
        Ok(self.domain.clone())
    }
}
