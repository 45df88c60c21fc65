//! What a registrant may do, and why it is refused.
//!
//! Invariant: that the token works is checked by the caller at the start and, with the append, at
//! the completion; here only the order and the content of the steps are judged.

use super::{
    MISMATCH_LIMIT, RegistrantIdentity, Registration, RegistrationEvent, RegistrationRoute,
    RegistrationStep,
};
use crate::kernel::ids::{
    OrganizationId, OtpChallengeId, RegistrationId, RegistrationTokenId, UserId,
};
use crate::values::{Acceptance, CodeChannel, EmailAddress, PersonName, PhoneNumber};
use crate::{Code, Decision, Refusal, Sealed};

/// Who the registrant says they are (MC-07).
#[derive(Clone, Debug)]
pub struct RegistrantDetails {
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub mobile: PhoneNumber,
    pub channel: CodeChannel,
}

/// One step of a registrant.
#[derive(Clone, Debug)]
pub enum RegistrationCommand {
    StartOrganizationRegistration {
        registration: RegistrationId,
        token: RegistrationTokenId,
        organization: OrganizationId,
        email: EmailAddress,
        route: RegistrationRoute,
        user: Option<UserId>,
        passcode_required: bool,
    },
    AcceptAgreement {
        acceptance: Acceptance,
        address: Option<String>,
    },
    /// The caller compares tax id, ZIP and contact email with the enrolment and says how many
    /// differ. A mismatch is accepted as a fact; the caller answers DETAILS_DO_NOT_MATCH.
    SubmitRegistrantDetails {
        details: Option<RegistrantDetails>,
        mismatches: u8,
    },
    VerifyPasscode {
        challenge: OtpChallengeId,
    },
    CompleteOrganizationRegistration {
        user: UserId,
    },
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationRefusal {
    #[error("No such registration exists here.")]
    Unknown,
    #[error("The registration was started already.")]
    AlreadyStarted,
    #[error("Another step comes first. Continue where the registration stands.")]
    StepOutOfOrder(RegistrationStep),
    #[error("This step asks for another agreement.")]
    OtherAgreement,
    #[error("Enter first name, last name and mobile number.")]
    IdentityMissing,
    #[error("The details do not match our records. Check them against the letter and try again.")]
    DetailsDoNotMatch,
    #[error("Too many tries. Ask the health plan for a new letter.")]
    TooManyMismatches,
    #[error("The registration belongs to another person.")]
    OtherPerson,
}

impl From<RegistrationRefusal> for Refusal {
    fn from(refusal: RegistrationRefusal) -> Self {
        use RegistrationRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Unknown => Self::not_found("registrationId"),
            R::AlreadyStarted | R::StepOutOfOrder(_) | R::OtherAgreement => {
                Self::new(Code::StepOutOfOrder, message)
            }
            R::IdentityMissing => Self::new(Code::NameRequired, message),
            R::DetailsDoNotMatch => Self::new(Code::DetailsDoNotMatch, message),
            R::TooManyMismatches => Self::new(Code::RateLimited, message),
            R::OtherPerson => Self::new(Code::Forbidden, message),
        }
    }
}

pub(super) fn decide(
    state: &Registration,
    _: &Decision<'_>,
    command: RegistrationCommand,
) -> Result<RegistrationEvent, RegistrationRefusal> {
    use RegistrationCommand as C;
    match command {
        C::StartOrganizationRegistration {
            registration,
            token,
            organization,
            email,
            route,
            user,
            passcode_required,
        } => {
            if state.progress().is_some() {
                return Err(RegistrationRefusal::AlreadyStarted);
            }
            Ok(RegistrationEvent::OrganizationRegistrationStarted {
                registration,
                token,
                organization,
                email: Sealed::new(registration, email),
                route,
                user,
                passcode_required,
            })
        }
        C::AcceptAgreement { acceptance, address } => accept(state, acceptance, address),
        C::SubmitRegistrantDetails { details, mismatches } => submit(state, details, mismatches),
        C::VerifyPasscode { challenge } => {
            let organization = state.at(RegistrationStep::VerifyPasscode)?.organization;
            Ok(RegistrationEvent::PasscodeVerified { organization, challenge })
        }
        C::CompleteOrganizationRegistration { user } => {
            let progress = state.at(RegistrationStep::Complete)?;
            if progress.user.is_some_and(|known| known != user) {
                return Err(RegistrationRefusal::OtherPerson);
            }
            Ok(RegistrationEvent::OrganizationRegistrationCompleted {
                organization: progress.organization,
                registration: progress.registration,
                user,
            })
        }
    }
}

/// Accepts the one agreement the present step asks for.
fn accept(
    state: &Registration,
    acceptance: Acceptance,
    address: Option<String>,
) -> Result<RegistrationEvent, RegistrationRefusal> {
    let step = state.step().ok_or(RegistrationRefusal::Unknown)?;
    let progress = state.at(step)?;
    match step.agreement() {
        None => return Err(RegistrationRefusal::StepOutOfOrder(step)),
        Some(asked) if asked != acceptance.kind => return Err(RegistrationRefusal::OtherAgreement),
        Some(_) => {}
    }
    let Acceptance { kind, version, boxes } = acceptance;
    Ok(RegistrationEvent::AgreementAccepted {
        organization: progress.organization,
        kind,
        version,
        boxes,
        address: address.map(|address| Sealed::new(progress.registration, address)),
    })
}

fn submit(
    state: &Registration,
    details: Option<RegistrantDetails>,
    mismatches: u8,
) -> Result<RegistrationEvent, RegistrationRefusal> {
    let progress = state.at(RegistrationStep::SubmitDetails)?;
    let organization = progress.organization;
    let needs_identity = match progress.route {
        RegistrationRoute::NewPerson | RegistrationRoute::ExistingPerson => true,
        RegistrationRoute::SignedIn => false,
    };
    if needs_identity && details.is_none() {
        return Err(RegistrationRefusal::IdentityMissing);
    }
    if mismatches > 0 {
        return Ok(RegistrationEvent::RegistrantMismatch {
            organization,
            fields_count: mismatches,
        });
    }
    let sealed_by = progress.registration;
    let identity = details.filter(|_| needs_identity).map(|details| RegistrantIdentity {
        first_name: Sealed::new(sealed_by, details.first_name),
        last_name: Sealed::new(sealed_by, details.last_name),
        mobile: Sealed::new(sealed_by, details.mobile),
        channel: details.channel,
    });
    Ok(RegistrationEvent::RegistrantVerified { organization, identity })
}

impl Registration {
    /// Vain tries left for the registrant's details.
    #[must_use]
    pub fn tries_left(&self) -> u32 {
        let used = self.progress().map_or(0, |progress| progress.mismatches);
        MISMATCH_LIMIT.saturating_sub(used)
    }
}
