//! Tries of registration tokens and of the details behind them, counted (GN-03).
//!
//! Invariant: a token that is known and does not work leaves a rejection in its stream; one that
//! never existed leaves a count for the address it came from, and nothing else.

use chrono::TimeDelta;
use rollcall_domain::{
    Refusal, hex,
    kernel::ids::{OrganizationId, RegistrationTokenId},
    organizations::{RegistrationToken, RegistrationTokenCommand, RegistrationTokenRefusal},
};

use crate::{Context, Failure, organizations::tokens, rate_limit::Limit};

/// A token that may be used now, and the organisation it opens.
pub(super) struct UsableToken {
    pub token: RegistrationTokenId,
    pub organization: OrganizationId,
}

/// Finds the token that was typed.
///
/// # Errors
/// `TOKEN_INVALID`, `TOKEN_EXPIRED`, `TOKEN_USED`, `TOKEN_REVOKED`, `RATE_LIMITED`,
/// `FEATURE_DISABLED` where the tenant issues no tokens.
pub(super) async fn usable_token(
    cx: &mut Context<'_>,
    typed: &str,
) -> Result<UsableToken, Failure> {
    if cx.policy.org_token_days().is_none() {
        return Err(Refusal::from(RegistrationTokenRefusal::NotOffered).into());
    }
    let address = address_key(cx);
    let limit = vain_tokens(cx);
    cx.commands.rate_limits.check(cx.tenant(), limit, &address, cx.now).await?;
    let Some(token) = tokens::find(cx.journal(), cx.tenant(), typed).await? else {
        cx.commands.rate_limits.count(cx.tenant(), limit, &address, cx.now).await?;
        return Err(Refusal::from(RegistrationTokenRefusal::Invalid).into());
    };
    let organization = check(cx, token, Some(hex(&address))).await?;
    Ok(UsableToken { token, organization })
}

/// Whether a known token works; if not, that goes on record before it is refused.
pub(super) async fn check(
    cx: &mut Context<'_>,
    token: RegistrationTokenId,
    address_hash: Option<String>,
) -> Result<OrganizationId, Failure> {
    let limit = cx.policy.org_token_tries();
    let state = cx.load::<RegistrationToken>(token).await?;
    let refusal = match state.check(cx.now, address_hash.as_deref(), limit) {
        Ok(organization) => return Ok(organization),
        Err(refusal) => refusal,
    };
    let Some(why) = refusal.rejection() else { return Err(Refusal::from(refusal).into()) };
    let reject = RegistrationTokenCommand::RejectRegistrationToken { why, address_hash };
    cx.decide::<RegistrationToken>(token, reject).await?;
    Err(Failure::RefusedOnRecord(refusal.into()))
}

/// Refuses when the details behind a token were wrong too often, whoever tried.
pub(super) async fn check_details(
    cx: &Context<'_>,
    token: RegistrationTokenId,
) -> Result<(), Failure> {
    let key = details_key(cx, token);
    cx.commands.rate_limits.check(cx.tenant(), wrong_details(cx), &key, cx.now).await
}

/// Counts wrong details.
pub(super) async fn count_wrong_details(
    cx: &Context<'_>,
    token: RegistrationTokenId,
) -> Result<(), Failure> {
    let key = details_key(cx, token);
    cx.commands.rate_limits.count(cx.tenant(), wrong_details(cx), &key, cx.now).await
}

fn vain_tokens(cx: &Context<'_>) -> Limit {
    Limit {
        name: "registration_token.vain",
        tries: i32::try_from(cx.policy.org_token_tries()).unwrap_or(i32::MAX),
        window: TimeDelta::hours(1),
    }
}

fn wrong_details(cx: &Context<'_>) -> Limit {
    Limit { name: "registration.wrong_details", window: TimeDelta::hours(24), ..vain_tokens(cx) }
}

fn address_key(cx: &Context<'_>) -> [u8; 32] {
    let address = cx.caller.address.map(|address| address.to_string()).unwrap_or_default();
    cx.journal().secrets().lookup_key(cx.tenant(), "client_address", &address)
}

fn details_key(cx: &Context<'_>, token: RegistrationTokenId) -> [u8; 32] {
    cx.journal().secrets().lookup_key(cx.tenant(), "registration_token_id", &token.to_string())
}
