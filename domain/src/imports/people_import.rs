//! The job of importing people (GN-33). Invariant: lines are done in their order, one at a time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::PersonRow;
use crate::kernel::ids::{OrganizationId, PeopleImportId, UserId, VaultRef};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// A line to be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportLine {
    /// Counted from 1, the header included.
    pub line: u32,
    pub row: Sealed<PersonRow>,
    /// The organisation that the line named; absent where there is none.
    pub organization: Option<OrganizationId>,
    /// Where the vault keeps the password's hash until the line is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_ref: Option<VaultRef>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineOutcome {
    /// The person is new here, or new in the organisation.
    Imported,
    /// A member has rights they had not.
    Updated,
    /// Everything was so already.
    Unchanged,
    /// Nothing of the line was recorded.
    Refused,
}

/// The result of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineResult {
    pub line: u32,
    pub outcome: LineOutcome,
    /// Absent when refused.
    pub user: Option<UserId>,
    /// Absent when refused.
    pub organization: Option<OrganizationId>,
    pub refusal: Option<Refusal>,
}

/// An event of stream `imports.people_import`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PeopleImportEvent {
    /// These lines are to be imported.
    PeopleImportRequested { import: PeopleImportId, file_sha256: String, lines: Vec<ImportLine> },
    /// A line is done, or was refused and changed nothing.
    PeopleImportLineDone { import: PeopleImportId, result: LineResult },
    /// All lines are done.
    PeopleImportCompleted { import: PeopleImportId, lines: u32, refused: u32 },
}

/// A command to stream `imports.people_import`.
#[derive(Clone, Debug)]
pub enum PeopleImportCommand {
    Request {
        import: PeopleImportId,
        file_sha256: String,
        lines: Vec<ImportLine>,
    },
    /// The line that came next has this result.
    RecordLine(LineResult),
}

/// Why an import refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeopleImportRefusal {
    #[error("No such import exists here. Check the id and try again.")]
    Unknown,
    #[error("This import was requested already.")]
    AlreadyRequested,
    #[error("This line is done, or does not come next.")]
    NotNext,
}

impl From<PeopleImportRefusal> for Refusal {
    fn from(refusal: PeopleImportRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            PeopleImportRefusal::Unknown => Self::not_found("id"),
            PeopleImportRefusal::AlreadyRequested => Self::new(Code::AlreadyAccepted, message),
            PeopleImportRefusal::NotNext => Self::new(Code::NotPending, message),
        }
    }
}

/// An import as far as it has come; none that was requested has no lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleImport {
    import: Option<PeopleImportId>,
    file_sha256: String,
    lines: Arc<Vec<ImportLine>>,
    results: Vec<LineResult>,
}

impl PeopleImport {
    /// The job's id, once requested.
    #[must_use]
    pub fn id(&self) -> Option<PeopleImportId> {
        self.import
    }

    /// SHA-256 of the file, in hex.
    #[must_use]
    pub fn file_sha256(&self) -> &str {
        &self.file_sha256
    }

    /// How many lines it has.
    #[must_use]
    pub fn total(&self) -> usize {
        self.lines.len()
    }

    /// What became of the lines done so far, in their order.
    #[must_use]
    pub fn results(&self) -> &[LineResult] {
        &self.results
    }

    /// The line that comes next.
    #[must_use]
    pub fn next_line(&self) -> Option<&ImportLine> {
        self.lines.get(self.results.len())
    }
}

impl Decider for PeopleImport {
    const TYPE: &'static str = "imports.people_import";
    type Command = PeopleImportCommand;
    type Event = PeopleImportEvent;
    type Refusal = PeopleImportRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: PeopleImportCommand,
    ) -> Result<Vec<PeopleImportEvent>, PeopleImportRefusal> {
        match command {
            PeopleImportCommand::Request { import, file_sha256, lines } => match self.import {
                None => Ok(vec![PeopleImportEvent::PeopleImportRequested {
                    import,
                    file_sha256,
                    lines,
                }]),
                Some(_) => Err(PeopleImportRefusal::AlreadyRequested),
            },
            PeopleImportCommand::RecordLine(result) => {
                let import = self.import.ok_or(PeopleImportRefusal::Unknown)?;
                if self.next_line().is_none_or(|next| next.line != result.line) {
                    return Err(PeopleImportRefusal::NotNext);
                }
                let is_refused = |result: &&LineResult| result.outcome == LineOutcome::Refused;
                let results = self.results.iter().chain([&result]);
                let completed = PeopleImportEvent::PeopleImportCompleted {
                    import,
                    lines: count(self.total()),
                    refused: count(results.filter(is_refused).count()),
                };
                let is_last = self.results.len() + 1 == self.total();
                let done = PeopleImportEvent::PeopleImportLineDone { import, result };
                Ok([done].into_iter().chain(is_last.then_some(completed)).collect())
            }
        }
    }

    fn evolve(&mut self, event: &PeopleImportEvent) {
        match event {
            PeopleImportEvent::PeopleImportRequested { import, file_sha256, lines } => {
                *self = Self {
                    import: Some(*import),
                    file_sha256: file_sha256.clone(),
                    lines: Arc::new(lines.clone()),
                    results: Vec::new(),
                };
            }
            PeopleImportEvent::PeopleImportLineDone { result, .. } => {
                self.results.push(result.clone());
            }
            PeopleImportEvent::PeopleImportCompleted { .. } => {}
        }
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

impl Event for PeopleImportEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PeopleImportRequested { .. } => "imports.people_import.people_import_requested",
            Self::PeopleImportLineDone { .. } => "imports.people_import.people_import_line_done",
            Self::PeopleImportCompleted { .. } => "imports.people_import.people_import_completed",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::PeopleImportRequested { .. } | Self::PeopleImportCompleted { .. } => {
                Facets::default()
            }
            Self::PeopleImportLineDone { result, .. } => Facets {
                subject: result.user,
                organization: result.organization,
                ..Facets::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::SubjectId;
    use crate::kernel::scenario::{given, id};

    fn line(line: u32) -> ImportLine {
        let row = PersonRow { email: format!("p{line}@clinic.example"), ..PersonRow::default() };
        let row = Sealed::new(id::<SubjectId>(1), row);
        ImportLine { line, row, organization: None, hash_ref: None }
    }

    fn requested() -> PeopleImportEvent {
        PeopleImportEvent::PeopleImportRequested {
            import: id(9),
            file_sha256: "ab".repeat(32),
            lines: vec![line(2), line(3)],
        }
    }

    fn result(line: u32, outcome: LineOutcome) -> LineResult {
        LineResult { line, outcome, user: None, organization: None, refusal: None }
    }

    fn done(line: u32, outcome: LineOutcome) -> PeopleImportEvent {
        let result = result(line, outcome);
        PeopleImportEvent::PeopleImportLineDone { import: id(9), result }
    }

    #[test]
    fn gn_33_lines_are_done_once_and_in_their_order() {
        let record = |line, outcome| PeopleImportCommand::RecordLine(result(line, outcome));
        let imported = LineOutcome::Imported;
        given::<PeopleImport>(&[requested()]).when(record(3, imported)).refused(Code::NotPending);
        let state = given::<PeopleImport>(&[requested()])
            .when(record(2, imported))
            .then(&[done(2, imported)]);
        assert_eq!(state.next_line().map(|next| next.line), Some(3));
        let begun = [requested(), done(2, imported)];
        given::<PeopleImport>(&begun).when(record(2, imported)).refused(Code::NotPending);
        let completed =
            PeopleImportEvent::PeopleImportCompleted { import: id(9), lines: 2, refused: 1 };
        let state = given::<PeopleImport>(&begun)
            .when(record(3, LineOutcome::Refused))
            .then(&[done(3, LineOutcome::Refused), completed]);
        assert!(state.next_line().is_none());
    }

    #[test]
    fn an_import_is_requested_once() {
        let request = PeopleImportCommand::Request {
            import: id(9),
            file_sha256: String::new(),
            lines: Vec::new(),
        };
        given::<PeopleImport>(&[requested()]).when(request).refused(Code::AlreadyAccepted);
        let record = PeopleImportCommand::RecordLine(result(2, LineOutcome::Unchanged));
        given::<PeopleImport>(&[]).when(record).refused(Code::NotFound);
    }
}
