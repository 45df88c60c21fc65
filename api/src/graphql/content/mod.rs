//! What the portal tells its visitors, as content editors set it (CX-01).

mod mutations;

pub use mutations::ContentMutation;
