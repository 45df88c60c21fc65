//! Affiliations as both organisations and the plan see them, and the directory of submitters (MC-54
//! to MC-63).
//!
//! Invariant: an affiliation is shown to its two organisations and the plan only; to the one that
//! was asked, once the other has signed.

mod directory;
mod projection;
mod queries;
mod row;

pub use directory::{
    DirectoryFilter, DirectoryKey, Submitter, SubmitterType, count_submitters, is_listed,
    submitter_types, submitters,
};
pub use projection::{Affiliations, NAME};
pub use queries::{
    AffiliationFilter, AffiliationView, Viewpoint, affiliations, affiliations_by_id,
    count_affiliations,
};
pub use row::{AffiliationRow, AffiliationStatus};
