//! `accessDifference`. Invariant: whoever asks sees differences of just those rights that
//! `accessRegister` shows them.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, InputObject, Object, Result};
use chrono::Utc;
use rollcall_commands::Commands;
use rollcall_domain::{Code, Refusal};
use rollcall_projections::access_register::{self, AccessKey, ChangeFilter, CountError};

use super::{
    difference_types::{AccessChange, AccessChangeKind, AccessDifferenceConnection},
    queries::{selects, sentences},
    question::Asked,
    types::{AccessCauseKind, AccessRight},
};
use crate::graphql::{
    errors::{fault, top_level},
    paging::Page,
    scalars::{DateTime, NpiScalar, Position},
};

/// Which rights; every field given must fit.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AccessDifferenceFilter {
    /// Only rights about this NPI.
    pub npi: Option<NpiScalar>,
    /// Only this person's rights.
    pub user_id: Option<ID>,
    /// Only rights in this organisation.
    pub organization_id: Option<ID>,
    /// Only this right.
    pub right: Option<AccessRight>,
    /// Only rights of which this became.
    pub change: Option<AccessChangeKind>,
    /// Only by this cause.
    pub cause: Option<AccessCauseKind>,
}

impl AccessDifferenceFilter {
    fn parse(
        &self,
        to: Option<chrono::DateTime<Utc>>,
        as_of_position: Option<Position>,
    ) -> Result<Asked, Refusal> {
        let (user, organization) = (self.user_id.as_ref(), self.organization_id.as_ref());
        let npi = self.npi.clone();
        let asked = Asked::parse(None, as_of_position, npi, user, organization, self.right);
        Ok(Asked { as_of: to, ..asked.map_err(in_filter)? })
    }

    fn changes(&self) -> ChangeFilter {
        ChangeFilter { change: self.change.map(Into::into), cause: self.cause.map(Into::into) }
    }
}

fn in_filter(refusal: Refusal) -> Refusal {
    let path = format!("filter.{}", refusal.field.join("."));
    refusal.at(&path)
}

fn uncounted(error: CountError) -> Error {
    match error {
        CountError::TooMany { people } => {
            let message = format!(
                "{people} people are concerned, too many to count at once. Name a person, \
                 organization or NPI or take a shorter time, or leave totalCount and countsByCause \
                 out: pages are given whatever their number."
            );
            top_level(Refusal::new(Code::RangeInvalid, message).at("to"))
        }
        CountError::Database(error) => fault(&error),
    }
}

/// What differs between two moments.
#[derive(Default)]
pub struct AccessDifferenceQuery;

#[Object]
impl AccessDifferenceQuery {
    /// Which rights were gained, lost or changed between two moments, since when and by what (GN-14):
    /// the difference of what `accessRegister` answers at `from` and at `to`, both as known now or
    /// at `asOfPosition`. What was gained and lost again in between is no difference. Where `from`
    /// lies before the tenant's records it answers BEFORE_RECORDS, where it lies after `to`
    /// RANGE_INVALID; counts that concern more than 5,000 people, too.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn access_difference(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The earlier moment.")] from: DateTime,
        #[graphql(
            desc = "The later moment; if not given, now or when `asOfPosition` was recorded."
        )]
        to: Option<DateTime>,
        #[graphql(desc = "Known then.")] as_of_position: Option<Position>,
        filter: Option<AccessDifferenceFilter>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<AccessDifferenceConnection> {
        let from = from.parse("from").map_err(top_level)?;
        let to = to.map(|to| to.parse("to")).transpose().map_err(top_level)?;
        let filter = filter.unwrap_or_default();
        let asked = filter.parse(to, as_of_position).map_err(top_level)?;
        let page = Page::<AccessKey>::new(first, after).map_err(top_level)?;
        let (looking, mut reading) = asked.reading(ctx, min_position).await?;
        let view = &mut reading.view;
        let span = asked.span(from, view, ctx.data::<Commands>()?.journal.now()).await?;
        let question = asked.within(&looking).map_err(in_filter).map_err(top_level)?;
        let which = (&question, filter.changes());
        let found =
            access_register::changes(view, span, which, page.after.as_ref(), page.first + 1)
                .await
                .map_err(|error| fault(&error))?;
        let selected = ctx.look_ahead();
        let counted = ["totalCount", "countsByCause"];
        let counts = if counted.into_iter().any(|field| selected.field(field).exists()) {
            let counts = access_register::change_counts(view, span, which).await;
            Some(counts.map_err(uncounted)?)
        } else {
            None
        };
        let sentences = if selects(ctx, &["cause", "sentence"]) {
            let positions = found.iter().map(|row| row.cause_position).collect();
            sentences(view, &looking.sight, positions).await?
        } else {
            HashMap::new()
        };
        let rows = found
            .into_iter()
            .map(|row| {
                let sentence = sentences.get(&row.cause_position).cloned();
                (row.key.clone(), AccessChange::of(row, sentence))
            })
            .collect();
        Ok(AccessDifferenceConnection::of(&page, rows, counts, span))
    }
}
