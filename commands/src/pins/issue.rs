//! The first PIN of an NPI, or a new one with its new organisation.
//!
//! Invariant: an NPI that an organisation holds has a PIN known to no earlier holder.

use rollcall_domain::{
    kernel::ids::OrganizationId,
    pins::{Pin, PinCommand},
    values::Npi,
};

use super::value;
use crate::{Context, Failure};

/// Issues a PIN for an NPI that `organization` is being given, in the same unit of work. Where
/// the tenant has no PINs, or the organisation had this NPI's PIN before, nothing changes.
///
/// # Errors
/// `POLICY_VALUE_INVALID` when every PIN of the policy's length is in use, or the journal's fault.
pub async fn issue_pin(
    cx: &mut Context<'_>,
    npi: &Npi,
    organization: OrganizationId,
) -> Result<(), Failure> {
    if !cx.policy.pins().enabled {
        return Ok(());
    }
    let stream = cx.tenant().pin_stream(npi);
    let pin = cx.load::<Pin>(stream).await?;
    let former = match pin.holding() {
        Some(holding) if holding.organization == organization => return Ok(()),
        Some(holding) => Some(holding.pin_ref),
        None => None,
    };
    let pin_ref = value::replace(cx, stream, former).await?;
    let issue = PinCommand::IssuePin { npi: npi.clone(), organization, pin_ref };
    cx.decide::<Pin>(stream, issue).await?;
    Ok(())
}
