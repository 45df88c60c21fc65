//! The version a client saw, checked for any command in one place (GN-28).
//!
//! Invariant: a command that was decided on an outdated view changes nothing; who may not see the
//! entity does not learn its version, because the command's own refusals come first.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    access_requests::AccessRequest,
    access_reviews::template::ReviewTemplate,
    api_keys::Scope,
    kernel::ids::{
        AccessRequestId, InvitationId, JobRoleId, MembershipId, OrganizationId, ReviewTemplateId,
        TenantId, UserId,
    },
    organizations::Organization,
    permissions::{JobRole, Membership},
    pins::Pin,
    policies::Feature,
    tenants::PlanStaff,
    users::invitation::Invitation,
    values::Npi,
};

use crate::{Access, Caller, Command, Context, Failure, context::version_conflict};

/// Something with a version that clients see.
#[derive(Clone, Debug)]
pub enum Entity {
    Organization(OrganizationId),
    /// A person in an organisation.
    Member(OrganizationId, UserId),
    /// The person whom an invitation is for, in its organisation.
    Invited(InvitationId),
    AccessRequest(AccessRequestId),
    JobRole(JobRoleId),
    /// An NPI's PIN; its version counts the PINs there were.
    Pin(Npi),
    PlanStaff(UserId),
    ReviewTemplate(ReviewTemplateId),
}

impl Entity {
    /// The version as it stands, 0 for what is not there.
    async fn version(&self, cx: &mut Context<'_>) -> Result<i64, Failure> {
        let tenant = cx.tenant();
        Ok(match self {
            Self::Organization(id) => {
                cx.load::<Organization>(*id).await?;
                cx.work.version::<Organization>(*id).unwrap_or(0)
            }
            Self::Member(organization, user) => member(cx, *organization, *user).await?,
            Self::Invited(invitation) => {
                let state = cx.load::<Invitation>(*invitation).await?;
                match state.invited().map(|invited| (invited.organization, invited.user)) {
                    Some((Some(organization), user)) => member(cx, organization, user).await?,
                    Some((None, _)) | None => {
                        cx.work.version::<Invitation>(*invitation).unwrap_or(0)
                    }
                }
            }
            Self::AccessRequest(id) => {
                cx.load::<AccessRequest>(*id).await?;
                cx.work.version::<AccessRequest>(*id).unwrap_or(0)
            }
            Self::JobRole(id) => {
                cx.load::<JobRole>(*id).await?;
                cx.work.version::<JobRole>(*id).unwrap_or(0)
            }
            Self::Pin(npi) => {
                let pin = cx.load::<Pin>(tenant.pin_stream(npi)).await?;
                pin.holding().map_or(0, |holding| i64::from(holding.version))
            }
            Self::PlanStaff(user) => {
                let stream = tenant.plan_staff_stream(*user);
                cx.load::<PlanStaff>(stream).await?;
                cx.work.version::<PlanStaff>(stream).unwrap_or(0)
            }
            Self::ReviewTemplate(id) => {
                cx.load::<ReviewTemplate>(*id).await?;
                cx.work.version::<ReviewTemplate>(*id).unwrap_or(0)
            }
        })
    }
}

async fn member(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<i64, Failure> {
    let roster = cx.load::<Organization>(organization).await?;
    let facts = roster.member(user).map_or(0, |member| member.facts);
    let stream = MembershipId::of(cx.tenant(), user, organization);
    cx.load::<Membership>(stream).await?;
    Ok(facts + cx.work.version::<Membership>(stream).unwrap_or(0))
}

/// A command with the version of what it changes that the client saw.
pub struct Seen<C> {
    pub command: C,
    pub entity: Entity,
    /// `None`: the client does not care.
    pub version: Option<i64>,
}

#[async_trait]
impl<C: Command> Command for Seen<C> {
    const NAME: &'static str = C::NAME;
    const SECRET_OUTPUT: bool = C::SECRET_OUTPUT;
    const FOR_VISITORS: bool = C::FOR_VISITORS;
    const ANSWERS_ON_THE_BEAT: bool = C::ANSWERS_ON_THE_BEAT;
    const SCOPE: Option<Scope> = C::SCOPE;
    const FEATURE: Option<Feature> = C::FEATURE;
    type Output = C::Output;

    fn access(&self) -> Access {
        self.command.access()
    }

    fn tenant(&self, caller: &Caller) -> TenantId {
        self.command.tenant(caller)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<C::Output, Failure> {
        let Some(seen) = self.version else { return self.command.handle(cx).await };
        let current = self.entity.version(cx).await?;
        match self.command.handle(cx).await {
            // Nothing of what was decided is written.
            Ok(_) if current != seen => Err(version_conflict(Some(current)).into()),
            Err(Failure::Refused(refusal)) if current != seen && !hides(&refusal) => {
                Err(version_conflict(Some(current)).into())
            }
            decided => decided,
        }
    }
}

/// Whether a refusal says that the caller has no business with the entity.
fn hides(refusal: &Refusal) -> bool {
    matches!(
        refusal.code,
        Code::NotFound
            | Code::Forbidden
            | Code::NotOrgAdmin
            | Code::NotAMember
            | Code::NotCounterparty
            | Code::NpiNotPermitted
            | Code::FeatureDisabled
            | Code::FeatureComingSoon
    )
}
