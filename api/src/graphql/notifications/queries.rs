//! The list of notices and how many are unread.

use async_graphql::{Context, ID, Object, Result};
use chrono::Days;
use rollcall_commands::{Access, Caller};
use rollcall_domain::{
    Code, Refusal, kernel::ids::OrganizationId, notifications::NotificationType,
};
use rollcall_projections::notifications::{self, NoticeFilter, NoticePage};

use super::types::{Notification, NotificationConnection, NotificationPreference};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::{Reading, policy, read},
    scalars::{Date, Position},
};

/// Queries of notices.
#[derive(Default)]
pub struct NotificationsQuery;

#[Object]
impl NotificationsQuery {
    /// The caller's notices, newest first: those of one organisation (the session's, unless
    /// another is named) and those about the caller's own account (MC-67, MC-68).
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        organization_id: Option<ID>,
        #[graphql(desc = "Words that all occur in what is shown.")] search: Option<String>,
        #[graphql(desc = "The first day, in the portal's time zone.")] from: Option<Date>,
        #[graphql(desc = "The last day, itself included.")] to: Option<Date>,
        #[graphql(default = false)] unread_only: bool,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<NotificationConnection> {
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let (mut reading, organization) = list_of(ctx, organization_id, min_position).await?;
        let user = reading.authority.person().map_err(top_level)?;
        let days = days(&from, &to).map_err(top_level)?;
        let zone = policy(ctx).await?.time_zone();
        let filter = NoticeFilter {
            user,
            organization,
            search: search.as_deref(),
            from: days.0.map(|day| zone.start_of_day(day)),
            to: days
                .1
                .and_then(|day| day.checked_add_days(Days::new(1)))
                .map(|day| zone.start_of_day(day)),
            unread_only,
        };
        let view = &mut reading.view;
        let wanted = NoticePage { first: page.first, after: page.after };
        let found = notifications::notices(view, &filter, wanted).await.map_err(|e| fault(&e))?;
        let total = match ctx.look_ahead().field("totalCount").exists() {
            true => Some(notifications::count(view, &filter).await.map_err(|e| fault(&e))?),
            false => None,
        };
        let rows = found
            .into_iter()
            .map(|notice| (notice.raised_position, Notification::from(notice)))
            .collect();
        Ok(NotificationConnection::of(&page, Rows { rows, total }))
    }

    /// Which mail follows the caller's notices: every type with the preference in force and where it
    /// comes from (MC-64 to MC-66).
    async fn notification_preferences(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Position>,
    ) -> Result<Vec<NotificationPreference>> {
        preferences(ctx, min_position).await
    }

    /// How many of the notices that `notifications` lists are unread.
    async fn unread_count(
        &self,
        ctx: &Context<'_>,
        organization_id: Option<ID>,
        min_position: Option<Position>,
    ) -> Result<i32> {
        let (mut reading, organization) = list_of(ctx, organization_id, min_position).await?;
        let user = reading.authority.person().map_err(top_level)?;
        let count = notifications::unread_count(&mut reading.view, user, organization)
            .await
            .map_err(|error| fault(&error))?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// Every type with what holds for the caller.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub(super) async fn preferences(
    ctx: &Context<'_>,
    min_position: Option<Position>,
) -> Result<Vec<NotificationPreference>> {
    let policy = policy(ctx).await?;
    let mut reading = read(ctx, Access::SignedIn, min_position).await?;
    let user = reading.authority.person().map_err(top_level)?;
    let own = notifications::own_choices(&mut reading.view, user).await;
    let own = own.map_err(|error| fault(&error))?;
    let shown = |kind| NotificationPreference::of(kind, own.get(&kind), &policy);
    Ok(NotificationType::ALL.into_iter().map(shown).collect())
}

/// Opens the list of an organisation the caller is a member of, or the caller's own.
async fn list_of<'a>(
    ctx: &Context<'a>,
    organization_id: Option<ID>,
    min_position: Option<Position>,
) -> Result<(Reading<'a>, Option<OrganizationId>)> {
    let named = organization_id
        .map(|id| NodeType::Organization.parse(&id, "organizationId"))
        .transpose()
        .map_err(top_level)?;
    let organization = named.or_else(|| ctx.data_opt::<Caller>().and_then(Caller::organization));
    let access = organization.map_or(Access::SignedIn, Access::Member);
    Ok((read(ctx, access, min_position).await?, organization))
}

type Day = Option<chrono::NaiveDate>;

fn days(from: &Option<Date>, to: &Option<Date>) -> Result<(Day, Day), Refusal> {
    let from = from.as_ref().map(|date| date.parse("from")).transpose()?;
    let to = to.as_ref().map(|date| date.parse("to")).transpose()?;
    match (from, to) {
        (Some(first), Some(last)) if first > last => {
            let message = "The last day must not come before the first. Exchange the two.";
            Err(Refusal::new(Code::RangeInvalid, message).at("to"))
        }
        (from, to) => Ok((from, to)),
    }
}
