//! What an invitation's events add up to. Invariant: progress belongs to the link by which it was
//! made; a reissued invitation begins anew.

use std::fmt;

use chrono::{DateTime, Utc};

use super::command::InvitationRules;
use super::events::InvitationEvent;
use super::refusal::InvitationRefusal;
use crate::Sealed;
use crate::kernel::ids::{InvitationId, LinkId, OrganizationId, OtpChallengeId, UserId};
use crate::users::user::{Change, DetailChanges};
use crate::values::{
    Acceptance, AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber,
};

/// One person's invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Invitation {
    /// The id is not in use.
    #[default]
    NotSent,
    /// Waiting for the person; whether the link still works is asked with a time.
    Open(OpenInvitation),
    /// Run out; it may be reissued.
    Expired(OpenInvitation),
    /// The person has joined.
    Completed(Invited),
    /// Taken back for good.
    Cancelled(Invited),
}

/// The state's name, as administrators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvitationStatus {
    Sent,
    Opened,
    Completed,
    Expired,
    Cancelled,
}

/// Whom the administrator invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    pub invitation: InvitationId,
    pub user: UserId,
    pub organization: Option<OrganizationId>,
    pub email: Sealed<EmailAddress>,
    pub first_name: Sealed<PersonName>,
    pub last_name: Sealed<PersonName>,
    pub mobile: Sealed<PhoneNumber>,
    pub business_phone: Option<Sealed<PhoneNumber>>,
    pub existing_account: bool,
}

/// An invitation that may still be completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvitation {
    pub invited: Invited,
    pub link_id: LinkId,
    pub expires_at: DateTime<Utc>,
    pub progress: Progress,
}

/// What the person has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub opened: bool,
    pub accepted: Vec<Acceptance>,
    pub details: Option<SubmittedDetails>,
    pub passcode: Option<OtpChallengeId>,
}

impl Progress {
    /// Whether an agreement of this kind was accepted by the present link.
    #[must_use]
    pub fn has_accepted(&self, kind: AgreementKind) -> bool {
        self.accepted.iter().any(|acceptance| acceptance.kind == kind)
    }
}

/// What the person gave in the details step (MC-19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedDetails {
    pub first_name: Sealed<PersonName>,
    pub last_name: Sealed<PersonName>,
    pub phone: Sealed<PhoneNumber>,
    pub channel: CodeChannel,
}

/// What comes next for the invited person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvitationStep {
    /// Accepting the agreement named.
    Agreement(AgreementKind),
    /// Giving names and telephone; people with an account skip it.
    Details,
    /// Proving the telephone.
    Passcode,
    /// Nothing but completing.
    Complete,
}

impl fmt::Display for InvitationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreement(kind) => write!(f, "accept the agreement {}", kind.as_str()),
            Self::Details => f.write_str("enter your details"),
            Self::Passcode => f.write_str("enter the passcode"),
            Self::Complete => f.write_str("complete the registration"),
        }
    }
}

impl Invitation {
    /// Who was invited; `None` when nobody was.
    #[must_use]
    pub fn invited(&self) -> Option<&Invited> {
        match self {
            Self::NotSent => None,
            Self::Open(open) | Self::Expired(open) => Some(&open.invited),
            Self::Completed(invited) | Self::Cancelled(invited) => Some(invited),
        }
    }

    /// The status at `now`; a link run out is expired whether or not that has been recorded.
    #[must_use]
    pub fn status(&self, now: DateTime<Utc>) -> Option<InvitationStatus> {
        match self {
            Self::NotSent => None,
            Self::Open(open) if now >= open.expires_at => Some(InvitationStatus::Expired),
            Self::Open(open) if open.progress.opened => Some(InvitationStatus::Opened),
            Self::Open(_) => Some(InvitationStatus::Sent),
            Self::Expired(_) => Some(InvitationStatus::Expired),
            Self::Completed(_) => Some(InvitationStatus::Completed),
            Self::Cancelled(_) => Some(InvitationStatus::Cancelled),
        }
    }

    /// The invitation behind a link that works at `now` (MC-16, MC-17).
    ///
    /// # Errors
    /// LINK_INVALID for an unknown, replaced or cancelled link, LINK_EXPIRED, LINK_USED.
    pub fn check_link(
        &self,
        link_id: LinkId,
        now: DateTime<Utc>,
    ) -> Result<&OpenInvitation, InvitationRefusal> {
        match self {
            Self::NotSent | Self::Cancelled(_) => Err(InvitationRefusal::LinkInvalid),
            Self::Completed(_) => Err(InvitationRefusal::LinkUsed),
            Self::Open(open) | Self::Expired(open) if open.link_id != link_id => {
                Err(InvitationRefusal::LinkInvalid)
            }
            Self::Open(open) if now < open.expires_at => Ok(open),
            Self::Open(_) | Self::Expired(_) => Err(InvitationRefusal::LinkExpired),
        }
    }

    pub(super) fn apply(&mut self, event: &InvitationEvent) {
        match event {
            InvitationEvent::UserInvited { .. } => *self = invited(event),
            InvitationEvent::InvitationReissued { link_id, expires_at, .. } => {
                self.reopen(*link_id, *expires_at);
            }
            InvitationEvent::InvitedDetailsCorrected { changed, mobile, .. } => {
                self.correct(changed, mobile.as_ref());
            }
            InvitationEvent::InvitationOpened { .. } => {
                self.progress(|progress| progress.opened = true);
            }
            InvitationEvent::AgreementAccepted { kind, version, boxes, .. } => {
                let (version, boxes) = (version.clone(), boxes.clone());
                let acceptance = Acceptance { kind: *kind, version, boxes };
                self.progress(|progress| progress.accepted.push(acceptance));
            }
            InvitationEvent::InviteeDetailsSubmitted {
                first_name,
                last_name,
                phone,
                channel,
                ..
            } => self.progress(|progress| {
                progress.details = Some(SubmittedDetails {
                    first_name: first_name.clone(),
                    last_name: last_name.clone(),
                    phone: phone.clone(),
                    channel: *channel,
                });
                progress.passcode = None;
            }),
            InvitationEvent::PasscodeVerified { challenge, .. } => {
                self.progress(|progress| progress.passcode = Some(*challenge));
            }
            InvitationEvent::InvitationCompleted { .. } => self.close(Self::Completed),
            InvitationEvent::InvitationCancelled { .. } => self.close(Self::Cancelled),
            InvitationEvent::InvitationExpired { .. } => {
                if let Self::Open(open) = self {
                    *self = Self::Expired(open.clone());
                }
            }
        }
    }

    fn correct(&mut self, changed: &DetailChanges, mobile: Option<&Change<Sealed<PhoneNumber>>>) {
        let (Self::Open(OpenInvitation { invited, .. })
        | Self::Expired(OpenInvitation { invited, .. })) = self
        else {
            return;
        };
        if let Some(change) = &changed.first_name {
            invited.first_name = change.new.clone();
        }
        if let Some(change) = &changed.last_name {
            invited.last_name = change.new.clone();
        }
        if let Some(change) = &changed.business_phone {
            invited.business_phone = change.new.clone();
        }
        if let Some(change) = mobile {
            invited.mobile = change.new.clone();
        }
    }

    fn reopen(&mut self, link_id: LinkId, expires_at: DateTime<Utc>) {
        if let Self::Open(open) | Self::Expired(open) = self {
            let invited = open.invited.clone();
            let progress = Progress::default();
            *self = Self::Open(OpenInvitation { invited, link_id, expires_at, progress });
        }
    }

    fn progress(&mut self, change: impl FnOnce(&mut Progress)) {
        if let Self::Open(open) = self {
            change(&mut open.progress);
        }
    }

    fn close(&mut self, to: fn(Invited) -> Self) {
        if let Some(invited) = self.invited() {
            *self = to(invited.clone());
        }
    }
}

fn invited(event: &InvitationEvent) -> Invitation {
    let InvitationEvent::UserInvited {
        invitation,
        user,
        organization,
        email,
        first_name,
        last_name,
        mobile,
        business_phone,
        link_id,
        expires_at,
        existing_account,
    } = event
    else {
        return Invitation::NotSent;
    };
    let invited = Invited {
        invitation: *invitation,
        user: *user,
        organization: *organization,
        email: email.clone(),
        first_name: first_name.clone(),
        last_name: last_name.clone(),
        mobile: mobile.clone(),
        business_phone: business_phone.clone(),
        existing_account: *existing_account,
    };
    let progress = Progress::default();
    let (link_id, expires_at) = (*link_id, *expires_at);
    Invitation::Open(OpenInvitation { invited, link_id, expires_at, progress })
}

impl OpenInvitation {
    /// What comes next under these rules.
    #[must_use]
    pub fn next_step(&self, rules: &InvitationRules) -> InvitationStep {
        let missing = rules.agreements.iter().find(|kind| !self.progress.has_accepted(**kind));
        if let Some(kind) = missing {
            InvitationStep::Agreement(*kind)
        } else if !self.invited.existing_account && self.progress.details.is_none() {
            InvitationStep::Details
        } else if rules.otp_required && self.progress.passcode.is_none() {
            InvitationStep::Passcode
        } else {
            InvitationStep::Complete
        }
    }
}
