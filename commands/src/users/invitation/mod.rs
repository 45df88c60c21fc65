//! Invitations: sent by an administrator, followed by the invited person, completed into a
//! membership or plan roles (MC-15 to MC-21, GN-06, GN-31).
//!
//! Invariant: whoever follows a link gets no further than the link's own invitation; the steps that
//! are asked for are the policy's at that moment.

mod administer;
mod complete;
mod expire;
mod follow;
mod invite_user;
mod view;

pub(crate) use administer::off_the_roster;
pub use administer::{CancelInvitation, ReissueInvitation};
pub use complete::CompleteInvitation;
pub(crate) use complete::complete_if_last;
pub use expire::ExpireInvitation;
pub use follow::SubmitInviteeDetails;
pub(crate) use follow::{open_invitation, passcode_verified};
pub use invite_user::{InviteUser, NewPerson};
pub(crate) use invite_user::{person_of, send};
pub use view::InvitationView;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::TenantId,
    policies::{Policy, agreement::Agreement},
    users::invitation::InvitationRules,
    values::AgreementKind,
};
use rollcall_journal::{Journal, JournalError};

use super::one_time_passcode::goes_to_telephones;

/// What an invited person is asked to agree to: the first of these that the tenant has published
/// (MC-18, C-09).
const ASKED: [AgreementKind; 2] =
    [AgreementKind::SystemUseNotification, AgreementKind::PortalTerms];

/// The steps asked of invited people at `now`.
///
/// # Errors
/// The database did not answer.
pub(crate) async fn rules(
    journal: &Journal,
    tenant: TenantId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<InvitationRules, JournalError> {
    let mut agreements = Vec::new();
    for kind in ASKED {
        let agreement = journal.load::<Agreement>(tenant, tenant.agreement_stream(kind)).await?;
        if agreement.state.current(now).is_some() {
            agreements.push(kind);
            break;
        }
    }
    Ok(InvitationRules { agreements, otp_required: goes_to_telephones(&policy.otp()) })
}
