//! `StartTotpEnrolment` and `ConfirmTotpEnrolment`: an authenticator app is added (MC-28).
//!
//! Invariant: the secret counts for nothing until a code shows that the app has it, and only
//! somebody who knows the password is shown one.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{UserId, VaultRef},
    sessions::{Session, SessionCommand},
    tenants::Tenant,
    users::{
        authenticator::{Authenticator, AuthenticatorCommand, AuthenticatorRefusal},
        user::User,
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{RecoveryCodes, SECRET, TotpSecret, matching_step, recovery, secret};
use crate::{
    Access, Command, Context, Failure, authorization::session_ended, sessions::limits,
    users::CurrentPassword,
};

/// Draws a secret and shows it.
pub struct StartTotpEnrolment {
    pub current: CurrentPassword,
}

/// A secret on its way to an app, once.
#[derive(Serialize, Deserialize)]
pub struct Enrolment {
    /// `otpauth://…`, for a QR code.
    pub uri: String,
    /// The same secret for typing: base32.
    pub secret: String,
    pub expires_at: DateTime<Utc>,
}

#[async_trait]
impl Command for StartTotpEnrolment {
    const NAME: &'static str = "StartTotpEnrolment";
    const SECRET_OUTPUT: bool = true;
    type Output = Enrolment;

    fn access(&self) -> Access {
        Access::OwnSession
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Enrolment, Failure> {
        if !cx.policy.otp().offers_authenticator() {
            return Err(Refusal::new(
                Code::FeatureDisabled,
                "Authenticator apps are not used here. Go on without one.",
            )
            .into());
        }
        let user = cx.person()?;
        self.current.confirm(cx, user).await?;
        let stream = cx.tenant().authenticator_stream(user);
        let former = cx.load::<Authenticator>(stream).await?.enrolling().copied();
        let (drawn, secret_ref) = (TotpSecret::random(), VaultRef(Uuid::new_v4()));
        let start = AuthenticatorCommand::StartEnrolment { user, secret_ref };
        cx.decide::<Authenticator>(stream, start).await?;
        if let Some(former) = former {
            cx.work.vault_delete(SECRET, former.secret_ref.0);
        }
        cx.work.vault_put(SECRET, secret_ref.0, drawn.bytes());
        let state = cx.load::<Authenticator>(stream).await?;
        let enrolling = state.enrolling().expect("an enrolment was just begun");
        let (portal, account) = (portal(cx).await?, account(cx, user).await?);
        Ok(Enrolment {
            uri: drawn.uri(&portal, &account),
            secret: drawn.base32(),
            expires_at: enrolling.expires_at,
        })
    }
}

/// The portal's name, as the app lists it.
async fn portal(cx: &mut Context<'_>) -> Result<String, Failure> {
    let tenant = cx.load::<Tenant>(cx.tenant().0).await?;
    Ok(tenant.profile().map_or_else(|| "Rollcall".to_owned(), |it| it.name.to_string()))
}

/// What the person signs in with, as the app lists it.
async fn account(cx: &mut Context<'_>, user: UserId) -> Result<String, Failure> {
    let state = cx.load::<User>(user).await?;
    let email = state.profile().and_then(|profile| profile.email.get()).map(ToString::to_string);
    Ok(email.unwrap_or_else(|| user.to_string()))
}

/// Takes the first code of the app and gives out recovery codes.
pub struct ConfirmTotpEnrolment {
    code: String,
    /// A try counts once, however often it is decided.
    counted: OnceCell<()>,
}

impl ConfirmTotpEnrolment {
    /// `code` as typed.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self { code: code.trim().to_owned(), counted: OnceCell::new() }
    }
}

#[async_trait]
impl Command for ConfirmTotpEnrolment {
    const NAME: &'static str = "ConfirmTotpEnrolment";
    const SECRET_OUTPUT: bool = true;
    type Output = RecoveryCodes;

    fn access(&self) -> Access {
        Access::OwnSession
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RecoveryCodes, Failure> {
        let user = cx.person()?;
        let count = async || limits::count(cx, limits::TOTP_CODES, &user.to_string()).await;
        self.counted.get_or_try_init(count).await?;
        let stream = cx.tenant().authenticator_stream(user);
        let enrolling = cx.load::<Authenticator>(stream).await?.enrolling().copied();
        let step = match enrolling {
            Some(enrolling) => secret(cx, enrolling.secret_ref)
                .await?
                .ok_or_else(|| Refusal::from(AuthenticatorRefusal::NotEnrolled))
                .map(|secret| matching_step(&secret, &self.code, cx.now))?,
            None => None,
        };
        let codes_ref = VaultRef(Uuid::new_v4());
        let confirm = AuthenticatorCommand::ConfirmEnrolment { user, step, codes_ref };
        cx.decide::<Authenticator>(stream, confirm).await?;
        let codes = recovery::give_out(cx, codes_ref);
        let here = cx.authority.session.ok_or_else(session_ended)?;
        cx.decide::<Session>(here, SessionCommand::LiftEnrolment).await?;
        Ok(codes)
    }
}
