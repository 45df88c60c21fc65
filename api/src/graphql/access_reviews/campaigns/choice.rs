//! Which organisations a campaign covers, and what is reviewed there.

use async_graphql::{Context, ID, InputObject, Result};
use rollcall_commands::Commands;
use rollcall_domain::{Refusal, access_reviews::ReviewScope, kernel::ids::OrganizationId};
use rollcall_projections::{
    Snapshot,
    access_reviews::{CampaignChoice, PreviewRow, preview},
};

use super::super::scope::ReviewScopeInput;
use crate::graphql::{errors::fault, ids::NodeType, reading::policy, vocabulary::OrganizationKind};

/// What a campaign of reviews is to have.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ReviewCampaignChoice {
    #[graphql(flatten)]
    pub scope: ReviewScopeInput,
    /// These organizations; all that are registered and not suspended if not given.
    pub organization_ids: Option<Vec<ID>>,
    /// Only those of this kind.
    pub organization_kind: Option<OrganizationKind>,
}

impl ReviewCampaignChoice {
    /// Which organisations.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn organizations(&self) -> std::result::Result<CampaignChoice, Refusal> {
        let one = |id: &ID| -> std::result::Result<OrganizationId, Refusal> {
            NodeType::Organization.parse(id, "organizationIds")
        };
        let ids = self.organization_ids.as_ref().map(|ids| ids.iter().map(one).collect());
        let ids: Option<Vec<OrganizationId>> = ids.transpose()?;
        Ok(CampaignChoice {
            organizations: ids.map(|ids| ids.into_iter().map(|id| id.0).collect()),
            kind: self.organization_kind.map(Into::into),
        })
    }
}

/// The organisations that it covers at the view's position; a choice that cannot be is refused.
///
/// # Errors
/// A fault.
pub(super) async fn covered(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    choice: &ReviewCampaignChoice,
) -> Result<std::result::Result<Vec<PreviewRow>, Refusal>> {
    let read = || Ok((choice.scope.parse_for_many()?, choice.organizations()?));
    let (scope, organizations) = match read() {
        Ok(read) => read,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let now = ctx.data::<Commands>()?.journal.now();
    let zone = policy(ctx).await?.time_zone();
    let since = match scope {
        ReviewScope::Dormant { days } => Some(zone.days_later(now, -i64::from(days))),
        ReviewScope::Roster
        | ReviewScope::Administrators
        | ReviewScope::Rights
        | ReviewScope::Npi { .. }
        | ReviewScope::Feature { .. }
        | ReviewScope::JobRole { .. }
        | ReviewScope::Location { .. }
        | ReviewScope::Affiliations { .. }
        | ReviewScope::People { .. }
        | ReviewScope::ApiKeys
        | ReviewScope::PlanStaff => None,
    };
    let rows = preview(view, (&organizations, &scope), (now, since)).await;
    let rows = rows.map_err(|error| fault(&error))?;
    // An organisation that is not there, or not active, is no silent omission.
    let asked = organizations.organizations.unwrap_or_default();
    let missing = asked.iter().find(|id| rows.iter().all(|row| row.organization_id != **id));
    if let (Some(missing), None) = (missing, organizations.kind) {
        let refusal = Refusal::not_found("organizationIds").details([missing.to_string()]);
        return Ok(Err(refusal));
    }
    Ok(Ok(rows))
}
