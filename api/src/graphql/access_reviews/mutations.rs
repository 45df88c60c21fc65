//! `openReview`, `decideReviewItems`, `delegateReviewItems`, `completeReview`, `cancelReview` (CC-13,
//! GN-15). Invariant: a mutation sends one command.

use std::collections::BTreeMap;

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::access_reviews::{
    CancelReview, CompleteReview, DecideReviewItems, DelegateReviewItems, OpenReview,
};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::ReviewDecision,
    kernel::ids::{AccessReviewId, OrganizationId, TenantId},
    values::{CalendarDate, PersonName, Reason},
};

use super::{
    item_types::ReviewVerdict,
    items::advice,
    queries::review_of,
    scope::ReviewScopeInput,
    types::{AccessReview, ReviewSecondReviewer},
    whose::{send_of, whose},
};
use crate::graphql::{
    ids::NodeType,
    reading::caller,
    scalars::Date,
    sending::{MutationMeta, Sent, payload},
    vocabulary::{NpiLevel, OrgRole, field},
};

type Parsed<T> = std::result::Result<T, Refusal>;

pub(super) fn organization(id: &ID) -> Parsed<OrganizationId> {
    NodeType::Organization.parse(id, "organizationId")
}

pub(super) fn review(id: &ID) -> Parsed<AccessReviewId> {
    NodeType::AccessReview.parse(id, "accessReviewId")
}

/// Numbers of the list; what is no number of any list has no item.
pub(super) fn numbers(items: &[i32]) -> Vec<u32> {
    items.iter().map(|number| u32::try_from(*number).unwrap_or(0)).collect()
}

fn reason(text: &str) -> Parsed<Reason> {
    field("reason", Reason::parse(text))
}

/// A review beside the schedule.
#[derive(Debug, InputObject)]
pub struct OpenReviewInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose people; left out for PLAN_STAFF.
    organization_id: Option<ID>,
    #[graphql(flatten)]
    scope: ReviewScopeInput,
    /// Whether only what changed since the last signed review of the same scope is to be decided, and the rest is
    /// carried forward; everything is where there is none. Not for DORMANT.
    changed_only: Option<bool>,
    /// Whether people are asked whether they need their own access still; as the policy has it if not given.
    self_attestation: Option<bool>,
    /// Who confirms what a reviewer decided, before it counts; as the policy has it if not given.
    second_reviewer: Option<ReviewSecondReviewer>,
}

impl OpenReviewInput {
    fn command(&self, tenant: TenantId) -> Parsed<OpenReview> {
        Ok(OpenReview {
            organization: whose(self.organization_id.as_ref(), tenant)?,
            scope: self.scope.parse()?,
            changed_only: self.changed_only == Some(true),
            asks_for_attestation: self.self_attestation,
            second_reviewer: self.second_reviewer.map(Into::into),
        })
    }
}

/// One decision about items of a review.
#[derive(Debug, InputObject)]
pub struct DecideReviewItemsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose review it is; left out where it is of the plan's own people.
    organization_id: Option<ID>,
    access_review_id: ID,
    /// By their numbers: 1 to 1,000 to keep, to 100 of the same access otherwise.
    items: Vec<i32>,
    decision: ReviewVerdict,
    /// For REVOKE of a membership, the last day at work if it is another than today; no later than the day the review is
    /// due.
    left_on: Option<Date>,
    /// For CHANGE of a membership.
    role: Option<OrgRole>,
    /// For CHANGE of a level for an NPI: a lower one.
    level: Option<NpiLevel>,
    /// Required for REVOKE and CHANGE.
    reason: Option<String>,
    /// Required of plan staff who take an administrator's access away or appoint one (CC-07).
    evidence: Option<String>,
    /// As it came with the page of items that was decided about.
    receipt: String,
    /// Of more than 10 items: the decision and their number as typed, `REVOKE 25`.
    confirmation: Option<String>,
}

impl DecideReviewItemsInput {
    fn decision(&self) -> Parsed<ReviewDecision> {
        Ok(match (self.decision, self.role, self.level) {
            (ReviewVerdict::Keep, ..) => ReviewDecision::Keep,
            (ReviewVerdict::Revoke, ..) => {
                let left_on = self.left_on.as_ref().map(|day| CalendarDate::parse(&day.0));
                ReviewDecision::Revoke { left_on: field("leftOn", left_on.transpose())? }
            }
            (ReviewVerdict::Change, Some(role), None) => {
                ReviewDecision::Change { role: role.into() }
            }
            (ReviewVerdict::Change, None, Some(level)) => {
                ReviewDecision::ChangeLevel { level: level.into() }
            }
            (ReviewVerdict::Change, Some(_), Some(_)) => {
                let message = "Choose a permission or a level, not both at once.";
                return Err(Refusal::new(Code::FieldInvalid, message).at("level"));
            }
            (ReviewVerdict::Change, None, None) => {
                let message = "Choose the permission or level that they have from now on.";
                return Err(Refusal::new(Code::FieldRequired, message).at("role"));
            }
        })
    }

    /// Without what was recommended.
    fn command(&self, tenant: TenantId) -> Parsed<DecideReviewItems> {
        let evidence = self.evidence.as_deref().map(Reason::parse).transpose();
        Ok(DecideReviewItems {
            organization: whose(self.organization_id.as_ref(), tenant)?,
            review: review(&self.access_review_id)?,
            items: numbers(&self.items),
            decision: self.decision()?,
            reason: self.reason.as_deref().map(reason).transpose()?,
            evidence: field("evidence", evidence)?,
            receipt: self.receipt.clone(),
            confirmation: self.confirmation.clone(),
            recommendations: BTreeMap::new(),
        })
    }
}

/// Items for somebody else to decide about.
#[derive(Debug, InputObject)]
pub struct DelegateReviewItemsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose review it is; left out where it is of the plan's own people.
    organization_id: Option<ID>,
    access_review_id: ID,
    /// By their numbers, 1 to 1,000.
    items: Vec<i32>,
    /// An active member; nobody takes them back.
    to: Option<ID>,
    reason: String,
}

impl DelegateReviewItemsInput {
    fn command(&self, tenant: TenantId) -> Parsed<DelegateReviewItems> {
        Ok(DelegateReviewItems {
            organization: whose(self.organization_id.as_ref(), tenant)?,
            review: review(&self.access_review_id)?,
            items: numbers(&self.items),
            to: self.to.as_ref().map(|id| NodeType::User.parse(id, "to")).transpose()?,
            reason: reason(&self.reason)?,
        })
    }
}

/// A reviewer's signature.
#[derive(Debug, InputObject)]
pub struct AccessReviewSignatureInput {
    /// The reviewer's name, as they sign.
    name: String,
    /// The statement was read and is confirmed.
    attested: bool,
}

/// The end of a review.
#[derive(Debug, InputObject)]
pub struct CompleteReviewInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose review it is; left out where it is of the plan's own people.
    organization_id: Option<ID>,
    access_review_id: ID,
    signature: AccessReviewSignatureInput,
}

impl CompleteReviewInput {
    fn command(&self, tenant: TenantId) -> Parsed<CompleteReview> {
        Ok(CompleteReview {
            organization: whose(self.organization_id.as_ref(), tenant)?,
            review: review(&self.access_review_id)?,
            name: field("signature.name", PersonName::parse(&self.signature.name))?,
            attested: self.signature.attested,
        })
    }
}

/// The end of a review without a result.
#[derive(Debug, InputObject)]
pub struct CancelReviewInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose review it is; left out where it is of the plan's own people.
    organization_id: Option<ID>,
    access_review_id: ID,
    reason: String,
}

impl CancelReviewInput {
    fn command(&self, tenant: TenantId) -> Parsed<CancelReview> {
        Ok(CancelReview {
            organization: whose(self.organization_id.as_ref(), tenant)?,
            review: review(&self.access_review_id)?,
            reason: reason(&self.reason)?,
        })
    }
}

payload! {
    /// The review, open.
    OpenReviewPayload { access_review: AccessReview }
}

payload! {
    /// The review with what was decided.
    DecideReviewItemsPayload { access_review: AccessReview }
}

payload! {
    /// The review with what was delegated.
    DelegateReviewItemsPayload { access_review: AccessReview }
}

payload! {
    /// The review, signed.
    CompleteReviewPayload { access_review: AccessReview }
}

payload! {
    /// The review, cancelled.
    CancelReviewPayload { access_review: AccessReview }
}

/// The review that was sent for, as the answer asks for it.
pub(super) async fn changed(
    ctx: &Context<'_>,
    sent: &Sent<AccessReviewId>,
) -> Result<Option<AccessReview>> {
    match sent.output {
        Some(review) => {
            let look = ctx.look_ahead().field("accessReview");
            review_of(ctx, review, sent.position, &look).await
        }
        None => Ok(None),
    }
}

/// Commands on reviews of access.
#[derive(Default)]
pub struct AccessReviewMutation;

#[Object]
impl AccessReviewMutation {
    /// Opens a review of the people of an organization, or of what each may do, beside the schedule (CC-13,
    /// GN-15), for its administrators and plan staff; of the plan's own people, PLAN_STAFF, for administrators of
    /// the whole plan, as is whatever is done in it. The list is frozen then. Refusals: NOT_ORG_ADMIN, FORBIDDEN, NOT_FOUND,
    /// DUPLICATE_REQUEST (one is open; its id is in `details`), FIELD_INVALID (nothing to review; with
    /// `changedOnly` nothing changed, and the id of the signed review is in `details`),
    /// FIELD_REQUIRED, RANGE_INVALID, NPI_INVALID, NPI_NOT_IN_ORG, ROLE_UNKNOWN, BULK_LIMIT (more than
    /// 100,000). Without the organization that the scope takes, FIELD_REQUIRED.
    async fn open_review(
        &self,
        ctx: &Context<'_>,
        input: OpenReviewInput,
    ) -> Result<OpenReviewPayload> {
        let command = input.command(caller(ctx)?.tenant);
        let sent = send_of(ctx, input.meta, command, input.organization_id.as_ref()).await?;
        let review = changed(ctx, &sent).await?;
        Ok(OpenReviewPayload::of(sent, review))
    }

    /// Decides about items of a review (CC-13, GN-15), for administrators of the organization, plan staff
    /// and whom items were delegated to. What is revoked or changed is so at once, and verified after
    /// that; where the review has `revocations` AT_CLOSE, that it could be is found out, and it is so when
    /// the review closes. Deciding again takes the former decision's place. Refusals: REVIEW_CLOSED
    /// (closing: only what could not be carried out is decided), SELF_REVIEW,
    /// NOT_ORG_ADMIN, FORBIDDEN (delegated to somebody else; their id is in `details`), NOT_FOUND,
    /// FIELD_INVALID (the receipt; different accesses at once), FIELD_REQUIRED, REASON_REQUIRED,
    /// EVIDENCE_REQUIRED, BULK_LIMIT, RANGE_INVALID, DATE_INVALID, ALREADY_DECIDED (it took effect: keep it
    /// first; a key that was revoked: create a new one), ALREADY_INACTIVE (the right ended meanwhile), and
    /// what the roster and the permissions refuse:
    /// LAST_ADMIN, CONFIRMATION_REQUIRED (of many items as well), ORG_NOT_ACTIVE; of a right given back what its grant is refused
    /// with, as FEATURE_DISABLED, ROLE_UNKNOWN, LOCATION_NOT_CREDENTIALED or NPI_NOT_IN_ORG. Tax ids are the
    /// plan's: FORBIDDEN. The plan keeps its administrators as well: LAST_ADMIN.
    async fn decide_review_items(
        &self,
        ctx: &Context<'_>,
        input: DecideReviewItemsInput,
    ) -> Result<DecideReviewItemsPayload> {
        let mut command = input.command(caller(ctx)?.tenant);
        if let Ok(command) = &mut command {
            command.recommendations = advice(ctx, command.review, &command.items).await?;
        }
        let sent = send_of(ctx, input.meta, command, input.organization_id.as_ref()).await?;
        let review = changed(ctx, &sent).await?;
        Ok(DecideReviewItemsPayload::of(sent, review))
    }

    /// Has another active member decide about items, or takes them back (GN-15), for those who may decide
    /// about them. Refusals: REVIEW_CLOSED, SELF_REVIEW, NOT_ORG_ADMIN, FORBIDDEN, NOT_FOUND, NOT_A_MEMBER,
    /// FIELD_REQUIRED, REASON_REQUIRED, BULK_LIMIT.
    async fn delegate_review_items(
        &self,
        ctx: &Context<'_>,
        input: DelegateReviewItemsInput,
    ) -> Result<DelegateReviewItemsPayload> {
        let command = input.command(caller(ctx)?.tenant);
        let sent = send_of(ctx, input.meta, command, input.organization_id.as_ref()).await?;
        let review = changed(ctx, &sent).await?;
        Ok(DelegateReviewItemsPayload::of(sent, review))
    }

    /// Signs a review of which each item has its outcome (CC-13), for administrators of the organization
    /// and plan staff. A signed review never changes. Where decisions wait for the closing
    /// (`revocations` AT_CLOSE), it begins instead, and nothing is signed yet (`closingAt`): they are
    /// carried out and verified, and the review is signed by the same mutation after that. Refusals: REVIEW_CLOSED, ITEMS_UNDECIDED (the first
    /// of them are in `details`), STILL_IN_EFFECT (something decided is not verified yet), BOX_NOT_TICKED,
    /// NAME_INVALID, NOT_ORG_ADMIN, FORBIDDEN, NOT_FOUND.
    async fn complete_review(
        &self,
        ctx: &Context<'_>,
        input: CompleteReviewInput,
    ) -> Result<CompleteReviewPayload> {
        let command = input.command(caller(ctx)?.tenant);
        let sent = send_of(ctx, input.meta, command, input.organization_id.as_ref()).await?;
        let review = changed(ctx, &sent).await?;
        Ok(CompleteReviewPayload::of(sent, review))
    }

    /// Ends a review without a result (CC-13): one that the schedule opened, plan staff; any other,
    /// administrators of the organization as well. What was carried out stands. Refusals: REVIEW_CLOSED,
    /// FORBIDDEN, NOT_ORG_ADMIN, NOT_FOUND, REASON_REQUIRED.
    async fn cancel_review(
        &self,
        ctx: &Context<'_>,
        input: CancelReviewInput,
    ) -> Result<CancelReviewPayload> {
        let command = input.command(caller(ctx)?.tenant);
        let sent = send_of(ctx, input.meta, command, input.organization_id.as_ref()).await?;
        let review = changed(ctx, &sent).await?;
        Ok(CancelReviewPayload::of(sent, review))
    }
}
