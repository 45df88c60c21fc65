//! Signing in and out, the organisation acted for, oneself, the home page.

mod dashboard;
mod dashboard_subscription;
mod login_history;
mod me;
mod mutations;
pub mod nodes;
mod queries;
mod sign_in;
mod types;

pub use dashboard::DashboardQuery;
pub use dashboard_subscription::DashboardSubscription;
pub use login_history::LoginHistoryQuery;
pub use me::MeQuery;
pub use mutations::SessionMutation;
pub use queries::SessionQuery;
pub use sign_in::SignInMutation;
pub use types::{OrganizationSummary, OwnMembership, Session};
