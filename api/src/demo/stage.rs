//! The demo's hands: sends ordinary commands as the people of the cast, at the injected clock's time.
//!
//! Invariant: every step is a command through the dispatcher, with its authorisation and its policy;
//! only passcodes and link tokens are derived here instead of being read from a telephone or mail.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rollcall_commands::{
    Caller, Command, Commands, DispatchError, Failure,
    authentication::Presented,
    sessions::{BeginLogin, CompleteLogin, Identifier, LoginProgress},
    users::{
        AcceptAgreement, Agreeing, SetPassword,
        invitation::{CompleteInvitation, InvitationView, SubmitInviteeDetails},
        links::LinkToken,
        one_time_passcode::{PasscodeOwner, RequestOtp, VerifyOtp},
    },
};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{InvitationId, OtpChallengeId, TenantId, UserId},
    policies::{LoginIdentifier, Policy, PolicyHistory, agreement::Agreement},
    users::{
        credential::{Credential, LinkPurpose},
        invitation::{Invitation, InvitationStep, InviteeDetails},
    },
    values::{AgreementKind, CodeChannel, Invalid, Password, PersonName, PhoneNumber},
};
use rollcall_journal::InjectedClock;
use uuid::Uuid;

use super::cast::Character;

/// Everybody's password in the demonstration; it satisfies every preset.
pub const PASSWORD: &str = "Rollcall-Demo-2024!";

/// A step the service did not accept; the demo is wrong then, not its user.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("{step}: {source}")]
    Command { step: &'static str, source: DispatchError },
    #[error("a value of the demo: {0}")]
    Value(#[from] Refusal),
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error(transparent)]
    Journal(#[from] rollcall_journal::JournalError),
    #[error("{0} is not there")]
    Missing(&'static str),
}

impl From<Invalid> for StepError {
    fn from(invalid: Invalid) -> Self {
        Self::Value(invalid.into())
    }
}

/// Where the demo plays: one tenant at one moment.
#[derive(Clone)]
pub struct Stage {
    pub commands: Commands,
    pub clock: Arc<InjectedClock>,
    pub tenant: TenantId,
}

impl Stage {
    /// The same clock and service, another tenant.
    #[must_use]
    pub fn of(&self, slug: &str) -> Self {
        Self { tenant: TenantId::of_slug(slug), ..self.clone() }
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.commands.journal.now()
    }

    /// Lets time pass.
    pub fn wait(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }

    /// A visitor from the address range kept for documentation (RFC 5737).
    #[must_use]
    pub fn visitor(&self) -> Caller {
        Caller::anonymous(self.tenant, Some(std::net::Ipv4Addr::new(192, 0, 2, 10).into()))
    }

    /// Sends a command.
    ///
    /// # Errors
    /// Its refusal, with the command's name.
    pub async fn run<C: Command>(
        &self,
        caller: &Caller,
        command: &C,
    ) -> Result<C::Output, StepError> {
        match self.commands.dispatch(caller, None, command).await {
            Ok(receipt) => Ok(receipt.output),
            Err(source) => Err(StepError::Command { step: C::NAME, source }),
        }
    }

    /// Sends a command that is expected to be refused.
    ///
    /// # Errors
    /// It was accepted, or failed for another reason than a refusal.
    pub async fn refused<C: Command>(&self, caller: &Caller, command: &C) -> Result<(), StepError> {
        match self.commands.dispatch(caller, None, command).await {
            Err(DispatchError::Refused(_)) => Ok(()),
            Err(source @ DispatchError::Fault(_)) => {
                Err(StepError::Command { step: C::NAME, source })
            }
            Ok(_) => Err(StepError::Missing("an expected refusal")),
        }
    }

    /// Signs somebody in.
    ///
    /// # Errors
    /// The refusal of either step.
    pub async fn sign_in(&self, email: &str) -> Result<Caller, StepError> {
        let visitor = self.visitor();
        let identifier = self.identifier(email).await?;
        let begin = BeginLogin { identifier: Identifier::parse(&identifier)? };
        let ticket = self.run(&visitor, &begin).await?;
        let complete = CompleteLogin::parse(ticket.as_str(), PASSWORD.to_owned())?;
        let LoginProgress::SignedIn(signed_in) = self.run(&visitor, &complete).await? else {
            return Err(StepError::Missing("a session without a passcode"));
        };
        let presented = Presented {
            token: signed_in.token.reveal(),
            tenant: Some(self.tenant),
            address: visitor.address,
            correlation_id: Uuid::now_v7(),
            is_activity: true,
        };
        Ok(self.commands.authenticate(presented).await?)
    }

    /// What somebody types to sign in here: the address, or the user name made of it.
    ///
    /// # Errors
    /// The journal does not answer.
    pub async fn identifier(&self, email: &str) -> Result<String, StepError> {
        Ok(match self.policy().await?.login_identifier() {
            LoginIdentifier::Email => email.to_owned(),
            LoginIdentifier::Username => email.split('@').next().unwrap_or(email).to_owned(),
        })
    }

    /// Tries a wrong password.
    ///
    /// # Errors
    /// It was accepted, or a fault.
    pub async fn mistype(&self, identifier: &str) -> Result<(), StepError> {
        let visitor = self.visitor();
        let begin = BeginLogin { identifier: Identifier::parse(identifier)? };
        let ticket = self.run(&visitor, &begin).await?;
        let wrong = CompleteLogin::parse(ticket.as_str(), "Not-The-Password-1!".to_owned())?;
        self.refused(&visitor, &wrong).await
    }

    /// Follows an invitation to its end: agreements, details, passcode, password.
    ///
    /// # Errors
    /// The refusal of any step.
    pub async fn follow_invitation(
        &self,
        invitation: InvitationId,
        who: &Character,
    ) -> Result<UserId, StepError> {
        let visitor = self.visitor();
        let (user, token) = self.invitation_link(invitation).await?;
        // The last step completes the invitation by itself; the link is used up then.
        while let Some(view) = self.open_invitation(&token).await? {
            match view.step.ok_or(StepError::Missing("a step of the invitation"))? {
                InvitationStep::Agreement(kind) => {
                    self.accept(&visitor, Agreeing::Invitee(token.clone()), kind).await?;
                }
                InvitationStep::Details => {
                    let details = InviteeDetails {
                        first_name: PersonName::parse(who.first)?,
                        last_name: PersonName::parse(who.last)?,
                        phone: PhoneNumber::parse(&who.mobile)?,
                        channel: CodeChannel::Sms,
                    };
                    let submit = SubmitInviteeDetails { token: token.clone(), details };
                    self.run(&visitor, &submit).await?;
                }
                InvitationStep::Passcode => {
                    self.passcode(&visitor, PasscodeOwner::Invitation(token.clone())).await?;
                }
                InvitationStep::Complete => {
                    self.run(&visitor, &CompleteInvitation { token: token.clone() }).await?;
                }
            }
        }
        self.set_first_password(user).await?;
        Ok(user)
    }

    /// Sets the first password through the link that went out.
    ///
    /// # Errors
    /// There is no link, or a step was refused.
    pub async fn set_first_password(&self, user: UserId) -> Result<(), StepError> {
        let stream = self.tenant.credential_stream(user);
        let credential = self.commands.journal.load::<Credential>(self.tenant, stream).await?.state;
        if credential.has_password() {
            return Ok(());
        }
        let (link, _) = credential
            .links()
            .find(|(_, purpose)| *purpose == LinkPurpose::Setup)
            .ok_or(StepError::Missing("the link to set the password"))?;
        let token =
            LinkToken::new(&self.commands.journal.secrets().link_token("set-password", link.0));
        let visitor = self.visitor();
        let challenge = if self
            .policy()
            .await?
            .needs_step_up(rollcall_domain::policies::StepUpAction::FirstPassword)
        {
            Some(self.passcode(&visitor, PasscodeOwner::PasswordLink(token.clone())).await?)
        } else {
            None
        };
        let set = SetPassword { token, password: Password::new(PASSWORD), challenge };
        self.run(&visitor, &set).await
    }

    /// Asks for a passcode and types it.
    ///
    /// # Errors
    /// Either step was refused.
    pub async fn passcode(
        &self,
        caller: &Caller,
        owner: PasscodeOwner,
    ) -> Result<OtpChallengeId, StepError> {
        let challenge = self.run(caller, &RequestOtp { owner, channel: None }).await?;
        let otp = self.policy().await?.otp();
        let sent = self.commands.journal.secrets().otp(challenge.0, otp.sent_length);
        let digits = usize::try_from(otp.digits).unwrap_or(sent.len());
        let code = sent[sent.len() - digits.min(sent.len())..].to_owned();
        self.run(caller, &VerifyOtp::new(challenge, code)).await
    }

    /// Accepts the version of an agreement now in force, every box ticked.
    ///
    /// # Errors
    /// There is none, or it was refused.
    pub async fn accept(
        &self,
        caller: &Caller,
        by: Agreeing,
        kind: AgreementKind,
    ) -> Result<(), StepError> {
        let (version, boxes) = self.agreement(kind).await?;
        self.run(caller, &AcceptAgreement { by, kind, version, boxes }).await.map(drop)
    }

    /// Version and boxes of the agreement in force.
    ///
    /// # Errors
    /// There is none.
    pub async fn agreement(&self, kind: AgreementKind) -> Result<(String, Vec<String>), StepError> {
        let stream = self.tenant.agreement_stream(kind);
        let agreement = self.commands.journal.load::<Agreement>(self.tenant, stream).await?.state;
        let edition =
            agreement.current(self.now()).ok_or(StepError::Missing("an agreement in force"))?;
        let boxes = edition.boxes.iter().map(|tick| tick.key.clone()).collect();
        Ok((edition.version.clone(), boxes))
    }

    /// The policy in force.
    ///
    /// # Errors
    /// The journal does not answer.
    pub async fn policy(&self) -> Result<Arc<Policy>, StepError> {
        let stream = self.tenant.policy_stream();
        let history = self.commands.journal.load::<PolicyHistory>(self.tenant, stream).await?.state;
        Ok(Arc::clone(history.at(self.now()).1))
    }

    /// The invitation while its link works.
    async fn open_invitation(
        &self,
        token: &LinkToken,
    ) -> Result<Option<InvitationView>, StepError> {
        match self.commands.invitation_by_link(self.tenant, token).await {
            Ok(view) => Ok(Some(view)),
            Err(Failure::Refused(refusal)) if refusal.code == Code::LinkUsed => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn invitation_link(
        &self,
        invitation: InvitationId,
    ) -> Result<(UserId, LinkToken), StepError> {
        let state =
            self.commands.journal.load::<Invitation>(self.tenant, invitation.0).await?.state;
        let (user, link) = match &*state {
            Invitation::Open(open) => (open.invited.user, open.link_id),
            Invitation::NotSent
            | Invitation::Expired(_)
            | Invitation::Completed(_)
            | Invitation::Cancelled(_) => return Err(StepError::Missing("an open invitation")),
        };
        let token = self.commands.journal.secrets().link_token("invitation", link.0);
        Ok((user, LinkToken::new(&token)))
    }
}
