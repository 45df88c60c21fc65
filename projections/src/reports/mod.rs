//! Named reports for auditors (GN-26): answered from read tables by index, and computed anew from
//! events alone.
//!
//! Invariant: both ways give the same rows, byte for byte; the way in which rows are made of what is
//! held is written once, and what differs is how it comes to be held.

mod access;
mod facts;
mod happenings;
mod held;
mod people;
mod queries;
pub mod recount;
mod rights;
mod row;

use rollcall_domain::{audit::ReportName, kernel::ids::UserId};

use self::people::Ground;
pub use self::{
    queries::{ReportError, count, names, noted_since, page},
    row::Row,
};

impl Ground<'_> {
    /// The rows of a person; none where the report is not about people.
    fn of_person(&self, user: UserId) -> Vec<Row> {
        let mut rows = match self.question.report {
            ReportName::ActiveAccounts => self.active_accounts(user),
            ReportName::Administrators => self.administrators(user),
            ReportName::Dormant => self.dormant(user),
            ReportName::Orphaned => self.orphaned(user),
            ReportName::NeverAssigned => self.never_assigned(user),
            ReportName::SodConflicts => self.sod_conflicts(user),
            ReportName::AccessToNpi => self.access_to_npi(user),
            ReportName::PinActivity
            | ReportName::Terminations
            | ReportName::Revocations
            | ReportName::AffiliationsInForce
            | ReportName::AuditReads => Vec::new(),
        };
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }
}
