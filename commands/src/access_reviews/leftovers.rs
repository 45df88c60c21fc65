//! What is left of access that a review took away or changed (GN-15).
//!
//! Invariant: what is looked up on streams is a guard of the append that says what was found; the access
//! register is asked as well, and nothing is granted or refused by its answer.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    access_reviews::Leftover,
    api_keys::ApiKey,
    audit::{AuditExport, LINK_WORKS_FOR},
    kernel::ids::{OrganizationId, TenantId, UserId},
    organizations::OrgRole,
    transactions::Handoff,
};
use uuid::Uuid;

use crate::{Context, Failure, sessions::acts_for};

/// A question to the access register.
#[derive(Clone, Copy, Debug)]
pub struct RegisterQuestion {
    pub tenant: TenantId,
    pub user: UserId,
    pub organization: OrganizationId,
    pub at: DateTime<Utc>,
    /// The place of the log that the register has to have come to.
    pub position: i64,
}

/// What the access register says of somebody in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Whether the membership is in effect, or any right.
    pub has_access: bool,
    pub role: OrgRole,
}

/// The access register, as the service around the commands reads it.
#[async_trait]
pub trait Register: Send + Sync {
    /// `None` where it has not come so far, or does not answer.
    async fn registered(&self, question: RegisterQuestion) -> Option<Registered>;
}

/// Whose access is looked at, and where.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub register: &'a dyn Register,
    pub user: UserId,
    pub organization: OrganizationId,
}

impl Look<'_> {
    /// What is left to somebody whose membership is over.
    pub async fn after_removal(self, cx: &mut Context<'_>) -> Result<Vec<Leftover>, Failure> {
        let mut left = Vec::new();
        if acts_for(cx, self.user, self.organization).await? {
            left.push(Leftover::Session);
        }
        left.extend(self.of_administrators(cx).await?);
        if self.is_handed_over(cx).await? {
            left.push(Leftover::HandOff);
        }
        let registered = self.registered(cx).await?;
        if registered.is_none_or(|it| it.has_access) {
            left.push(Leftover::Register);
        }
        Ok(left)
    }

    /// What is left to somebody who has this permission now.
    pub async fn after_change(
        self,
        cx: &mut Context<'_>,
        role: OrgRole,
    ) -> Result<Vec<Leftover>, Failure> {
        let mut left = match role {
            OrgRole::Admin => Vec::new(),
            OrgRole::None | OrgRole::Processor => self.of_administrators(cx).await?,
        };
        let registered = self.registered(cx).await?;
        if registered.is_none_or(|it| it.role != role) {
            left.push(Leftover::Register);
        }
        Ok(left)
    }

    /// What only administrators get and can use beside a session: the text of a machine's key, which is
    /// told to who made it, and links to files.
    async fn of_administrators(self, cx: &mut Context<'_>) -> Result<Vec<Leftover>, Failure> {
        let (tenant, journal) = (cx.tenant(), cx.journal());
        let keys = journal.streams_with(tenant, self.organization, ApiKey::TYPE).await?;
        let since = cx.now - LINK_WORKS_FOR;
        let files = (tenant, AuditExport::TYPE);
        let files = journal.streams_with_since(files, self.organization, since).await?;
        let (keys, files) =
            (cx.load_all::<ApiKey>(&keys).await?, cx.load_all::<AuditExport>(&files).await?);
        let (now, own) = (cx.now, Some(self.organization));
        let knows_key = keys.iter().any(|key| {
            let grant = key.usable(now).ok();
            grant.is_some_and(|grant| grant.by == self.user && grant.organization == own)
        });
        let has_link = files.iter().any(|file| {
            file.open_to(self.user, now).is_ok_and(|export| export.organization == own)
        });
        let found = [(knows_key, Leftover::ApiKey), (has_link, Leftover::Download)];
        Ok(found.into_iter().filter(|(is_left, _)| *is_left).map(|(_, left)| left).collect())
    }

    /// Whether a hand-off of theirs for the organisation could still be redeemed.
    async fn is_handed_over(self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let since = cx.now - cx.policy.handoff_ttl();
        let of = (cx.tenant(), Handoff::TYPE);
        let streams: Vec<Uuid> = cx.journal().streams_about_since(of, self.user, since).await?;
        let now = cx.now;
        let handoffs = cx.load_all::<Handoff>(&streams).await?;
        Ok(handoffs.iter().any(|handoff| {
            handoff.to_redeem(now).is_ok_and(|it| it.organization == self.organization)
        }))
    }

    async fn registered(self, cx: &Context<'_>) -> Result<Option<Registered>, Failure> {
        let Self { register, user, organization } = self;
        let position = cx.journal().tenant_position(cx.tenant()).await?;
        let question =
            RegisterQuestion { tenant: cx.tenant(), user, organization, at: cx.now, position };
        Ok(register.registered(question).await)
    }
}
