//! `retention`: from when a person in the records may be erased, and what that goes by (GN-26).

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands, Failure,
    audit::{self as commands, RETENTION_READERS},
};
use rollcall_domain::{
    audit::retention::InEffect as Thing,
    kernel::ids::{OrganizationId, UserId},
};

use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    reading::{caller, read},
    scalars::{DateTime, Position},
};

/// What of a person is still in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum InEffectKind {
    /// They are asked to join an organisation.
    Invitation,
    /// They are a member of an organisation.
    Membership,
    /// They are asked to join the plan's people.
    PlanInvitation,
    /// They hold a role of the plan.
    PlanRole,
    /// They signed, or asked for, an affiliation that is in force.
    Signature,
}

/// Something of a person that is still in effect.
#[derive(Clone, Debug, SimpleObject)]
pub struct InEffect {
    pub kind: InEffectKind,
    pub organization_id: Option<ID>,
    pub affiliation_id: Option<ID>,
    /// The role of the plan.
    pub role: Option<String>,
}

/// How long a person in the records is kept: `years` by the tenant's calendar from the newest record
/// about them, and from when the last of what they were or signed ended, whichever is later.
#[derive(Clone, Debug, SimpleObject)]
pub struct Retention {
    pub user_id: ID,
    /// The policy's years, `audit.retention_years`.
    pub years: i32,
    /// When the newest record about the person was made; failed sign-ins, mail sent and what was
    /// decided about keeping do not count.
    pub last_recorded_at: Option<DateTime>,
    /// When the last of what they were or signed ended.
    pub last_in_effect_at: Option<DateTime>,
    /// While anything is, there is no end.
    pub in_effect: Vec<InEffect>,
    /// The first moment at which the person may be erased; absent while something is in effect.
    pub earliest_erasure_at: Option<DateTime>,
    /// How many legal holds cover the person; absent for those who may not know of holds.
    pub legal_holds: Option<i32>,
}

impl From<Thing> for InEffect {
    fn from(thing: Thing) -> Self {
        let none = |kind| Self { kind, organization_id: None, affiliation_id: None, role: None };
        let of = |kind, id: OrganizationId| Self {
            organization_id: Some(NodeType::Organization.id(id.0)),
            ..none(kind)
        };
        match thing {
            Thing::Invitation(organization) => of(InEffectKind::Invitation, organization),
            Thing::Membership(organization) => of(InEffectKind::Membership, organization),
            Thing::PlanInvitation => none(InEffectKind::PlanInvitation),
            Thing::PlanRole(role) => {
                Self { role: Some(role.as_str().to_owned()), ..none(InEffectKind::PlanRole) }
            }
            Thing::Signature(affiliation) => Self {
                affiliation_id: Some(NodeType::Affiliation.id(affiliation.0)),
                ..none(InEffectKind::Signature)
            },
        }
    }
}

impl Retention {
    fn of(user: UserId, found: commands::Retention) -> Self {
        let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            user_id: NodeType::User.id(user.0),
            years: i32::try_from(found.years).unwrap_or(i32::MAX),
            last_recorded_at: found.kept.last_recorded.map(DateTime::from),
            last_in_effect_at: found.kept.last_in_effect.map(DateTime::from),
            in_effect: found.kept.in_effect.into_iter().map(InEffect::from).collect(),
            earliest_erasure_at: found.until.map(DateTime::from),
            legal_holds: found.holds.map(number),
        }
    }
}

/// Questions about keeping.
#[derive(Default)]
pub struct RetentionQuery;

#[Object]
impl RetentionQuery {
    /// From when a person in the records may be erased, for auditors and administrators of the whole
    /// plan (GN-26; 45 CFR 164.316(b)(2)(i)). Null where nothing is known of them.
    async fn retention(
        &self,
        ctx: &Context<'_>,
        user_id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<Retention>> {
        let reading = read(ctx, Access::Plan(RETENTION_READERS), min_position).await?;
        let user: UserId = NodeType::User.parse(&user_id, "userId").map_err(top_level)?;
        let commands = ctx.data::<Commands>()?;
        match commands.retention(caller(ctx)?, &reading.authority, user).await {
            Ok(found) => Ok(found.map(|found| Retention::of(user, found))),
            Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
                Err(top_level(refusal))
            }
            Err(Failure::Journal(error)) => Err(fault(&error)),
            Err(Failure::Database(error)) => Err(fault(&error)),
        }
    }
}
