//! A ledger: the smallest aggregate with a rule, filter fields and personal data.

use rollcall_domain::{
    Code, Decider, Decision, Event, Facets, Refusal, Sealed,
    kernel::ids::{SubjectId, UserId},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    pub balance: i64,
    pub entries: u32,
    pub notes: Vec<Sealed<String>>,
}

pub enum LedgerCommand {
    Withdraw(i64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Booked {
    Entry { amount: i64 },
    Note { text: Sealed<String> },
}

impl Booked {
    pub fn entry(amount: i64) -> Self {
        Self::Entry { amount }
    }

    pub fn note(subject: SubjectId, text: &str) -> Self {
        Self::Note { text: Sealed::new(subject, text.to_owned()) }
    }
}

impl Event for Booked {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Entry { .. } => "books.ledger.entry",
            Self::Note { .. } => "books.ledger.note",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::Entry { .. } => Facets::default().npi(&"1234567893"),
            Self::Note { text } => Facets::default().subject(UserId(text.subject().0)),
        }
    }
}

impl Decider for Ledger {
    const TYPE: &'static str = "books.ledger";
    type Command = LedgerCommand;
    type Event = Booked;
    type Refusal = Refusal;

    fn decide(&self, _: &Decision<'_>, command: LedgerCommand) -> Result<Vec<Booked>, Refusal> {
        match command {
            LedgerCommand::Withdraw(amount) if amount <= self.balance => {
                Ok(vec![Booked::entry(-amount)])
            }
            LedgerCommand::Withdraw(_) => Err(Refusal {
                code: Code::FieldInvalid,
                message: "Withdraw at most the balance.".to_owned(),
                field: vec!["amount".to_owned()],
                retry_at: None,
                details: Vec::new(),
            }),
        }
    }

    fn evolve(&mut self, event: &Booked) {
        self.entries += 1;
        match event {
            Booked::Entry { amount } => self.balance += amount,
            Booked::Note { text } => self.notes.push(text.clone()),
        }
    }
}
