//! What happens to an account. Invariant: everything personal is sealed under the person's key.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::changes::DetailChanges;
use crate::kernel::ids::{LinkId, UserId};
use crate::notifications::{Frequency, NotificationType};
use crate::organizations::EnrolmentSource;
use crate::values::{AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber, Username};
use crate::{Event, Facets, Sealed};

/// An event of stream `users.user`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserEvent {
    /// The account exists from now on, without a password yet (MC-21).
    UserRegistered {
        user: UserId,
        email: Sealed<EmailAddress>,
        first_name: Sealed<PersonName>,
        last_name: Sealed<PersonName>,
        mobile: Sealed<PhoneNumber>,
        business_phone: Option<Sealed<PhoneNumber>>,
        username: Option<Sealed<Username>>,
        preferred_channel: CodeChannel,
    },
    /// The account was taken over from another portal, whose address nobody has verified here, and
    /// whose password signs in to be changed (AL-02, GN-33).
    UserImported {
        user: UserId,
        /// What the other portal called the person.
        legacy_id: Option<Sealed<String>>,
        source: EnrolmentSource,
        must_reset: bool,
    },
    /// The person changed their own data (MC-27).
    ProfileUpdated { user: UserId, changed: DetailChanges },
    /// An administrator corrected the person's data (MC-33).
    UserDetailsCorrected { user: UserId, changed: DetailChanges },
    /// The number that passcodes go to was changed (MC-27).
    PhoneChanged { user: UserId, old: Sealed<PhoneNumber>, new: Sealed<PhoneNumber> },
    /// The address was changed; until it is verified, that is noted (CX-06, GN-06).
    EmailChanged {
        user: UserId,
        old: Sealed<EmailAddress>,
        new: Sealed<EmailAddress>,
        verified: bool,
    },
    /// A link went to the address, to show that mail reaches the person (CX-06, GN-06).
    EmailVerificationSent { user: UserId, link_id: LinkId, expires_at: DateTime<Utc> },
    /// Mail to the address reaches the person (CX-06).
    EmailVerified { user: UserId, email: Sealed<EmailAddress> },
    /// Support told the person, or somebody who speaks for them, the user name (AL-03).
    UsernameDisclosed { user: UserId },
    /// The person's keys are destroyed: who they were is known no more (GN-27).
    UserErased { user: UserId },
    /// The person accepted an agreement with all its boxes (MC-06, MC-18).
    AgreementAccepted { user: UserId, kind: AgreementKind, version: String, boxes: Vec<String> },
    /// The person chose whether and how often mail follows notices of a type (MC-64, MC-65).
    NotificationPreferenceChanged {
        user: UserId,
        notification_type: NotificationType,
        email: bool,
        frequency: Frequency,
    },
}

impl Event for UserEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::UserRegistered { .. } => "users.user.user_registered",
            Self::UserImported { .. } => "users.user.user_imported",
            Self::ProfileUpdated { .. } => "users.user.profile_updated",
            Self::UserDetailsCorrected { .. } => "users.user.user_details_corrected",
            Self::PhoneChanged { .. } => "users.user.phone_changed",
            Self::EmailChanged { .. } => "users.user.email_changed",
            Self::EmailVerificationSent { .. } => "users.user.email_verification_sent",
            Self::EmailVerified { .. } => "users.user.email_verified",
            Self::UsernameDisclosed { .. } => "users.user.username_disclosed",
            Self::UserErased { .. } => "users.user.user_erased",
            Self::AgreementAccepted { .. } => "users.user.agreement_accepted",
            Self::NotificationPreferenceChanged { .. } => {
                "users.user.notification_preference_changed"
            }
        }
    }

    fn facets(&self) -> Facets {
        let user = match self {
            Self::UserRegistered { user, .. }
            | Self::UserImported { user, .. }
            | Self::ProfileUpdated { user, .. }
            | Self::UserDetailsCorrected { user, .. }
            | Self::PhoneChanged { user, .. }
            | Self::EmailChanged { user, .. }
            | Self::EmailVerificationSent { user, .. }
            | Self::EmailVerified { user, .. }
            | Self::UsernameDisclosed { user }
            | Self::UserErased { user }
            | Self::AgreementAccepted { user, .. }
            | Self::NotificationPreferenceChanged { user, .. } => user,
        };
        Facets::default().subject(*user)
    }
}
