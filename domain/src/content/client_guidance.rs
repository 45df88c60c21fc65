//! What a browser and its screen should be like, as the tenant words it (CX-01).
//!
//! Invariant: the newest guidance replaces all of the one before.

use serde::{Deserialize, Serialize};

use crate::values::ContentLine;
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// The smallest screen that the portal is made for, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenSize {
    pub width: u32,
    pub height: u32,
}

impl ScreenSize {
    const SIDES: std::ops::RangeInclusive<u32> = 200..=10_000;

    fn is_plausible(self) -> bool {
        Self::SIDES.contains(&self.width) && Self::SIDES.contains(&self.height)
    }
}

/// Hints for people whose client gives them trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guidance {
    pub screen: Option<ScreenSize>,
    /// In the order shown, e.g. "Clear temporary files".
    pub hints: Vec<ContentLine>,
}

/// A fact about the tenant's guidance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientGuidanceEvent {
    /// This is the guidance from now on.
    ClientGuidanceSet { guidance: Guidance },
}

impl Event for ClientGuidanceEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ClientGuidanceSet { .. } => "content.client_guidance.client_guidance_set",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::ClientGuidanceSet { .. } => Facets::default(),
        }
    }
}

/// What a content editor may ask.
#[derive(Clone, Debug)]
pub enum ClientGuidanceCommand {
    SetClientGuidance { guidance: Guidance },
}

/// Why guidance is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientGuidanceRefusal {
    #[error("Give a screen of 200 to 10000 pixels each way.")]
    ScreenImplausible,
    #[error("Give twenty hints at most.")]
    TooMany,
}

impl From<ClientGuidanceRefusal> for Refusal {
    fn from(refusal: ClientGuidanceRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            ClientGuidanceRefusal::ScreenImplausible => {
                Self::new(Code::RangeInvalid, message).at("screen")
            }
            ClientGuidanceRefusal::TooMany => Self::new(Code::FieldTooLong, message).at("hints"),
        }
    }
}

/// The tenant's guidance; empty until somebody sets it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientGuidance {
    pub guidance: Guidance,
}

impl Decider for ClientGuidance {
    const TYPE: &'static str = "content.client_guidance";
    type Command = ClientGuidanceCommand;
    type Event = ClientGuidanceEvent;
    type Refusal = ClientGuidanceRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: ClientGuidanceCommand,
    ) -> Result<Vec<ClientGuidanceEvent>, ClientGuidanceRefusal> {
        let ClientGuidanceCommand::SetClientGuidance { guidance } = command;
        if guidance.screen.is_some_and(|screen| !screen.is_plausible()) {
            return Err(ClientGuidanceRefusal::ScreenImplausible);
        }
        if guidance.hints.len() > 20 {
            return Err(ClientGuidanceRefusal::TooMany);
        }
        if guidance == self.guidance {
            return Ok(Vec::new());
        }
        Ok(vec![ClientGuidanceEvent::ClientGuidanceSet { guidance }])
    }

    fn evolve(&mut self, event: &ClientGuidanceEvent) {
        let ClientGuidanceEvent::ClientGuidanceSet { guidance } = event;
        self.guidance.clone_from(guidance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::given;

    fn guidance(width: u32) -> Guidance {
        let hint = ContentLine::parse("Clear temporary files.").unwrap();
        Guidance { screen: Some(ScreenSize { width, height: 728 }), hints: vec![hint] }
    }

    fn set(width: u32) -> ClientGuidanceCommand {
        ClientGuidanceCommand::SetClientGuidance { guidance: guidance(width) }
    }

    #[test]
    fn guidance_is_replaced_as_a_whole_and_the_same_again_is_no_fact() {
        let done = ClientGuidanceEvent::ClientGuidanceSet { guidance: guidance(1024) };
        let state = given::<ClientGuidance>(&[]).when(set(1024)).then(std::slice::from_ref(&done));
        assert_eq!(state.guidance, guidance(1024));
        given::<ClientGuidance>(&[done]).when(set(1024)).then(&[]);
    }

    #[test]
    fn a_screen_nobody_has_is_refused() {
        given::<ClientGuidance>(&[]).when(set(20)).refused(Code::RangeInvalid);
    }
}
