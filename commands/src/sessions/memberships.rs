//! For which organisations a person may act.
//!
//! Invariant: asked of the organisations' own streams, so the answer is what authorisation would
//! say a moment later; an organisation without a contract is none to act for where the portal
//! serves no other (CC-01).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider, Refusal,
    kernel::ids::{OrganizationId, TenantId, UserId},
    organizations::{OrgRole, Organization, OrganizationKind},
    policies::{Policy, PolicyHistory},
};
use rollcall_journal::Journal;
use serde::{Deserialize, Serialize};

use crate::{Context, Failure};

/// An organisation that a person may act for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveMembership {
    pub organization: OrganizationId,
    pub name: String,
    pub kinds: BTreeSet<OrganizationKind>,
    pub role: OrgRole,
    pub joined_at: Option<DateTime<Utc>>,
    /// It came by a token during a session and shows from the next one on (MC-11).
    pub effective_from_next_login: bool,
}

/// What a person belongs to, as far as a session may see it.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    /// What they may act for, by name.
    pub open: Vec<ActiveMembership>,
    /// What they could act for if it had a contract, and what they are told.
    pub barred: BTreeMap<OrganizationId, Refusal>,
}

/// The active memberships of `user` in open organisations that a session begun at `started_at` may
/// see, by name.
///
/// # Errors
/// The database did not answer, or a stored event cannot be read.
pub async fn memberships_of(
    journal: &Journal,
    tenant: TenantId,
    (user, started_at): (UserId, DateTime<Utc>),
) -> Result<Vec<ActiveMembership>, Failure> {
    let now = journal.now();
    let policies = journal.load_fresh::<PolicyHistory>(tenant, tenant.policy_stream()).await?;
    let (_, policy) = policies.state.at(now);
    let mut found = Memberships::default();
    for id in journal.streams_about(tenant, user, Organization::TYPE).await? {
        let organization = journal.load_fresh::<Organization>(tenant, id).await?.state;
        found.add(membership(&organization, user, (started_at, now)), &organization, policy, now);
    }
    Ok(found.by_name().open)
}

/// An organisation's name and kinds as somebody's sessions show them; `None` if it is not enrolled.
///
/// # Errors
/// As [`memberships_of`].
pub async fn organization_shown(
    journal: &Journal,
    tenant: TenantId,
    id: OrganizationId,
) -> Result<Option<(String, BTreeSet<OrganizationKind>)>, Failure> {
    let organization = journal.load_fresh::<Organization>(tenant, id.0).await?.state;
    Ok(organization.record().map(|record| (record.name.to_string(), record.kinds.clone())))
}

/// As [`memberships_of`], within a command: what was read is checked again at the append.
pub(crate) async fn memberships_within(
    cx: &mut Context<'_>,
    (user, started_at): (UserId, DateTime<Utc>),
) -> Result<Memberships, Failure> {
    let mut found = Memberships::default();
    for id in cx.journal().streams_about(cx.tenant(), user, Organization::TYPE).await? {
        let organization = cx.load::<Organization>(id).await?;
        let membership = membership(&organization, user, (started_at, cx.now));
        found.add(membership, &organization, &cx.policy, cx.now);
    }
    Ok(found.by_name())
}

impl Memberships {
    fn add(
        &mut self,
        membership: Option<ActiveMembership>,
        organization: &Organization,
        policy: &Policy,
        now: DateTime<Utc>,
    ) {
        let Some(membership) = membership else { return };
        match organization.check_contract(policy, now) {
            Ok(()) => self.open.push(membership),
            Err(refusal) => {
                self.barred.insert(membership.organization, refusal.into());
            }
        }
    }

    fn by_name(mut self) -> Self {
        self.open.sort_by(|a, b| (&a.name, a.organization).cmp(&(&b.name, b.organization)));
        self
    }
}

fn membership(
    organization: &Organization,
    user: UserId,
    (started_at, now): (DateTime<Utc>, DateTime<Utc>),
) -> Option<ActiveMembership> {
    let member = organization.member(user);
    let member = member.filter(|it| it.is_visible_to_session(started_at, now))?;
    let record = organization.record().filter(|_| organization.is_active())?;
    Some(ActiveMembership {
        organization: record.organization,
        name: record.name.to_string(),
        kinds: record.kinds.clone(),
        role: member.role,
        joined_at: member.joined_at,
        effective_from_next_login: member.effective_from_next_login,
    })
}
