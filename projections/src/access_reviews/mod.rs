//! Periodic access reviews as reviewers and auditors see them (CC-13, GN-15, GN-16).
//!
//! Invariant: what people wrote stands in the events alone.

mod campaigns;
mod figures;
mod item_row;
mod items;
mod joiners;
mod plan_roles;
mod projection;
mod queries;
mod recommendation;
mod rights;
mod row;
mod shown;
mod substitutes;
mod taken_away;
mod tasks;
mod templates;
mod words;

pub use campaigns::{
    CampaignChoice, CampaignFilter, CampaignOrganization, CampaignRow, CampaignSums, ORGANIZATIONS,
    OrganizationFilter, PreviewRow, campaign_organizations, campaigns, campaigns_by_id, covered,
    preview, sums,
};
pub use figures::{Day, Figures, Of, ReviewerPace, figures};
pub use item_row::ItemRow;
pub use items::{GoneNow, ItemFilter, ItemView, LastReview, gone_now, items, last_review};
pub use joiners::{Joiner, JoinerKey, joiners};
pub use projection::{AccessReviews, NAME};
pub use queries::{ReviewFilter, ReviewView, Seen, reviews, reviews_by_id};
pub use recommendation::{Advising, advise, recommendations};
pub use rights::{HeldRight, RightUse, held_rights, uses_of_items};
pub use row::AccessReviewRow;
pub use shown::{BesideItem, canonical_sha256, shown_sha256};
pub use substitutes::{ReviewSubstituteRow, StandsIn, stands_in, substitutes};
pub use taken_away::{Joined, joined};
pub use tasks::{
    Confirmer, EndingGrant, Reviewer, WaitingReview, asking_reviews, ending_grants,
    reviews_to_confirm, waiting_reviews,
};
pub use templates::{TemplateRow, templates, templates_by_id};
pub(crate) use words::THE_PLAN;
pub use words::{access_words, change_words, people_words, scope_words};
