//! Who leaves the roster, at once or on a later day, and who comes back.
//!
//! Invariant: a right ends at the moment it was said to, whether or not that is carried out then.

use chrono::{DateTime, Utc};

use super::{Decided, OrganizationEvent, OrganizationRefusal, Roster};
use crate::kernel::ids::UserId;
use crate::organizations::organization::{Dormancy, Standing};
use crate::organizations::{Authority, DeactivationCause};
use crate::values::{CalendarDate, Reason, TenantZone};
use crate::{Decision, Sealed};

pub(super) struct Leaving {
    pub user: UserId,
    pub confirmed: bool,
    pub reason: Option<Reason>,
    pub left_on: Option<CalendarDate>,
    pub authority: Authority,
}

impl Roster<'_> {
    pub(super) fn deactivate(&self, leaving: Leaving) -> Decided {
        let Leaving { user, confirmed, reason, left_on, authority } = leaving;
        let member = self.state.member(user).ok_or(OrganizationRefusal::NotAMember)?;
        match member.standing {
            Standing::Active => {}
            Standing::Inactive { .. } => return Err(OrganizationRefusal::AlreadyInactive),
            Standing::Invited { .. } | Standing::Ended { .. } => {
                return Err(OrganizationRefusal::NotAMember);
            }
        }
        if !confirmed {
            return Err(OrganizationRefusal::ConfirmDeactivation);
        }
        let now = self.decision.now;
        let zone = self.decision.policy.time_zone();
        let (organization, reason) =
            (self.organization, reason.map(|reason| Sealed::new(user, reason)));
        let later = left_on.filter(|day| day.date() > zone.local_date(now));
        if later.is_some() && member.planned_end.is_some() {
            return Err(OrganizationRefusal::EndPlanned);
        }
        self.check_admin_remains(user, authority)?;
        if let Some(left_on) = later {
            let effective_at = end_of(left_on, zone);
            return Ok(vec![OrganizationEvent::MembershipEndPlanned {
                organization,
                user,
                left_on,
                effective_at,
                reason,
            }]);
        }
        let latest = member.ends_at().map_or(now, |planned| planned.min(now));
        Ok(vec![OrganizationEvent::UserDeactivated {
            organization,
            user,
            reason,
            left_on,
            deactivated_at: now,
            effective_at: left_on.map_or(now, |day| end_of(day, zone)).min(latest),
        }])
    }

    /// Whoever leaves as planned is gone, even as the last administrator: the right has ended.
    pub(super) fn carry_out_end(&self, user: UserId) -> Vec<OrganizationEvent> {
        let member = self.state.member(user).filter(|it| it.standing == Standing::Active);
        let planned = member.and_then(|member| member.planned_end.clone());
        let due = planned.filter(|end| end.at <= self.decision.now);
        let ended = due.map(|end| OrganizationEvent::UserDeactivated {
            organization: self.organization,
            user,
            reason: end.reason,
            left_on: Some(end.left_on),
            deactivated_at: self.decision.now,
            effective_at: end.at,
        });
        ended.into_iter().collect()
    }

    pub(super) fn reactivate(
        &self,
        user: UserId,
        confirmed: bool,
        permissions_reviewed: bool,
    ) -> Decided {
        self.check_open()?;
        self.check_stays()?;
        let member = self.state.member(user).ok_or(OrganizationRefusal::NotAMember)?;
        let since = match member.standing {
            Standing::Inactive { since } => since,
            Standing::Active => return Err(OrganizationRefusal::NotInactive),
            Standing::Invited { .. } | Standing::Ended { .. } => {
                return Err(OrganizationRefusal::NotAMember);
            }
        };
        if !confirmed {
            return Err(OrganizationRefusal::ConfirmReactivation);
        }
        let review_after = self.decision.policy.reactivation_confirm_after();
        if self.decision.now - since >= review_after && !permissions_reviewed {
            return Err(OrganizationRefusal::ConfirmPermissions);
        }
        if self.decision.actor.person() == Some(user) {
            return Err(OrganizationRefusal::SelfGrant);
        }
        Ok(vec![OrganizationEvent::UserReactivated {
            organization: self.organization,
            user,
            reactivated_at: Some(self.decision.now),
        }])
    }

    /// The end of a wait for a first permission, or the warning of it that was not given yet.
    pub(super) fn watch_unassigned(&self, user: UserId) -> Vec<OrganizationEvent> {
        let Decision { now, policy, .. } = *self.decision;
        let Some(end) = self.state.unassigned_until(user, policy) else { return Vec::new() };
        let (organization, cause) = (self.organization, DeactivationCause::NoPermissions);
        let warned = self.state.member(user).and_then(|member| member.warned_of) == Some(end);
        if end <= now {
            vec![OrganizationEvent::UserAutoDeactivated {
                organization,
                user,
                cause,
                deactivated_at: now,
            }]
        } else if policy.unassigned_warned_at(end) <= now && !warned {
            vec![OrganizationEvent::UserDeactivationWarned {
                organization,
                user,
                cause,
                deactivates_at: end,
            }]
        } else {
            Vec::new()
        }
    }

    /// The end of a membership whose holder does not sign in, or the word of it before (MC-32).
    pub(super) fn watch_dormant(
        &self,
        user: UserId,
        seen: Option<DateTime<Utc>>,
    ) -> Vec<OrganizationEvent> {
        let Decision { now, policy, .. } = *self.decision;
        let (organization, cause) = (self.organization, DeactivationCause::Dormant);
        match self.state.dormancy(user, seen, policy, now) {
            Dormancy::ToldAt { at, end } if at <= now => {
                let deactivates_at = policy.deactivation_after_word(now, end);
                vec![OrganizationEvent::UserDeactivationWarned {
                    organization,
                    user,
                    cause,
                    deactivates_at,
                }]
            }
            Dormancy::EndsAt(end) if end <= now => vec![OrganizationEvent::UserAutoDeactivated {
                organization,
                user,
                cause,
                deactivated_at: now,
            }],
            Dormancy::Unwatched
            | Dormancy::Spared
            | Dormancy::ToldAt { .. }
            | Dormancy::EndsAt(_) => Vec::new(),
        }
    }
}

/// The moment at which a local day is over.
fn end_of(day: CalendarDate, zone: TenantZone) -> DateTime<Utc> {
    zone.start_of_day(day.plus_days(1).date())
}
