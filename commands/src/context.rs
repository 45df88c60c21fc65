//! What a command's handler works with: the unit of work, the caller's authority, time and policy.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Decider, Decision, Refusal, Sealed,
    kernel::ids::{OrganizationId, SubjectId, TenantId, UserId},
    permissions::right_use::UsedRight,
    policies::{Policy, PolicyHistory},
};
use rollcall_journal::{Header, Journal, Work};
use uuid::Uuid;

use crate::{Authority, Caller, Commands, Failure};

/// One attempt at one command.
pub struct Context<'a> {
    pub commands: &'a Commands,
    pub caller: &'a Caller,
    pub authority: Authority,
    pub work: Work,
    /// The injected clock's time for the whole attempt.
    pub now: DateTime<Utc>,
    /// The tenant's policy in force at `now`; its version is in the events' metadata.
    pub policy: Arc<Policy>,
    /// Rights that the command used, beside those its name tells (GN-16).
    pub(crate) used: Vec<UsedRight>,
}

impl Context<'_> {
    /// Seals the address of the request under the key of whom it turned out to be from.
    pub(crate) fn comes_from(&mut self, subject: impl Into<SubjectId>) {
        let subject = subject.into();
        self.work.header_mut().client_address =
            self.caller.address.map(|address| Sealed::new(subject, address.to_string()));
    }

    /// Says that the command used a right; it counts once the command is done.
    pub(crate) fn use_right(&mut self, right: UsedRight) {
        self.used.push(right);
    }

    /// The tenant the command writes to.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.work.header().tenant
    }

    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.commands.journal
    }

    /// The streams of a type in which an organisation acted or was acted upon, or of those the ones that
    /// something was added to since then; see [`Journal::streams_with`] for the types.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn streams_with<A: Decider>(
        &self,
        organization: OrganizationId,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Uuid>, Failure> {
        Ok(self.journal().streams_with::<A>(self.tenant(), organization, since).await?)
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// `NOT_SIGNED_IN`.
    pub fn person(&self) -> Result<UserId, Refusal> {
        self.authority.person()
    }

    /// Loads a stream; its version is re-checked at the append.
    ///
    /// # Errors
    /// The database did not answer, or a stored event cannot be read.
    pub async fn load<A: Decider>(&mut self, id: impl Into<Uuid>) -> Result<Arc<A>, Failure> {
        Ok(self.work.load::<A>(id.into()).await?)
    }

    /// As [`Self::load`], of several streams of one type: the queries do not grow with their number.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn load_all<A: Decider>(&mut self, ids: &[Uuid]) -> Result<Vec<Arc<A>>, Failure> {
        Ok(self.work.load_all::<A>(ids).await?)
    }

    /// Loads, decides and records what follows.
    ///
    /// # Errors
    /// The aggregate's refusal, or the journal's fault.
    pub async fn decide<A: Decider>(
        &mut self,
        id: impl Into<Uuid>,
        command: A::Command,
    ) -> Result<Vec<A::Event>, Failure> {
        let policy = Arc::clone(&self.policy);
        let decision = Decision { now: self.now, actor: self.authority.actor, policy: &policy };
        Ok(self.work.decide::<A>(id.into(), &decision, command).await?)
    }

    /// Lets go of everything decided so far and begins anew; `false` where what was read for it has
    /// changed meanwhile.
    ///
    /// # Errors
    /// The database did not answer.
    pub(crate) async fn begin_again(&mut self) -> Result<bool, Failure> {
        let still = self.work.still_holds().await?;
        let header = self.work.header().clone();
        self.work = self.journal().begin(header);
        load_policy(&mut self.work, self.now).await?;
        Ok(still)
    }

    /// Puts everything decided so far aside and goes on from what is written, to find out what a command
    /// would meet with; [`Self::take_up`] lets go of that.
    pub(crate) fn set_aside(&mut self) -> Work {
        let trial = self.journal().begin(self.work.header().clone());
        std::mem::replace(&mut self.work, trial)
    }

    /// Goes on from what was put aside. A refusal before that leaves the trial in its place, whose reads
    /// tell whether it holds.
    pub(crate) fn take_up(&mut self, aside: Work) {
        self.work = aside;
    }

    /// Whether an aggregate in this state would take a command; nothing is recorded.
    ///
    /// # Errors
    /// The aggregate's refusal.
    pub fn consider<A: Decider>(&self, state: &A, command: A::Command) -> Result<(), Refusal> {
        let policy = Arc::clone(&self.policy);
        let decision = Decision { now: self.now, actor: self.authority.actor, policy: &policy };
        state.decide(&decision, command).map(drop).map_err(Into::into)
    }

    /// Refuses when the client's view of a stream is out of date (GN-28). `expected` `None` means
    /// the client does not care.
    ///
    /// # Errors
    /// `VERSION_CONFLICT` naming the current version.
    pub async fn expect_version<A: Decider>(
        &mut self,
        id: impl Into<Uuid>,
        expected: Option<i64>,
    ) -> Result<(), Failure> {
        let Some(expected) = expected else { return Ok(()) };
        let id = id.into();
        self.work.load::<A>(id).await?;
        let current = self.work.version::<A>(id).unwrap_or(0);
        if current == expected {
            return Ok(());
        }
        Err(version_conflict(Some(current)).into())
    }
}

/// Somebody else was faster.
pub(crate) fn version_conflict(current: Option<i64>) -> Refusal {
    let refusal = Refusal::new(
        Code::VersionConflict,
        "Somebody changed this meanwhile. Load it again and repeat the change.",
    )
    .at("expectedVersion");
    refusal.details(current.map(|version| format!("currentVersion={version}")))
}

/// The tenant's policy at `now` and its version; the stream read is a guard of the work.
pub(crate) async fn load_policy(
    work: &mut Work,
    now: DateTime<Utc>,
) -> Result<(u64, Arc<Policy>), Failure> {
    let tenant = work.header().tenant;
    let history = work.load::<PolicyHistory>(tenant.policy_stream()).await?;
    let (version, policy) = history.at(now);
    Ok((version.0, Arc::clone(policy)))
}

/// The header of a command's append.
pub(crate) fn header(
    caller: &Caller,
    tenant: TenantId,
    name: &'static str,
    ids: (Uuid, [u8; 32]),
    now: DateTime<Utc>,
) -> Header {
    let causation_id = match caller.identity {
        crate::Identity::System { causation_id } => causation_id,
        crate::Identity::Anonymous
        | crate::Identity::Person { .. }
        | crate::Identity::ApiKey { .. } => None,
    };
    // A visitor's or a machine's address is sealed under the request's own id: erasable, and nobody's otherwise.
    let subject = caller.user().map_or(SubjectId(caller.correlation_id), SubjectId::from);
    Header {
        tenant,
        actor: caller.actor(),
        organization: caller.organization(),
        session: caller.session(),
        client_address: caller.address.map(|address| Sealed::new(subject, address.to_string())),
        correlation_id: caller.correlation_id,
        causation_id,
        command_id: ids.0,
        request_hash: ids.1,
        policy_version: 0,
        reason: None,
        occurred_at: now,
        command: name,
    }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::{
        access_requests::AccessRequest, affiliations::Affiliation, api_keys::ApiKey,
        audit::AuditExport,
    };

    use super::*;

    #[test]
    fn what_is_asked_for_by_organization_has_indexes() {
        let indexes = include_str!("../../migrations/0314_es_events_organizations_idx.sql");
        let types = [ApiKey::TYPE, AuditExport::TYPE, Affiliation::TYPE, AccessRequest::TYPE];
        for aggregate_type in types {
            assert_eq!(
                indexes.matches(&format!("'{aggregate_type}'")).count(),
                2,
                "{aggregate_type}"
            );
        }
    }
}
