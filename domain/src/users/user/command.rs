//! What can be asked of an account. Invariant: uniqueness of addresses and user names is a
//! reservation at the append, not a rule here (GN-05).

use super::changes::NewDetails;
use crate::kernel::ids::{LinkId, UserId};
use crate::notifications::{Frequency, NotificationType};
use crate::organizations::EnrolmentSource;
use crate::values::{Acceptance, CodeChannel, EmailAddress, PersonName, PhoneNumber, Username};

/// A command to stream `users.user`.
#[derive(Clone, Debug)]
pub enum UserCommand {
    /// Open the account when a registration or invitation is complete (MC-08, MC-21).
    RegisterUser(Box<Registration>),
    /// The account just opened comes from another portal (GN-33).
    RecordImport { legacy_id: Option<String>, source: EnrolmentSource },
    /// The person changes their own data (MC-27).
    UpdateProfile(NewDetails),
    /// An administrator corrects it (MC-33).
    CorrectUserDetails(NewDetails),
    /// Change the number that passcodes go to (MC-27).
    ChangePhone { mobile: PhoneNumber },
    /// Change the address, which is unverified until its owner follows the link sent to it; for an
    /// address that stands and is not verified yet, only another link is sent (CX-06, GN-06).
    ChangeEmail { email: EmailAddress, link_id: LinkId },
    /// The person followed that link.
    VerifyEmail { link_id: LinkId },
    /// Support tells the user name (AL-03).
    DiscloseUsername,
    /// Nobody from now on (GN-27); that it is allowed, the person's erasure decides.
    EraseUser { user: UserId },
    /// Accept an agreement that passed the check against the published version.
    AcceptAgreement(Acceptance),
    /// Choose mail for a type of notice (MC-64 to MC-66).
    SetNotificationPreference {
        notification_type: NotificationType,
        email: bool,
        frequency: Frequency,
        /// Whether the person administers an organisation: some types are for those only.
        is_org_admin: bool,
    },
}

/// A new account's data.
#[derive(Clone, Debug)]
pub struct Registration {
    pub user: UserId,
    pub email: EmailAddress,
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub mobile: PhoneNumber,
    pub business_phone: Option<PhoneNumber>,
    pub username: Option<Username>,
    pub preferred_channel: CodeChannel,
}
