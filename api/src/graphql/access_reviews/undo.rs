//! `reviewUndoPreview`: what taking decisions of a review back would do (GN-15).
//!
//! Invariant: it is found out by the command that would do it, which writes nothing.

use std::collections::BTreeSet;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands, DispatchError,
    access_reviews::{GivenBack, REVIEW_STAFF, UndoReviewDecision, UndoSelection, receipt},
};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{AccessReview as Reviewing, ItemDecision, Review, ReviewDecision},
    hex,
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    values::{CalendarDate, Reason},
};
use rollcall_projections::{access_register, access_reviews::canonical_sha256};
use serde_json::json;

use super::{item_types::ReviewVerdict, whose::whose};
use crate::graphql::{
    audit::PersonReference,
    errors::{UserError, dispatch_error, fault, top_level},
    ids::NodeType,
    reading::{caller, policy, read},
    scalars::{Date, DateTime, Position},
    vocabulary::field,
};

/// The most decisions previewed, or taken back, at once.
pub(super) const PORTION: usize = 25;

/// Which decisions: exactly one of `item`, `all`, and `reviewerId` with `day`.
#[derive(Debug, InputObject)]
pub struct ReviewUndoSelection {
    /// The decision about this item.
    item: Option<i32>,
    /// Those that this reviewer made on `day`.
    reviewer_id: Option<ID>,
    /// A day of the portal's calendar.
    day: Option<Date>,
    /// All decisions of the review.
    all: Option<bool>,
}

impl ReviewUndoSelection {
    fn parse(&self) -> Parsed<UndoSelection> {
        let all = self.all.unwrap_or(false);
        match (self.item, &self.reviewer_id, &self.day) {
            (Some(item), None, None) if !all => {
                Ok(UndoSelection::Item(u32::try_from(item).unwrap_or(0)))
            }
            (None, Some(reviewer), Some(day)) if !all => {
                let reviewer = NodeType::User.parse(reviewer, "selection.reviewerId")?;
                let day = field("selection.day", CalendarDate::parse(&day.0))?;
                Ok(UndoSelection::Day { reviewer, day: day.date() })
            }
            (None, None, None) if all => Ok(UndoSelection::All),
            _ => {
                let message = "Choose an item, a reviewer with a day, or all decisions.";
                Err(Refusal::new(Code::FieldInvalid, message).at("selection"))
            }
        }
    }
}

pub(super) type Parsed<T> = std::result::Result<T, Refusal>;

/// What comes back with a decision that is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "GivenBack")]
pub enum ReviewGivenBack {
    /// The person is an active member again, with the permissions that return with that.
    Membership,
    /// They have the permission on the list again.
    Role,
    /// They have the right on the list again.
    Right,
    /// The end that was planned does not come.
    PlannedEnd,
    /// Somebody did otherwise since, or it was to be carried out at the closing: the decision is taken
    /// back, and nothing else changes.
    Nothing,
}

/// What taking a decision back would do.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewUndoPreviewItem {
    pub item: i32,
    pub user: PersonReference,
    pub decision: ReviewVerdict,
    pub decided_by: PersonReference,
    /// Goes back with the mutation: it is this decision that is taken back, and no later one.
    pub decided_at: DateTime,
    /// Absent where it is refused.
    pub gives_back: Option<ReviewGivenBack>,
    /// Why it cannot be taken back now.
    pub refusal: Option<UserError>,
}

/// What taking decisions back would do, as of now.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewUndoPreview {
    /// How many decisions are chosen in all.
    pub total: i32,
    /// The first 25 of them in the order of the list; after these have been taken back, or passed over by
    /// `after`, ask for the next.
    pub items: Vec<ReviewUndoPreviewItem>,
    /// Whether there are more.
    pub has_more: bool,
    /// What `undoReviewDecisions` takes: it shows what was previewed.
    pub receipt: String,
    pub position: Position,
    /// SHA-256 of the previewed items without names as canonical JSON (RFC 8785): what the receipt says.
    pub sha256: String,
}

/// Previews.
#[derive(Default)]
pub struct ReviewUndoQuery;

#[Object]
impl ReviewUndoQuery {
    /// What taking decisions of an open review back would do, by all checks that would be made (GN-15), for
    /// administrators of the organization and plan staff; null where there is no such review. Only decisions
    /// that took something away or changed it are taken back; what was kept is decided anew instead.
    /// REVIEW_CLOSED once the review is over: then access is given again outside of it.
    async fn review_undo_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose review it is; left out where it is of the plan's own people.")]
        organization_id: Option<ID>,
        access_review_id: ID,
        selection: ReviewUndoSelection,
        #[graphql(
            desc = "As it will be given; plan staff need it to appoint an administrator again."
        )]
        evidence: Option<String>,
        #[graphql(desc = "Only items of higher numbers.")] after: Option<i32>,
        min_position: Option<Position>,
    ) -> Result<Option<ReviewUndoPreview>> {
        let organization = whose(organization_id.as_ref(), caller(ctx)?.tenant);
        let organization = organization.map_err(top_level)?;
        let review = review(&access_review_id).map_err(top_level)?;
        let selection = selection.parse().map_err(top_level)?;
        let evidence = text("evidence", evidence.as_deref()).map_err(top_level)?;
        let right = Access::OrgAdminOrPlan(organization, REVIEW_STAFF);
        let mut reading = read(ctx, right, min_position).await?;
        let commands = ctx.data::<Commands>()?;
        let tenant = reading.view.tenant();
        let state = commands.journal.load_fresh::<Reviewing>(tenant, review.0).await;
        let state = state.map_err(|error| fault(&error))?.state;
        if state.review().is_none_or(|it| it.organization != organization) {
            return Ok(None);
        }
        let state = state.to_undo().map_err(|refusal| top_level(refusal.into()))?;
        let chosen = selection.of(state, policy(ctx).await?.time_zone());
        let after = after.map_or(0, |after| u32::try_from(after).unwrap_or(0));
        let rest: Vec<u32> = chosen.iter().copied().filter(|item| *item > after).collect();
        let (shown, has_more) = (&rest[..rest.len().min(PORTION)], rest.len() > PORTION);
        let rehearsal = Rehearsal { organization, review: state, evidence };
        let mut found = Vec::new();
        for item in shown {
            found.push(rehearsal.of(ctx, *item).await?);
        }
        let people: BTreeSet<_> = found.iter().flat_map(|it| [it.user.0, it.by.0]).collect();
        let names = access_register::names(&mut reading.view, people, [].into()).await;
        let names = names.map_err(|error| fault(&error))?;
        let person = |id: UserId| PersonReference::new(id.0, names.people.get(&id.0).cloned());
        let position = commands.journal.tenant_position(tenant).await;
        let position = position.map_err(|error| fault(&error))?;
        let sha256 = sha256(&found);
        let reader = caller(ctx)?.user().ok_or_else(|| fault(&"a preview for nobody"))?;
        let secrets = commands.journal.secrets();
        let items = found.into_iter().map(|it| ReviewUndoPreviewItem {
            item: i32::try_from(it.item).unwrap_or(i32::MAX),
            user: person(it.user),
            decision: verdict(it.decided.decision),
            decided_by: person(it.by),
            decided_at: it.decided.at.into(),
            gives_back: it.outcome.as_ref().ok().map(|given| (*given).into()),
            refusal: it.outcome.err().map(UserError::from),
        });
        Ok(Some(ReviewUndoPreview {
            total: i32::try_from(chosen.len()).unwrap_or(i32::MAX),
            items: items.collect(),
            has_more,
            receipt: receipt::issue(secrets, reader, position, sha256),
            position: Position(position),
            sha256: hex(&sha256),
        }))
    }
}

const fn verdict(decision: ReviewDecision) -> ReviewVerdict {
    match decision {
        ReviewDecision::Keep => ReviewVerdict::Keep,
        ReviewDecision::Revoke { .. } => ReviewVerdict::Revoke,
        ReviewDecision::Change { .. } | ReviewDecision::ChangeLevel { .. } => ReviewVerdict::Change,
    }
}

/// What would come of a decision that is taken back.
struct Rehearsed {
    item: u32,
    user: UserId,
    by: UserId,
    decided: ItemDecision,
    outcome: std::result::Result<GivenBack, Refusal>,
}

struct Rehearsal<'a> {
    organization: OrganizationId,
    review: &'a Review,
    evidence: Option<Reason>,
}

impl Rehearsal<'_> {
    async fn of(&self, ctx: &Context<'_>, number: u32) -> Result<Rehearsed> {
        let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
        let item = self.review.item(number).ok_or_else(|| fault(&"an item that is not there"))?;
        let undoable = item.undoable().and_then(|decided| Some((decided, decided.by?)));
        let (decided, by) = undoable.ok_or_else(|| fault(&"a decision that is not there"))?;
        let reader = caller.user().unwrap_or(UserId(uuid::Uuid::nil()));
        let undo = UndoReviewDecision {
            organization: self.organization,
            review: self.review.review,
            item: number,
            decided_at: decided.at,
            reason: Reason::parse("Preview.").map_err(|bad| top_level(bad.into()))?,
            evidence: self.evidence.clone(),
            receipt: receipt::issue(commands.journal.secrets(), reader, 0, [0; 32]),
        };
        let outcome = match Box::pin(commands.rehearse(caller, &undo)).await {
            Ok(given) => Ok(given),
            Err(DispatchError::Refused(refusal)) => Err(refusal),
            Err(other @ DispatchError::Fault(_)) => return Err(dispatch_error(other)),
        };
        Ok(Rehearsed { item: number, user: item.user, by, decided: decided.clone(), outcome })
    }
}

fn sha256(found: &[Rehearsed]) -> [u8; 32] {
    let shown = found.iter().map(|it| {
        json!({
            "item": it.item,
            "user": it.user,
            "decision": it.decided.decision,
            "decidedBy": it.by,
            "decidedAt": it.decided.at,
            "givesBack": it.outcome.as_ref().ok(),
            "refusal": it.outcome.as_ref().err().map(|refusal| refusal.code.as_str()),
        })
    });
    let shown: Vec<serde_json::Value> = shown.collect();
    canonical_sha256(&shown)
}

pub(super) fn review(id: &ID) -> Parsed<AccessReviewId> {
    NodeType::AccessReview.parse(id, "accessReviewId")
}

pub(super) fn text(name: &str, text: Option<&str>) -> Parsed<Option<Reason>> {
    field(name, text.map(Reason::parse).transpose())
}
