//! The scheduler's task: has what is due written down by ordinary commands as the actor SYSTEM.
//!
//! Invariant: an end is carried out at most once, because its command id follows from it; a refusal
//! means that the aggregate knows better, and the matter is closed.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    Code,
    kernel::ids::{
        AccessRequestId, AccessReviewId, AffiliationId, CampaignId, InvitationId, OrganizationId,
        PeopleImportId, RegistrationTokenId, ReviewTemplateId,
    },
    notifications::Frequency,
    permissions::{Entitlement, NpiScope, membership::MembershipKey},
    tenants::PlanRole,
    values::Npi,
};
use sqlx::{PgConnection, PgPool};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    ExpireGrant, ExpireNpiPermission, ExpirePlanRole,
    changes::ChangeDetail,
    due::{self, Due},
    kind::Kind,
};
use crate::{
    Caller, Command, Commands, DispatchError, NO_KEY,
    access_requests::ExpireAccessRequest,
    access_reviews::{
        ContinueReview, ContinueReviewCampaign, Coverage, OpenDueReviewTemplate,
        OpenReviewOfChange, OpenScheduledReview, Register, VerifyReviewItems, WatchAccessReview,
        WhatChanged,
    },
    affiliations::ExpireAffiliation,
    audit::WatchActivityReview,
    imports::ContinuePeopleImport,
    notifications::{SendDigest, waiting},
    organizations::{
        CarryOutNpiEnd,
        members::{CarryOutMembershipEnd, Watch, WatchDormant, WatchUnassigned},
        merging::{ContinueMerge, Progress},
        tokens::ExpireRegistrationToken,
    },
    pins::CompletePinPropagation,
    processes::Pace,
    users::{AgePassword, ExpireLock, invitation::ExpireInvitation},
};

/// What becomes of a row that was carried out.
enum Next {
    /// It is over.
    Never,
    /// It is looked at again then or, without a time, when the policy changes.
    Again(Option<DateTime<Utc>>),
}

impl From<Watch> for Next {
    fn from(watch: Watch) -> Self {
        match watch {
            Watch::Over => Self::Never,
            Watch::On(at) => Self::Again(at),
        }
    }
}

/// Carries out what is due.
pub struct Scheduler {
    pub commands: Commands,
    /// Connections as the runner role.
    pub pool: PgPool,
    /// What reviews of access ask whether it agrees.
    pub register: Arc<dyn Register>,
    /// What templates of campaigns ask which organisations there are.
    pub coverage: Arc<dyn Coverage>,
}

impl Scheduler {
    /// Works until `stopping` is true.
    #[must_use]
    pub fn spawn(self, pace: Pace, stopping: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            pace.drive(stopping, "what is due could not be looked up", || self.carry_out_one())
                .await;
        })
    }

    /// Carries out one end; `false` when nothing is due.
    async fn carry_out_one(&self) -> Result<bool, sqlx::Error> {
        let now = self.commands.journal.now();
        let mut tx = self.pool.begin().await?;
        let Some(due) = due::claim(&mut tx, now).await? else { return Ok(false) };
        match self.carry_out(&mut tx, &due).await {
            Ok(Next::Never) => due::done(&mut tx, &due).await?,
            Ok(Next::Again(at)) => due::again(&mut tx, &due, at).await?,
            Err(DispatchError::Refused(refusal)) if refusal.code == Code::VersionConflict => {
                due::put_off(&mut tx, &due, now).await?;
            }
            Err(DispatchError::Refused(refusal)) => {
                tracing::debug!(?due, %refusal, "nothing ends any more");
                due::done(&mut tx, &due).await?;
            }
            Err(DispatchError::Fault(error)) => {
                tracing::warn!(?due, error, "an end was not written down; it is tried again");
                due::put_off(&mut tx, &due, now).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn carry_out(&self, tx: &mut PgConnection, due: &Due) -> Result<Next, DispatchError> {
        let unfit = || DispatchError::Fault(format!("a due time of no known shape: {due:?}"));
        match due.kind().ok_or_else(unfit)? {
            Kind::Invitation => {
                let invitation = InvitationId(due.stream_id);
                self.send(due, &ExpireInvitation { invitation }).await
            }
            Kind::RegistrationToken => {
                let token = RegistrationTokenId(due.stream_id);
                self.send(due, &ExpireRegistrationToken { token }).await
            }
            Kind::AffiliationRequest => {
                let affiliation = AffiliationId(due.stream_id);
                self.send(due, &ExpireAffiliation { affiliation }).await
            }
            Kind::AccessRequest => {
                let request = AccessRequestId(due.stream_id);
                self.send(due, &ExpireAccessRequest { request }).await
            }
            Kind::Lock => {
                let user = due.subject().ok_or_else(unfit)?;
                self.send(due, &ExpireLock { user }).await
            }
            Kind::NpiPermission => {
                let (user, organization) =
                    due.subject().zip(due.organization()).ok_or_else(unfit)?;
                let npi = scope(&due.detail).ok_or_else(unfit)?;
                let of = MembershipKey { user, organization };
                self.send(due, &ExpireNpiPermission { of, npi }).await
            }
            Kind::Grant => {
                let (user, organization) =
                    due.subject().zip(due.organization()).ok_or_else(unfit)?;
                let entitlement = Entitlement::read(&due.detail).ok_or_else(unfit)?;
                let of = MembershipKey { user, organization };
                self.send(due, &ExpireGrant { of, entitlement }).await
            }
            Kind::PlanRole => {
                let user = due.subject().ok_or_else(unfit)?;
                let role = PlanRole::parse(&due.detail).ok_or_else(unfit)?;
                self.send(due, &ExpirePlanRole { user, role }).await
            }
            Kind::PinPropagation => {
                let version = due.detail.parse().map_err(|_| unfit())?;
                let stream = due.stream_id;
                self.send(due, &CompletePinPropagation { stream, version }).await
            }
            Kind::Digest => {
                let user = due.subject().ok_or_else(unfit)?;
                let frequency = Frequency::parse(&due.detail).ok_or_else(unfit)?;
                let notifications = waiting(tx, due.tenant, user, frequency)
                    .await
                    .map_err(|error| DispatchError::Fault(error.to_string()))?;
                self.send(due, &SendDigest { user, frequency, notifications }).await
            }
            Kind::PasswordAge => {
                let user = due.subject().ok_or_else(unfit)?;
                Ok(Next::Again(self.dispatch(due, &AgePassword { user }).await?))
            }
            Kind::PeopleImport => {
                let import = PeopleImportId(due.stream_id);
                self.send(due, &ContinuePeopleImport { import }).await
            }
            Kind::NpiEnd => {
                let organization = OrganizationId(due.stream_id);
                let npi = Npi::parse(&due.detail).map_err(|_| unfit())?;
                self.send(due, &CarryOutNpiEnd { organization, npi }).await
            }
            Kind::MembershipEnd => {
                let (user, organization) =
                    due.subject().zip(due.organization()).ok_or_else(unfit)?;
                let of = MembershipKey { user, organization };
                self.send(due, &CarryOutMembershipEnd { of }).await
            }
            Kind::OrganizationMerge => {
                let from = OrganizationId(due.stream_id);
                match self.dispatch(due, &ContinueMerge { from }).await {
                    Ok(Progress::Made) => Ok(Next::Never),
                    Ok(Progress::Waits) => Ok(Next::Again(Some(self.in_a_minute()))),
                    // Half a merger is never left lying: what stands in its way may go away.
                    Err(DispatchError::Refused(refusal))
                        if refusal.code != Code::VersionConflict =>
                    {
                        tracing::warn!(%from, %refusal, "a merger does not go on");
                        Ok(Next::Again(Some(self.in_a_minute())))
                    }
                    Err(other) => Err(other),
                }
            }
            Kind::ActivityReview => {
                Ok(Next::Again(self.dispatch(due, &WatchActivityReview).await?))
            }
            Kind::ReviewOpening => {
                let organization = OrganizationId(due.stream_id);
                let opened = self.dispatch(due, &OpenScheduledReview { organization }).await;
                self.or_tomorrow(due, opened)
            }
            Kind::ReviewCampaign => {
                let campaign = CampaignId(due.stream_id);
                Ok(self.dispatch(due, &ContinueReviewCampaign { campaign }).await?.into())
            }
            Kind::ReviewTemplate => {
                let template = ReviewTemplateId(due.stream_id);
                let open = OpenDueReviewTemplate { template, coverage: self.coverage.clone() };
                let opened = self.dispatch(due, &open).await;
                self.or_tomorrow(due, opened)
            }
            Kind::AccessReview => {
                let review = AccessReviewId(due.stream_id);
                Ok(self.dispatch(due, &WatchAccessReview { review }).await?.into())
            }
            Kind::ReviewExecution => {
                let review = AccessReviewId(due.stream_id);
                let (portion, register) =
                    (due.detail.parse().map_err(|_| unfit())?, self.register.clone());
                let verify = VerifyReviewItems { review, portion, register };
                Ok(self.dispatch(due, &verify).await?.into())
            }
            Kind::ReviewedChange => {
                let ChangeDetail { change, organization, user } =
                    ChangeDetail::parse(&due.detail).ok_or_else(unfit)?;
                let (stream, event) = (due.stream_id, due.source_event);
                let what = WhatChanged { change, organization, user, stream, event };
                Ok(self.dispatch(due, &OpenReviewOfChange(what)).await?.into())
            }
            Kind::ReviewClosing => {
                let review = AccessReviewId(due.stream_id);
                self.send(due, &ContinueReview { review }).await
            }
            Kind::Unassigned => {
                let (user, organization) =
                    due.subject().zip(due.organization()).ok_or_else(unfit)?;
                let of = MembershipKey { user, organization };
                Ok(self.dispatch(due, &WatchUnassigned { of }).await?.into())
            }
            Kind::Dormant => {
                let (user, organization) =
                    due.subject().zip(due.organization()).ok_or_else(unfit)?;
                let of = MembershipKey { user, organization };
                Ok(self.dispatch(due, &WatchDormant { of }).await?.into())
            }
        }
    }

    /// A schedule goes on, whatever stands in the way of one opening.
    fn or_tomorrow(
        &self,
        due: &Due,
        opened: Result<Watch, DispatchError>,
    ) -> Result<Next, DispatchError> {
        match opened {
            Ok(watch) => Ok(watch.into()),
            Err(DispatchError::Refused(refusal)) if refusal.code != Code::VersionConflict => {
                tracing::warn!(?due, %refusal, "reviews were not opened");
                let tomorrow = self.commands.journal.now() + TimeDelta::days(1);
                Ok(Next::Again(Some(tomorrow)))
            }
            Err(other) => Err(other),
        }
    }

    fn in_a_minute(&self) -> DateTime<Utc> {
        self.commands.journal.now() + TimeDelta::minutes(1)
    }

    /// An end, once.
    async fn send<C: Command>(&self, due: &Due, command: &C) -> Result<Next, DispatchError> {
        self.dispatch(due, command).await?;
        Ok(Next::Never)
    }

    async fn dispatch<C: Command>(
        &self,
        due: &Due,
        command: &C,
    ) -> Result<C::Output, DispatchError> {
        let caller = Caller::system(due.tenant, due.correlation_id, Some(due.source_event));
        let receipt =
            self.commands.dispatch_as(&caller, (due.command_id(), NO_KEY), command).await?;
        Ok(receipt.output)
    }
}

/// Reads an NPI, or the sign for all of them, back.
fn scope(detail: &str) -> Option<NpiScope> {
    if detail == NpiScope::All.to_string() {
        return Some(NpiScope::All);
    }
    Npi::parse(detail).ok().map(NpiScope::One)
}
