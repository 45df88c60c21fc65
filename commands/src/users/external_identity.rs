//! `TrustIssuer`, `DistrustIssuer`, `LinkExternalIdentity`, `UnlinkExternalIdentity` (CX-11).
//!
//! Invariant: a partner's token is believed only by the keys and for the audience that the plan put on
//! file, and only while its time is not over by our clock.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{TenantId, UserId},
    tenants::PlanRole,
    users::external_identity::{
        ExternalIdentities, ExternalIdentitiesCommand, ExternalIdentityRefusal, LONGEST_SUBJECT,
        TrustedIssuer, TrustedIssuers, TrustedIssuersCommand,
    },
};
use serde::Deserialize;

use crate::{Access, Command, Commands, Context, Failure};

/// The reservation kind: a partner's subject belongs to one person.
const IDENTITY: &str = "external_identity";
/// What partners may sign with: no shared secrets, no `none`.
const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::EdDSA, Algorithm::ES256, Algorithm::ES384, Algorithm::RS256, Algorithm::PS256];
/// How far a partner's clock may be ahead of ours.
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// Who decides which partners are trusted.
const DECIDERS: &[PlanRole] = &[PlanRole::Pa];

/// Counts log-ins of a partner from now on.
pub struct TrustIssuer {
    pub issuer: String,
    pub name: String,
    pub audience: String,
    /// A JSON Web Key Set (RFC 7517).
    pub key_set: String,
}

#[async_trait]
impl Command for TrustIssuer {
    const NAME: &'static str = "TrustIssuer";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(DECIDERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let keys: Option<JwkSet> = serde_json::from_str(&self.key_set).ok();
        let usable = |key: &Jwk| DecodingKey::from_jwk(key).is_ok();
        if !keys.is_some_and(|set| !set.keys.is_empty() && set.keys.iter().all(usable)) {
            return Err(Refusal::from(ExternalIdentityRefusal::KeysInvalid).into());
        }
        let trust = TrustedIssuersCommand::TrustIssuer {
            issuer: self.issuer.clone(),
            name: self.name.clone(),
            audience: self.audience.clone(),
            key_set: self.key_set.clone(),
        };
        cx.decide::<TrustedIssuers>(cx.tenant().trusted_issuers_stream(), trust).await?;
        Ok(())
    }
}

/// Counts them no more.
pub struct DistrustIssuer {
    pub issuer: String,
}

#[async_trait]
impl Command for DistrustIssuer {
    const NAME: &'static str = "DistrustIssuer";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(DECIDERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let distrust = TrustedIssuersCommand::DistrustIssuer { issuer: self.issuer.clone() };
        cx.decide::<TrustedIssuers>(cx.tenant().trusted_issuers_stream(), distrust).await?;
        Ok(())
    }
}

/// Links the log-in that a partner's token shows.
pub struct LinkExternalIdentity {
    /// A JWT of the partner.
    pub token: String,
}

#[async_trait]
impl Command for LinkExternalIdentity {
    const NAME: &'static str = "LinkExternalIdentity";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let user = cx.person()?;
        let trusted = cx.load::<TrustedIssuers>(cx.tenant().trusted_issuers_stream()).await?;
        let issuer = claimed_issuer(&self.token).ok_or_else(invalid)?;
        let partner = trusted
            .get(&issuer)
            .ok_or_else(|| Refusal::from(ExternalIdentityRefusal::NotTrusted).at("token"))?;
        let subject = verified_subject(&self.token, &issuer, partner, cx.now)?;
        let taken = Refusal::new(
            Code::AlreadyAssigned,
            "This log-in belongs to another account here. Ask your health plan.",
        );
        cx.work.reserve(IDENTITY, &natural(&issuer, &subject), user.0, taken);
        let link = ExternalIdentitiesCommand::LinkExternalIdentity { user, issuer, subject };
        cx.decide::<ExternalIdentities>(cx.tenant().external_identities_stream(user), link).await?;
        Ok(())
    }
}

/// Unlinks the caller's log-in of a partner.
pub struct UnlinkExternalIdentity {
    pub issuer: String,
}

#[async_trait]
impl Command for UnlinkExternalIdentity {
    const NAME: &'static str = "UnlinkExternalIdentity";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (user, issuer) = (cx.person()?, self.issuer.clone());
        let stream = cx.tenant().external_identities_stream(user);
        let linked = cx.load::<ExternalIdentities>(stream).await?;
        let subject = linked.get(&issuer).and_then(|identity| identity.subject.get().cloned());
        let unlink =
            ExternalIdentitiesCommand::UnlinkExternalIdentity { user, issuer: issuer.clone() };
        cx.decide::<ExternalIdentities>(stream, unlink).await?;
        if let Some(subject) = subject {
            cx.work.release(IDENTITY, &natural(&issuer, &subject), user.0);
        }
        Ok(())
    }
}

/// A log-in of a partner, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownIdentity {
    pub issuer: String,
    /// The partner's name, while it is trusted.
    pub name: Option<String>,
    pub subject: Option<String>,
    pub linked_at: DateTime<Utc>,
}

impl Commands {
    /// A person's log-ins of partner systems, by issuer.
    ///
    /// # Errors
    /// The journal's.
    pub async fn external_identities(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Vec<ShownIdentity>, Failure> {
        let stream = tenant.trusted_issuers_stream();
        let trusted = self.journal.load_fresh::<TrustedIssuers>(tenant, stream).await?.state;
        let stream = tenant.external_identities_stream(user);
        let linked = self.journal.load_fresh::<ExternalIdentities>(tenant, stream).await?.state;
        let shown = linked.iter().map(|(issuer, identity)| ShownIdentity {
            issuer: issuer.to_owned(),
            name: trusted.get(issuer).map(|partner| partner.name.clone()),
            subject: identity.subject.get().cloned(),
            linked_at: identity.linked_at,
        });
        Ok(shown.collect())
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    exp: i64,
}

/// Whom a token says it is from, to find the keys that show whether that is so.
fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = token.trim().split('.').nth(1)?;
    let claims: Claimed = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(claims.iss)
}

/// Who the person is at the partner, by a token that the partner signed for us and whose time is now.
fn verified_subject(
    token: &str,
    issuer: &str,
    partner: &TrustedIssuer,
    now: DateTime<Utc>,
) -> Result<String, Refusal> {
    let token = token.trim();
    let header = decode_header(token).map_err(|_| invalid())?;
    let keys: JwkSet = serde_json::from_str(&partner.key_set).map_err(|_| invalid())?;
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        None => keys.keys.first().filter(|_| keys.keys.len() == 1),
    };
    let key = key.and_then(|key| DecodingKey::from_jwk(key).ok()).ok_or_else(invalid)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(invalid());
    }
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[&partner.audience]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // By our clock, below.
    validation.validate_exp = false;
    let claims = decode::<Claims>(token, &key, &validation).map_err(|_| invalid())?.claims;
    let latest = (now + SKEW).timestamp();
    let begun = [claims.nbf, claims.iat].into_iter().flatten().all(|from| from <= latest);
    if !begun || claims.exp <= now.timestamp() {
        return Err(Refusal::new(
            Code::TokenExpired,
            "The partner's token is not valid now. Sign in there again and repeat this.",
        )
        .at("token"));
    }
    if claims.sub.is_empty() || claims.sub.chars().count() > LONGEST_SUBJECT {
        return Err(invalid());
    }
    Ok(claims.sub)
}

/// Sets the log-ins of somebody who is erased free.
pub(crate) fn release_identities(cx: &mut Context<'_>, user: UserId, linked: &ExternalIdentities) {
    for (issuer, identity) in linked.iter() {
        if let Some(subject) = identity.subject.get() {
            cx.work.release(IDENTITY, &natural(issuer, subject), user.0);
        }
    }
}

fn natural(issuer: &str, subject: &str) -> String {
    format!("{issuer}\u{1f}{subject}")
}

fn invalid() -> Refusal {
    let message = "This is no valid token of a partner. Sign in there again and repeat this.";
    Refusal::new(Code::TokenInvalid, message).at("token")
}
