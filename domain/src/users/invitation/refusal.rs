//! Why an invitation refused. Invariant: a dead link says what to do next, not whose it was.

use super::InvitationStep;
use crate::{Code, Refusal};

/// Why an invitation refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvitationRefusal {
    #[error("This link is not valid. Use the newest one, or ask your administrator for another.")]
    LinkInvalid,
    #[error("This link has expired. Ask your administrator to send a new one.")]
    LinkExpired,
    #[error("This link has been used. Sign in instead.")]
    LinkUsed,
    #[error("Another step comes first: {0}.")]
    StepOutOfOrder(InvitationStep),
    #[error("This agreement has been accepted. Go on with the next step.")]
    AlreadyAccepted,
    #[error("This person has joined already.")]
    AlreadyCompleted,
    #[error("This invitation was cancelled. Invite the person again.")]
    Cancelled,
    #[error("This invitation has expired, so nobody can join by it. Send a new one or leave it.")]
    RunOut,
    #[error("There is no such invitation. Invite the person first.")]
    NotInvited,
    #[error("This invitation exists already. Send its link again instead.")]
    AlreadyInvited,
}

impl From<InvitationRefusal> for Refusal {
    fn from(refusal: InvitationRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            InvitationRefusal::LinkInvalid => Self::new(Code::LinkInvalid, message).at("token"),
            InvitationRefusal::LinkExpired => Self::new(Code::LinkExpired, message).at("token"),
            InvitationRefusal::LinkUsed => Self::new(Code::LinkUsed, message).at("token"),
            InvitationRefusal::StepOutOfOrder(step) => {
                Self::new(Code::StepOutOfOrder, message).details([step.to_string()])
            }
            InvitationRefusal::AlreadyAccepted => {
                Self::new(Code::AlreadyAccepted, message).at("kind")
            }
            InvitationRefusal::AlreadyCompleted
            | InvitationRefusal::Cancelled
            | InvitationRefusal::RunOut => Self::new(Code::NotPending, message),
            InvitationRefusal::NotInvited => Self::new(Code::NotInvited, message),
            InvitationRefusal::AlreadyInvited => Self::new(Code::VersionConflict, message),
        }
    }
}
