//! Campaigns of access reviews, with their organisations and what their reviews add up to (GN-15).
//!
//! Invariant: figures are those of the campaign's reviews, counted when they are asked for.

mod preview;
mod projection;
mod queries;

pub use preview::{CampaignChoice, ORGANIZATIONS, PreviewRow, covered, preview};
pub(super) use projection::take_in;
pub use queries::{
    CampaignFilter, CampaignOrganization, CampaignRow, CampaignSums, OrganizationFilter,
    campaign_organizations, campaigns, campaigns_by_id, sums,
};
