//! Auditors' workspaces and the questions saved in them (GN-26).
//!
//! Invariant: whoever is kept to some organisations sees the workspaces that they opened and no others.

mod projection;
mod queries;

pub use projection::AuditWorkspaces;
pub use queries::{QuestionRow, WorkspaceRow, WorkspacesOf, questions, workspace, workspaces};
