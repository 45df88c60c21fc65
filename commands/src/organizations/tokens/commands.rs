//! `IssueRegistrationToken`, `ReissueRegistrationToken`, `RevokeRegistrationToken`,
//! `OpenRegistrationTokenLetter`, `RecordLetterReturned` and the scheduler's `ExpireRegistrationToken`.
//!
//! Invariant: which token of an organisation is the latest is a reservation, so two issued at once
//! cannot both be.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OrganizationId, RegistrationTokenId},
    organizations::{
        Organization, OrganizationRefusal, RegistrationToken, RegistrationTokenCommand, TokenPhase,
        organization::Phase,
    },
    tenants::PlanRole,
    values::Reason,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::text;
use crate::{Access, Command, Context, Failure};

/// Only plan administrators give out or take back the way into an organisation.
pub const ISSUERS: &[PlanRole] = &[PlanRole::Pa];
/// The reservation kind naming an organisation's latest token.
const LATEST: &str = "registration_token_of";

/// Issues a token for an enrolled organisation and queues its letter.
pub struct IssueRegistrationToken {
    pub organization: OrganizationId,
}

/// Takes the organisation's token back, if it still works, and issues another.
pub struct ReissueRegistrationToken {
    pub organization: OrganizationId,
    pub reason: Reason,
}

/// Takes a token back.
pub struct RevokeRegistrationToken {
    pub token: RegistrationTokenId,
    pub reason: Reason,
}

/// Opens the letter of a token that works; whoever reads it holds the token, so it is on record
/// before the document leaves.
pub struct OpenRegistrationTokenLetter {
    pub token: RegistrationTokenId,
}

/// Writes down that the postal service brought a letter back.
pub struct RecordLetterReturned {
    pub token: RegistrationTokenId,
}

/// Writes down that a token's last day is over.
pub struct ExpireRegistrationToken {
    pub token: RegistrationTokenId,
}

/// A new token: not its text, which only the letter shows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct IssuedToken {
    pub token: RegistrationTokenId,
    pub letter: Uuid,
}

#[async_trait]
impl Command for IssueRegistrationToken {
    const NAME: &'static str = "IssueRegistrationToken";
    type Output = IssuedToken;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ISSUERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<IssuedToken, Failure> {
        issue(cx, self.organization).await
    }
}

#[async_trait]
impl Command for ReissueRegistrationToken {
    const NAME: &'static str = "ReissueRegistrationToken";
    type Output = IssuedToken;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ISSUERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<IssuedToken, Failure> {
        if latest(cx, self.organization).await?.is_none() {
            let message = "The organization never had a token. Issue its first one.";
            return Err(Refusal::new(Code::NotFound, message).at("organizationId").into());
        }
        revoke_active(cx, self.organization, &self.reason).await?;
        issue(cx, self.organization).await
    }
}

#[async_trait]
impl Command for RevokeRegistrationToken {
    const NAME: &'static str = "RevokeRegistrationToken";
    type Output = RegistrationTokenId;

    fn access(&self) -> Access {
        Access::Plan(ISSUERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RegistrationTokenId, Failure> {
        if cx.load::<RegistrationToken>(self.token).await?.organization().is_none() {
            return Err(Refusal::not_found("tokenId").into());
        }
        let revoke =
            RegistrationTokenCommand::RevokeRegistrationToken { reason: self.reason.clone() };
        cx.decide::<RegistrationToken>(self.token, revoke).await?;
        Ok(self.token)
    }
}

#[async_trait]
impl Command for OpenRegistrationTokenLetter {
    const NAME: &'static str = "OpenRegistrationTokenLetter";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(ISSUERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if cx.load::<RegistrationToken>(self.token).await?.organization().is_none() {
            return Err(Refusal::not_found("tokenId").into());
        }
        cx.decide::<RegistrationToken>(self.token, RegistrationTokenCommand::OpenLetter).await?;
        Ok(())
    }
}

#[async_trait]
impl Command for RecordLetterReturned {
    const NAME: &'static str = "RecordLetterReturned";
    type Output = RegistrationTokenId;

    fn access(&self) -> Access {
        Access::Plan(super::super::ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RegistrationTokenId, Failure> {
        let Some(letter) = cx.load::<RegistrationToken>(self.token).await?.letter() else {
            return Err(Refusal::not_found("tokenId").into());
        };
        let returned = RegistrationTokenCommand::RecordLetterReturned { letter };
        cx.decide::<RegistrationToken>(self.token, returned).await?;
        Ok(self.token)
    }
}

#[async_trait]
impl Command for ExpireRegistrationToken {
    const NAME: &'static str = "ExpireRegistrationToken";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        cx.decide::<RegistrationToken>(
            self.token,
            RegistrationTokenCommand::ExpireRegistrationToken,
        )
        .await?;
        Ok(())
    }
}

/// Takes back the organisation's token where one still works; its part of closing the organisation.
pub(crate) async fn revoke_active(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    reason: &Reason,
) -> Result<(), Failure> {
    let Some(token) = latest(cx, organization).await? else { return Ok(()) };
    if works(cx, token).await? {
        let reason = reason.clone();
        let revoke = RegistrationTokenCommand::RevokeRegistrationToken { reason };
        cx.decide::<RegistrationToken>(token, revoke).await?;
    }
    Ok(())
}

async fn issue(cx: &mut Context<'_>, id: OrganizationId) -> Result<IssuedToken, Failure> {
    let organization = cx.load::<Organization>(id).await?;
    let record = match (organization.phase(), organization.record()) {
        (Phase::Enrolled, Some(record)) => record,
        (Phase::Registered, _) => {
            return Err(Refusal::from(OrganizationRefusal::AlreadyRegistered).into());
        }
        (Phase::Suspended { .. } | Phase::Closed, _) => {
            return Err(Refusal::from(OrganizationRefusal::NotActive).into());
        }
        (Phase::NotEnrolled | Phase::Enrolled, _) => {
            return Err(Refusal::not_found("organizationId").into());
        }
    };
    if organization.is_frozen() {
        return Err(Refusal::from(OrganizationRefusal::Merging).into());
    }
    organization.check_contract(&cx.policy, cx.now).map_err(Refusal::from)?;
    let before = latest(cx, id).await?;
    let other_is_active = match before {
        Some(token) => works(cx, token).await?,
        None => false,
    };
    let issued = IssuedToken { token: RegistrationTokenId(Uuid::now_v7()), letter: Uuid::now_v7() };
    let command = RegistrationTokenCommand::IssueRegistrationToken {
        token: issued.token,
        organization: id,
        has_pay_to_address: record.pay_to_address.is_some(),
        pay_to_zip: record.pay_to_zip.clone(),
        letter: issued.letter,
        other_is_active,
    };
    cx.decide::<RegistrationToken>(issued.token, command).await?;

    let taken = Refusal::new(Code::TokenActive, "A token was issued a moment ago.");
    if let Some(before) = before {
        cx.work.release(LATEST, &id.to_string(), before.0);
    }
    cx.work.reserve(LATEST, &id.to_string(), issued.token.0, taken.clone());
    let secrets = cx.journal().secrets();
    let hash = text::token_hash(secrets, &text::token_text(secrets, issued.token))
        .expect("a token's own text is well formed");
    cx.work.reserve_hash(text::RESERVATION, hash, issued.token.0, taken);
    Ok(issued)
}

async fn latest(
    cx: &Context<'_>,
    organization: OrganizationId,
) -> Result<Option<RegistrationTokenId>, Failure> {
    let owner = cx.journal().owner_of(cx.tenant(), LATEST, &organization.to_string()).await?;
    Ok(owner.map(RegistrationTokenId))
}

async fn works(cx: &mut Context<'_>, token: RegistrationTokenId) -> Result<bool, Failure> {
    Ok(match cx.load::<RegistrationToken>(token).await?.phase() {
        TokenPhase::Issued { expires_at, .. } => cx.now < expires_at,
        TokenPhase::NotIssued
        | TokenPhase::Redeemed { .. }
        | TokenPhase::Expired { .. }
        | TokenPhase::Revoked { .. } => false,
    })
}
