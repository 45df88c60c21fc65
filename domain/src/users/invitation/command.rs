//! What can be asked of an invitation. Invariant: whoever acts without an account shows the link's
//! id with every step.

use crate::kernel::ids::{InvitationId, LinkId, OrganizationId, OtpChallengeId, UserId};
use crate::users::user::NewDetails;
use crate::values::{
    Acceptance, AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber, Reason,
};

/// A command to stream `users.invitation`.
#[derive(Clone, Debug)]
pub enum InvitationCommand {
    /// Invite a person (MC-15).
    Invite(Box<Invite>),
    /// Send a new link, which kills the old one; what was done by the old one is void (MC-16).
    Reissue { link_id: LinkId },
    /// The administrator corrects what they typed about the person (MC-33).
    CorrectDetails { details: NewDetails, mobile: Option<PhoneNumber> },
    /// The link was opened (MC-17).
    Open { link_id: LinkId },
    /// An agreement was read and its boxes ticked; `acceptance` passed the check against the
    /// published version (MC-18).
    AcceptAgreement { link_id: LinkId, acceptance: Acceptance, rules: InvitationRules },
    /// Names, telephone and channel (MC-19); may be corrected until completion.
    SubmitDetails { link_id: LinkId, details: InviteeDetails, rules: InvitationRules },
    /// The passcode sent to that telephone was verified (MC-20).
    RecordPasscode { link_id: LinkId, challenge: OtpChallengeId, rules: InvitationRules },
    /// Every step is done: register the person (MC-21).
    Complete { link_id: LinkId, rules: InvitationRules },
    /// The scheduler found it run out; too early, it is no error.
    Expire,
    /// The administrator thinks better of it (GN-06).
    Cancel { reason: Option<Reason> },
}

/// Who is invited, where to, and by which link.
#[derive(Clone, Debug)]
pub struct Invite {
    pub invitation: InvitationId,
    /// The account it leads to: that of the person who has this address already, or a new one.
    pub user: UserId,
    /// `None` for plan staff (GN-31).
    pub organization: Option<OrganizationId>,
    pub email: EmailAddress,
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub mobile: PhoneNumber,
    pub business_phone: Option<PhoneNumber>,
    pub link_id: LinkId,
    /// The person has an account already and only joins (GN-05).
    pub existing_account: bool,
}

/// What the invited person says of themself (MC-19).
#[derive(Clone, Debug)]
pub struct InviteeDetails {
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub phone: PhoneNumber,
    pub channel: CodeChannel,
}

/// The steps the policy in force asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRules {
    /// Agreements to accept, in any order.
    pub agreements: Vec<AgreementKind>,
    /// Whether the telephone must be proven (`otp.enabled`).
    pub otp_required: bool,
}
