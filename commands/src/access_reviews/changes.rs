//! `OpenReviewOfChange`: the access of those whom a change concerns, reviewed at once (GN-15).
//!
//! Invariant: the policy in force when it is looked at decides whether there is a review; the same event
//! opens it once, and people under a review of theirs already get no second one.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::TimeDelta;
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{Changes, MOST_PEOPLE, Opener, ReviewScope, Split},
    affiliations::Affiliation,
    imports::{LineOutcome, PeopleImport},
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    organizations::{OrgRole, Organization, OrganizationEvent},
    policies::ReviewedChange,
    users::credential::Credential,
};
use uuid::Uuid;

use super::{
    OPEN,
    open::{open, open_one, reviewed},
    open_key,
};
use crate::{Access, Command, Context, Failure, organizations::members::Watch};

/// Who has not signed in for so many days is dormant when a right is granted to them.
const DORMANT_DAYS: i64 = 90;
/// How long until it is looked again whether an import is done.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// A change in an organisation, as the scheduler noted it.
#[derive(Clone, Copy, Debug)]
pub struct WhatChanged {
    pub change: ReviewedChange,
    pub organization: OrganizationId,
    /// Whom it concerns; absent where the stream tells.
    pub user: Option<UserId>,
    /// The stream on which it happened, and the event.
    pub stream: Uuid,
    pub event: Uuid,
}

/// Opens a review of those whom a change concerns, if the policy has such changes reviewed.
pub struct OpenReviewOfChange(pub WhatChanged);

#[async_trait]
impl Command for OpenReviewOfChange {
    const NAME: &'static str = "OpenReviewOfChange";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let Self(what) = self;
        if !cx.policy.review().changes.contains(&what.change) {
            return Ok(Watch::Over);
        }
        let roster = cx.load::<Organization>(what.organization).await?;
        if !roster.is_active() {
            return Ok(Watch::Over);
        }
        let Some(concerned) = what.concerned(cx).await? else {
            return Ok(Watch::On(Some(cx.now + LOOK_AGAIN)));
        };
        let now = cx.now;
        let here = concerned.into_iter().filter(|user| roster.is_active_member(*user, now));
        let here: Vec<UserId> = here.collect();
        for (nth, people) in here.chunks(MOST_PEOPLE).enumerate() {
            what.review(cx, nth, people).await?;
        }
        Ok(Watch::Over)
    }
}

impl WhatChanged {
    /// Those whom it concerns, in order; `None` while that is not known yet.
    async fn concerned(&self, cx: &mut Context<'_>) -> Result<Option<BTreeSet<UserId>>, Failure> {
        let one = BTreeSet::from_iter(self.user);
        match self.change {
            ReviewedChange::NewAdministrator => {
                let roster = cx.load::<Organization>(self.organization).await?;
                let is_one = |user: &UserId| {
                    roster.member(*user).is_some_and(|member| member.role == OrgRole::Admin)
                };
                Ok(Some(one.into_iter().filter(is_one).collect()))
            }
            ReviewedChange::GrantedWhileDormant => {
                let mut dormant = BTreeSet::new();
                for user in one {
                    if self.is_dormant(cx, user).await? {
                        dormant.insert(user);
                    }
                }
                Ok(Some(dormant))
            }
            ReviewedChange::AffiliationEnded => self.worked_under(cx).await.map(Some),
            ReviewedChange::Moved if self.user.is_some() => Ok(Some(one)),
            ReviewedChange::Moved => self.merged(cx).await.map(Some),
            ReviewedChange::Imported => self.imported(cx).await,
        }
    }

    /// Whether they neither came nor signed in for long. Not guarded: whoever signs in at that moment is
    /// reviewed once more than needed.
    async fn is_dormant(&self, cx: &mut Context<'_>, user: UserId) -> Result<bool, Failure> {
        let roster = cx.load::<Organization>(self.organization).await?;
        let came = roster.member(user).and_then(|member| member.active_since);
        let account = cx.load::<Credential>(cx.tenant().credential_stream(user)).await?;
        let since = cx.policy.time_zone().days_later(cx.now, -DORMANT_DAYS);
        Ok(came.max(account.seen_at()).is_some_and(|seen| seen <= since))
    }

    /// The submitter's people who were assigned NPIs of the provider, once the affiliation is over.
    async fn worked_under(&self, cx: &mut Context<'_>) -> Result<BTreeSet<UserId>, Failure> {
        let state = cx.load::<Affiliation>(self.stream).await?;
        let ended = match &*state {
            Affiliation::Terminated { affiliated, ending } if ending.ends_at <= cx.now => {
                affiliated
            }
            Affiliation::NotRequested
            | Affiliation::Requested(_)
            | Affiliation::Active(_)
            | Affiliation::Terminated { .. }
            | Affiliation::Closed { .. } => return Ok(BTreeSet::new()),
        };
        Ok(ended.assigned().map(|(user, _)| user).collect())
    }

    /// Who came with the organisation on whose stream it happened.
    async fn merged(&self, cx: &mut Context<'_>) -> Result<BTreeSet<UserId>, Failure> {
        let events = cx.journal().events::<Organization>(cx.tenant(), self.stream).await?;
        let came = events.into_iter().filter_map(|event| {
            let OrganizationEvent::MemberMoved { user, into, .. } = event else { return None };
            (into == self.organization).then_some(user)
        });
        Ok(came.collect())
    }

    /// Whom the import brought into the organisation, once it is done.
    async fn imported(&self, cx: &mut Context<'_>) -> Result<Option<BTreeSet<UserId>>, Failure> {
        let import = cx.load::<PeopleImport>(self.stream).await?;
        if import.next_line().is_some() {
            return Ok(None);
        }
        let brought = import.results().iter().filter(|result| {
            result.organization == Some(self.organization)
                && matches!(result.outcome, LineOutcome::Imported | LineOutcome::Updated)
        });
        Ok(Some(brought.filter_map(|result| result.user).collect()))
    }

    async fn review(
        &self,
        cx: &mut Context<'_>,
        nth: usize,
        people: &[UserId],
    ) -> Result<(), Failure> {
        let Self { change, organization, event, .. } = *self;
        let scope = ReviewScope::People { users: people.iter().copied().collect() };
        if open_one(cx, organization, &scope).await?.is_some() {
            return Ok(());
        }
        let stream = cx.tenant().review_of_change_stream(event, organization, nth);
        let review = (AccessReviewId(stream), Opener::ByChange { change, event });
        let list = (Split::all_of(reviewed(cx, organization, &scope).await?), Changes::All);
        if open(cx, review, (organization, scope.clone()), list, (None, None)).await? {
            // Whoever was faster by hand is found at the next try.
            let taken = Refusal::new(Code::VersionConflict, "Somebody opened a review meanwhile.");
            cx.work.reserve(OPEN, &open_key(organization, &scope), stream, taken);
        }
        Ok(())
    }
}
