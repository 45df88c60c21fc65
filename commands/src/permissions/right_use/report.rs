//! `ReportRightUse`: an external system says which rights people used in it (GN-16).
//!
//! Invariant: only a machine reports, so that nobody keeps their own rights alive by hand.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
    organizations::Organization,
    permissions::right_use::{RightUseCommand, RightUses, UseSource, UsedRight},
    tenants::PlanRole,
    values::CalendarDate,
};

use crate::{Access, Command, Context, Failure, authorization::forbidden};

/// How many uses one report names at most.
const MOST: usize = 100;

/// Reports uses in one organisation.
pub struct ReportRightUse {
    pub organization: OrganizationId,
    pub uses: Vec<ReportedUse>,
}

/// A right that a person used on a day.
pub struct ReportedUse {
    pub user: UserId,
    pub right: UsedRight,
    pub day: CalendarDate,
}

#[async_trait]
impl Command for ReportRightUse {
    const NAME: &'static str = "ReportRightUse";
    const SCOPE: Option<Scope> = Some(Scope::ReportRightUse);
    /// How many of them were news.
    type Output = usize;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, &[PlanRole::Pa])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<usize, Failure> {
        if cx.authority.key.is_none() {
            return Err(forbidden().into());
        }
        if self.uses.is_empty() || self.uses.len() > MOST {
            let message = format!("Report 1 to {MOST} uses at a time.");
            return Err(Refusal::new(Code::FieldInvalid, message).at("uses").into());
        }
        let organization = cx.load::<Organization>(self.organization).await?;
        let mut news = 0;
        for (index, used) in self.uses.iter().enumerate() {
            if organization.member(used.user).is_none() {
                let field = format!("uses.{index}.userId");
                return Err(Refusal::not_found(&field).into());
            }
            let stream = cx.tenant().right_use_stream(used.user, Some(self.organization));
            let record = RightUseCommand::RecordRightUse {
                user: used.user,
                organization: Some(self.organization),
                right: used.right.clone(),
                day: used.day,
                source: UseSource::External,
            };
            let recorded = cx.decide::<RightUses>(stream, record).await;
            news += recorded.map_err(|failure| within(failure, index))?.len();
        }
        Ok(news)
    }
}

/// Names the use at fault.
fn within(failure: Failure, index: usize) -> Failure {
    match failure {
        Failure::Refused(refusal) => {
            let field = format!("uses.{index}.{}", refusal.field.join("."));
            Failure::Refused(refusal.at(&field))
        }
        other @ (Failure::RefusedOnRecord(_) | Failure::Journal(_) | Failure::Database(_)) => other,
    }
}
