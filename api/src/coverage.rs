//! The organisations of a portal, as templates of campaigns ask which there are when they are opened (GN-15).
//!
//! Invariant: it is asked in a view that has come to the place asked for, and says of which place it is.

use async_trait::async_trait;
use rollcall_commands::access_reviews::{Coverage, CoverageQuestion, Covered};
use rollcall_domain::kernel::ids::OrganizationId;
use rollcall_projections::{
    Ask, ReadStore,
    access_reviews::{CampaignChoice, ORGANIZATIONS, covered},
};

/// Answers from views.
pub struct CoverageOfViews(pub ReadStore);

#[async_trait]
impl Coverage for CoverageOfViews {
    async fn covered(&self, question: CoverageQuestion) -> Option<Covered> {
        let CoverageQuestion { tenant, covers, position } = question;
        let ask = Ask { tenant, projections: &[ORGANIZATIONS], min_position: Some(position) };
        let mut view = self.0.snapshot(ask).await.ok()?;
        let as_of = view.position_of(ORGANIZATIONS);
        let organizations = covered(&mut view, &CampaignChoice::from(&covers)).await;
        let organizations = organizations.inspect_err(|error| tracing::error!(%error)).ok()?;
        Some(Covered {
            organizations: organizations.into_iter().map(OrganizationId).collect(),
            as_of,
        })
    }
}
