//! `StartTransactionHandoff` and `RedeemTransactionHandoff` (MC-38).
//!
//! Invariant: a hand-off carries what its person may do at that moment, and is taken only while they
//! still may.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Refusal,
    kernel::ids::{HandoffId, OrganizationId, UserId},
    transactions::{Handoff, HandoffCommand, HandoffRefusal, IssueHandoff, TransactionOption},
    values::Npi,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    options::{options, uses},
    token::{self, AUDIENCE, Claims},
};
use crate::{Access, Command, Context, Failure};

/// Hands the caller over to Transaction Services for an NPI.
pub struct StartTransactionHandoff {
    pub organization: OrganizationId,
    pub npi: Npi,
    /// Where the portal is found: the token's issuer.
    pub issuer: Arc<str>,
}

/// A hand-off on its way, once; shows no token in `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedHandoff {
    /// The signed token.
    pub token: String,
    pub options: Vec<TransactionOption>,
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for IssuedHandoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedHandoff").field("expires_at", &self.expires_at).finish()
    }
}

#[async_trait]
impl Command for StartTransactionHandoff {
    const NAME: &'static str = "StartTransactionHandoff";
    const SECRET_OUTPUT: bool = true;
    type Output = IssuedHandoff;

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<IssuedHandoff, Failure> {
        let (user, organization) = (cx.person()?, self.organization);
        let options = options(cx, (user, organization), &self.npi).await?;
        uses(&options, organization, &self.npi).into_iter().for_each(|used| cx.use_right(used));
        let handoff = HandoffId(Uuid::now_v7());
        let issue = IssueHandoff {
            handoff,
            user,
            organization,
            npi: self.npi.clone(),
            options: options.clone(),
        };
        cx.decide::<Handoff>(handoff, HandoffCommand::Issue(issue)).await?;
        let expires_at = cx.now + cx.policy.handoff_ttl();
        let claims = Claims {
            iss: self.issuer.to_string(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            jti: handoff,
            iat: cx.now.timestamp(),
            nbf: cx.now.timestamp(),
            exp: expires_at.timestamp(),
            tenant: cx.tenant(),
            org: organization,
            npi: self.npi.clone(),
            options: options.clone(),
        };
        let token = token::sign(cx.journal().secrets(), &claims);
        Ok(IssuedHandoff { token, options, expires_at })
    }
}

/// Takes a hand-off: sent by Transaction Services with the token that the person brought.
pub struct RedeemTransactionHandoff {
    pub token: String,
}

/// Who came, and for what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandedOver {
    pub user: UserId,
    pub organization: OrganizationId,
    pub npi: Npi,
    pub options: Vec<TransactionOption>,
}

#[async_trait]
impl Command for RedeemTransactionHandoff {
    const NAME: &'static str = "RedeemTransactionHandoff";
    const FOR_VISITORS: bool = true;
    type Output = HandedOver;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<HandedOver, Failure> {
        let invalid = || Refusal::from(HandoffRefusal::Invalid);
        let claims = token::read(cx.journal().secrets(), self.token.trim());
        let claims = claims.filter(|claims| claims.tenant == cx.tenant()).ok_or_else(invalid)?;
        let state = cx.load::<Handoff>(claims.jti).await?;
        let issued = state.to_redeem(cx.now).map_err(Refusal::from)?;
        if !claims.is_timely(cx.now) {
            return Err(Refusal::from(HandoffRefusal::Expired).into());
        }
        let (user, organization) = (issued.user, issued.organization);
        let options = options(cx, (user, organization), &issued.npi).await?;
        cx.decide::<Handoff>(claims.jti, HandoffCommand::Redeem).await?;
        // What was taken away since is not given after all; what came since was not handed over.
        let options =
            options.into_iter().filter(|option| issued.options.contains(option)).collect();
        Ok(HandedOver { user, organization, npi: issued.npi.clone(), options })
    }
}
