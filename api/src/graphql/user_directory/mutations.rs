//! `assignOrgRole`, `deactivateUser`, `reactivateUser`, `removeEmailDomain`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{
    Access, Entity,
    organizations::members::{
        AssignOrgRole, CancelUserDeactivation, DeactivateUser, FormerPermissions, ReactivateUser,
        RemoveEmailDomain,
    },
    permissions::DIRECTORY_READERS,
};
use rollcall_domain::{
    Refusal,
    values::{CalendarDate, Reason},
};

use super::{
    loading::{domains, read_back, user_of_input},
    types::{EmailDomain, User},
};
use crate::graphql::{
    ids::NodeType,
    reading::read,
    scalars::Date,
    sending::{MutationMeta, as_seen, payload, send},
    vocabulary::{OrgRole, field},
};

/// Gives a member, or an invited person, an organisation-wide role (MC-47).
#[derive(InputObject)]
pub struct AssignOrgRoleInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub role: OrgRole,
    /// Required of plan staff (GN-10).
    pub reason: Option<String>,
    /// What shows that plan staff had to appoint an administrator, such as the organization's letter;
    /// required of them then (CC-07).
    pub evidence: Option<String>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl AssignOrgRoleInput {
    fn command(&self) -> Result<AssignOrgRole, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let reason = self.reason.as_deref().map(Reason::parse).transpose();
        Ok(AssignOrgRole {
            organization,
            user,
            role: self.role.into(),
            reason: field("reason", reason)?,
            evidence: evidence(self.evidence.as_deref())?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

fn evidence(text: Option<&str>) -> Result<Option<Reason>, Refusal> {
    field("evidence", text.map(Reason::parse).transpose())
}

/// Ends a person's membership until they are reactivated (MC-30).
#[derive(InputObject)]
pub struct DeactivateUserInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// The administrator confirmed it.
    pub confirm: bool,
    /// Required.
    pub reason: Option<String>,
    /// What shows that plan staff had to suspend an administrator; required of them then (CC-07).
    pub evidence: Option<String>,
    /// The last day at work, if it is another than today. With a later one the membership ends after
    /// that day, in the portal's time zone, and `cancelUserDeactivation` calls that off (GN-04).
    pub left_on: Option<Date>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl DeactivateUserInput {
    fn command(&self) -> Result<DeactivateUser, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let left_on = self.left_on.as_ref().map(|day| CalendarDate::parse(&day.0)).transpose();
        Ok(DeactivateUser {
            organization,
            user,
            confirmed: self.confirm,
            reason: field("reason", Reason::parse(self.reason.as_deref().unwrap_or_default()))?,
            evidence: evidence(self.evidence.as_deref())?,
            left_on: field("leftOn", left_on)?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// A deactivation still to come, to be called off (GN-04).
#[derive(InputObject)]
pub struct CancelUserDeactivationInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl CancelUserDeactivationInput {
    fn command(&self) -> Result<CancelUserDeactivation, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let expected_version = self.expected_version.map(i64::from);
        Ok(CancelUserDeactivation { organization, user, expected_version })
    }
}

/// Makes a deactivated member active again (MC-31).
#[derive(InputObject)]
pub struct ReactivateUserInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// The administrator confirmed it; without, the refusal's `details` list what would return.
    pub confirm: bool,
    /// `true`: the former permissions were read and return. `false`: the member begins without
    /// any. Needed after a long time away (GN-12); else they return as they were.
    pub confirm_permissions: Option<bool>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl ReactivateUserInput {
    fn command(&self) -> Result<ReactivateUser, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let permissions = self.confirm_permissions.map(|confirmed| {
            if confirmed { FormerPermissions::Confirmed } else { FormerPermissions::Removed }
        });
        Ok(ReactivateUser {
            organization,
            user,
            confirmed: self.confirm,
            permissions,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// Takes an email domain off the list (MC-14).
#[derive(InputObject)]
pub struct RemoveEmailDomainInput {
    pub organization_id: ID,
    pub domain: String,
    /// The organisation's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl RemoveEmailDomainInput {
    fn command(&self) -> Result<RemoveEmailDomain, Refusal> {
        let organization = NodeType::Organization.parse(&self.organization_id, "organizationId")?;
        RemoveEmailDomain::parse(organization, &self.domain)
    }
}

payload! {
    /// What became of `assignOrgRole`.
    AssignOrgRolePayload { user: User }
}
payload! {
    /// What became of `deactivateUser`.
    DeactivateUserPayload { user: User }
}
payload! {
    /// What became of `cancelUserDeactivation`.
    CancelUserDeactivationPayload { user: User }
}
payload! {
    /// What became of `reactivateUser`.
    ReactivateUserPayload { user: User }
}
payload! {
    /// What became of `removeEmailDomain`.
    RemoveEmailDomainPayload {
        /// The domains that remain.
        email_domains: Vec<EmailDomain>
    }
}

/// Commands on an organisation's people.
#[derive(Default)]
pub struct UserAdministrationMutation;

#[Object]
impl UserAdministrationMutation {
    /// Gives a member an organisation-wide role. Refusals: NOT_ORG_ADMIN, LAST_ADMIN, SELF_GRANT,
    /// FORBIDDEN (who makes administrators is the policy's word), REASON_REQUIRED, EVIDENCE_REQUIRED,
    /// VERSION_CONFLICT.
    async fn assign_org_role(
        &self,
        ctx: &Context<'_>,
        input: AssignOrgRoleInput,
    ) -> Result<AssignOrgRolePayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(AssignOrgRolePayload::of(sent, user))
    }

    /// Deactivates a member; sessions that act for the organisation end at once. With a later last day
    /// at work that comes at its end (GN-04). Refusals: NOT_ORG_ADMIN, CONFIRMATION_REQUIRED,
    /// REASON_REQUIRED, LAST_ADMIN, ALREADY_INACTIVE, ALREADY_DECIDED (an end is planned).
    async fn deactivate_user(
        &self,
        ctx: &Context<'_>,
        input: DeactivateUserInput,
    ) -> Result<DeactivateUserPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(DeactivateUserPayload::of(sent, user))
    }

    /// Calls off a deactivation that is still to come (GN-04). Refusals: NOT_ORG_ADMIN, NOT_PENDING,
    /// SELF_GRANT, VERSION_CONFLICT.
    async fn cancel_user_deactivation(
        &self,
        ctx: &Context<'_>,
        input: CancelUserDeactivationInput,
    ) -> Result<CancelUserDeactivationPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(CancelUserDeactivationPayload::of(sent, user))
    }

    /// Reactivates a member. Refusals: NOT_ORG_ADMIN, CONFIRMATION_REQUIRED (its `details` list the
    /// former permissions), NOT_INACTIVE.
    async fn reactivate_user(
        &self,
        ctx: &Context<'_>,
        input: ReactivateUserInput,
    ) -> Result<ReactivateUserPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(ReactivateUserPayload::of(sent, user))
    }

    /// Removes a domain that no active user has. Refusals: NOT_ORG_ADMIN, DOMAIN_IN_USE (its
    /// `details` list the users), NOT_FOUND.
    async fn remove_email_domain(
        &self,
        ctx: &Context<'_>,
        input: RemoveEmailDomainInput,
    ) -> Result<RemoveEmailDomainPayload> {
        let command = input.command();
        let organization = command.as_ref().map(|command| command.organization).ok();
        let command =
            as_seen(command, input.expected_version, |it| Entity::Organization(it.organization));
        let sent = send(ctx, input.meta, command).await?;
        let selected = ctx.look_ahead().field("emailDomains").exists();
        let left = match organization.filter(|_| selected && sent.output.is_some()) {
            Some(organization) => {
                let access = Access::OrgViewerOrPlan(organization, DIRECTORY_READERS);
                let mut reading = read(ctx, access, sent.position).await?;
                Some(domains(&mut reading.view, organization).await?)
            }
            None => None,
        };
        Ok(RemoveEmailDomainPayload::of(sent, left))
    }
}
