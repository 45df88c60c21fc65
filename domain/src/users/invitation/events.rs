//! What happens to an invitation. Invariant: every event names the person and the organisation, so
//! that both find it in their history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{InvitationId, LinkId, OrganizationId, OtpChallengeId, UserId};
use crate::users::user::{Change, DetailChanges};
use crate::values::{AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber, Reason};
use crate::{Event, Facets, Sealed};

/// An event of stream `users.invitation`; `organization` is absent for plan staff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InvitationEvent {
    /// An administrator added a person; the link goes out by email (MC-15).
    UserInvited {
        invitation: InvitationId,
        user: UserId,
        organization: Option<OrganizationId>,
        email: Sealed<EmailAddress>,
        first_name: Sealed<PersonName>,
        last_name: Sealed<PersonName>,
        mobile: Sealed<PhoneNumber>,
        business_phone: Option<Sealed<PhoneNumber>>,
        link_id: LinkId,
        expires_at: DateTime<Utc>,
        existing_account: bool,
    },
    /// A new link went out, the old one is dead (MC-16).
    InvitationReissued {
        invitation: InvitationId,
        user: UserId,
        organization: Option<OrganizationId>,
        link_id: LinkId,
        expires_at: DateTime<Utc>,
    },
    /// The administrator corrected what they typed about the person (MC-33).
    InvitedDetailsCorrected {
        user: UserId,
        organization: Option<OrganizationId>,
        changed: DetailChanges,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mobile: Option<Change<Sealed<PhoneNumber>>>,
        existing_account: bool,
    },
    /// The link was opened for the first time (MC-17).
    InvitationOpened { user: UserId, organization: Option<OrganizationId> },
    /// An agreement was accepted with all its boxes (MC-18).
    AgreementAccepted {
        user: UserId,
        organization: Option<OrganizationId>,
        kind: AgreementKind,
        version: String,
        boxes: Vec<String>,
    },
    /// The person gave names, telephone and channel (MC-19).
    InviteeDetailsSubmitted {
        user: UserId,
        organization: Option<OrganizationId>,
        first_name: Sealed<PersonName>,
        last_name: Sealed<PersonName>,
        phone: Sealed<PhoneNumber>,
        channel: CodeChannel,
    },
    /// The telephone was proven by a passcode (MC-20).
    PasscodeVerified {
        user: UserId,
        organization: Option<OrganizationId>,
        challenge: OtpChallengeId,
    },
    /// The registration is complete; the link is used up (MC-21).
    InvitationCompleted { user: UserId, organization: Option<OrganizationId> },
    /// Nobody completed it in time (MC-16).
    InvitationExpired { user: UserId, organization: Option<OrganizationId> },
    /// It was taken back (GN-06).
    InvitationCancelled {
        user: UserId,
        organization: Option<OrganizationId>,
        reason: Option<Sealed<Reason>>,
    },
}

impl Event for InvitationEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::UserInvited { .. } => "users.invitation.user_invited",
            Self::InvitationReissued { .. } => "users.invitation.invitation_reissued",
            Self::InvitedDetailsCorrected { .. } => "users.invitation.invited_details_corrected",
            Self::InvitationOpened { .. } => "users.invitation.invitation_opened",
            Self::AgreementAccepted { .. } => "users.invitation.agreement_accepted",
            Self::InviteeDetailsSubmitted { .. } => "users.invitation.invitee_details_submitted",
            Self::PasscodeVerified { .. } => "users.invitation.passcode_verified",
            Self::InvitationCompleted { .. } => "users.invitation.invitation_completed",
            Self::InvitationExpired { .. } => "users.invitation.invitation_expired",
            Self::InvitationCancelled { .. } => "users.invitation.invitation_cancelled",
        }
    }

    fn facets(&self) -> Facets {
        let (user, organization) = match self {
            Self::UserInvited { user, organization, .. }
            | Self::InvitationReissued { user, organization, .. }
            | Self::InvitedDetailsCorrected { user, organization, .. }
            | Self::InvitationOpened { user, organization }
            | Self::AgreementAccepted { user, organization, .. }
            | Self::InviteeDetailsSubmitted { user, organization, .. }
            | Self::PasscodeVerified { user, organization, .. }
            | Self::InvitationCompleted { user, organization }
            | Self::InvitationExpired { user, organization }
            | Self::InvitationCancelled { user, organization, .. } => (*user, *organization),
        };
        Facets { organization, ..Facets::default().subject(user) }
    }
}
