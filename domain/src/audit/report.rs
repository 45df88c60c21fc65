//! The named reports of compliance auditors (GN-26): what each answers, and one question to one.
//!
//! Invariant: a definition whose rows would become others gets another version; a question stands for
//! itself, so whoever has it and the events makes the same rows again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::ids::OrganizationId;
use crate::values::Npi;

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportName {
    ActiveAccounts,
    Administrators,
    Dormant,
    Orphaned,
    NeverAssigned,
    PinActivity,
    Terminations,
    Revocations,
    SodConflicts,
    AffiliationsInForce,
    AuditReads,
    AccessToNpi,
}

/// What a report is asked with, beside the organisation, which all take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportParameter {
    /// True then; now, or when the position was recorded, if not given.
    AsOf,
    /// Known then.
    AsOfPosition,
    /// Recorded, or held, at or after.
    From,
    /// Recorded, or held, before.
    To,
    Npi,
    /// Days without sign-in.
    Days,
    /// From how many hours on it took too long.
    LimitHours,
    /// One rule of segregation of duties.
    Rule,
}

/// How a report is defined.
#[derive(Clone, Copy, Debug)]
pub struct ReportDefinition {
    pub name: ReportName,
    pub version: u32,
    pub title: &'static str,
    /// What it answers, in a sentence or two.
    pub answers: &'static str,
    pub parameters: &'static [ReportParameter],
    /// The columns of its rows, in the order of files.
    pub columns: &'static [&'static str],
}

impl ReportName {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::ActiveAccounts,
        Self::Administrators,
        Self::Dormant,
        Self::Orphaned,
        Self::NeverAssigned,
        Self::PinActivity,
        Self::Terminations,
        Self::Revocations,
        Self::SodConflicts,
        Self::AffiliationsInForce,
        Self::AuditReads,
        Self::AccessToNpi,
    ];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActiveAccounts => "ACTIVE_ACCOUNTS",
            Self::Administrators => "ADMINISTRATORS",
            Self::Dormant => "DORMANT",
            Self::Orphaned => "ORPHANED",
            Self::NeverAssigned => "NEVER_ASSIGNED",
            Self::PinActivity => "PIN_ACTIVITY",
            Self::Terminations => "TERMINATIONS",
            Self::Revocations => "REVOCATIONS",
            Self::SodConflicts => "SOD_CONFLICTS",
            Self::AffiliationsInForce => "AFFILIATIONS_IN_FORCE",
            Self::AuditReads => "AUDIT_READS",
            Self::AccessToNpi => "ACCESS_TO_NPI",
        }
    }

    /// Reads a stored word back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }

    /// How it is defined.
    #[must_use]
    pub fn definition(self) -> ReportDefinition {
        use ReportParameter as P;
        const STATE: &[P] = &[P::AsOf, P::AsOfPosition];
        const PERIOD: &[P] = &[P::From, P::To, P::AsOfPosition];
        let of = |title, answers, parameters, columns| ReportDefinition {
            name: self,
            version: self.version(),
            title,
            answers,
            parameters,
            columns,
        };
        match self {
            Self::ActiveAccounts => of(
                "Active accounts",
                "Every account that could act, once for each organisation in which it could and once \
                 for the plan, with its last sign-in and the last use of its rights, kind by kind.",
                STATE,
                &["userId", "organizationId", "role", "since", "lastSignIn", "rights"],
            ),
            Self::Administrators => of(
                "Administrators",
                "Who administered an organisation or held a role of the plan, since when and given by \
                 whom.",
                STATE,
                &[
                    "userId",
                    "organizationId",
                    "role",
                    "since",
                    "until",
                    "cause",
                    "byKind",
                    "byId",
                    "position",
                ],
            ),
            Self::Dormant => of(
                "Dormant accounts",
                "Active accounts whose person had not signed in for so many days, counted from the \
                 last sign-in or, where there is none, from when they became a member.",
                &[P::AsOf, P::AsOfPosition, P::Days],
                &["userId", "organizationId", "since", "lastSignIn", "quietSince", "quietDays"],
            ),
            Self::Orphaned => of(
                "Orphaned accounts",
                "Accounts that nobody answers for: without a membership or role, in an organisation \
                 that is suspended, closed or merged, or in one without an administrator.",
                STATE,
                &["userId", "organizationId", "reason", "since"],
            ),
            Self::NeverAssigned => of(
                "Members never given a right",
                "Active members whom nobody had ever given a role, an NPI or any other right.",
                STATE,
                &["userId", "organizationId", "since"],
            ),
            Self::PinActivity => of(
                "PIN reveals and resets",
                "Which PINs were shown or reset, when, by whom and for which NPI.",
                &[P::From, P::To, P::AsOfPosition, P::Npi],
                &[
                    "position",
                    "at",
                    "what",
                    "npi",
                    "organizationId",
                    "actorKind",
                    "actorId",
                    "resetBy",
                    "pinVersion",
                ],
            ),
            Self::Terminations => of(
                "Terminations and time to disable",
                "Memberships and roles of the plan that ended, with the time from the end of the right \
                 until access was no longer possible. An end planned ahead is enforced at its second.",
                &[P::From, P::To, P::AsOfPosition, P::LimitHours],
                &[
                    "position",
                    "userId",
                    "organizationId",
                    "planRole",
                    "cause",
                    "leftOn",
                    "endedAt",
                    "enforcedAt",
                    "secondsToDisable",
                    "overLimit",
                    "actorKind",
                    "actorId",
                ],
            ),
            Self::Revocations => of(
                "Revocations and time to removal",
                "Decisions to refuse or take back access, with the time from the decision until it was \
                 removed. A refused request removes nothing.",
                PERIOD,
                &[
                    "position",
                    "userId",
                    "organizationId",
                    "decision",
                    "right",
                    "npi",
                    "of",
                    "decidedAt",
                    "removedAt",
                    "secondsToRemoval",
                    "actorKind",
                    "actorId",
                ],
            ),
            Self::SodConflicts => of(
                "Segregation of duties",
                "Who held two rights that a rule in force keeps apart, and from when to when; at a \
                 moment, or within a period. The rules are those on record at the position.",
                &[P::AsOf, P::AsOfPosition, P::From, P::To, P::Rule],
                &[
                    "ruleId",
                    "userId",
                    "organizationId",
                    "npi",
                    "first",
                    "second",
                    "heldFrom",
                    "heldTo",
                ],
            ),
            Self::AffiliationsInForce => of(
                "Affiliations in force",
                "Which submitters worked for which providers, for which NPIs and transactions, since \
                 when, and for how many people. Which version of the agreement each side had signed \
                 then is not kept by date and not told; the timeline has the signatures.",
                STATE,
                &[
                    "affiliationId",
                    "submitterId",
                    "providerId",
                    "since",
                    "until",
                    "allNpis",
                    "npis",
                    "transactionTypes",
                    "people",
                ],
            ),
            Self::AuditReads => of(
                "Reads of the records",
                "What was taken out of the records and what was opened that is on record when it is \
                 read: exports, evidence and letters, by whom and when.",
                PERIOD,
                &[
                    "position",
                    "at",
                    "what",
                    "report",
                    "documentId",
                    "organizationId",
                    "actorKind",
                    "actorId",
                    "rows",
                    "sha256",
                ],
            ),
            Self::AccessToNpi => of(
                "Access to an NPI",
                "Who held which access to an NPI, by which way and from when to when; at a moment, or \
                 at any time within a period. Nobody else held any.",
                &[P::AsOf, P::AsOfPosition, P::From, P::To, P::Npi],
                &[
                    "userId",
                    "organizationId",
                    "right",
                    "of",
                    "level",
                    "source",
                    "heldFrom",
                    "heldTo",
                ],
            ),
        }
    }

    /// The definition's version.
    const fn version(self) -> u32 {
        match self {
            // Since these were first defined: nobody acts where the portal does not serve, whoever was
            // erased holds nothing, a conflict concerns the organisations of the two rights that met,
            // and NPIs of a submitter's people and a narrower scope are revocations.
            Self::ActiveAccounts
            | Self::Administrators
            | Self::Dormant
            | Self::Orphaned
            | Self::NeverAssigned
            | Self::Revocations
            | Self::SodConflicts
            | Self::AccessToNpi => 2,
            Self::PinActivity
            | Self::Terminations
            | Self::AffiliationsInForce
            | Self::AuditReads => 1,
        }
    }

    /// Whether its rows are events of a period, and not a state.
    #[must_use]
    pub const fn is_of_events(self) -> bool {
        match self {
            Self::PinActivity | Self::Terminations | Self::Revocations | Self::AuditReads => true,
            Self::ActiveAccounts
            | Self::Administrators
            | Self::Dormant
            | Self::Orphaned
            | Self::NeverAssigned
            | Self::SodConflicts
            | Self::AffiliationsInForce
            | Self::AccessToNpi => false,
        }
    }
}

/// One question to one report, with all that its rows depend on besides the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportQuestion {
    pub report: ReportName,
    pub version: u32,
    /// True then; of events, nothing recorded after it.
    pub true_at: DateTime<Utc>,
    /// Known then: no event after this position counts.
    pub known_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Only what concerns these organisations; absent for the whole plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<BTreeSet<OrganizationId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npi: Option<Npi>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_hours: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Uuid>,
    /// The zone by whose days uses of rights are told (IANA).
    pub time_zone: String,
    /// Kinds of rights whose uses were noted only since then, and not since the records began.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub noted_since: BTreeMap<String, DateTime<Utc>>,
}

impl ReportQuestion {
    /// Days without sign-in, where none were given.
    pub const DAYS: u32 = 90;
    /// The limit where none was given: one working day.
    pub const LIMIT_HOURS: u32 = 24;

    /// Whether something of an organisation belongs to the answer.
    #[must_use]
    pub fn covers(&self, organization: Option<OrganizationId>) -> bool {
        self.within
            .as_ref()
            .is_none_or(|within| organization.is_some_and(|of| within.contains(&of)))
    }

    /// The time in which something must have held: the period, or the one moment.
    #[must_use]
    pub fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        match (self.from, self.to) {
            (None, None) => (self.true_at, self.true_at),
            (from, to) => (from.unwrap_or(self.true_at), to.unwrap_or(self.true_at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_stored_under_its_name_and_has_columns_of_its_own() {
        for name in ReportName::ALL {
            assert_eq!(serde_json::to_value(name).expect("json"), name.as_str());
            assert_eq!(ReportName::parse(name.as_str()), Some(name));
            let ReportDefinition { columns, parameters, answers, .. } = name.definition();
            let distinct: BTreeSet<_> = columns.iter().collect();
            assert_eq!(distinct.len(), columns.len());
            assert!(parameters.contains(&ReportParameter::AsOfPosition), "{name:?}");
            assert!(answers.ends_with('.'), "{answers}");
        }
        assert_eq!(ReportName::parse("WEATHER"), None);
    }
}
