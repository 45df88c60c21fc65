//! Periodic access reviews as reviewers and auditors see them (CC-13, GN-15, GN-16).
//!
//! Invariant: what people wrote stands in the events alone.

mod campaigns;
mod figures;
mod items;
mod joiners;
mod projection;
mod queries;
mod recommendation;
mod rights;
mod row;
mod shown;
mod taken_away;
mod tasks;
mod words;

pub use campaigns::{
    CampaignChoice, CampaignOrganization, CampaignRow, CampaignSums, OrganizationFilter,
    PreviewRow, campaign_organizations, campaigns, campaigns_by_id, preview, sums,
};
pub use figures::{Day, Figures, Of, ReviewerPace, figures};
pub use items::{ItemFilter, ItemView, LastReview, gone_now, items, last_review};
pub use joiners::{Joiner, JoinerKey, joiners};
pub use projection::{AccessReviews, NAME};
pub use queries::{ReviewFilter, ReviewView, Seen, reviews, reviews_by_id};
pub use recommendation::{Advising, advise, recommendations};
pub use rights::{HeldRight, RightUse, held_rights, uses_of_items};
pub use row::{AccessReviewRow, ItemRow};
pub use shown::{BesideItem, canonical_sha256, shown_sha256};
pub use taken_away::{Joined, joined};
pub use tasks::{EndingGrant, Reviewer, WaitingReview, ending_grants, waiting_reviews};
pub use words::{access_words, scope_words};
