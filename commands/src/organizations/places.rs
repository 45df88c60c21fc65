//! `RegisterLocation`, `SetLocationCredentialed`, `TerminateLocation` (CX-02, CX-03) and `LinkTaxId`
//! (CC-02): what the plan knows of an organisation's places and numbers.
//!
//! Invariant: of a tax id only kind and last four digits are recorded; its keyed hash tells two apart.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal, hex,
    kernel::ids::{LocationId, OrganizationId, TaxIdId},
    organizations::{Organization, OrganizationCommand, TaxIdRef, organization::PlaceCommand},
    values::{Npi, OrganizationName, TaxId},
};
use uuid::Uuid;

use super::{ENROLMENT_STAFF, matching::TAX_ID};
use crate::{Access, Command, Context, Failure};

/// Puts a branch or site on file.
pub struct RegisterLocation {
    pub organization: OrganizationId,
    pub name: OrganizationName,
    /// One of the organisation's.
    pub npi: Option<Npi>,
    pub credentialed: bool,
}

/// Says whether a location is credentialed.
pub struct SetLocationCredentialed {
    pub organization: OrganizationId,
    pub location: LocationId,
    pub credentialed: bool,
}

/// Ends the contract for a location, for good.
pub struct TerminateLocation {
    pub organization: OrganizationId,
    pub location: LocationId,
    /// Now if not given.
    pub from: Option<DateTime<Utc>>,
}

/// Notes that a further tax id is the organisation's.
pub struct LinkTaxId {
    pub organization: OrganizationId,
    pub tax_id: TaxId,
}

#[async_trait]
impl Command for RegisterLocation {
    const NAME: &'static str = "RegisterLocation";
    type Output = LocationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<LocationId, Failure> {
        let location = LocationId(Uuid::now_v7());
        let register = PlaceCommand::RegisterLocation {
            location,
            name: self.name.clone(),
            npi: self.npi.clone(),
            credentialed: self.credentialed,
        };
        decide(cx, self.organization, register).await?;
        Ok(location)
    }
}

#[async_trait]
impl Command for SetLocationCredentialed {
    const NAME: &'static str = "SetLocationCredentialed";
    type Output = LocationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<LocationId, Failure> {
        let (location, credentialed) = (self.location, self.credentialed);
        let set = PlaceCommand::SetLocationCredentialed { location, credentialed };
        decide(cx, self.organization, set).await?;
        Ok(location)
    }
}

#[async_trait]
impl Command for TerminateLocation {
    const NAME: &'static str = "TerminateLocation";
    type Output = LocationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<LocationId, Failure> {
        let (location, from) = (self.location, self.from.unwrap_or(cx.now));
        decide(cx, self.organization, PlaceCommand::TerminateLocation { location, from }).await?;
        Ok(location)
    }
}

#[async_trait]
impl Command for LinkTaxId {
    const NAME: &'static str = "LinkTaxId";
    type Output = TaxIdId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<TaxIdId, Failure> {
        let tenant = cx.tenant();
        let hash = cx.journal().secrets().lookup_key(tenant, TAX_ID, &self.tax_id.normalized());
        let owner = cx.journal().owner_of_hash(tenant, TAX_ID, &hash).await?;
        if owner == Some(self.organization.0) {
            let message = "This tax id is the organization's already.";
            return Err(Refusal::new(Code::TaxIdTaken, message).at("taxId").into());
        }
        let name = format!("{}/{}", self.organization, hex(&hash));
        let id = TaxIdId(tenant.derive("tax_id", &name));
        let reference =
            TaxIdRef { kind: self.tax_id.kind(), last4: self.tax_id.last4().to_owned() };
        decide(cx, self.organization, PlaceCommand::LinkTaxId { tax_id: id, reference }).await?;
        let taken = "Another organization has this tax id. Check the number.";
        let taken = Refusal::new(Code::TaxIdTaken, taken).at("taxId");
        cx.work.reserve_hash(TAX_ID, hash, self.organization.0, taken);
        Ok(id)
    }
}

async fn decide(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    command: PlaceCommand,
) -> Result<(), Failure> {
    cx.decide::<Organization>(organization, OrganizationCommand::from(command)).await?;
    Ok(())
}
