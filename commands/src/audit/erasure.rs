//! `RequestErasure`, `ApproveErasure`, `RefuseErasure`, and `RepeatErasure` of the ledger (GN-27).
//!
//! Invariant: the keys are destroyed in the append that says so, together with the passwords and every
//! address that is kept as the person's alone; whatever else there is of the person follows from the
//! event.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider, Refusal, Sealed,
    audit::{Erasure, ErasureCommand, LegalBasis},
    kernel::ids::{SubjectId, UserId},
    organizations::AccountRequest,
    sessions::EndCause,
    tenants::PlanRole,
    users::{
        external_identity::ExternalIdentities,
        user::{User, UserCommand},
    },
    values::Reason,
};

use super::{
    retention::{last_counted, obstacles},
    subjects::{Subjects, subjects_of},
};
use crate::{
    Access, Command, Context, Failure,
    context::version_conflict,
    organizations::PENDING_ACCOUNT_REQUEST,
    sessions::end_sessions_of,
    users::{EMAIL, PERSONAL_SECRETS, USERNAME, release_identities},
};

/// Who asks for an erasure and who approves it: two of them.
pub const ERASURE_STAFF: &[PlanRole] = &[PlanRole::Pa];

/// Asks for a person to be erased.
pub struct RequestErasure {
    pub user: UserId,
    pub basis: LegalBasis,
    pub reason: Reason,
}

/// Erases them.
pub struct ApproveErasure {
    pub user: UserId,
}

/// Decides against it.
pub struct RefuseErasure {
    pub user: UserId,
    pub reason: Reason,
}

/// Erases anew whom the database has back because an older copy of it was put in its place.
pub struct RepeatErasure {
    pub user: UserId,
    pub first_at: DateTime<Utc>,
}

#[async_trait]
impl Command for RequestErasure {
    const NAME: &'static str = "RequestErasure";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(ERASURE_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let request = ErasureCommand::Request {
            user: self.user,
            by: cx.person()?,
            basis: self.basis,
            reason: self.reason.clone(),
            obstacles: known(obstacles(cx, self.user).await?)?,
        };
        cx.decide::<Erasure>(cx.tenant().erasure_stream(self.user), request).await?;
        Ok(self.user)
    }
}

#[async_trait]
impl Command for ApproveErasure {
    const NAME: &'static str = "ApproveErasure";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(ERASURE_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let (tenant, user, by) = (cx.tenant(), self.user, cx.person()?);
        let seen = known(last_counted(cx.journal(), tenant, user).await?)?;
        let erasure = cx.load::<Erasure>(tenant.erasure_stream(user)).await?;
        erasure.decidable(by, cx.now).map_err(Refusal::from)?;
        let obstacles = known(obstacles(cx, user).await?)?;
        // Opens what every visitor asked for.
        let subjects = subjects_of(cx.journal(), tenant, user).await?;
        let approve = ErasureCommand::Approve { by, subjects: subjects.named.clone(), obstacles };
        cx.decide::<Erasure>(tenant.erasure_stream(user), approve).await?;
        forget(cx, user, subjects).await?;
        // Perhaps in a stream that was not there to be loaded.
        if last_counted(cx.journal(), tenant, user).await? != Some(seen) {
            return Err(version_conflict(None).into());
        }
        Ok(user)
    }
}

#[async_trait]
impl Command for RefuseErasure {
    const NAME: &'static str = "RefuseErasure";
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Plan(ERASURE_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let refuse = ErasureCommand::Refuse { by: cx.person()?, reason: self.reason.clone() };
        cx.decide::<Erasure>(cx.tenant().erasure_stream(self.user), refuse).await?;
        Ok(self.user)
    }
}

#[async_trait]
impl Command for RepeatErasure {
    const NAME: &'static str = "RepeatErasure";
    /// Whether there was anybody to erase.
    type Output = bool;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let (tenant, user) = (cx.tenant(), self.user);
        if cx.journal().last_recorded((tenant, user), (&[], &[])).await?.is_none() {
            return Ok(false);
        }
        let subjects = subjects_of(cx.journal(), tenant, user).await?;
        let (named, first_at) = (subjects.named.clone(), self.first_at);
        let repeat = ErasureCommand::Repeat { user, subjects: named, first_at };
        if cx.decide::<Erasure>(tenant.erasure_stream(user), repeat).await?.is_empty() {
            return Ok(false);
        }
        forget(cx, user, subjects).await?;
        Ok(true)
    }
}

fn known<T>(of_them: Option<T>) -> Result<T, Refusal> {
    of_them.ok_or_else(|| Refusal::not_found("userId"))
}

/// Everything of the person that stands in no projection goes with the keys.
async fn forget(cx: &mut Context<'_>, user: UserId, subjects: Subjects) -> Result<(), Failure> {
    let tenant = cx.tenant();
    end_sessions_of(cx, user, None, EndCause::Deactivated).await?;
    let account = cx.load::<User>(user).await?;
    // Also that of somebody who was invited and never came.
    for address in &subjects.addresses {
        if cx.journal().owner_of(tenant, EMAIL, address).await? == Some(user.0) {
            cx.work.release(EMAIL, address, user.0);
        }
    }
    let username = account.profile().and_then(|profile| profile.username.as_ref());
    if let Some(username) = username.and_then(Sealed::get) {
        cx.work.release(USERNAME, &username.key(), user.0);
    }
    let identities = cx.load::<ExternalIdentities>(tenant.external_identities_stream(user)).await?;
    release_identities(cx, user, &identities);
    for stream in cx.journal().streams_of_visitors(tenant, AccountRequest::TYPE).await? {
        if subjects.named.contains(&SubjectId(stream)) {
            let request = cx.load::<AccountRequest>(stream).await?;
            if let Some(email) = request.open().ok().and_then(|asked| asked.email.get()) {
                cx.work.release(PENDING_ACCOUNT_REQUEST, &email.key(), stream);
            }
        }
    }
    for (kind, id) in cx.journal().vault_of((tenant, user), &PERSONAL_SECRETS).await? {
        if let Some(kind) = PERSONAL_SECRETS.into_iter().find(|known| *known == kind) {
            cx.work.vault_delete(kind, id);
        }
    }
    cx.decide::<User>(user, UserCommand::EraseUser { user }).await?;
    for subject in subjects.named.into_iter().chain(subjects.attempts) {
        cx.work.erase(subject);
    }
    Ok(())
}
