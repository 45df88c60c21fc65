//! Signing in, in two steps (MC-34), or three with a passcode (MC-28). Invariant: nothing in an answer to a visitor depends on whether
//! there is such an account: no position either, which would tell whether something was recorded.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use rollcall_commands::sessions::{
    BeginLogin, CompleteLogin, ConfirmLogin, Identifier, LoginProgress, SignedIn,
};

use super::types::{OwnMembership, Session};
use crate::graphql::{
    ids::NodeType,
    sending::{MutationMeta, Sent, payload, send},
    users::one_time_passcodes::{OtpChallenge, challenge},
};

/// What a sign-in asks for next.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum LoginStep {
    /// The password: `completeLogin`.
    Password,
    /// A passcode: `confirmLogin`.
    Passcode,
}

/// The first step: who signs in.
#[derive(InputObject)]
pub struct BeginLoginInput {
    /// The email address or user name, as the portal asks for.
    #[graphql(secret)]
    pub identifier: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// The second step: the password.
#[derive(InputObject)]
pub struct CompleteLoginInput {
    /// From `beginLogin`; works for ten minutes.
    #[graphql(secret)]
    pub login_id: String,
    /// Taken exactly as typed; nothing is trimmed.
    #[graphql(secret)]
    pub password: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// The third step, where the portal asks for a passcode at every sign-in.
#[derive(InputObject)]
pub struct ConfirmLoginInput {
    /// From `beginLogin`, as passed to `completeLogin`.
    #[graphql(secret)]
    pub login_id: String,
    /// From `completeLogin`.
    pub otp_challenge_id: ID,
    /// The code that was sent or that the authenticator app shows, or a recovery code.
    #[graphql(secret)]
    pub code: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The first step's outcome: the same whoever it is.
    BeginLoginPayload {
        /// Pass it to `completeLogin` within ten minutes.
        login_id: String,
        /// What comes next.
        next: LoginStep,
    }
}

payload! {
    /// The outcome of giving the password: a session, or the passcode that comes before it.
    CompleteLoginPayload {
        /// What comes next; absent where the session is open.
        next: LoginStep,
        /// The passcode that `confirmLogin` takes.
        challenge: OtpChallenge,
        /// Send it as `Authorization: Bearer …`; it is given only here.
        session_token: String,
        /// The session opened.
        session: Session,
        /// The organisations to choose from; with several, `selectOrganization` comes next.
        memberships: Vec<OwnMembership>,
        /// Whether `changePassword` must come before anything else.
        must_change_password: bool,
        /// Whether an authenticator app must be added (`startTotpEnrolment`) before anything else.
        must_add_second_factor: bool,
    }
}

payload! {
    /// The outcome of giving the passcode.
    ConfirmLoginPayload {
        /// Send it as `Authorization: Bearer …`; it is given only here.
        session_token: String,
        /// The session opened.
        session: Session,
        /// The organisations to choose from; with several, `selectOrganization` comes next.
        memberships: Vec<OwnMembership>,
        /// Whether `changePassword` must come before anything else.
        must_change_password: bool,
    }
}

/// An open session, as the client that opened it is told.
struct Opened {
    token: String,
    session: Session,
    memberships: Vec<OwnMembership>,
    must_change_password: bool,
    must_enrol: bool,
}

impl From<SignedIn> for Opened {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            token: signed_in.token.reveal().to_owned(),
            session: Session::opened(&signed_in),
            must_change_password: signed_in.must_change_password,
            must_enrol: signed_in.must_enrol,
            memberships: signed_in.memberships.into_iter().map(OwnMembership::from).collect(),
        }
    }
}

impl CompleteLoginPayload {
    fn opened(sent: Sent<LoginProgress>, opened: Opened) -> Self {
        Self::of(
            sent,
            None,
            None,
            Some(opened.token),
            Some(opened.session),
            Some(opened.memberships),
            Some(opened.must_change_password),
            Some(opened.must_enrol),
        )
    }

    fn unfinished(sent: Sent<LoginProgress>, passcode: Option<(LoginStep, OtpChallenge)>) -> Self {
        let (next, challenge) = passcode.unzip();
        Self::of(sent, next, challenge, None, None, None, None, None)
    }
}

/// Signing in.
#[derive(Default)]
pub struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Takes the email address or user name; the answer never tells whether there is such an account.
    async fn begin_login(
        &self,
        ctx: &Context<'_>,
        input: BeginLoginInput,
    ) -> Result<BeginLoginPayload> {
        let command = Identifier::parse(&input.identifier)
            .map(|identifier| BeginLogin { identifier })
            .map_err(|refusal| refusal.at("identifier"));
        let mut sent = send(ctx, input.meta, command).await?;
        sent.position = None;
        let ticket = sent.output.as_ref().map(|ticket| ticket.as_str().to_owned());
        let next = ticket.is_some().then_some(LoginStep::Password);
        Ok(BeginLoginPayload::of(sent, ticket, next))
    }

    /// Takes the password and opens a session, or asks for the passcode that the portal wants at every
    /// sign-in. With one membership the session acts for that organisation.
    async fn complete_login(
        &self,
        ctx: &Context<'_>,
        input: CompleteLoginInput,
    ) -> Result<CompleteLoginPayload> {
        let command = CompleteLogin::parse(&input.login_id, input.password);
        let mut sent = send(ctx, input.meta, command).await?;
        Ok(match sent.output.take() {
            None => CompleteLoginPayload::unfinished(sent, None),
            Some(LoginProgress::PasscodeNeeded(id)) => {
                let asked = challenge(ctx, Some(id)).await?;
                let passcode = asked.map(|asked| (LoginStep::Passcode, asked));
                CompleteLoginPayload::unfinished(sent, passcode)
            }
            Some(LoginProgress::SignedIn(signed_in)) => {
                CompleteLoginPayload::opened(sent, Opened::from(*signed_in))
            }
        })
    }

    /// Takes the passcode and opens a session. Refusals: OTP_WRONG, OTP_USED, OTP_EXPIRED,
    /// OTP_TOO_MANY, ACCOUNT_LOCKED, STEP_OUT_OF_ORDER.
    async fn confirm_login(
        &self,
        ctx: &Context<'_>,
        input: ConfirmLoginInput,
    ) -> Result<ConfirmLoginPayload> {
        let ConfirmLoginInput { login_id, otp_challenge_id, code, meta } = input;
        let command = NodeType::parse_bare(&otp_challenge_id, "otpChallengeId")
            .map(|challenge| ConfirmLogin::new(&login_id, challenge, code));
        let mut sent = send(ctx, meta, command).await?;
        let Some(opened) = sent.output.take().map(Opened::from) else {
            return Ok(ConfirmLoginPayload::of(sent, None, None, None, None));
        };
        let Opened { token, session, memberships, must_change_password, .. } = opened;
        Ok(ConfirmLoginPayload::of(
            sent,
            Some(token),
            Some(session),
            Some(memberships),
            Some(must_change_password),
        ))
    }
}
