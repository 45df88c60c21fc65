//! Notices in the portal: who is told of what.

mod audience;

pub use audience::Audience;
