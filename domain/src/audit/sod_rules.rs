//! Segregation of duties: which rights nobody should hold together (GN-26).
//!
//! Invariant: one stream per tenant; a rule never changes, one that no longer fits is retired and
//! another one defined, so that what was found under a rule keeps its meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kernel::ids::SodRuleId;
use crate::permissions::right_use::RightKind;
use crate::values::{Reason, SodRuleName};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// One of the two rights of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SodRight {
    pub kind: RightKind,
    /// The type of correspondence, the feature, the plan role, or the id of what it is a right to; any
    /// of its kind if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

impl SodRight {
    /// Whether it is about single NPIs.
    #[must_use]
    pub const fn is_about_npis(&self) -> bool {
        match self.kind {
            RightKind::ViewNpi
            | RightKind::ManagePin
            | RightKind::ReadCorrespondence
            | RightKind::SubmitTransactions => true,
            RightKind::ViewOrganization
            | RightKind::ManageUsers
            | RightKind::UseFeature
            | RightKind::HoldJobRole
            | RightKind::ViewLocation
            | RightKind::ChooseLocation
            | RightKind::ReadTaxId
            | RightKind::PlanRole => false,
        }
    }

    fn is_plain(&self) -> bool {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_-*".contains(letter);
        self.of.as_ref().is_none_or(|of| (1..=80).contains(&of.len()) && of.chars().all(is_letter))
    }
}

/// Where two rights are in conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SodScope {
    /// Both for one NPI, whoever holds it.
    SameNpi,
    /// Both in one organisation.
    SameOrganization,
    /// Both anywhere.
    Anywhere,
}

impl SodScope {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameNpi => "SAME_NPI",
            Self::SameOrganization => "SAME_ORGANIZATION",
            Self::Anywhere => "ANYWHERE",
        }
    }
}

/// What a rule keeps apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SodTerms {
    pub name: SodRuleName,
    pub first: SodRight,
    pub second: SodRight,
    pub scope: SodScope,
}

/// An event of stream `audit.sod_rules`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SodRulesEvent {
    /// Nobody should hold both rights from now on.
    SodRuleDefined { rule: SodRuleId, terms: SodTerms, reason: Sealed<Reason> },
    /// The rule is looked for no more.
    SodRuleRetired { rule: SodRuleId, reason: Sealed<Reason> },
}

impl Event for SodRulesEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::SodRuleDefined { .. } => "audit.sod_rules.sod_rule_defined",
            Self::SodRuleRetired { .. } => "audit.sod_rules.sod_rule_retired",
        }
    }

    fn facets(&self) -> Facets {
        Facets::default()
    }
}

/// A command to stream `audit.sod_rules`.
#[derive(Clone, Debug)]
pub enum SodRulesCommand {
    Define { rule: SodRuleId, terms: SodTerms, reason: Sealed<Reason> },
    Retire { rule: SodRuleId, reason: Sealed<Reason> },
}

/// Why a rule is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SodRulesRefusal {
    #[error("A rule keeps two rights apart. Name two that differ.")]
    OneRight,
    #[error(
        "For one NPI, name two rights about NPIs: VIEW_NPI, MANAGE_PIN, READ_CORRESPONDENCE or \
         SUBMIT_TRANSACTIONS."
    )]
    NotAboutNpis,
    /// With the field.
    #[error("Name what the right is to by its word or id, such as EOP_REPORTS.")]
    NotAWord(&'static str),
    #[error("A rule of this name is in force. Retire it first or choose another name.")]
    NameTaken,
    #[error("There are a hundred rules in force, which is the most. Retire one first.")]
    TooMany,
    #[error("There is no such rule in force.")]
    Unknown,
}

impl From<SodRulesRefusal> for Refusal {
    fn from(refusal: SodRulesRefusal) -> Self {
        use SodRulesRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::OneRight => Self::new(Code::FieldInvalid, message).at("second"),
            R::NotAboutNpis => Self::new(Code::FieldInvalid, message).at("scope"),
            R::NotAWord(field) => Self::new(Code::FieldInvalid, message).at(field),
            R::NameTaken => Self::new(Code::NameInvalid, message).at("name"),
            R::TooMany => Self::new(Code::RangeInvalid, message).at("name"),
            R::Unknown => Self::not_found("ruleId"),
        }
    }
}

/// The tenant's rules in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SodRules {
    pub rules: BTreeMap<SodRuleId, SodTerms>,
}

impl SodRules {
    /// The most rules in force at once.
    const MOST: usize = 100;
}

impl Decider for SodRules {
    const TYPE: &'static str = "audit.sod_rules";
    type Command = SodRulesCommand;
    type Event = SodRulesEvent;
    type Refusal = SodRulesRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: SodRulesCommand,
    ) -> Result<Vec<SodRulesEvent>, SodRulesRefusal> {
        match command {
            SodRulesCommand::Define { rule, terms, reason } => {
                let name = terms.name.key();
                if terms.first == terms.second {
                    Err(SodRulesRefusal::OneRight)
                } else if !terms.first.is_plain() {
                    Err(SodRulesRefusal::NotAWord("first.of"))
                } else if !terms.second.is_plain() {
                    Err(SodRulesRefusal::NotAWord("second.of"))
                } else if terms.scope == SodScope::SameNpi
                    && !(terms.first.is_about_npis() && terms.second.is_about_npis())
                {
                    Err(SodRulesRefusal::NotAboutNpis)
                } else if self.rules.values().any(|other| other.name.key() == name) {
                    Err(SodRulesRefusal::NameTaken)
                } else if self.rules.len() >= Self::MOST {
                    Err(SodRulesRefusal::TooMany)
                } else {
                    Ok(vec![SodRulesEvent::SodRuleDefined { rule, terms, reason }])
                }
            }
            SodRulesCommand::Retire { rule, reason } => {
                if !self.rules.contains_key(&rule) {
                    return Err(SodRulesRefusal::Unknown);
                }
                Ok(vec![SodRulesEvent::SodRuleRetired { rule, reason }])
            }
        }
    }

    fn evolve(&mut self, event: &SodRulesEvent) {
        match event {
            SodRulesEvent::SodRuleDefined { rule, terms, .. } => {
                self.rules.insert(*rule, terms.clone());
            }
            SodRulesEvent::SodRuleRetired { rule, .. } => {
                self.rules.remove(rule);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::SubjectId;
    use crate::kernel::scenario::{given, id};

    fn terms(name: &str, (first, second): (RightKind, RightKind), scope: SodScope) -> SodTerms {
        let right = |kind| SodRight { kind, of: None };
        let name = SodRuleName::parse(name).unwrap();
        SodTerms { name, first: right(first), second: right(second), scope }
    }

    fn pins() -> SodTerms {
        let rights = (RightKind::ManagePin, RightKind::SubmitTransactions);
        terms("PIN and submission", rights, SodScope::SameNpi)
    }

    fn reason() -> Sealed<Reason> {
        Sealed::new(id::<SubjectId>(1), Reason::parse("Finding 7 of the audit.").unwrap())
    }

    fn define(terms: SodTerms) -> SodRulesCommand {
        SodRulesCommand::Define { rule: id(7), terms, reason: reason() }
    }

    fn retire() -> SodRulesCommand {
        SodRulesCommand::Retire { rule: id(7), reason: reason() }
    }

    #[test]
    fn gn_26_a_rule_is_defined_once_and_retired_once() {
        let there = SodRulesEvent::SodRuleDefined { rule: id(7), terms: pins(), reason: reason() };
        let state = given::<SodRules>(&[]).when(define(pins())).then(std::slice::from_ref(&there));
        assert_eq!(state.rules.get(&id(7)), Some(&pins()));
        let known = std::slice::from_ref(&there);
        given::<SodRules>(known).when(define(pins())).refused(Code::NameInvalid);
        let gone = SodRulesEvent::SodRuleRetired { rule: id(7), reason: reason() };
        let state = given::<SodRules>(known).when(retire()).then(&[gone]);
        assert_eq!(state, SodRules::default());
        given::<SodRules>(&[]).when(retire()).refused(Code::NotFound);
    }

    #[test]
    fn gn_26_a_rule_that_keeps_nothing_apart_is_refused() {
        let same = (RightKind::ManagePin, RightKind::ManagePin);
        let same = terms("x", same, SodScope::Anywhere);
        given::<SodRules>(&[]).when(define(same)).refused(Code::FieldInvalid);
        let apart = (RightKind::ManagePin, RightKind::ManageUsers);
        let apart = terms("x", apart, SodScope::SameNpi);
        given::<SodRules>(&[]).when(define(apart)).refused(Code::FieldInvalid);
        let odd = Some("a b".to_owned());
        let (mut first, mut second) = (pins(), pins());
        (first.first.of, second.second.of) = (odd.clone(), odd);
        for (odd, field) in [(first, "first"), (second, "second")] {
            let refused = given::<SodRules>(&[]).when(define(odd)).refused(Code::FieldInvalid);
            assert_eq!(refused.field, [field, "of"]);
        }
    }
}
