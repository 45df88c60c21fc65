//! `accessExposure`. Invariant: whoever asks sees the exposure of just those rights that
//! `accessRegister` shows them.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime as Instant, TimeDelta, Utc};
use rollcall_commands::Commands;
use rollcall_domain::{Code, Refusal};
use rollcall_projections::access_register::{
    self, AskedRight, Cause, Exposure, ExposureKey, Names, Question,
};

use super::{
    queries::{selects, sentences},
    question::Asked,
    types::{AccessCause, AccessRight},
};
use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    errors::{fault, top_level},
    paging::{Page, PageInfo, Rows, TimeRange, connection},
    scalars::{DateTime, NpiScalar, Position},
};

/// A time without a break.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessTime {
    pub from: DateTime,
    /// Before when; absent where no end is known, or what is enforced goes on.
    pub until: Option<DateTime>,
}

/// A time during which somebody was entitled to a right, or it was enforced, without a break (GN-14).
/// It was enforced after it was entitled where an end was found out late.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessExposure {
    pub user: PersonReference,
    /// Absent for roles that count for the whole plan.
    pub organization: Option<OrganizationReference>,
    pub npi: Option<NpiScalar>,
    pub right: AccessRight,
    pub of: Option<String>,
    /// When it was true that the person has the right, as known at the position.
    pub entitled: Vec<AccessTime>,
    /// When the portal acted on it: by what was written down at each moment. Up to now, or to when the
    /// position was recorded.
    pub enforced: Vec<AccessTime>,
    /// The first of `entitled`; absent where it never was true.
    pub entitled_from: Option<DateTime>,
    /// The last of `entitled`; absent where no end is known or it never was true.
    pub entitled_until: Option<DateTime>,
    /// The first of `enforced`; absent where it never was.
    pub enforced_from: Option<DateTime>,
    /// The last of `enforced`; absent where it goes on or never was.
    pub enforced_until: Option<DateTime>,
    /// For how many seconds it was enforced without being true.
    pub enforced_without_right_seconds: i32,
    /// For how many seconds it was true without being enforced.
    pub entitled_without_effect_seconds: i32,
    /// What it began by.
    pub began: Option<AccessCause>,
    /// What it ended by; absent where no end is known.
    pub ended: Option<AccessCause>,
}

connection!(AccessExposures, AccessExposureEdge, AccessExposure);

/// One page of exposures (Relay), and what it holds for.
#[derive(SimpleObject)]
pub struct AccessExposureConnection {
    pub edges: Vec<AccessExposureEdge>,
    pub nodes: Vec<AccessExposure>,
    pub page_info: PageInfo,
    /// The place in the tenant's journal at which it was known.
    pub as_of_position: Position,
    /// Up to when it was known what is enforced.
    pub as_of: DateTime,
}

/// From when to when somebody held a right.
#[derive(Default)]
pub struct AccessExposureQuery;

#[Object]
impl AccessExposureQuery {
    /// From when to when, to the second, a person held a right, and who held it at any moment of a time,
    /// however briefly (GN-14): entitled, as is known now or at `asOfPosition`, and enforced, as was
    /// acted on then, with the gap between the two. In the order of people; name a person, an
    /// organisation, an NPI or a thing to ask about. Where `during.from` lies before the tenant's
    /// records it answers BEFORE_RECORDS.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn access_exposure(
        &self,
        ctx: &Context<'_>,
        right: AccessRight,
        #[graphql(desc = "Which NPI, for rights that are about one.")] npi: Option<NpiScalar>,
        #[graphql(
            desc = "What it is a right to: a type of correspondence (`*` for all), a feature, a plan \
                    role, or the id of a job role, location or tax id."
        )]
        of: Option<String>,
        #[graphql(desc = "Only this person.")] user_id: Option<ID>,
        #[graphql(desc = "Only in this organisation.")] organization_id: Option<ID>,
        #[graphql(desc = "Only what was so at any moment of it; of all time if not given.")]
        during: Option<TimeRange>,
        #[graphql(desc = "Known then.")] as_of_position: Option<Position>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<AccessExposureConnection> {
        let (user, organization) = (user_id.as_ref(), organization_id.as_ref());
        let asked = Asked::parse(None, as_of_position, npi, user, organization, Some(right))
            .map_err(top_level)?;
        let which = AskedRight::parse(right.into(), asked.npi.as_ref(), of.as_deref())
            .map_err(top_level)?;
        let during = parse(during.unwrap_or_default()).map_err(top_level)?;
        let page = Page::<ExposureKey>::new(first, after).map_err(top_level)?;
        let (looking, mut reading) = asked.reading(ctx, min_position).await?;
        let view = &mut reading.view;
        let now = ctx.data::<Commands>()?.journal.now();
        let window = asked.window(during, view, now).await?;
        let question = asked.within(&looking).map_err(top_level)?;
        narrow_enough(&which, &question).map_err(top_level)?;
        let limit = usize::try_from(page.first + 1).unwrap_or(1);
        let found = access_register::exposures(
            view,
            window,
            (&which, &question),
            page.after.as_ref(),
            limit,
        );
        let found = found.await.map_err(|error| fault(&error))?;
        let people = found.iter().map(|it| it.user).collect();
        let places = found.iter().filter_map(|it| it.organization).collect();
        let names = access_register::names(view, people, places).await;
        let names = names.map_err(|error| fault(&error))?;
        let told = if selects(ctx, &["began", "sentence"]) || selects(ctx, &["ended", "sentence"]) {
            let causes = found.iter().flat_map(|it| [it.began, it.ended]).flatten();
            sentences(view, &looking.sight, causes.map(|(position, _)| position).collect()).await?
        } else {
            HashMap::new()
        };
        let rows = found
            .into_iter()
            .map(|row| (row.key.clone(), AccessExposure::new(row, &which, (&names, &told))))
            .collect();
        let found = Rows { rows, total: None };
        let AccessExposures { edges, nodes, page_info, .. } = AccessExposures::of(&page, found);
        let as_of_position = Position(window.known_at);
        Ok(AccessExposureConnection {
            edges,
            nodes,
            page_info,
            as_of_position,
            as_of: window.now.into(),
        })
    }
}

/// A half-open time.
type During = (Option<Instant<Utc>>, Option<Instant<Utc>>);

fn parse(range: TimeRange) -> Result<During, Refusal> {
    let from = range.from.map(|from| from.parse("during.from")).transpose()?;
    let to = range.to.map(|to| to.parse("during.to")).transpose()?;
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        let message = "Give a beginning that lies before the end.";
        return Err(Refusal::new(Code::RangeInvalid, message).at("during.from"));
    }
    Ok((from, to))
}

/// Refuses a question about more people than are found by what they were given.
fn narrow_enough(right: &AskedRight, question: &Question) -> Result<(), Refusal> {
    let by_role = !access_register::is_found_by_grants(right);
    if by_role && question.user.is_none() && question.organization.is_none() {
        let message = "Name a person or an organization: roles give this right to very many.";
        return Err(Refusal::new(Code::FieldRequired, message).at("organizationId"));
    }
    Ok(())
}

fn seconds(delta: TimeDelta) -> i32 {
    i32::try_from(delta.num_seconds()).unwrap_or(i32::MAX)
}

impl AccessExposure {
    fn new(
        row: Exposure,
        right: &AskedRight,
        (names, told): (&Names, &HashMap<i64, String>),
    ) -> Self {
        let times = |times: &access_register::Times| -> Vec<AccessTime> {
            let time = |(from, until): &(Instant<Utc>, Option<Instant<Utc>>)| AccessTime {
                from: (*from).into(),
                until: until.map(DateTime::from),
            };
            times.iter().map(time).collect()
        };
        let cause = |happened: Option<(i64, Cause)>| {
            happened.map(|(position, cause)| AccessCause {
                kind: cause.into(),
                event_position: Position(position),
                sentence: told.get(&position).cloned(),
            })
        };
        let (entitled, enforced) = (times(&row.entitled), times(&row.enforced));
        Self {
            user: PersonReference::new(row.user, names.people.get(&row.user).cloned()),
            organization: row
                .organization
                .map(|id| OrganizationReference::new(id, names.organizations.get(&id).cloned())),
            npi: right.npi().map(NpiScalar::from),
            right: right.kind().into(),
            of: right.word(),
            entitled_from: entitled.first().map(|time| time.from.clone()),
            entitled_until: entitled.last().and_then(|time| time.until.clone()),
            enforced_from: enforced.first().map(|time| time.from.clone()),
            enforced_until: enforced.last().and_then(|time| time.until.clone()),
            entitled,
            enforced,
            enforced_without_right_seconds: seconds(row.enforced_only),
            entitled_without_effect_seconds: seconds(row.entitled_only),
            began: cause(row.began),
            ended: cause(row.ended),
        }
    }
}
