//! What a template is to say, as it comes in.

use std::collections::BTreeSet;

use async_graphql::InputObject;
use rollcall_domain::{
    Code, Refusal,
    access_reviews::template::{Covers, MonthDay, Recurrence, TemplateTerms},
    values::{CalendarDate, ContentLine},
};

use super::super::campaigns::ReviewCampaignChoice;
use crate::graphql::{scalars::Date, vocabulary::field};

type Parsed<T> = Result<T, Refusal>;

/// How often a template is opened by itself: every so many days, or on dates of the year.
#[derive(Clone, Debug, InputObject)]
pub struct ReviewRecurrenceInput {
    /// 1 to 730, such as 90, 180 or 360; with `from`.
    every_days: Option<i32>,
    /// The first date, in the portal's time zone; of those before the template was set none counts.
    from: Option<Date>,
    /// Instead of both: 1 to 24 days of each year as MM-DD; 29 February is the 28th where there is none.
    dates: Option<Vec<String>>,
}

impl ReviewRecurrenceInput {
    fn parse(&self) -> Parsed<Recurrence> {
        match (self.every_days, &self.from, &self.dates) {
            (Some(every), Some(from), None) => Ok(Recurrence::Days {
                every: u32::try_from(every).unwrap_or(0),
                from: field("recurrence.from", CalendarDate::parse(&from.0))?,
            }),
            (None, None, Some(dates)) => {
                let dates: Result<BTreeSet<MonthDay>, _> =
                    dates.iter().map(|date| MonthDay::parse(date)).collect();
                Ok(Recurrence::Dates { dates: field("recurrence.dates", dates)? })
            }
            _ => {
                let message = "Enter either everyDays and from, or dates.";
                Err(Refusal::new(Code::FieldInvalid, message).at("recurrence"))
            }
        }
    }
}

/// What a template is to say.
#[derive(Clone, Debug, InputObject)]
pub struct ReviewTemplateTermsInput {
    /// 1 to 300 characters; its campaigns are called so, with their date.
    name: String,
    /// Which organizations, chosen anew at each opening, and what is reviewed there: everybody in all of them if
    /// not given. Of those named the ones that are registered and not suspended then are covered.
    choice: Option<ReviewCampaignChoice>,
    /// For how many days the reviews are open, 1 to 366; `review.open_days` of the policy if not given.
    open_days: Option<i32>,
    /// As of `openReviewCampaign`.
    changed_only: Option<bool>,
    /// Only by hand if not given.
    recurrence: Option<ReviewRecurrenceInput>,
}

impl ReviewTemplateTermsInput {
    /// # Errors
    /// `FIELD_REQUIRED`, `FIELD_INVALID`, `NPI_INVALID`, `DATE_INVALID` or `NOT_FOUND`.
    pub fn parse(&self) -> Parsed<TemplateTerms> {
        let choice = self.choice.clone().unwrap_or_default();
        let organizations = choice.organizations()?;
        let only = organizations.organizations;
        let only = only.map(|ids| ids.into_iter().map(Into::into).collect());
        Ok(TemplateTerms {
            name: field("name", ContentLine::parse(&self.name))?,
            scope: choice.scope.parse_for_many()?,
            covers: Covers { only, kind: organizations.kind },
            open_days: self.open_days.map(|days| u32::try_from(days).unwrap_or(0)),
            changed_only: self.changed_only == Some(true),
            recurrence: self.recurrence.as_ref().map(ReviewRecurrenceInput::parse).transpose()?,
        })
    }
}
