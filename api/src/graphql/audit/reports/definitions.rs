//! What reports there are, and what was asked of one, in words.

use async_graphql::{Enum, SimpleObject};
use rollcall_domain::{
    audit::{ReportName, ReportQuestion},
    kernel::ids::OrganizationId,
};

use crate::graphql::scalars::DateTime;

/// A report for auditors (GN-26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ReportName")]
pub enum AuditReportName {
    /// Accounts that could act, with last sign-in and last use of their rights.
    ActiveAccounts,
    /// Administrators of organisations, and roles of the plan.
    Administrators,
    /// Accounts without sign-in for so many days.
    Dormant,
    /// Accounts that nobody answers for.
    Orphaned,
    /// Members who were never given a right.
    NeverAssigned,
    /// Reveals and resets of PINs.
    PinActivity,
    /// Memberships and roles that ended, with the time until access was no longer possible.
    Terminations,
    /// Decisions to refuse or take back access, with the time until it was removed.
    Revocations,
    /// Rights held together that a rule keeps apart.
    SodConflicts,
    /// Affiliations in force.
    AffiliationsInForce,
    /// Exports, evidence and letters taken out of the records.
    AuditReads,
    /// Who held which access to an NPI; nobody else did.
    AccessToNpi,
}

/// What a report is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::audit::ReportParameter")]
pub enum AuditReportParameter {
    AsOf,
    AsOfPosition,
    From,
    To,
    Npi,
    Days,
    LimitHours,
    Rule,
}

/// How a report is defined.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditReportDefinition {
    pub name: AuditReportName,
    /// Another version has other rows; what was asked under one keeps its meaning.
    pub version: i32,
    pub title: &'static str,
    /// What it answers.
    pub answers: &'static str,
    /// The parameters it takes, beside `organizationId`.
    pub parameters: Vec<AuditReportParameter>,
    /// The columns of its rows, as files and recounts name them.
    pub columns: Vec<&'static str>,
}

impl AuditReportDefinition {
    /// All reports.
    pub fn all() -> impl Iterator<Item = Self> {
        ReportName::ALL.into_iter().map(|name| {
            let defined = name.definition();
            Self {
                name: name.into(),
                version: i32::try_from(defined.version).unwrap_or(i32::MAX),
                title: defined.title,
                answers: defined.answers,
                parameters: defined.parameters.iter().map(|it| (*it).into()).collect(),
                columns: defined.columns.to_vec(),
            }
        })
    }
}

/// What was asked, in words.
pub(super) fn criteria(question: &ReportQuestion) -> String {
    let ReportQuestion { report, true_at, known_at, from, to, within, npi, days, .. } = question;
    let at = |at| DateTime::from(at).0;
    let mut words = vec![report.definition().title.to_owned()];
    words.extend(npi.as_ref().map(|npi| format!("of NPI {npi}")));
    match (from, to) {
        (Some(from), Some(to)) => words.push(format!("from {} to {}", at(*from), at(*to))),
        (Some(from), None) => words.push(format!("from {}", at(*from))),
        (None, Some(to)) => words.push(format!("to {}", at(*to))),
        (None, None) if report.is_of_events() => words.push("since the records began".to_owned()),
        (None, None) => words.push(format!("at {}", at(*true_at))),
    }
    words.extend(days.map(|days| format!("without sign-in for {days} days")));
    let limit = question.limit_hours;
    words.extend(limit.map(|hours| format!("with more than {hours} hours told as too long")));
    words.extend(question.rule.map(|rule| format!("by the rule {rule}")));
    if let Some(within) = within {
        let ids: Vec<String> = within.iter().map(|OrganizationId(id)| id.to_string()).collect();
        words.push(format!("of the organisations {}", ids.join(" ")));
    }
    format!("{}, as known at position {known_at}.", words.join(", "))
}
