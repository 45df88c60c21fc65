//! One denial. Invariant: it names the command and the code, never what was in the command.

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{OrganizationId, UserId};
use crate::values::Npi;
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// An event of stream `audit.denial`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DenialEvent {
    /// Somebody asked for what they may not do; who, is in the envelope.
    AccessDenied(AccessDenied),
}

/// What was denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessDenied {
    /// The command's name, such as `SetNpiPermissions`.
    pub command: String,
    pub code: Code,
    /// Whom it would have been about.
    pub user: Option<UserId>,
    pub organization: Option<OrganizationId>,
    pub npi: Option<Npi>,
}

/// A command to stream `audit.denial`.
#[derive(Clone, Debug)]
pub enum DenialCommand {
    /// Record the denial.
    Record(AccessDenied),
}

/// Why a denial refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DenialRefusal {
    #[error("This denial has been recorded.")]
    AlreadyRecorded,
}

impl From<DenialRefusal> for Refusal {
    fn from(refusal: DenialRefusal) -> Self {
        match refusal {
            DenialRefusal::AlreadyRecorded => Self::new(Code::VersionConflict, refusal.to_string()),
        }
    }
}

/// One denial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Denial {
    /// The id is not in use.
    #[default]
    NotRecorded,
    /// It is on record.
    Recorded,
}

impl Event for DenialEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AccessDenied(_) => "audit.denial.access_denied",
        }
    }

    fn facets(&self) -> Facets {
        let Self::AccessDenied(denied) = self;
        let npi = denied.npi.as_ref().map(ToString::to_string);
        Facets { subject: denied.user, organization: denied.organization, npi, effective_at: None }
    }
}

impl Decider for Denial {
    const TYPE: &'static str = "audit.denial";
    type Command = DenialCommand;
    type Event = DenialEvent;
    type Refusal = DenialRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: DenialCommand,
    ) -> Result<Vec<DenialEvent>, DenialRefusal> {
        let DenialCommand::Record(denied) = command;
        match self {
            Self::NotRecorded => Ok(vec![DenialEvent::AccessDenied(denied)]),
            Self::Recorded => Err(DenialRefusal::AlreadyRecorded),
        }
    }

    fn evolve(&mut self, event: &DenialEvent) {
        match event {
            DenialEvent::AccessDenied(_) => *self = Self::Recorded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id};

    fn denied() -> AccessDenied {
        AccessDenied {
            command: "ResetPin".to_owned(),
            code: Code::NpiNotPermitted,
            user: Some(id(1)),
            organization: Some(id(10)),
            npi: Some(Npi::parse("1234567893").expect("a valid NPI")),
        }
    }

    #[test]
    fn a_denial_is_recorded_once_under_what_it_was_about() {
        let event = DenialEvent::AccessDenied(denied());
        let record = || DenialCommand::Record(denied());
        given::<Denial>(&[]).when(record()).then(std::slice::from_ref(&event));
        given::<Denial>(std::slice::from_ref(&event)).when(record()).refused(Code::VersionConflict);
        assert_eq!(event.facets().npi.as_deref(), Some("1234567893"));
        assert_eq!(
            (event.facets().subject, event.facets().organization),
            (Some(id(1)), Some(id(10)))
        );
    }
}
