//! `SubmitRegistrantDetails`: who registers, and what they know of the enrolment (MC-07).
//!
//! Invariant: the answer to wrong details never says which were wrong, nor how many.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, RegistrationId, RegistrationTokenId},
    organizations::{
        Registration,
        registration::{
            RegistrantDetails, RegistrationCommand, RegistrationEvent, RegistrationRefusal,
        },
    },
    values::{EmailAddress, TaxId, Zip},
};

use super::tries;
use crate::{Access, Command, Context, Failure, organizations::matching};

/// What the letter's reader knows of the organisation.
#[derive(Clone, Debug)]
pub struct EnrolmentClaims {
    pub tax_id: TaxId,
    pub pay_to_zip: Zip,
    pub contact_email: EmailAddress,
}

/// Submits the registrant's details.
pub struct SubmitRegistrantDetails {
    pub registration: RegistrationId,
    /// The registrant's own address, as at the start.
    pub email: EmailAddress,
    pub details: RegistrantDetails,
    pub claims: EnrolmentClaims,
}

#[async_trait]
impl Command for SubmitRegistrantDetails {
    const NAME: &'static str = "SubmitRegistrantDetails";
    const FOR_VISITORS: bool = true;
    type Output = RegistrationId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RegistrationId, Failure> {
        let state = cx.load::<Registration>(self.registration).await?;
        let Some(progress) = state.progress() else {
            return Err(Refusal::not_found("registrationId").into());
        };
        let same_address =
            progress.email.get().is_some_and(|email| email.key() == self.email.key());
        let claimed = Claimed {
            registration: self.registration,
            token: progress.token,
            organization: progress.organization,
        };
        let details = Some(self.details.clone());
        claimed.submit(cx, details, &self.claims, u8::from(!same_address)).await?;
        Ok(self.registration)
    }
}

/// A registration whose details are submitted.
pub(super) struct Claimed {
    pub registration: RegistrationId,
    pub token: RegistrationTokenId,
    pub organization: OrganizationId,
}

impl Claimed {
    /// Compares the claims with the enrolment and takes the step; `others` are differences found
    /// elsewhere.
    ///
    /// # Errors
    /// `DETAILS_DO_NOT_MATCH` on record; `RATE_LIMITED` after too many of them.
    pub async fn submit(
        &self,
        cx: &mut Context<'_>,
        details: Option<RegistrantDetails>,
        claims: &EnrolmentClaims,
        others: u8,
    ) -> Result<(), Failure> {
        tries::check_details(cx, self.token).await?;
        let EnrolmentClaims { tax_id, pay_to_zip, contact_email } = claims;
        let differing =
            matching::mismatches(cx, self.organization, tax_id, pay_to_zip, contact_email).await?;
        let submit = RegistrationCommand::SubmitRegistrantDetails {
            details,
            mismatches: differing + others,
        };
        let events = cx.decide::<Registration>(self.registration, submit).await?;
        let wrong = |event: &RegistrationEvent| {
            matches!(event, RegistrationEvent::RegistrantMismatch { .. })
        };
        if events.iter().any(wrong) {
            tries::count_wrong_details(cx, self.token).await?;
            let refusal = RegistrationRefusal::DetailsDoNotMatch;
            return Err(Failure::RefusedOnRecord(refusal.into()));
        }
        Ok(())
    }
}
