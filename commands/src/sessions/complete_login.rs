//! `CompleteLogin`: the second step of signing in, and the session that follows (MC-34, MC-35), or
//! the passcode that comes before it (MC-28).
//!
//! Invariant: an identifier nobody has takes the same road, through a shadow credential and a hash
//! that fits nothing; what differs is on record only.

use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, Code, Refusal,
    kernel::ids::{OrganizationId, OtpChallengeId, SessionId, TenantId, UserId, VaultRef},
    policies::{ResetMethod, StepUpAction},
    sessions::{EndCause, LoginMethod, Session, SessionCommand},
    tenants::{PlanRole, PlanStaff, Tenant},
    users::credential::{
        Credential, CredentialCommand, CredentialEvent, LoginAttempt, LoginBar, login_refusal,
    },
    values::Password,
};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    ActiveMembership, Identifier, LoginTicket, end_sessions_of, limits, live_sessions_of,
    memberships::{Memberships, memberships_within},
};
use crate::{
    Access, Command, Context, Failure,
    authentication::SESSION_TOKEN,
    users::{
        matching_hash,
        one_time_passcode::{Way, ask_at_sign_in, way_of},
    },
};

/// Verifies the password and opens a session.
pub struct CompleteLogin {
    ticket: LoginTicket,
    password: Password,
    /// A try counts once, however often it is decided.
    counted: OnceCell<()>,
}

/// What the right password leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum LoginProgress {
    /// A session.
    SignedIn(Box<SignedIn>),
    /// A passcode, to be typed into `ConfirmLogin`.
    PasscodeNeeded(OtpChallengeId),
}

/// The bearer token of a session, given once; shows nothing in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionToken(String);

/// What somebody who signed in is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    pub token: SessionToken,
    pub session: SessionId,
    /// Set from the start where there is only one; with several the person selects (MC-35).
    pub organization: Option<OrganizationId>,
    pub memberships: Vec<ActiveMembership>,
    /// The session may do nothing but change the password.
    pub must_change_password: bool,
    /// The session may do nothing but add a second factor.
    pub must_enrol: bool,
    pub started_at: DateTime<Utc>,
    /// Without activity.
    pub expires_at: DateTime<Utc>,
    /// When to warn of that.
    pub idle_warning_at: DateTime<Utc>,
    /// In any case.
    pub absolute_expires_at: DateTime<Utc>,
}

impl CompleteLogin {
    /// Takes the second step's fields; the password exactly as typed (CX-07).
    ///
    /// # Errors
    /// `FIELD_REQUIRED`.
    pub fn parse(login_id: &str, password: String) -> Result<Self, Refusal> {
        if password.is_empty() {
            return Err(Refusal::new(Code::FieldRequired, "Enter your password.").at("password"));
        }
        let (ticket, password) = (LoginTicket::new(login_id), Password::new(password));
        Ok(Self { ticket, password, counted: OnceCell::new() })
    }

    async fn count(&self, cx: &Context<'_>, identifier: &Identifier) -> Result<(), Failure> {
        let count = async || {
            limits::count_address(cx, limits::SIGN_IN_BY_ADDRESS).await?;
            limits::count(cx, limits::SIGN_IN_BY_ACCOUNT, &identifier.key()).await
        };
        self.counted.get_or_try_init(count).await.copied()
    }
}

#[async_trait]
impl Command for CompleteLogin {
    const NAME: &'static str = "CompleteLogin";
    const SECRET_OUTPUT: bool = true;
    const FOR_VISITORS: bool = true;
    const ANSWERS_ON_THE_BEAT: bool = true;
    type Output = LoginProgress;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<LoginProgress, Failure> {
        let identifier = self.ticket.open(cx.journal().secrets(), cx.tenant(), cx.now)?;
        self.count(cx, &identifier).await?;
        require_open_portal(cx).await?;
        let found = identifier.find(cx).await?;
        let credential = cx.load::<Credential>(found.credential).await?;
        let hashes = credential.login_hashes(cx.now);
        let matched = self.matched(cx, &hashes).await?;
        // Nobody has the shadow's id, so the look-ups below find nothing, at the same cost.
        let anybody = found.user.unwrap_or(UserId(found.credential));
        let standing = Standing::of(cx, anybody).await?;
        let passcode = passcode_at_sign_in(cx, anybody).await?;
        let session = SessionId(Uuid::now_v7());
        let attempt = LoginAttempt {
            user: found.user,
            session,
            matched,
            bar: standing.bar(),
            challenge: passcode.challenge(),
        };
        let command = CredentialCommand::AttemptLogin(attempt);
        let events = cx.decide::<Credential>(found.credential, command).await?;
        let locked_until = cx.load::<Credential>(found.credential).await?.locked_until();
        match (login_refusal(&events, locked_until), found.user) {
            (None, Some(user)) => match passcode {
                Passcode::Asked(challenge, way) => {
                    ask_at_sign_in(cx, user, (challenge, way)).await?;
                    Ok(LoginProgress::PasscodeNeeded(challenge))
                }
                Passcode::NotNeeded | Passcode::NoWay => {
                    let opening = Opening {
                        user,
                        session,
                        standing,
                        method: LoginMethod::Password,
                        must_change_password: events.iter().any(must_change_password),
                        must_enrol: passcode == Passcode::NoWay,
                    };
                    let signed_in = opening.start(cx).await?;
                    Ok(LoginProgress::SignedIn(Box::new(signed_in)))
                }
            },
            (Some(refusal), user) => {
                let refusal = standing.explained(refusal);
                Err(refused(cx, (user, &events), refusal).await?)
            }
            (None, None) => unreachable!("nobody signs in without an account"),
        }
    }
}

/// A failed login on record; where it locked the account, its sessions end.
pub(super) async fn refused(
    cx: &mut Context<'_>,
    (user, events): (Option<UserId>, &[CredentialEvent]),
    refusal: Refusal,
) -> Result<Failure, Failure> {
    if let Some(user) = user.filter(|_| events.iter().any(is_locked)) {
        end_sessions_of(cx, user, None, EndCause::Locked).await?;
    }
    Ok(Failure::RefusedOnRecord(refusal))
}

/// The passcode that the policy asks for at every sign-in (MC-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passcode {
    NotNeeded,
    /// Under this id, by this way, if the password is right.
    Asked(OtpChallengeId, Way),
    /// The person cannot be asked yet, and has to add an authenticator app before anything else.
    NoWay,
}

impl Passcode {
    fn challenge(self) -> Option<OtpChallengeId> {
        match self {
            Self::Asked(challenge, _) => Some(challenge),
            Self::NotNeeded | Self::NoWay => None,
        }
    }
}

async fn passcode_at_sign_in(cx: &mut Context<'_>, user: UserId) -> Result<Passcode, Failure> {
    if !cx.policy.needs_step_up(StepUpAction::SignIn) {
        return Ok(Passcode::NotNeeded);
    }
    Ok(match way_of(cx, user, None).await? {
        Way::None => Passcode::NoWay,
        way @ (Way::Authenticator | Way::Telephone) => {
            Passcode::Asked(OtpChallengeId(Uuid::new_v4()), way)
        }
    })
}

impl CompleteLogin {
    /// The stored hash that the password fits. Where a temporary one may stand beside the ordinary
    /// one, two are always compared.
    async fn matched(
        &self,
        cx: &Context<'_>,
        hashes: &[VaultRef],
    ) -> Result<Option<VaultRef>, Failure> {
        let comparisons = match cx.policy.reset_method() {
            ResetMethod::TemporaryPassword => 2,
            ResetMethod::None
            | ResetMethod::Link
            | ResetMethod::LinkAndOtp
            | ResetMethod::UsernameAndEmail => 1,
        };
        matching_hash(cx, &self.password, hashes, comparisons).await
    }
}

/// For what a person may sign in.
pub(super) struct Standing {
    memberships: Vec<ActiveMembership>,
    /// Without a contract, there was this one to sign in for (CC-01).
    not_contracted: Option<Refusal>,
    plan_roles: BTreeSet<PlanRole>,
}

impl Standing {
    pub(super) async fn of(cx: &mut Context<'_>, user: UserId) -> Result<Self, Failure> {
        let Memberships { open, barred } = memberships_within(cx, (user, cx.now)).await?;
        let staff = cx.load::<PlanStaff>(cx.tenant().plan_staff_stream(user)).await?;
        let not_contracted = barred.into_values().next();
        Ok(Self { memberships: open, not_contracted, plan_roles: staff.roles_at(cx.now) })
    }

    pub(super) fn bar(&self) -> Option<LoginBar> {
        if !self.memberships.is_empty() || !self.plan_roles.is_empty() {
            return None;
        }
        let contract = self.not_contracted.as_ref().map(|_| LoginBar::NotContracted);
        Some(contract.unwrap_or(LoginBar::Inactive))
    }

    /// The refusal of a sign-in, with the page that says whom to ask where the contract is missing.
    pub(super) fn explained(self, refusal: Refusal) -> Refusal {
        self.not_contracted.filter(|full| full.code == refusal.code).unwrap_or(refusal)
    }

    /// The one to act for where there is no choice.
    fn only_organization(&self) -> Option<OrganizationId> {
        match self.memberships.as_slice() {
            [only] if self.plan_roles.is_empty() => Some(only.organization),
            _ => None,
        }
    }

    fn actor(&self, tenant: TenantId, user: UserId) -> Actor {
        if !self.memberships.is_empty() {
            Actor::user(user)
        } else if tenant == TenantId::OPERATIONS {
            Actor::operator(user)
        } else {
            Actor::plan_staff(user)
        }
    }
}

/// A session about to be opened.
pub(super) struct Opening {
    pub user: UserId,
    pub session: SessionId,
    pub standing: Standing,
    pub method: LoginMethod,
    pub must_change_password: bool,
    pub must_enrol: bool,
}

impl Opening {
    pub(super) async fn start(self, cx: &mut Context<'_>) -> Result<SignedIn, Failure> {
        let Self { user, session, standing, method, must_change_password, must_enrol } = self;
        let limits = cx.policy.session();
        let organization = standing.only_organization();
        make_room(cx, user, limits.concurrent).await?;
        cx.comes_from(user);
        let tenant = cx.tenant();
        let header = cx.work.header_mut();
        header.actor = standing.actor(tenant, user);
        header.session = Some(session);
        header.organization = organization;
        let absolute_expires_at = cx.now + limits.absolute;
        let begin = SessionCommand::StartSession {
            user,
            method,
            organization,
            must_change_password,
            must_enrol,
            absolute_expires_at,
        };
        cx.decide::<Session>(session, begin).await?;
        let token = SessionToken::random();
        let hash = cx.journal().secrets().link_hash(token.reveal());
        cx.work.reserve_hash(SESSION_TOKEN, hash, session.0, repeated());
        let expires_at = absolute_expires_at.min(cx.now + limits.idle);
        Ok(SignedIn {
            token,
            session,
            organization,
            memberships: standing.memberships,
            must_change_password,
            must_enrol,
            started_at: cx.now,
            expires_at,
            idle_warning_at: expires_at - limits.warning,
            absolute_expires_at,
        })
    }
}

/// Ends the oldest sessions beyond the number that a person may hold at once (GN-11).
async fn make_room(cx: &mut Context<'_>, user: UserId, concurrent: u32) -> Result<(), Failure> {
    let live = live_sessions_of(cx, user).await?;
    let surplus = (live.len() + 1).saturating_sub(concurrent as usize);
    for session in live.into_iter().take(surplus) {
        let end = SessionCommand::EndSession { cause: EndCause::NewLoginLimit };
        cx.decide::<Session>(session, end).await?;
    }
    Ok(())
}

/// Nobody signs in to a portal that was suspended or closed (GN-31).
pub(super) async fn require_open_portal(cx: &mut Context<'_>) -> Result<(), Failure> {
    if cx.load::<Tenant>(cx.tenant().0).await?.is_active() {
        return Ok(());
    }
    Err(Refusal::new(Code::TenantInactive, "This portal is closed. Ask your health plan.").into())
}

pub(super) fn must_change_password(event: &CredentialEvent) -> bool {
    matches!(event, CredentialEvent::LoginSucceeded { must_change: true, .. })
}

fn is_locked(event: &CredentialEvent) -> bool {
    matches!(event, CredentialEvent::UserLocked { .. })
}

fn repeated() -> Refusal {
    Refusal::new(Code::VersionConflict, "The sign-in was not completed. Try again.")
}

impl SessionToken {
    /// 256 bits from the operating system, base64url.
    fn random() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The token itself, on its way to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(redacted)")
    }
}
