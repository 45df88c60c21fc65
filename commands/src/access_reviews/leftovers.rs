//! What is left of access that a review took away or changed (GN-15).
//!
//! Invariant: what is looked up on streams is a guard of the append that says what was found; the access
//! register is asked as well, and nothing is granted or refused by its answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    access_reviews::Leftover,
    audit::{AuditExport, LINK_WORKS_FOR},
    kernel::ids::{OrganizationId, TenantId, UserId},
    organizations::OrgRole,
    transactions::Handoff,
};
use uuid::Uuid;

use super::keys::working;
use crate::{Context, Failure, sessions::acts_for};

/// A question to the access register.
#[derive(Clone, Debug)]
pub struct RegisterQuestion {
    pub tenant: TenantId,
    pub organization: OrganizationId,
    /// Of whom.
    pub users: BTreeSet<UserId>,
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
    /// Of each of them; nobody where it has not come so far, or does not answer.
    async fn registered(&self, question: RegisterQuestion) -> BTreeMap<UserId, Registered>;
}

/// What is left of these people's access to one organisation, looked up together.
pub(super) struct Leftovers {
    organization: OrganizationId,
    /// Who was told the text of a key that works.
    knows_key: BTreeSet<UserId>,
    /// The files whose links somebody may still open.
    files: Vec<Arc<AuditExport>>,
    /// Whose hand-off could still be redeemed.
    is_handed_over: BTreeSet<UserId>,
    registered: BTreeMap<UserId, Registered>,
}

impl Leftovers {
    pub async fn look_up(
        cx: &mut Context<'_>,
        register: &dyn Register,
        (users, organization): (BTreeSet<UserId>, OrganizationId),
    ) -> Result<Self, Failure> {
        if users.is_empty() {
            return Ok(Self::of_nobody(organization));
        }
        let knows_key = knows_key(cx, organization).await?;
        let files = files(cx, organization).await?;
        let is_handed_over = is_handed_over(cx, &users, organization).await?;
        let (tenant, at) = (cx.tenant(), cx.now);
        let position = cx.journal().tenant_position(tenant).await?;
        let question = RegisterQuestion { tenant, organization, users, at, position };
        let registered = register.registered(question).await;
        Ok(Self { organization, knows_key, files, is_handed_over, registered })
    }

    const fn of_nobody(organization: OrganizationId) -> Self {
        Self {
            organization,
            knows_key: BTreeSet::new(),
            files: Vec::new(),
            is_handed_over: BTreeSet::new(),
            registered: BTreeMap::new(),
        }
    }

    /// What is left to somebody whose membership is over.
    pub async fn after_removal(
        &self,
        cx: &mut Context<'_>,
        user: UserId,
    ) -> Result<Vec<Leftover>, Failure> {
        let mut left = Vec::new();
        if acts_for(cx, user, self.organization).await? {
            left.push(Leftover::Session);
        }
        left.extend(self.of_administrators(cx.now, user));
        if self.is_handed_over.contains(&user) {
            left.push(Leftover::HandOff);
        }
        if self.registered.get(&user).is_none_or(|it| it.has_access) {
            left.push(Leftover::Register);
        }
        Ok(left)
    }

    /// What is left to somebody who has this permission now.
    pub fn after_change(&self, now: DateTime<Utc>, user: UserId, role: OrgRole) -> Vec<Leftover> {
        let mut left = match role {
            OrgRole::Admin => Vec::new(),
            OrgRole::None | OrgRole::Processor => self.of_administrators(now, user),
        };
        if self.registered.get(&user).is_none_or(|it| it.role != role) {
            left.push(Leftover::Register);
        }
        left
    }

    /// What only administrators get and can use beside a session: the text of a machine's key, which is
    /// told to who made it, and links to files.
    fn of_administrators(&self, now: DateTime<Utc>, user: UserId) -> Vec<Leftover> {
        let own = Some(self.organization);
        let has_link = self
            .files
            .iter()
            .any(|file| file.open_to(user, now).is_ok_and(|export| export.organization == own));
        let found =
            [(self.knows_key.contains(&user), Leftover::ApiKey), (has_link, Leftover::Download)];
        found.into_iter().filter(|(is_left, _)| *is_left).map(|(_, left)| left).collect()
    }
}

async fn knows_key(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<BTreeSet<UserId>, Failure> {
    Ok(working(cx, organization).await?.into_iter().map(|grant| grant.by).collect())
}

async fn files(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<Vec<Arc<AuditExport>>, Failure> {
    let since = cx.now - LINK_WORKS_FOR;
    let files = cx.streams_with::<AuditExport>(organization, Some(since)).await?;
    cx.load_all::<AuditExport>(&files).await
}

async fn is_handed_over(
    cx: &mut Context<'_>,
    users: &BTreeSet<UserId>,
    organization: OrganizationId,
) -> Result<BTreeSet<UserId>, Failure> {
    let (of, since) = ((cx.tenant(), Handoff::TYPE), cx.now - cx.policy.handoff_ttl());
    let streams: Vec<Uuid> = cx.journal().streams_about_since(of, users, since).await?;
    let (handoffs, now) = (cx.load_all::<Handoff>(&streams).await?, cx.now);
    let open = handoffs.iter().filter_map(|handoff| handoff.to_redeem(now).ok());
    Ok(open.filter(|it| it.organization == organization).map(|it| it.user).collect())
}
