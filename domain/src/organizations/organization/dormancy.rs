//! Members who do not sign in any more (MC-32).
//!
//! Invariant: nobody is deactivated of whom the administrators, and the person, were not told the
//! policy's days before; the last administrator stays.

use chrono::{DateTime, Utc};

use super::{Member, Organization, Phase};
use crate::kernel::ids::UserId;
use crate::organizations::OrgRole;
use crate::policies::Policy;

/// How it stands with a member's absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dormancy {
    /// The person is no active member, or the policy sets no time.
    Unwatched,
    /// The time has come, and yet the person stays: as the last administrator, or while nobody can
    /// act for the organisation.
    Spared,
    /// People are told then of the end, which comes no earlier.
    ToldAt { at: DateTime<Utc>, end: DateTime<Utc> },
    /// People were told; without a sign-in the membership ends then.
    EndsAt(DateTime<Utc>),
}

impl Organization {
    /// How it stands with a member who was last there at `seen`, as their account knows it. Time
    /// counts from the last of that and of becoming a member, or one again.
    #[must_use]
    pub fn dormancy(
        &self,
        user: UserId,
        seen: Option<DateTime<Utc>>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Dormancy {
        let member = self.member(user).filter(|member| member.is_active(now));
        let Some(member) = member.filter(|_| self.phase != Phase::Closed) else {
            return Dormancy::Unwatched;
        };
        let Some(end) = member.active_since.max(seen).and_then(|it| policy.dormant_until(it))
        else {
            return Dormancy::Unwatched;
        };
        let next = match member.dormancy_told.filter(|told| *told >= end) {
            Some(told) => Dormancy::EndsAt(told),
            None => Dormancy::ToldAt { at: policy.unassigned_warned_at(end), end },
        };
        let has_come = next.next_look().is_some_and(|at| at <= now);
        if has_come && (!self.is_active() || self.is_last_admin(user, now)) {
            return Dormancy::Spared;
        }
        next
    }

    /// Whether the organisation's own people would be left without administrator, now or when those
    /// who remain leave as planned (GN-10).
    #[must_use]
    pub fn is_last_admin(&self, user: UserId, now: DateTime<Utc>) -> bool {
        let stays = |admin: UserId| self.member(admin).and_then(Member::ends_at).is_none();
        let remains = |admin: UserId| admin != user && stays(admin);
        self.role_of(user, now) == OrgRole::Admin && !self.active_admins(now).any(remains)
    }
}

impl Dormancy {
    /// When something comes of it by itself.
    #[must_use]
    pub fn next_look(self) -> Option<DateTime<Utc>> {
        match self {
            Self::ToldAt { at, .. } | Self::EndsAt(at) => Some(at),
            Self::Unwatched | Self::Spared => None,
        }
    }
}
