//! `attachUserToOrganization`, `requestAdditionalAdmin`, `declineAdditionalAdmin`, `adminRequests`
//! (CC-03, CX-05).

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Entity,
    organizations::members::{
        AttachUserToOrganization, DeclineAdditionalAdmin, MEMBER_STAFF, RequestAdditionalAdmin,
        Whom,
    },
};
use rollcall_domain::{
    Code, Refusal,
    values::{EmailAddress, Reason},
};
use rollcall_projections::user_directory::{AdminRequestKey, AdminRequestRow, admin_requests};

use super::{
    loading::{read_back, user_of_input},
    types::User,
};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{read, within},
    scalars::{DateTime, EmailScalar, Position},
    sending::{MutationMeta, as_seen, payload, send},
    vocabulary::field,
};

/// A person whom an organisation misses; named by id or by address.
#[derive(InputObject)]
pub struct AttachUserToOrganizationInput {
    pub organization_id: ID,
    pub user_id: Option<ID>,
    pub email: Option<EmailScalar>,
    /// Who asked for it, and how they were recognised; required.
    pub reason: Option<String>,
    /// The organisation's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl AttachUserToOrganizationInput {
    fn command(&self) -> Result<AttachUserToOrganization, Refusal> {
        let organization = NodeType::Organization.parse(&self.organization_id, "organizationId")?;
        let whom = match (&self.user_id, &self.email) {
            (Some(id), None) => Whom::User(NodeType::User.parse(id, "userId")?),
            (None, Some(email)) => Whom::Email(field("email", EmailAddress::parse(&email.0))?),
            (Some(_), Some(_)) | (None, None) => {
                let message = "Name the person by userId or by email.";
                return Err(Refusal::new(Code::FieldRequired, message).at("email"));
            }
        };
        Ok(AttachUserToOrganization { organization, whom, reason: reason(self.reason.as_ref())? })
    }
}

/// A member whom the plan is asked to make administrator.
#[derive(InputObject)]
pub struct RequestAdditionalAdminInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// Why a further administrator is needed; required.
    pub reason: Option<String>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A request the plan does not grant.
#[derive(InputObject)]
pub struct DeclineAdditionalAdminInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// Required.
    pub reason: Option<String>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

fn reason(text: Option<&String>) -> Result<Reason, Refusal> {
    field("reason", Reason::parse(text.map(String::as_str).unwrap_or_default()))
}

payload! {
    /// What became of `attachUserToOrganization`.
    AttachUserToOrganizationPayload { user: User }
}
payload! {
    /// What became of `requestAdditionalAdmin`.
    RequestAdditionalAdminPayload { user: User }
}
payload! {
    /// What became of `declineAdditionalAdmin`.
    DeclineAdditionalAdminPayload { user: User }
}

/// A request for a further administrator that the plan has not decided yet.
#[derive(Clone, SimpleObject)]
pub struct AdminRequest {
    pub organization_id: ID,
    pub organization_name: Option<String>,
    pub user_id: ID,
    pub user_name: Option<String>,
    pub requested_by_id: Option<ID>,
    pub requested_by_name: Option<String>,
    pub requested_at: DateTime,
}

connection!(AdminRequestConnection, AdminRequestEdge, AdminRequest);

impl From<AdminRequestRow> for AdminRequest {
    fn from(row: AdminRequestRow) -> Self {
        Self {
            organization_id: NodeType::Organization.id(row.organization_id),
            organization_name: row.organization_name,
            user_id: NodeType::User.id(row.user_id),
            user_name: row.user_name,
            requested_by_id: row.requested_by.map(|id| NodeType::User.id(id)),
            requested_by_name: row.requested_by_name,
            requested_at: row.requested_at.into(),
        }
    }
}

/// Questions about appointments.
#[derive(Default)]
pub struct AppointmentQuery;

#[Object]
impl AppointmentQuery {
    /// Undecided requests for further administrators, oldest first, for plan staff; `assignOrgRole`
    /// grants one.
    async fn admin_requests(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AdminRequestConnection> {
        let page = Page::<AdminRequestKey>::new(first, after).map_err(top_level)?;
        let mut reading = read(ctx, Access::PlanWithin(MEMBER_STAFF), min_position).await?;
        let scope = within(&reading.authority, MEMBER_STAFF);
        let (after, limit) = (page.after.as_ref(), page.first + 1);
        let found = admin_requests(&mut reading.view, after, limit, scope.as_deref()).await;
        let found = found.map_err(|error| fault(&error))?;
        let keyed = |row: AdminRequestRow| {
            ((row.requested_at, row.organization_id, row.user_id), AdminRequest::from(row))
        };
        let rows = found.into_iter().map(keyed).collect();
        Ok(AdminRequestConnection::of(&page, Rows { rows, total: None }))
    }
}

/// Who belongs to an organisation and leads it, where the plan has a say.
#[derive(Default)]
pub struct AppointmentMutation;

#[Object]
impl AppointmentMutation {
    /// Brings a person with an account into an organisation that misses them, for plan staff; its
    /// administrators give the permissions. Refusals: FORBIDDEN, REASON_REQUIRED, USER_UNKNOWN,
    /// EMAIL_TAKEN_IN_ORG, NOT_FOUND.
    async fn attach_user_to_organization(
        &self,
        ctx: &Context<'_>,
        input: AttachUserToOrganizationInput,
    ) -> Result<AttachUserToOrganizationPayload> {
        let command = as_seen(input.command(), input.expected_version, |it| {
            Entity::Organization(it.organization)
        });
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(AttachUserToOrganizationPayload::of(sent, user))
    }

    /// Asks the health plan to make a member administrator, where the policy gives that to the plan
    /// on request. Refusals: NOT_ORG_ADMIN, FORBIDDEN, REASON_REQUIRED, NOT_FOUND,
    /// DUPLICATE_REQUEST, ALREADY_DECIDED (they are one).
    async fn request_additional_admin(
        &self,
        ctx: &Context<'_>,
        input: RequestAdditionalAdminInput,
    ) -> Result<RequestAdditionalAdminPayload> {
        let command = user_of_input(&input.organization_id, &input.user_id).and_then(
            |(organization, user)| {
                let reason = reason(input.reason.as_ref())?;
                Ok(RequestAdditionalAdmin { organization, user, reason })
            },
        );
        let command =
            as_seen(command, input.expected_version, |it| Entity::Member(it.organization, it.user));
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(RequestAdditionalAdminPayload::of(sent, user))
    }

    /// Declines such a request, for plan staff. Refusals: FORBIDDEN, REASON_REQUIRED, NOT_FOUND,
    /// NOT_PENDING.
    async fn decline_additional_admin(
        &self,
        ctx: &Context<'_>,
        input: DeclineAdditionalAdminInput,
    ) -> Result<DeclineAdditionalAdminPayload> {
        let command = user_of_input(&input.organization_id, &input.user_id).and_then(
            |(organization, user)| {
                let reason = reason(input.reason.as_ref())?;
                Ok(DeclineAdditionalAdmin { organization, user, reason })
            },
        );
        let command =
            as_seen(command, input.expected_version, |it| Entity::Member(it.organization, it.user));
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(DeclineAdditionalAdminPayload::of(sent, user))
    }
}
