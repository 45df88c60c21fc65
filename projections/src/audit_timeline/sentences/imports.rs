//! Sentences about imports.

use rollcall_domain::imports::{LineOutcome, PeopleImportEvent};

use super::{Telling, lower};

pub(super) fn sentence(event: &PeopleImportEvent, telling: Telling<'_>) -> String {
    match event {
        PeopleImportEvent::PeopleImportRequested { lines, .. } => {
            let who = telling.who();
            format!("{who} had {} lines of a file of people imported.", lines.len())
        }
        PeopleImportEvent::PeopleImportLineDone { result, .. } => match result.outcome {
            LineOutcome::Refused => {
                format!("Line {} of a file of people was refused.", result.line)
            }
            LineOutcome::Imported | LineOutcome::Updated | LineOutcome::Unchanged => {
                let (line, outcome) = (result.line, lower(&result.outcome));
                let person = telling.person_or(result.user, "nobody");
                format!("Line {line} of a file of people was done: {person}, {outcome}.")
            }
        },
        PeopleImportEvent::PeopleImportCompleted { lines, refused, .. } => {
            format!("An import of {lines} people was completed; {refused} lines were refused.")
        }
    }
}
