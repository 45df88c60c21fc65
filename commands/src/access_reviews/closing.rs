//! `ContinueReview`: what was decided is carried out at the closing, and what nobody decided is decided by
//! the policy after the grace, portion by portion (GN-15).
//!
//! Invariant: what is done and that it was done are in one append, so whatever stops the work between two of
//! them, the next one goes on, and nothing is done twice; a refusal is on record and stops nothing else.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    access_reviews::{
        AccessReview, AccessReviewCommand, Carrying, DecideByPolicy, Item, ItemDecision,
        RecordCarrying, Review, ReviewDecision, ReviewedAccess, Risk,
    },
    kernel::ids::AccessReviewId,
    permissions::{Entitlement, JobRole, JobRoles},
    policies::UndecidedAction,
    values::Reason,
};
use uuid::Uuid;

use super::{carry_out::CarryOut, preload::preload};
use crate::{Access, Authority, Command, Context, Failure};

/// The most items of one append.
const PORTION: usize = 50;
/// Why access ends that nobody decided about; also what is written where a reviewer's reason was erased.
const UNDECIDED: &str = "Nobody decided about it in the periodic review of access in time.";
const DECIDED: &str = "A reviewer decided so in the periodic review of access.";

/// The scheduler carries the next decisions out, or has the policy make them.
pub struct ContinueReview {
    pub review: AccessReviewId,
}

/// What is to be done about an item.
struct Step<'a> {
    number: u32,
    item: &'a Item,
    what: What<'a>,
}

enum What<'a> {
    /// A decision that waited.
    CarryOut(&'a ItemDecision),
    /// The policy's.
    ByPolicy(Risk),
}

#[async_trait]
impl Command for ContinueReview {
    const NAME: &'static str = "ContinueReview";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let state = cx.load::<AccessReview>(self.review).await?;
        let Ok(review) = state.under_way() else { return Ok(()) };
        let decided = review.to_carry_out().filter_map(|(number, item)| {
            Some(Step { number, item, what: What::CarryOut(item.decided.as_ref()?) })
        });
        let mut steps: Vec<Step<'_>> = decided.take(PORTION).collect();
        if steps.is_empty() {
            steps = for_policy(cx, review).await?;
        }
        let items: Vec<&Item> = steps.iter().map(|step| step.item).collect();
        preload(cx, review.organization, &items).await?;
        // What is on record of it has the next portion looked at.
        take(cx, review, &steps).await
    }
}

/// The next items that the policy decides about.
async fn for_policy<'a>(
    cx: &mut Context<'_>,
    review: &'a Review,
) -> Result<Vec<Step<'a>>, Failure> {
    let job_roles = job_roles(cx, review).await?;
    let steps = review.left_to_policy().filter_map(|(number, item)| {
        let risk = item.access.risk(&job_roles);
        let decides = !review.policy_for(risk).is_escalate();
        decides.then_some(Step { number, item, what: What::ByPolicy(risk) })
    });
    Ok(steps.take(PORTION).collect())
}

/// The job roles on the list, whose risk is what they bundle.
async fn job_roles(cx: &mut Context<'_>, review: &Review) -> Result<JobRoles, Failure> {
    let role = |(_, item): (u32, &Item)| match item.access {
        ReviewedAccess::Grant { grant: Entitlement::JobRole(role), .. } => Some(role),
        ReviewedAccess::Membership { .. }
        | ReviewedAccess::Npi { .. }
        | ReviewedAccess::Correspondence { .. }
        | ReviewedAccess::Submission { .. }
        | ReviewedAccess::ApiKey { .. }
        | ReviewedAccess::PlanRole { .. }
        | ReviewedAccess::Grant {
            grant: Entitlement::Feature(_) | Entitlement::Location(_) | Entitlement::TaxId(_),
            ..
        } => None,
    };
    let roles: BTreeSet<_> = review.left_to_policy().filter_map(role).collect();
    let streams: Vec<Uuid> = roles.iter().map(|role| role.0).collect();
    let found = cx.load_all::<JobRole>(&streams).await?;
    Ok(roles.into_iter().zip(found).collect())
}

/// Takes these steps as far as none is refused, and that one on record.
async fn take(cx: &mut Context<'_>, review: &Review, steps: &[Step<'_>]) -> Result<(), Failure> {
    for (nth, step) in steps.iter().enumerate() {
        match step.take(cx, review).await {
            Ok(()) => step.record(cx, review, None).await?,
            Err(Failure::Refused(refusal)) => {
                // One that rests on an outdated state is no answer, and the whole is tried again.
                if !cx.work.still_holds().await? {
                    return Err(refusal.into());
                }
                // What a refused step had led to is let go, and what went before it is done again.
                cx.begin_again().await?;
                for step in &steps[..nth] {
                    step.take(cx, review).await?;
                    step.record(cx, review, None).await?;
                }
                return step.record(cx, review, Some(refusal)).await;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

impl Step<'_> {
    async fn take(&self, cx: &mut Context<'_>, review: &Review) -> Result<(), Failure> {
        match &self.what {
            What::CarryOut(decided) => {
                carry_out(cx, review, (self.number, self.item, decided)).await
            }
            What::ByPolicy(risk) => match review.policy_for(*risk) {
                UndecidedAction::Escalate | UndecidedAction::Keep => Ok(()),
                UndecidedAction::Revoke => {
                    let revoke = ReviewDecision::Revoke { left_on: None };
                    let reason = Reason::parse(UNDECIDED).map_err(Refusal::from)?;
                    let carry_out = CarryOut { review, reason: Some(&reason), evidence: None };
                    let of = (self.number, self.item);
                    as_decided(cx, &carry_out, (of, revoke), false).await
                }
            },
        }
    }

    async fn record(
        &self,
        cx: &mut Context<'_>,
        review: &Review,
        refusal: Option<Refusal>,
    ) -> Result<(), Failure> {
        let item = self.number;
        let record = match self.what {
            What::CarryOut(decided) => AccessReviewCommand::RecordCarrying(RecordCarrying {
                item,
                decided_at: decided.at,
                refusal,
            }),
            What::ByPolicy(risk) => {
                AccessReviewCommand::DecideByPolicy(DecideByPolicy { item, risk, refusal })
            }
        };
        cx.decide::<AccessReview>(review.review, record).await.map(drop)
    }
}

/// Does what was decided about an item and waited, by what it was decided by.
pub(super) async fn carry_out(
    cx: &mut Context<'_>,
    review: &Review,
    (number, item, decided): (u32, &Item, &ItemDecision),
) -> Result<(), Failure> {
    let Carrying::Waits { by_plan, evidence } = &decided.carrying else { return Ok(()) };
    let written = decided.reason.as_ref().and_then(|reason| reason.get().cloned());
    let reason = written.map_or_else(|| Reason::parse(DECIDED), Ok).map_err(Refusal::from)?;
    let evidence = evidence.as_ref().and_then(|evidence| evidence.get().cloned());
    let carry_out = CarryOut { review, reason: Some(&reason), evidence: evidence.as_ref() };
    as_decided(cx, &carry_out, ((number, item), decided.decision), *by_plan).await
}

async fn as_decided(
    cx: &mut Context<'_>,
    carry_out: &CarryOut<'_>,
    (of, decision): ((u32, &Item), ReviewDecision),
    by_plan: bool,
) -> Result<(), Failure> {
    let authority = Authority::of_decision(cx.authority.actor, by_plan);
    let caller = std::mem::replace(&mut cx.authority, authority);
    let done = carry_out.begin(cx, of, decision).await;
    cx.authority = caller;
    done
}
