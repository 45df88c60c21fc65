//! The aggregate of the commands measured: each enters one line of about 500 bytes.

use rollcall_domain::{
    Decider, Decision, Event, Facets, Refusal,
    kernel::ids::{OrganizationId, UserId},
};
use serde::{Deserialize, Serialize};

/// A register of lines.
#[derive(Clone, Debug, Default)]
pub struct Register {
    lines: u64,
}

#[derive(Debug)]
pub struct Enter {
    pub user: UserId,
    pub organization: OrganizationId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RegisterEvent {
    LineEntered { line: u64, user: UserId, organization: OrganizationId, text: String },
}

/// With the names and ids around it, about 500 bytes.
const TEXT: usize = 350;

impl Event for RegisterEvent {
    fn event_type(&self) -> &'static str {
        "bench.register.line_entered"
    }

    fn facets(&self) -> Facets {
        let Self::LineEntered { user, organization, .. } = self;
        Facets::default().subject(*user).organization(*organization).npi(&"1234567893")
    }
}

impl Decider for Register {
    const TYPE: &'static str = "bench.register";
    type Command = Enter;
    type Event = RegisterEvent;
    type Refusal = Refusal;

    fn decide(&self, _: &Decision<'_>, command: Enter) -> Result<Vec<RegisterEvent>, Refusal> {
        let Enter { user, organization } = command;
        let text = "x".repeat(TEXT);
        Ok(vec![RegisterEvent::LineEntered { line: self.lines + 1, user, organization, text }])
    }

    fn evolve(&mut self, event: &RegisterEvent) {
        let RegisterEvent::LineEntered { line, .. } = event;
        self.lines = *line;
    }
}

impl RegisterEvent {
    /// The events of a stream that has `count` of them.
    pub fn lines(count: usize, user: UserId, organization: OrganizationId) -> Vec<Self> {
        let text = "x".repeat(TEXT);
        let line = |line| Self::LineEntered { line, user, organization, text: text.clone() };
        (1..=count as u64).map(line).collect()
    }
}
