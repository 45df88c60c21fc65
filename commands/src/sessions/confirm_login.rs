//! `ConfirmLogin`: the passcode that comes between the right password and the session (MC-28).
//!
//! Invariant: it is asked for by its own sign-in only. Ticket and challenge belong together, a wrong
//! code counts like a wrong password, and a right one opens one session.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{OtpChallengeId, SessionId},
    sessions::LoginMethod,
    users::{
        credential::{
            Credential, CredentialCommand, CredentialRefusal, LoginConfirmation, login_refusal,
        },
        one_time_passcode::{OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose},
    },
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    LoginTicket, SignedIn,
    complete_login::{Opening, Standing, must_change_password, refused, require_open_portal},
    limits,
};
use crate::{
    Access, Command, Context, Failure,
    users::one_time_passcode::{Verdict, check_code},
};

/// Verifies the passcode and opens a session.
pub struct ConfirmLogin {
    ticket: LoginTicket,
    challenge: OtpChallengeId,
    code: String,
    /// A try counts once, however often it is decided.
    counted: OnceCell<()>,
    code_counted: OnceCell<()>,
}

impl ConfirmLogin {
    /// Takes the third step's fields; `code` as typed.
    #[must_use]
    pub fn new(login_id: &str, challenge: OtpChallengeId, code: String) -> Self {
        let (counted, code_counted) = (OnceCell::new(), OnceCell::new());
        Self { ticket: LoginTicket::new(login_id), challenge, code, counted, code_counted }
    }
}

#[async_trait]
impl Command for ConfirmLogin {
    const NAME: &'static str = "ConfirmLogin";
    const SECRET_OUTPUT: bool = true;
    const FOR_VISITORS: bool = true;
    type Output = SignedIn;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<SignedIn, Failure> {
        let identifier = self.ticket.open(cx.journal().secrets(), cx.tenant(), cx.now)?;
        let count = async || limits::count_address(cx, limits::SIGN_IN_BY_ADDRESS).await;
        self.counted.get_or_try_init(count).await?;
        require_open_portal(cx).await?;
        let found = identifier.find(cx).await?;
        let Some(user) = found.user else { return Err(not_challenged()) };
        let credential = cx.load::<Credential>(found.credential).await?;
        if !credential.is_locked(cx.now) && !credential.waits_for(self.challenge) {
            return Err(not_challenged());
        }
        let standing = Standing::of(cx, user).await?;
        let verdict = if credential.is_locked(cx.now) {
            None
        } else {
            Some(check_code(cx, self.challenge, &self.code, &self.code_counted).await?)
        };
        let passed = verdict == Some(Verdict::Passed);
        let session = SessionId(Uuid::now_v7());
        let bar = standing.bar();
        let confirmation =
            LoginConfirmation { user, challenge: self.challenge, passed, session, bar };
        let command = CredentialCommand::ConfirmLogin(confirmation);
        let events = cx.decide::<Credential>(found.credential, command).await?;
        let locked_until = cx.load::<Credential>(found.credential).await?.locked_until();
        if let Some(refusal) = login_refusal(&events, locked_until) {
            let refusal = standing.explained(more_exact(refusal, verdict));
            return Err(refused(cx, (Some(user), &events), refusal).await?);
        }
        let (owner, purpose) = (OtpOwner::User(user), OtpPurpose::SignIn);
        let consume = OneTimePasscodeCommand::ConsumeOtp { owner, purpose };
        cx.decide::<OneTimePasscode>(self.challenge, consume).await?;
        let opening = Opening {
            user,
            session,
            standing,
            method: LoginMethod::PasswordAndPasscode,
            must_change_password: events.iter().any(must_change_password),
            must_enrol: false,
        };
        opening.start(cx).await
    }
}

/// What the challenge says about a wrong code (tries left, used, one too many), unless the account is
/// locked by it.
fn more_exact(refusal: Refusal, verdict: Option<Verdict>) -> Refusal {
    match verdict {
        Some(Verdict::Refused(exact)) if refusal.code == rollcall_domain::Code::OtpWrong => exact,
        Some(_) | None => refusal,
    }
}

fn not_challenged() -> Failure {
    Refusal::from(CredentialRefusal::NotChallenged).into()
}
