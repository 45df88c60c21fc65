//! Templates of campaigns in the schema (GN-15), for the plan's people who are there for all of it.
//!
//! Invariant: when one is opened next is computed by the rule that opens it.

mod input;
mod mutations;
mod nodes;
mod queries;
mod types;

pub use mutations::ReviewTemplateMutation;
pub use nodes::review_templates;
pub use queries::ReviewTemplateQuery;
pub use types::ReviewTemplate;
