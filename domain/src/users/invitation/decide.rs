//! The invitation's rules. Invariant: no step is taken before the ones the policy puts before it.

use super::command::{InvitationCommand, InvitationRules, Invite, InviteeDetails};
use super::events::InvitationEvent;
use super::refusal::InvitationRefusal;
use super::state::{Invitation, InvitationStatus, InvitationStep, Invited, OpenInvitation};
use crate::kernel::ids::{OrganizationId, UserId};
use crate::users::user::{DetailChanges, NewDetails, change, own};
use crate::values::{Acceptance, PhoneNumber, Reason};
use crate::{Decider, Decision, Sealed};

type Decided = Result<Vec<InvitationEvent>, InvitationRefusal>;

impl Decider for Invitation {
    const TYPE: &'static str = "users.invitation";
    type Command = InvitationCommand;
    type Event = InvitationEvent;
    type Refusal = InvitationRefusal;

    fn decide(&self, decision: &Decision<'_>, command: InvitationCommand) -> Decided {
        let now = decision.now;
        match command {
            InvitationCommand::Invite(invite) => match self {
                Self::NotSent => Ok(vec![user_invited(decision, *invite)]),
                Self::Open(_) | Self::Expired(_) | Self::Completed(_) | Self::Cancelled(_) => {
                    Err(InvitationRefusal::AlreadyInvited)
                }
            },
            InvitationCommand::Reissue { link_id } => {
                let expires_at = now + decision.policy.invite_ttl();
                let invited = &self.require_pending()?.invited;
                Ok(vec![InvitationEvent::InvitationReissued {
                    invitation: invited.invitation,
                    user: invited.user,
                    organization: invited.organization,
                    link_id,
                    expires_at,
                }])
            }
            InvitationCommand::CorrectDetails { details, mobile } => {
                Ok(self.require_pending()?.invited.corrected(details, mobile))
            }
            InvitationCommand::Open { link_id } => {
                Ok(self.check_link(link_id, now)?.opened().into_iter().collect())
            }
            InvitationCommand::AcceptAgreement { link_id, acceptance, rules } => {
                self.check_link(link_id, now)?.accept(acceptance, &rules)
            }
            InvitationCommand::SubmitDetails { link_id, details, rules } => {
                self.check_link(link_id, now)?.submit(details, &rules)
            }
            InvitationCommand::RecordPasscode { link_id, challenge, rules } => {
                let open = self.check_link(link_id, now)?;
                open.require_step(InvitationStep::Passcode, &rules)?;
                let (user, organization) = open.whom();
                Ok(open.with_opening(InvitationEvent::PasscodeVerified {
                    user,
                    organization,
                    challenge,
                }))
            }
            InvitationCommand::Complete { link_id, rules } => {
                let open = self.check_link(link_id, now)?;
                open.require_step(InvitationStep::Complete, &rules)?;
                let (user, organization) = open.whom();
                Ok(open.with_opening(InvitationEvent::InvitationCompleted { user, organization }))
            }
            InvitationCommand::Expire => Ok(match self {
                Self::Open(open) if now >= open.expires_at => {
                    let (user, organization) = open.whom();
                    vec![InvitationEvent::InvitationExpired { user, organization }]
                }
                Self::NotSent
                | Self::Open(_)
                | Self::Expired(_)
                | Self::Completed(_)
                | Self::Cancelled(_) => Vec::new(),
            }),
            InvitationCommand::Cancel { reason } => {
                let open = self.require_pending()?;
                if self.status(now) == Some(InvitationStatus::Expired) {
                    return Err(InvitationRefusal::RunOut);
                }
                Ok(vec![open.cancelled(reason)])
            }
        }
    }

    fn evolve(&mut self, event: &InvitationEvent) {
        self.apply(event);
    }
}

impl Invitation {
    fn require_pending(&self) -> Result<&OpenInvitation, InvitationRefusal> {
        match self {
            Self::Open(open) | Self::Expired(open) => Ok(open),
            Self::NotSent => Err(InvitationRefusal::NotInvited),
            Self::Completed(_) => Err(InvitationRefusal::AlreadyCompleted),
            Self::Cancelled(_) => Err(InvitationRefusal::Cancelled),
        }
    }
}

impl Invited {
    fn corrected(&self, new: NewDetails, mobile: Option<PhoneNumber>) -> Vec<InvitationEvent> {
        let user = self.user;
        let business_phone = new.business_phone.map(|phone| own(user, phone));
        let changed = DetailChanges {
            first_name: change(&self.first_name, own(user, new.first_name)),
            last_name: change(&self.last_name, own(user, new.last_name)),
            business_phone: change(&self.business_phone, business_phone),
            // Chosen by the person, who has not come yet.
            preferred_channel: None,
        };
        let mobile = change(&self.mobile, own(user, mobile));
        if changed.is_empty() && mobile.is_none() {
            return Vec::new();
        }
        vec![InvitationEvent::InvitedDetailsCorrected {
            user,
            organization: self.organization,
            changed,
            mobile,
            existing_account: self.existing_account,
        }]
    }
}

impl OpenInvitation {
    fn whom(&self) -> (UserId, Option<OrganizationId>) {
        (self.invited.user, self.invited.organization)
    }

    fn opened(&self) -> Option<InvitationEvent> {
        let (user, organization) = self.whom();
        (!self.progress.opened).then_some(InvitationEvent::InvitationOpened { user, organization })
    }

    /// The event, after the opening that it implies.
    fn with_opening(&self, event: InvitationEvent) -> Vec<InvitationEvent> {
        self.opened().into_iter().chain([event]).collect()
    }

    fn require_step(
        &self,
        step: InvitationStep,
        rules: &InvitationRules,
    ) -> Result<(), InvitationRefusal> {
        let next = self.next_step(rules);
        if next == step { Ok(()) } else { Err(InvitationRefusal::StepOutOfOrder(next)) }
    }

    fn accept(&self, acceptance: Acceptance, rules: &InvitationRules) -> Decided {
        let Acceptance { kind, version, boxes } = acceptance;
        if self.progress.has_accepted(kind) {
            return Err(InvitationRefusal::AlreadyAccepted);
        }
        if !rules.agreements.contains(&kind) {
            return Err(InvitationRefusal::StepOutOfOrder(self.next_step(rules)));
        }
        let (user, organization) = self.whom();
        Ok(self.with_opening(InvitationEvent::AgreementAccepted {
            user,
            organization,
            kind,
            version,
            boxes,
        }))
    }

    fn submit(&self, details: InviteeDetails, rules: &InvitationRules) -> Decided {
        let next = self.next_step(rules);
        let correction = self.progress.details.is_some();
        match next {
            InvitationStep::Details => {}
            InvitationStep::Passcode | InvitationStep::Complete if correction => {}
            InvitationStep::Agreement(_) | InvitationStep::Passcode | InvitationStep::Complete => {
                return Err(InvitationRefusal::StepOutOfOrder(next));
            }
        }
        let (user, organization) = self.whom();
        Ok(self.with_opening(InvitationEvent::InviteeDetailsSubmitted {
            user,
            organization,
            first_name: Sealed::new(user, details.first_name),
            last_name: Sealed::new(user, details.last_name),
            phone: Sealed::new(user, details.phone),
            channel: details.channel,
        }))
    }

    fn cancelled(&self, reason: Option<Reason>) -> InvitationEvent {
        let (user, organization) = self.whom();
        let reason = reason.map(|reason| Sealed::new(user, reason));
        InvitationEvent::InvitationCancelled { user, organization, reason }
    }
}

fn user_invited(decision: &Decision<'_>, invite: Invite) -> InvitationEvent {
    let user = invite.user;
    InvitationEvent::UserInvited {
        invitation: invite.invitation,
        user,
        organization: invite.organization,
        email: Sealed::new(user, invite.email),
        first_name: Sealed::new(user, invite.first_name),
        last_name: Sealed::new(user, invite.last_name),
        mobile: Sealed::new(user, invite.mobile),
        business_phone: invite.business_phone.map(|phone| Sealed::new(user, phone)),
        link_id: invite.link_id,
        expires_at: decision.now + decision.policy.invite_ttl(),
        existing_account: invite.existing_account,
    }
}
