//! Campaigns of reviews in the schema (GN-15), for the plan's people who are there for all of it.
//!
//! Invariant: what a preview counts is what the mutation would freeze at that position.

mod choice;
mod mutations;
pub mod nodes;
mod queries;
mod shown;
mod types;

pub(super) use choice::ReviewCampaignChoice;
pub use mutations::ReviewCampaignMutation;
pub use queries::ReviewCampaignQuery;
pub(super) use queries::campaign_of;
pub use types::ReviewCampaign;
