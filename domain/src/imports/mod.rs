//! Imports: existing people taken over from another portal, line by line (AL-02, GN-33).
//!
//! Invariant: a line is done once, with its result, however often its job is interrupted.

mod people_import;
mod row;

pub use people_import::{
    ImportLine, LineOutcome, LineResult, PeopleImport, PeopleImportCommand, PeopleImportEvent,
    PeopleImportRefusal,
};
pub use row::PersonRow;
