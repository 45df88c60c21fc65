//! `ResetPinForCaller`: plan support replaces a PIN for somebody on the telephone (GN-17).
//!
//! Invariant: the caller has said what only the organisation's own people know, and which part of it
//! was wrong is never told.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    kernel::ids::{OrganizationId, SubjectId},
    organizations::{Organization, organization::Record},
    pins::{Pin, PinCommand, ResetBy},
    tenants::PlanRole,
    values::{Npi, PersonName, Zip},
};
use subtle::ConstantTimeEq;

use super::{PinIsReset, value};
use crate::{Access, Command, Context, Failure};

/// Replaces the PIN of an NPI for a caller who was validated.
pub struct ResetPinForCaller {
    pub organization: OrganizationId,
    pub npi: Npi,
    pub caller: PersonName,
    pub said: CallerSays,
}

/// What the caller said of the organisation.
pub struct CallerSays {
    /// The last four digits of its Tax ID.
    pub tax_id_last4: String,
    pub pay_to_zip: Zip,
}

impl CallerSays {
    fn fits(&self, record: &Record) -> bool {
        let digits = record.tax_id.last4.as_bytes().ct_eq(self.tax_id_last4.trim().as_bytes());
        let zip = record.pay_to_zip.as_ref().is_some_and(|zip| zip.matches(&self.pay_to_zip));
        bool::from(digits) & zip
    }
}

#[async_trait]
impl Command for ResetPinForCaller {
    const NAME: &'static str = "ResetPinForCaller";
    type Output = PinIsReset;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, &[PlanRole::Ps])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PinIsReset, Failure> {
        if !cx.policy.pins().enabled {
            return Err(Refusal::new(Code::FeatureDisabled, "This portal has no PINs.").into());
        }
        let state = cx.load::<Organization>(self.organization).await?;
        let Some(record) = state.record().filter(|_| state.is_active()) else {
            return Err(Refusal::not_found("organizationId").into());
        };
        let Some(holding) = state.npi(&self.npi).filter(|_| state.holds_npi(&self.npi, cx.now))
        else {
            return Err(npi_not_held().into());
        };
        let kind = holding.provider_type.as_str();
        if cx.policy.pin_support_excluded_types().iter().any(|excluded| excluded == kind) {
            return Err(excluded().into());
        }
        if !self.said.fits(record) {
            return Err(does_not_match().into());
        }
        let stream = cx.tenant().pin_stream(&self.npi);
        let pin = cx.load::<Pin>(stream).await?;
        let former = pin.holding().map(|holding| holding.pin_ref);
        let pin_ref = value::replace(cx, stream, former).await?;
        // The caller is nobody with an account here; their name is erasable by itself.
        let subject = SubjectId(cx.caller.correlation_id);
        let reset = PinCommand::ResetPin {
            organization: self.organization,
            pin_ref,
            by: ResetBy::Support,
            caller: Some(Sealed::new(subject, self.caller.clone())),
        };
        cx.decide::<Pin>(stream, reset).await?;
        let pin = cx.load::<Pin>(stream).await?;
        let version = pin.holding().expect("only an issued PIN is reset").version;
        Ok(PinIsReset { version })
    }
}

fn npi_not_held() -> Refusal {
    let message = "The organization does not hold this NPI. Check the number.";
    Refusal::new(Code::NpiNotInOrg, message).at("npi")
}

fn excluded() -> Refusal {
    let message =
        "PINs of this provider type are not reset by telephone. Send the caller to the portal.";
    Refusal::new(Code::ProviderTypeExcluded, message).at("npi")
}

fn does_not_match() -> Refusal {
    let message = "What the caller said does not match the file. Ask again, or end the call.";
    Refusal::new(Code::DetailsDoNotMatch, message)
}
