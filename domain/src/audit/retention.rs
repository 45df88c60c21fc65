//! How long the personal data of a person is kept (GN-26; 45 CFR 164.316(b)(2)(i): from creation or
//! from when it was last in effect, whichever is later).
//!
//! Invariant: events stay for ever; retention only says from when a person in them may be erased,
//! and while anything of theirs is in effect there is no such moment.

use chrono::{DateTime, Utc};

use crate::kernel::ids::{AffiliationId, OrganizationId};
use crate::policies::Policy;
use crate::tenants::PlanRole;

/// What of a person is still in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InEffect {
    /// They are asked to join.
    Invitation(OrganizationId),
    Membership(OrganizationId),
    PlanInvitation,
    PlanRole(PlanRole),
    /// They signed, or asked for, an affiliation that is in force.
    Signature(AffiliationId),
}

impl InEffect {
    /// The name people and machines read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation(_) => "INVITATION",
            Self::Membership(_) => "MEMBERSHIP",
            Self::PlanInvitation => "PLAN_INVITATION",
            Self::PlanRole(_) => "PLAN_ROLE",
            Self::Signature(_) => "SIGNATURE",
        }
    }
}

/// What a person's retention goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// When the newest record about the person was made; `None`: nothing is known of them.
    pub last_recorded: Option<DateTime<Utc>>,
    /// When the last of what they were or signed ended.
    pub last_in_effect: Option<DateTime<Utc>>,
    pub in_effect: Vec<InEffect>,
}

impl Kept {
    /// Takes in that something ended, or ends: what lies ahead is in effect.
    pub fn ended(&mut self, at: DateTime<Utc>) {
        self.last_in_effect = self.last_in_effect.max(Some(at));
    }

    /// The first moment at which the person may be erased: the policy's years by the tenant's
    /// calendar after the later of the two. `None` while something is in effect, or where nothing is
    /// known.
    #[must_use]
    pub fn until(&self, policy: &Policy) -> Option<DateTime<Utc>> {
        let last = self.last_recorded?.max(self.last_in_effect.unwrap_or_default());
        let kept = || policy.time_zone().years_later(last, policy.retention_years());
        self.in_effect.is_empty().then(kept)
    }
}

/// Records that make nobody's retention longer, by aggregate: what is decided about keeping and
/// erasing itself, and what was told to people.
pub const UNCOUNTED_AGGREGATES: &[&str] =
    &["audit.erasure", "audit.legal_holds", "notifications.delivery", "notifications.notification"];

/// And by event: tries that anybody can make who knows an address.
pub const UNCOUNTED_EVENTS: &[&str] = &[
    "users.credential.login_failed",
    "users.credential.user_locked",
    "users.credential.user_unlocked",
    "users.credential.password_reset_requested",
    "users.credential.temporary_password_issued",
    "users.one_time_passcode.otp_failed",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::id;
    use crate::policies::{PolicyKey, PolicyValue, Preset};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect(text)
    }

    fn policy(years: u32) -> Policy {
        Policy::from(Preset::MediCal).with(PolicyKey::RetentionYears, PolicyValue::Integer(years))
    }

    #[test]
    fn years_run_from_the_newest_record_or_the_last_effect_whichever_is_later() {
        let mut kept = Kept { last_recorded: Some(at("2026-03-01T18:00:00Z")), ..Kept::default() };
        assert_eq!(kept.until(&policy(10)), Some(at("2036-03-01T18:00:00Z")));
        kept.ended(at("2026-02-01T18:00:00Z"));
        assert_eq!(kept.until(&policy(10)), Some(at("2036-03-01T18:00:00Z")));
        kept.ended(at("2026-04-01T18:00:00Z"));
        kept.ended(at("2026-03-15T18:00:00Z"));
        assert_eq!(kept.until(&policy(6)), Some(at("2032-04-01T18:00:00Z")));
    }

    #[test]
    fn while_something_is_in_effect_or_nothing_is_known_there_is_no_such_moment() {
        let mut kept = Kept { last_recorded: Some(at("2026-03-01T18:00:00Z")), ..Kept::default() };
        kept.in_effect.push(InEffect::Membership(id(1)));
        assert_eq!(kept.until(&policy(10)), None);
        assert_eq!(Kept::default().until(&policy(10)), None);
    }
}
