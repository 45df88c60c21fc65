//! How a resolver reads: authorised, at a position, in the request's one view.
//!
//! Invariant: all fields of one request answer from the same snapshot, and a right that was revoked
//! before the request began is refused, whichever process revoked it.

use async_graphql::{Context, Result};
use rollcall_commands::{
    Access, Authority, Caller, Commands, Demand, Failure,
    authorization::{authorise, not_signed_in},
};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::OrganizationId,
    policies::{Feature, Policy, PolicyHistory},
    tenants::{PlanRole, PlanScope},
};
use rollcall_projections::{Ask, Pin, ReadError, ReadStore, Snapshot};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use uuid::Uuid;

use super::{
    errors::{fault, top_level},
    scalars::Position,
};

/// The projections a view must have caught up in for read-your-writes.
const ALL: &[&str] = rollcall_projections::NAMES;

/// The request's view, opened at first use; part of the request's data.
#[derive(Default)]
pub struct RequestView {
    snapshot: Mutex<Option<Snapshot>>,
    /// The lowest position any field answered for, for `extensions.projection`.
    answered: std::sync::Mutex<Option<(i64, i64)>>,
    /// The place of the log that all answers are kept to.
    pin: Option<Pin>,
}

impl RequestView {
    /// A view whose answers are kept to a place of the log.
    #[must_use]
    pub fn pinned(pin: Pin) -> Self {
        Self { pin: Some(pin), ..Self::default() }
    }

    /// Lets the view go before something is written: what follows sees it, and one request does not hold
    /// two connections.
    pub async fn reset(&self) {
        *self.snapshot.lock().await = None;
    }

    /// Position and lag in milliseconds that the whole response holds for; none where a visitor asks.
    pub fn answered(&self) -> Option<(i64, i64)> {
        *self.answered.lock().expect("no panic while held")
    }

    fn note(&self, position: i64, lag_ms: i64) {
        let mut answered = self.answered.lock().expect("no panic while held");
        *answered = Some(match *answered {
            Some((lowest, lag)) => (lowest.min(position), lag.max(lag_ms)),
            None => (position, lag_ms),
        });
    }
}

/// An authorised reader and its view.
pub struct Reading<'a> {
    pub authority: Authority,
    pub view: MappedMutexGuard<'a, Snapshot>,
}

/// The request's caller.
///
/// # Errors
/// UNAUTHENTICATED when the request names no tenant, by session, header or host.
pub fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Caller> {
    ctx.data_opt::<Caller>().ok_or_else(|| top_level(not_signed_in()))
}

/// Authorises the caller for `access` and opens (or joins) the request's view.
///
/// # Errors
/// A top-level error: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, or a fault.
pub async fn read<'a>(
    ctx: &Context<'a>,
    access: impl Into<Demand>,
    min_position: Option<Position>,
) -> Result<Reading<'a>> {
    let caller = caller(ctx)?;
    let commands = ctx.data::<Commands>()?;
    let mut view = open(ctx, caller, min_position).await?;
    let authority = authorised(commands, caller, access, &mut view).await?;
    commands.note_question(caller.tenant, ctx.field().name(), &authority, Vec::new()).await;
    Ok(Reading { authority, view })
}

/// As [`read`], for objects asked for by their ids: `None` where the caller only lacks the right.
///
/// # Errors
/// A top-level error: UNAUTHENTICATED, or a fault.
pub async fn read_if_permitted<'a>(
    ctx: &Context<'a>,
    access: impl Into<Demand>,
) -> Result<Option<Reading<'a>>> {
    let caller = caller(ctx)?;
    let commands = ctx.data::<Commands>()?;
    let mut view = open(ctx, caller, None).await?;
    match decided(commands, caller, access.into(), &mut view).await {
        Ok(authority) => {
            let question = ctx.field().name();
            commands.note_question(caller.tenant, question, &authority, Vec::new()).await;
            Ok(Some(Reading { authority, view }))
        }
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            if lacks_only_the_right(&refusal) {
                Ok(None)
            } else {
                Err(top_level(refusal))
            }
        }
        Err(failure) => Err(refused(failure)),
    }
}

/// By which right somebody reads what is an organisation's: as `member` of the one the session acts
/// for or as plan staff, whichever they are; what the plan's people see is inside their scope
/// ([`within`]).
pub fn own_or_plan(
    caller: &Caller,
    member: fn(OrganizationId, &'static [PlanRole]) -> Access,
    roles: &'static [PlanRole],
) -> Access {
    caller
        .organization()
        .map_or(Access::PlanWithin(roles), |organization| member(organization, roles))
}

/// The organisations that plan staff in one of these roles are kept to; `None` for the whole plan.
pub fn within(authority: &Authority, roles: &[PlanRole]) -> Option<Vec<Uuid>> {
    match authority.plan_scope(roles) {
        PlanScope::Whole => None,
        PlanScope::Organizations(organizations) => {
            Some(organizations.into_iter().map(|organization| organization.0).collect())
        }
    }
}

/// Whether somebody else, or the same person acting for another organisation, might be allowed what
/// was refused; other refusals are about the session itself.
pub fn lacks_only_the_right(refusal: &Refusal) -> bool {
    matches!(
        refusal.code,
        Code::Forbidden
            | Code::NotFound
            | Code::NotOrgAdmin
            | Code::NotAMember
            | Code::OrganizationNotSelected
    )
}

/// The tenant's policy in force now, for answers that depend on it.
///
/// # Errors
/// A fault.
pub async fn policy(ctx: &Context<'_>) -> Result<std::sync::Arc<Policy>> {
    let now = ctx.data::<Commands>()?.journal.now();
    policy_at(ctx, now).await
}

/// The tenant's policy in force at a moment. No change is ever dated back, so that of a moment that has
/// been stays the same.
///
/// # Errors
/// A fault.
pub async fn policy_at(
    ctx: &Context<'_>,
    moment: chrono::DateTime<chrono::Utc>,
) -> Result<std::sync::Arc<Policy>> {
    let (caller, journal) = (caller(ctx)?, &ctx.data::<Commands>()?.journal);
    let history = journal
        .load_fresh::<PolicyHistory>(caller.tenant, caller.tenant.policy_stream())
        .await
        .map_err(|error| fault(&error))?;
    let (_, policy) = history.state.at(moment);
    Ok(std::sync::Arc::clone(policy))
}

/// Demands that a feature is on, for questions that belong to it (MC-01).
///
/// # Errors
/// FEATURE_DISABLED or FEATURE_COMING_SOON at top level, or a fault.
pub async fn require(ctx: &Context<'_>, feature: Feature) -> Result<()> {
    policy(ctx).await?.require(feature).map_err(top_level)
}

/// Authorises the caller for `access` on streams that `view` does not know to have moved on.
///
/// # Errors
/// A top-level error: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, or a fault.
pub async fn authorised(
    commands: &Commands,
    caller: &Caller,
    access: impl Into<Demand>,
    view: &mut Snapshot,
) -> Result<Authority> {
    decided(commands, caller, access.into(), view).await.map_err(refused)
}

async fn decided(
    commands: &Commands,
    caller: &Caller,
    demand: Demand,
    view: &mut Snapshot,
) -> Result<Authority, Failure> {
    let demand = demand.of_read();
    let now = commands.journal.now();
    let (authority, guards) = authorise(&commands.journal, caller, demand, now).await?;
    if view.holds(&guards).await? {
        return Ok(authority);
    }
    // A cached state was behind. The second time it is read from the journal itself, which is
    // at least as new as the view, so its word is final.
    for guard in &guards {
        commands.journal.invalidate(caller.tenant, guard.aggregate_type, guard.id);
    }
    let (authority, _) = authorise(&commands.journal, caller, demand, now).await?;
    Ok(authority)
}

/// A visitor is not told how far the view is, nor waits until it has come so far: either would tell
/// whether something was recorded, where the answers to visitors must not (GN-09).
async fn open<'a>(
    ctx: &Context<'a>,
    caller: &Caller,
    min_position: Option<Position>,
) -> Result<MappedMutexGuard<'a, Snapshot>> {
    let is_visitor = caller.is_visitor();
    let store = ctx.data::<ReadStore>()?;
    let request = ctx.data::<std::sync::Arc<RequestView>>()?;
    let pinned = request.pin.map(|pin| Position(pin.position));
    let min_position = min_position.max(pinned).filter(|_| !is_visitor);
    let mut slot = request.snapshot.lock().await;
    let behind = |view: &Snapshot| min_position.is_some_and(|min| lowest(view) < min.0);
    if slot.as_ref().is_none_or(behind) {
        *slot = None;
        let ask = Ask {
            tenant: caller.tenant,
            projections: ALL,
            min_position: min_position.map(|position| position.0),
        };
        let mut view = store.snapshot(ask).await.map_err(unavailable)?;
        if !is_visitor {
            let position = lowest(&view);
            let now = ctx.data::<Commands>()?.journal.now();
            let lag = view.lag_ms(position, now).await.map_err(|error| fault(&error))?;
            request.note(position, lag);
        }
        if let Some(pin) = request.pin {
            view.pin(pin);
        }
        *slot = Some(view);
    }
    Ok(MutexGuard::map(slot, |slot| slot.as_mut().expect("just filled")))
}

/// The position that every projection holds in a view.
pub fn lowest(view: &Snapshot) -> i64 {
    ALL.iter().map(|name| view.position_of(name)).min().unwrap_or(0)
}

fn unavailable(error: ReadError) -> async_graphql::Error {
    match error {
        ReadError::Lagging(_) => fault(&error),
        ReadError::Database(error) => fault(&error),
    }
}

/// A refusal, or a fault, at the top level.
pub fn refused(failure: Failure) -> async_graphql::Error {
    match failure {
        Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal) => top_level(refusal),
        Failure::Journal(error) => fault(&error),
        Failure::Database(error) => fault(&error),
    }
}

/// Turns a lookup that found nothing, or nothing the reader may see, into `null`.
///
/// # Errors
/// Every other refusal.
pub fn absent<T>(result: Result<T, Refusal>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(refusal) if refusal.code == rollcall_domain::Code::NotFound => Ok(None),
        Err(refusal) => Err(top_level(refusal)),
    }
}
