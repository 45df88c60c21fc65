//! What a template looks like.

use async_graphql::{Enum, ID, SimpleObject};
use chrono::Utc;
use rollcall_domain::{access_reviews::template::Recurrence, values::TenantZone};
use rollcall_projections::access_reviews::TemplateRow;

use super::super::types::AccessReviewScope;
use crate::graphql::{
    audit::PersonReference,
    ids::NodeType,
    paging::connection,
    scalars::{Date, DateTime},
    vocabulary::OrganizationKind,
};

/// How often a template is opened by itself: every so many days, or on dates of the year.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct ReviewRecurrence {
    pub every_days: Option<i32>,
    pub from: Option<Date>,
    /// As MM-DD, in order.
    pub dates: Option<Vec<String>>,
}

impl From<&Recurrence> for ReviewRecurrence {
    fn from(recurrence: &Recurrence) -> Self {
        match recurrence {
            Recurrence::Days { every, from } => Self {
                every_days: Some(i32::try_from(*every).unwrap_or(i32::MAX)),
                from: Some(from.date().into()),
                dates: None,
            },
            Recurrence::Dates { dates } => {
                let dates = dates.iter().map(ToString::to_string).collect();
                Self { dates: Some(dates), ..Self::default() }
            }
        }
    }
}

/// Why a template opened nothing on a date.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum ReviewTemplateSkipReason {
    /// No organization was covered that day.
    NoOrganizations,
    /// More than 20,000 were.
    TooMany,
}

impl ReviewTemplateSkipReason {
    fn named(word: &str) -> Option<Self> {
        match word {
            "NO_ORGANIZATIONS" => Some(Self::NoOrganizations),
            "TOO_MANY" => Some(Self::TooMany),
            _ => None,
        }
    }
}

/// The saved choice of a campaign of reviews, opened by hand or again and again (GN-15). Its campaigns are
/// `reviewCampaigns(reviewTemplateId:)`.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewTemplate {
    pub id: ID,
    pub name: String,
    pub scope: AccessReviewScope,
    /// Only these organizations; absent for all.
    pub organization_ids: Option<Vec<ID>>,
    /// Only organizations of this kind.
    pub organization_kind: Option<OrganizationKind>,
    /// For how many days the reviews are open; absent where the policy says so.
    pub open_days: Option<i32>,
    /// Whether only what changed since the last signed review of the same is to be decided.
    pub changed_only: bool,
    /// Absent where it is opened by hand only.
    pub recurrence: Option<ReviewRecurrence>,
    /// When it is opened next by itself.
    pub next_opening: Option<DateTime>,
    /// The campaign that it opened last, and when.
    pub last_campaign_id: Option<ID>,
    pub last_opened_at: Option<DateTime>,
    /// The last date of its recurrence that came, and why nothing was opened then.
    pub last_due_on: Option<Date>,
    pub last_skip_reason: Option<ReviewTemplateSkipReason>,
    pub created_at: DateTime,
    /// Who made or changed it last, and when.
    pub set_by: PersonReference,
    pub set_at: DateTime,
    /// Since when nothing is opened by it any more.
    pub retired_at: Option<DateTime>,
    /// For `expectedVersion`.
    pub version: i32,
}

impl ReviewTemplate {
    pub(super) fn of(
        row: &TemplateRow,
        set_by: PersonReference,
        (zone, now): (TenantZone, chrono::DateTime<Utc>),
    ) -> Self {
        let terms = &row.terms.0;
        let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let only = terms.covers.only.as_ref();
        Self {
            id: NodeType::ReviewTemplate.id(row.template_id),
            name: terms.name.as_str().to_owned(),
            scope: (&terms.scope).into(),
            organization_ids: only
                .map(|ids| ids.iter().map(|id| NodeType::Organization.id(*id)).collect()),
            organization_kind: terms.covers.kind.map(Into::into),
            open_days: terms.open_days.map(small),
            changed_only: terms.changed_only,
            recurrence: terms.recurrence.as_ref().map(Into::into),
            next_opening: row.next_opening(zone, now).map(DateTime::from),
            last_campaign_id: row.last_campaign_id.map(|id| NodeType::ReviewCampaign.id(id)),
            last_opened_at: row.last_opened_at.map(DateTime::from),
            last_due_on: row.last_due.map(Date::from),
            last_skip_reason: row.last_skip.as_deref().and_then(ReviewTemplateSkipReason::named),
            created_at: row.created_at.into(),
            set_by,
            set_at: row.set_at.into(),
            retired_at: row.retired_at.map(DateTime::from),
            version: i32::try_from(row.version).unwrap_or(i32::MAX),
        }
    }
}

connection!(ReviewTemplateConnection, ReviewTemplateEdge, ReviewTemplate);
