//! The last day on which a person used each right in an organisation, or in the plan.
//!
//! Invariant: a day that is no later than the last one known says nothing new, so that recording it
//! twice records it once.

use std::collections::BTreeMap;

use super::{RightUseEvent, UseSource, UsedRight};
use crate::kernel::ids::{OrganizationId, UserId};
use crate::values::CalendarDate;
use crate::{Code, Decider, Decision, Refusal};

/// What a person used, and when last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RightUses {
    last: BTreeMap<UsedRight, CalendarDate>,
}

/// A command to stream `permissions.right_use`.
#[derive(Clone, Debug)]
pub enum RightUseCommand {
    /// Write down that a right was used on a day.
    RecordRightUse {
        user: UserId,
        organization: Option<OrganizationId>,
        right: UsedRight,
        day: CalendarDate,
        source: UseSource,
    },
}

/// Why it was not written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RightUseRefusal {
    #[error("A right cannot have been used on a day that is still to come. Check the date.")]
    StillToCome,
}

impl From<RightUseRefusal> for Refusal {
    fn from(refusal: RightUseRefusal) -> Self {
        match refusal {
            RightUseRefusal::StillToCome => {
                Self::new(Code::DateInvalid, refusal.to_string()).at("on")
            }
        }
    }
}

impl Decider for RightUses {
    const TYPE: &'static str = "permissions.right_use";
    type Command = RightUseCommand;
    type Event = RightUseEvent;
    type Refusal = RightUseRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: RightUseCommand,
    ) -> Result<Vec<RightUseEvent>, RightUseRefusal> {
        let RightUseCommand::RecordRightUse { user, organization, right, day, source } = command;
        if decision.policy.time_zone().local_date(decision.now) < day.date() {
            return Err(RightUseRefusal::StillToCome);
        }
        if self.last.get(&right).is_some_and(|last| day <= *last) {
            return Ok(Vec::new());
        }
        Ok(vec![RightUseEvent::RightUsed { user, organization, right, day, source }])
    }

    fn evolve(&mut self, event: &RightUseEvent) {
        let RightUseEvent::RightUsed { right, day, .. } = event;
        self.last.insert(right.clone(), *day);
    }
}
