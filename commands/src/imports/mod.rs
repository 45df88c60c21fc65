//! Importing existing people with their rights: as a job of the portal, or from a file on the
//! machine the service runs on (AL-02, GN-33).
//!
//! Invariant: a line is one append, so an interrupted import has whole people only, and a repeated
//! one finds them; it raises rights and never lowers any.

mod ahead;
mod import_person;
mod line;
pub mod people_file;
mod request_import;
mod turns;

use rollcall_domain::tenants::PlanRole;

pub use ahead::Found;
pub use import_person::{ContinuePeopleImport, ImportPerson, Imported};
pub use request_import::{MAX_LINES, RequestPeopleImport};

/// Who of the plan imports people.
pub const IMPORT_STAFF: &[PlanRole] = &[PlanRole::Pa];
