//! What happens in a registration under way.
//!
//! Invariant: a mismatch says how many fields were wrong and never which (MC-07).

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{
    OrganizationId, OtpChallengeId, RegistrationId, RegistrationTokenId, UserId,
};
use crate::values::{AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber};
use crate::{Event, Facets, Sealed};

/// Who registers, which decides the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegistrationRoute {
    /// A person without an account (MC-05 to MC-08).
    NewPerson,
    /// A person with an account who is not signed in (MC-10).
    ExistingPerson,
    /// A signed-in person: no identity fields and no agreements again (MC-11, C-08).
    SignedIn,
}

/// A fact about one registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RegistrationEvent {
    /// Somebody gave an email address and a token that works (MC-05).
    OrganizationRegistrationStarted {
        registration: RegistrationId,
        token: RegistrationTokenId,
        organization: OrganizationId,
        email: Sealed<EmailAddress>,
        route: RegistrationRoute,
        /// The account, for a person who has one.
        user: Option<UserId>,
        passcode_required: bool,
    },
    /// An agreement was accepted with all its boxes (MC-06).
    AgreementAccepted {
        organization: OrganizationId,
        kind: AgreementKind,
        version: String,
        boxes: Vec<String>,
        /// The client's address.
        address: Option<Sealed<String>>,
    },
    /// The details given do not match the enrolment behind the token (MC-07).
    RegistrantMismatch { organization: OrganizationId, fields_count: u8 },
    /// The details given match the enrolment (MC-07); a signed-in person gives no identity.
    RegistrantVerified { organization: OrganizationId, identity: Option<RegistrantIdentity> },
    /// The passcode sent to the registrant's telephone was right.
    PasscodeVerified { organization: OrganizationId, challenge: OtpChallengeId },
    /// The registrant is administrator of the organisation (MC-08).
    OrganizationRegistrationCompleted {
        organization: OrganizationId,
        registration: RegistrationId,
        user: UserId,
    },
}

/// What a registrant says of themself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistrantIdentity {
    pub first_name: Sealed<PersonName>,
    pub last_name: Sealed<PersonName>,
    pub mobile: Sealed<PhoneNumber>,
    pub channel: CodeChannel,
}

impl Event for RegistrationEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::OrganizationRegistrationStarted { .. } => {
                "organizations.registration.organization_registration_started"
            }
            Self::AgreementAccepted { .. } => "organizations.registration.agreement_accepted",
            Self::RegistrantMismatch { .. } => "organizations.registration.registrant_mismatch",
            Self::RegistrantVerified { .. } => "organizations.registration.registrant_verified",
            Self::PasscodeVerified { .. } => "organizations.registration.passcode_verified",
            Self::OrganizationRegistrationCompleted { .. } => {
                "organizations.registration.organization_registration_completed"
            }
        }
    }

    fn facets(&self) -> Facets {
        let (organization, subject) = match self {
            Self::OrganizationRegistrationStarted { organization, user, .. } => {
                (organization, *user)
            }
            Self::OrganizationRegistrationCompleted { organization, user, .. } => {
                (organization, Some(*user))
            }
            Self::AgreementAccepted { organization, .. }
            | Self::RegistrantMismatch { organization, .. }
            | Self::RegistrantVerified { organization, .. }
            | Self::PasscodeVerified { organization, .. } => (organization, None),
        };
        Facets { subject, ..Facets::default().organization(*organization) }
    }
}
