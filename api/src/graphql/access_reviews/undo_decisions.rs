//! `undoReviewDecisions` (GN-15).
//!
//! Invariant: what is undone was previewed, decision by decision, and each is an append of its own, so that
//! what cannot be given back stops nothing else.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands, DispatchError, Failure, IdempotencyKey,
    access_reviews::{REVIEW_STAFF, UndoReviewDecision},
    authorization::authorise,
};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::AccessReview as Reviewing,
    kernel::ids::{AccessReviewId, OrganizationId, TenantId},
    values::Reason,
};

use super::{
    queries::review_of,
    types::AccessReview,
    undo::{PORTION, Parsed, ReviewGivenBack, review, text},
    whose::{told, whose},
};
use crate::graphql::{
    errors::{UserError, dispatch_error, fault, is_authentication, top_level},
    reading::caller,
    scalars::{DateTime, Position},
    sending::{MutationMeta, Sent, fingerprint, payload, reset},
    vocabulary::field,
};

/// A decision as it was previewed.
#[derive(Clone, Debug, InputObject)]
pub struct ReviewDecisionToUndo {
    item: i32,
    decided_at: DateTime,
}

/// Decisions to take back.
#[derive(Debug, InputObject)]
pub struct UndoReviewDecisionsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose review it is; left out where it is of the plan's own people.
    organization_id: Option<ID>,
    access_review_id: ID,
    /// 1 to 25, as they were previewed.
    decisions: Vec<ReviewDecisionToUndo>,
    reason: String,
    /// Required of plan staff who appoint an administrator again (CC-07).
    evidence: Option<String>,
    /// As it came with the preview.
    receipt: String,
}

impl UndoReviewDecisionsInput {
    fn commands(&self, tenant: TenantId) -> Parsed<Vec<UndoReviewDecision>> {
        let organization = whose(self.organization_id.as_ref(), tenant)?;
        let review = review(&self.access_review_id)?;
        let reason = field("reason", Reason::parse(&self.reason))?;
        let evidence = text("evidence", self.evidence.as_deref())?;
        let of_decisions = |code, message: &str| Refusal::new(code, message).at("decisions");
        match self.decisions.len() {
            0 => return Err(of_decisions(Code::FieldRequired, "Choose at least one decision.")),
            1..=PORTION => {}
            _ => {
                return Err(of_decisions(
                    Code::BulkLimit,
                    "Take back at most 25 decisions at once.",
                ));
            }
        }
        let each = self.decisions.iter().map(|decision| {
            Ok(UndoReviewDecision {
                organization,
                review,
                item: u32::try_from(decision.item).unwrap_or(0),
                decided_at: decision.decided_at.parse("decisions")?,
                reason: reason.clone(),
                evidence: evidence.clone(),
                receipt: self.receipt.clone(),
            })
        });
        each.collect()
    }
}

/// A decision that was taken back.
#[derive(Clone, Debug, SimpleObject)]
pub struct UndoneReviewDecision {
    pub item: i32,
    pub gave_back: ReviewGivenBack,
}

/// A decision that was not taken back.
#[derive(Clone, Debug, SimpleObject)]
pub struct RefusedReviewUndo {
    pub item: i32,
    pub error: UserError,
}

/// What became of each.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct ReviewUndoOutcome {
    pub undone: Vec<UndoneReviewDecision>,
    pub refused: Vec<RefusedReviewUndo>,
}

payload! {
    /// The review, and what was taken back; `position` is that of the last one.
    UndoReviewDecisionsPayload { access_review: AccessReview, outcome: ReviewUndoOutcome }
}

/// Decisions of reviews, taken back.
#[derive(Default)]
pub struct ReviewUndoMutation;

#[Object]
impl ReviewUndoMutation {
    /// Takes previewed decisions of an open review back (GN-15), for administrators of the organization and plan
    /// staff, each by itself: it is kept by whoever takes it back, and what it took away or changed comes back
    /// by all checks. What is refused stands in `outcome { refused }`: NOT_PENDING (another decision counts),
    /// ALREADY_DECIDED (a key that was revoked), SELF_REVIEW, FORBIDDEN (delegated to somebody else), and what
    /// the roster refuses, such as CONFIRMATION_REQUIRED. Refusals of all:
    /// REVIEW_CLOSED (invite, grant, or open a new review),
    /// FIELD_INVALID (the receipt), FIELD_REQUIRED, BULK_LIMIT, REASON_REQUIRED, NOT_ORG_ADMIN, NOT_FOUND.
    async fn undo_review_decisions(
        &self,
        ctx: &Context<'_>,
        input: UndoReviewDecisionsInput,
    ) -> Result<UndoReviewDecisionsPayload> {
        let tenant = caller(ctx)?.tenant;
        let (commands, named) = (input.commands(tenant), input.organization_id.as_ref());
        let organization = whose(named, tenant);
        let review = review(&input.access_review_id);
        let mut sent = Sent {
            output: None,
            position: None,
            client_mutation_id: input.meta.client_mutation_id.clone(),
            user_errors: Vec::new(),
        };
        let (dispatcher, who) = (ctx.data::<Commands>()?, caller(ctx)?);
        let permitted = match organization {
            Ok(organization) => permitted(ctx, (organization, review.ok())).await?,
            Err(refusal) => Err(refusal),
        };
        let commands = match permitted.and(commands) {
            Ok(commands) => commands,
            Err(refusal) if is_authentication(&refusal) => return Err(top_level(refusal)),
            Err(refusal) => {
                sent.user_errors.push(told(refusal, named).into());
                return Ok(UndoReviewDecisionsPayload::of::<()>(sent, None, None));
            }
        };
        reset(ctx).await?;
        let mut outcome = ReviewUndoOutcome::default();
        for command in &commands {
            let item = i32::try_from(command.item).unwrap_or(i32::MAX);
            let key = input.meta.idempotency_key.as_ref().map(|key| IdempotencyKey {
                key: format!("{key}/{item}"),
                fingerprint: fingerprint(ctx, dispatcher),
            });
            // On the heap: the future of a command would otherwise be part of every resolver's.
            match Box::pin(dispatcher.dispatch(who, key.as_ref(), command)).await {
                Ok(receipt) => {
                    sent.position = Some(Position(receipt.position));
                    let gave_back = receipt.output.into();
                    outcome.undone.push(UndoneReviewDecision { item, gave_back });
                }
                Err(DispatchError::Refused(refusal)) if is_authentication(&refusal) => {
                    return Err(top_level(refusal));
                }
                Err(DispatchError::Refused(refusal)) => {
                    outcome.refused.push(RefusedReviewUndo { item, error: refusal.into() });
                }
                Err(other @ DispatchError::Fault(_)) => return Err(dispatch_error(other)),
            }
        }
        let look = ctx.look_ahead().field("accessReview");
        let shown = match commands.first() {
            Some(command) => review_of(ctx, command.review, sent.position, &look).await?,
            None => None,
        };
        sent.output = Some(());
        Ok(UndoReviewDecisionsPayload::of(sent, shown, Some(outcome)))
    }
}

/// Whether the caller may take decisions of this review back; its commands ask again.
async fn permitted(
    ctx: &Context<'_>,
    (organization, review): (OrganizationId, Option<AccessReviewId>),
) -> Result<Parsed<()>> {
    let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
    let (journal, now) = (&commands.journal, commands.journal.now());
    let right = Access::OrgAdminOrPlan(organization, REVIEW_STAFF);
    match authorise(journal, caller, right, now).await {
        Ok(_) => {}
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            return Ok(Err(refusal));
        }
        Err(Failure::Journal(error)) => return Err(fault(&error)),
        Err(Failure::Database(error)) => return Err(fault(&error)),
    }
    let Some(review) = review else { return Ok(Ok(())) };
    let state = journal.load_fresh::<Reviewing>(caller.tenant, review.0).await;
    let state = state.map_err(|error| fault(&error))?.state;
    if state.review().is_none_or(|it| it.organization != organization) {
        return Ok(Err(Refusal::not_found("accessReviewId")));
    }
    Ok(state.to_undo().map(drop).map_err(Refusal::from))
}
