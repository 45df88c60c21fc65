//! `openReview`, `decideReviewItems`, `delegateReviewItems`, `completeReview`, `cancelReview` (CC-13,
//! GN-15). Invariant: a mutation sends one command.

use std::collections::BTreeMap;

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::access_reviews::{
    CancelReview, CompleteReview, DecideReviewItems, DelegateReviewItems, OpenReview,
};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{ReviewDecision, ReviewScope, campaign::ReviewCampaignRefusal},
    kernel::ids::{AccessReviewId, OrganizationId},
    values::{CalendarDate, Npi, PersonName, Reason},
};

use super::{
    item_types::ReviewVerdict,
    items::advice,
    queries::review_of,
    types::{AccessReview, ReviewChoice},
};
use crate::graphql::{
    ids::NodeType,
    scalars::{Date, NpiScalar},
    sending::{MutationMeta, Sent, payload, send},
    vocabulary::{Feature, NpiLevel, OrgRole, field},
};

type Parsed<T> = std::result::Result<T, Refusal>;

fn organization(id: &ID) -> Parsed<OrganizationId> {
    NodeType::Organization.parse(id, "organizationId")
}

fn review(id: &ID) -> Parsed<AccessReviewId> {
    NodeType::AccessReview.parse(id, "accessReviewId")
}

/// Numbers of the list; what is no number of any list has no item.
fn numbers(items: &[i32]) -> Vec<u32> {
    items.iter().map(|number| u32::try_from(*number).unwrap_or(0)).collect()
}

fn reason(text: &str) -> Parsed<Reason> {
    field("reason", Reason::parse(text))
}

/// Which people are chosen to be reviewed.
///
/// # Errors
/// `FIELD_REQUIRED`, and `FIELD_INVALID` where rights are.
pub(super) fn scope(
    choice: Option<ReviewChoice>,
    dormant_days: Option<i32>,
) -> Parsed<ReviewScope> {
    Ok(match (choice.unwrap_or_default(), dormant_days) {
        (ReviewChoice::Roster, _) => ReviewScope::Roster,
        (ReviewChoice::Administrators, _) => ReviewScope::Administrators,
        (ReviewChoice::Dormant, Some(days)) => {
            ReviewScope::Dormant { days: u32::try_from(days).unwrap_or(0) }
        }
        (ReviewChoice::Dormant, None) => {
            let message = "Enter for how many days nobody has signed in.";
            return Err(Refusal::new(Code::FieldRequired, message).at("dormantDays"));
        }
        (
            ReviewChoice::Rights
            | ReviewChoice::Npi
            | ReviewChoice::Feature
            | ReviewChoice::JobRole,
            _,
        ) => return Err(ReviewCampaignRefusal::OfRights.into()),
    })
}

/// A review beside the schedule.
#[derive(Debug, InputObject)]
pub struct OpenReviewInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    /// ROSTER if not given.
    scope: Option<ReviewChoice>,
    /// For DORMANT: 1 to 3650.
    dormant_days: Option<i32>,
    /// For NPI: one that the organization holds; any if not given.
    npi: Option<NpiScalar>,
    /// For FEATURE; any if not given.
    feature: Option<Feature>,
    /// For JOB_ROLE; any if not given.
    job_role_id: Option<ID>,
}

impl OpenReviewInput {
    fn scope(&self) -> Parsed<ReviewScope> {
        Ok(match self.scope.unwrap_or_default() {
            ReviewChoice::Roster | ReviewChoice::Administrators | ReviewChoice::Dormant => {
                return scope(self.scope, self.dormant_days);
            }
            ReviewChoice::Rights => ReviewScope::Rights,
            ReviewChoice::Npi => {
                let npi = self.npi.as_ref().map(|npi| Npi::parse(&npi.0));
                ReviewScope::Npi { npi: field("npi", npi.transpose())? }
            }
            ReviewChoice::Feature => ReviewScope::Feature { feature: self.feature.map(Into::into) },
            ReviewChoice::JobRole => {
                let role = self.job_role_id.as_ref();
                let role = role.map(|id| NodeType::parse_bare(id, "jobRoleId")).transpose()?;
                ReviewScope::JobRole { role }
            }
        })
    }

    fn command(&self) -> Parsed<OpenReview> {
        let scope = self.scope()?;
        Ok(OpenReview { organization: organization(&self.organization_id)?, scope })
    }
}

/// One decision about items of a review.
#[derive(Debug, InputObject)]
pub struct DecideReviewItemsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
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
    fn command(&self) -> Parsed<DecideReviewItems> {
        let evidence = self.evidence.as_deref().map(Reason::parse).transpose();
        Ok(DecideReviewItems {
            organization: organization(&self.organization_id)?,
            review: review(&self.access_review_id)?,
            items: numbers(&self.items),
            decision: self.decision()?,
            reason: self.reason.as_deref().map(reason).transpose()?,
            evidence: field("evidence", evidence)?,
            receipt: self.receipt.clone(),
            recommendations: BTreeMap::new(),
        })
    }
}

/// Items for somebody else to decide about.
#[derive(Debug, InputObject)]
pub struct DelegateReviewItemsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    access_review_id: ID,
    /// By their numbers, 1 to 1,000.
    items: Vec<i32>,
    /// An active member; nobody takes them back.
    to: Option<ID>,
    reason: String,
}

impl DelegateReviewItemsInput {
    fn command(&self) -> Parsed<DelegateReviewItems> {
        Ok(DelegateReviewItems {
            organization: organization(&self.organization_id)?,
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
    organization_id: ID,
    access_review_id: ID,
    signature: AccessReviewSignatureInput,
}

impl CompleteReviewInput {
    fn command(&self) -> Parsed<CompleteReview> {
        Ok(CompleteReview {
            organization: organization(&self.organization_id)?,
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
    organization_id: ID,
    access_review_id: ID,
    reason: String,
}

impl CancelReviewInput {
    fn command(&self) -> Parsed<CancelReview> {
        Ok(CancelReview {
            organization: organization(&self.organization_id)?,
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

async fn changed(ctx: &Context<'_>, sent: &Sent<AccessReviewId>) -> Result<Option<AccessReview>> {
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
    /// GN-15), for its administrators and plan staff. The list is frozen then. Refusals: NOT_ORG_ADMIN, FORBIDDEN, NOT_FOUND,
    /// DUPLICATE_REQUEST (one is open; its id is in `details`), FIELD_INVALID (nothing to review),
    /// FIELD_REQUIRED, RANGE_INVALID, NPI_INVALID, NPI_NOT_IN_ORG, ROLE_UNKNOWN, BULK_LIMIT (more than
    /// 100,000).
    async fn open_review(
        &self,
        ctx: &Context<'_>,
        input: OpenReviewInput,
    ) -> Result<OpenReviewPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let review = changed(ctx, &sent).await?;
        Ok(OpenReviewPayload::of(sent, review))
    }

    /// Decides about items of a review (CC-13, GN-15), for administrators of the organization, plan staff
    /// and whom items were delegated to. What is revoked or changed is so at once, and verified after
    /// that. Deciding again takes the former decision's place. Refusals: REVIEW_CLOSED, SELF_REVIEW,
    /// NOT_ORG_ADMIN, FORBIDDEN (delegated to somebody else; their id is in `details`), NOT_FOUND,
    /// FIELD_INVALID (the receipt; different accesses at once), FIELD_REQUIRED, REASON_REQUIRED,
    /// EVIDENCE_REQUIRED, BULK_LIMIT, RANGE_INVALID, DATE_INVALID, ALREADY_DECIDED (it took effect: keep it
    /// first), ALREADY_INACTIVE (the right ended meanwhile), and what the roster and the permissions refuse:
    /// LAST_ADMIN, CONFIRMATION_REQUIRED, ORG_NOT_ACTIVE; of a right given back what its grant is refused
    /// with, as FEATURE_DISABLED, ROLE_UNKNOWN, LOCATION_NOT_CREDENTIALED or NPI_NOT_IN_ORG. Tax ids are the
    /// plan's: FORBIDDEN.
    async fn decide_review_items(
        &self,
        ctx: &Context<'_>,
        input: DecideReviewItemsInput,
    ) -> Result<DecideReviewItemsPayload> {
        let mut command = input.command();
        if let Ok(command) = &mut command {
            command.recommendations = advice(ctx, command.review, &command.items).await?;
        }
        let sent = send(ctx, input.meta, command).await?;
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
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let review = changed(ctx, &sent).await?;
        Ok(DelegateReviewItemsPayload::of(sent, review))
    }

    /// Signs a review of which each item has its outcome (CC-13), for administrators of the organization
    /// and plan staff. A signed review never changes. Refusals: REVIEW_CLOSED, ITEMS_UNDECIDED (the first
    /// of them are in `details`), STILL_IN_EFFECT (something decided is not verified yet), BOX_NOT_TICKED,
    /// NAME_INVALID, NOT_ORG_ADMIN, FORBIDDEN, NOT_FOUND.
    async fn complete_review(
        &self,
        ctx: &Context<'_>,
        input: CompleteReviewInput,
    ) -> Result<CompleteReviewPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
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
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let review = changed(ctx, &sent).await?;
        Ok(CancelReviewPayload::of(sent, review))
    }
}
