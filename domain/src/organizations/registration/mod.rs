//! A registration of an organisation by its letter token, step by step (MC-05 to MC-11).
//!
//! Invariant: steps come in order and none is left out; which steps there are was settled at the
//! start, so a policy that changes meanwhile confuses nobody.

mod commands;
mod events;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use commands::{RegistrantDetails, RegistrationCommand, RegistrationRefusal};
pub use events::{RegistrantIdentity, RegistrationEvent, RegistrationRoute};

use crate::kernel::ids::{OrganizationId, RegistrationId, RegistrationTokenId, UserId};
use crate::values::{Acceptance, AgreementKind, EmailAddress};
use crate::{Decider, Decision, Sealed};

/// How often the details may be wrong before the registration is over (GN-03).
pub const MISMATCH_LIMIT: u32 = 5;

/// What the registrant has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegistrationStep {
    AcceptPortalTerms,
    SubmitDetails,
    VerifyPasscode,
    AcceptConditionsOfUse,
    Complete,
    Completed,
}

impl RegistrationStep {
    /// The step after this one on a route.
    fn next(self, route: RegistrationRoute, passcode_required: bool) -> Self {
        let agreements = match route {
            RegistrationRoute::NewPerson | RegistrationRoute::ExistingPerson => true,
            RegistrationRoute::SignedIn => false,
        };
        match self {
            Self::AcceptPortalTerms => Self::SubmitDetails,
            Self::SubmitDetails if passcode_required => Self::VerifyPasscode,
            Self::SubmitDetails | Self::VerifyPasscode if agreements => Self::AcceptConditionsOfUse,
            Self::SubmitDetails | Self::VerifyPasscode | Self::AcceptConditionsOfUse => {
                Self::Complete
            }
            Self::Complete | Self::Completed => Self::Completed,
        }
    }

    /// The agreement this step asks for.
    #[must_use]
    pub fn agreement(self) -> Option<AgreementKind> {
        match self {
            Self::AcceptPortalTerms => Some(AgreementKind::PortalTerms),
            Self::AcceptConditionsOfUse => Some(AgreementKind::OnlineConditionsOfUse),
            Self::SubmitDetails | Self::VerifyPasscode | Self::Complete | Self::Completed => None,
        }
    }
}

/// A registration that was started.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    pub registration: RegistrationId,
    pub token: RegistrationTokenId,
    pub organization: OrganizationId,
    pub email: Sealed<EmailAddress>,
    pub route: RegistrationRoute,
    /// The account: known from the start, or made at completion.
    pub user: Option<UserId>,
    pub passcode_required: bool,
    pub step: RegistrationStep,
    pub identity: Option<RegistrantIdentity>,
    pub acceptances: Vec<Acceptance>,
    pub mismatches: u32,
}

/// A registration, started or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registration {
    progress: Option<Box<Progress>>,
}

impl Registration {
    /// The next step; `None` before the start.
    #[must_use]
    pub fn step(&self) -> Option<RegistrationStep> {
        self.progress().map(|progress| progress.step)
    }

    /// All that is known so far.
    #[must_use]
    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_deref()
    }

    fn at(&self, step: RegistrationStep) -> Result<&Progress, RegistrationRefusal> {
        let progress = self.progress().ok_or(RegistrationRefusal::Unknown)?;
        if progress.mismatches >= MISMATCH_LIMIT {
            return Err(RegistrationRefusal::TooManyMismatches);
        }
        if progress.step == step {
            Ok(progress)
        } else {
            Err(RegistrationRefusal::StepOutOfOrder(progress.step))
        }
    }

    fn advance(&mut self, change: impl FnOnce(&mut Progress)) {
        if let Some(progress) = &mut self.progress {
            change(progress);
            progress.step = progress.step.next(progress.route, progress.passcode_required);
        }
    }
}

impl Decider for Registration {
    const TYPE: &'static str = "organizations.registration";
    type Command = RegistrationCommand;
    type Event = RegistrationEvent;
    type Refusal = RegistrationRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: RegistrationCommand,
    ) -> Result<Vec<RegistrationEvent>, RegistrationRefusal> {
        commands::decide(self, decision, command).map(|event| vec![event])
    }

    fn evolve(&mut self, event: &RegistrationEvent) {
        match event {
            RegistrationEvent::OrganizationRegistrationStarted {
                registration,
                token,
                organization,
                email,
                route,
                user,
                passcode_required,
            } => {
                let step = match route {
                    RegistrationRoute::NewPerson | RegistrationRoute::ExistingPerson => {
                        RegistrationStep::AcceptPortalTerms
                    }
                    RegistrationRoute::SignedIn => RegistrationStep::SubmitDetails,
                };
                self.progress = Some(Box::new(Progress {
                    registration: *registration,
                    token: *token,
                    organization: *organization,
                    email: email.clone(),
                    route: *route,
                    user: *user,
                    passcode_required: *passcode_required,
                    step,
                    identity: None,
                    acceptances: Vec::new(),
                    mismatches: 0,
                }));
            }
            RegistrationEvent::AgreementAccepted { kind, version, boxes, .. } => {
                let (version, boxes) = (version.clone(), boxes.clone());
                self.advance(|progress| {
                    progress.acceptances.push(Acceptance { kind: *kind, version, boxes });
                });
            }
            RegistrationEvent::RegistrantMismatch { .. } => {
                if let Some(progress) = &mut self.progress {
                    progress.mismatches += 1;
                }
            }
            RegistrationEvent::RegistrantVerified { identity, .. } => {
                self.advance(|progress| progress.identity.clone_from(identity));
            }
            RegistrationEvent::PasscodeVerified { .. } => self.advance(|_| {}),
            RegistrationEvent::OrganizationRegistrationCompleted { user, .. } => {
                self.advance(|progress| progress.user = Some(*user));
            }
        }
    }
}
