//! Invitations: sent by administrators, followed by invited people (MC-15 to MC-21, GN-06).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Entity,
    users::{
        invitation::{
            CancelInvitation, CompleteInvitation, InvitationView, InviteUser, NewPerson,
            ReissueInvitation, SubmitInviteeDetails,
        },
        links::LinkToken,
    },
};
use rollcall_domain::{
    Refusal,
    kernel::ids::{InvitationId, OrganizationId},
    users::invitation::{InvitationStep as Step, InviteeDetails},
    values::{EmailAddress, PersonName, PhoneNumber, Reason},
};

use crate::graphql::{
    ids::NodeType,
    scalars::{DateTime, EmailScalar, PhoneScalar},
    sending::{MutationMeta, as_seen, payload, send},
    visiting::{Visit, absent},
    vocabulary::{AgreementKind, CodeChannel, field},
};

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::users::invitation::InvitationStatus")]
pub enum InvitationStatus {
    /// The link is on its way or was not followed yet.
    Sent,
    /// The invited person has begun.
    Opened,
    /// The invited person has joined.
    Completed,
    /// Nobody came in time; it may be reissued.
    Expired,
    /// It was taken back.
    Cancelled,
}

/// What the invited person does next.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum InvitationStep {
    /// Accept the agreement named.
    AcceptAgreement,
    /// Submit names, telephone and channel.
    SubmitDetails,
    /// Ask for a passcode and type it.
    VerifyPasscode,
    /// Complete the invitation.
    Complete,
}

/// An invitation into an organisation or, without one, into plan roles.
#[derive(Clone, SimpleObject)]
pub struct Invitation {
    pub id: ID,
    pub organization_id: Option<ID>,
    pub organization_name: Option<String>,
    /// The address the link went to.
    pub email: Option<EmailScalar>,
    pub status: InvitationStatus,
    /// When the present link stops working.
    pub expires_at: Option<DateTime>,
    /// What comes next for the invited person, while the link works.
    pub step: Option<InvitationStep>,
    /// The agreement that the next step asks for.
    pub agreement: Option<AgreementKind>,
}

impl From<InvitationView> for Invitation {
    fn from(view: InvitationView) -> Self {
        let (step, agreement) = match view.step {
            None => (None, None),
            Some(Step::Agreement(kind)) => {
                (Some(InvitationStep::AcceptAgreement), Some(kind.into()))
            }
            Some(Step::Details) => (Some(InvitationStep::SubmitDetails), None),
            Some(Step::Passcode) => (Some(InvitationStep::VerifyPasscode), None),
            Some(Step::Complete) => (Some(InvitationStep::Complete), None),
        };
        Self {
            id: NodeType::Invitation.id(view.invitation),
            organization_id: view.organization.map(|id| NodeType::Organization.id(id)),
            organization_name: view.organization_name,
            email: view.email.map(EmailScalar),
            status: view.status.into(),
            expires_at: view.expires_at.map(DateTime::from),
            step,
            agreement,
        }
    }
}

/// Adds a person to an organisation (MC-15).
#[derive(InputObject)]
pub struct InviteUserInput {
    pub organization_id: ID,
    pub email: EmailScalar,
    pub first_name: String,
    pub last_name: String,
    pub mobile: PhoneScalar,
    pub business_phone: Option<PhoneScalar>,
    /// The organisation's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Sends a new link, which kills the old one (MC-16).
#[derive(InputObject)]
pub struct ReissueInvitationInput {
    /// The inviting organisation; absent for plan staff.
    pub organization_id: Option<ID>,
    pub invitation_id: ID,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Takes an invitation back (GN-06).
#[derive(InputObject)]
pub struct CancelInvitationInput {
    /// The inviting organisation; absent for plan staff.
    pub organization_id: Option<ID>,
    pub invitation_id: ID,
    pub reason: Option<String>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Names, telephone and channel of the invited person (MC-19).
#[derive(InputObject)]
pub struct SubmitInviteeDetailsInput {
    /// From the link.
    pub token: String,
    pub first_name: String,
    pub last_name: String,
    /// The preferred contact number.
    pub phone: PhoneScalar,
    /// How passcodes reach it.
    pub channel: CodeChannel,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Completes an invitation whose steps are all done.
#[derive(InputObject)]
pub struct CompleteInvitationInput {
    /// From the link.
    pub token: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// An invitation's outcome.
    InvitationPayload {
        /// The invitation as it stands now.
        invitation: Invitation,
    }
}

/// Questions about invitations.
#[derive(Default)]
pub struct InvitationQuery;

#[Object]
impl InvitationQuery {
    /// The invitation behind a link that works: fills in the page it opens.
    async fn invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From the link.")] token: String,
    ) -> Result<Option<Invitation>> {
        let visit = Visit::of(ctx)?;
        let token = LinkToken::new(&token);
        let view = Box::pin(visit.commands.invitation_by_link(visit.caller.tenant, &token)).await;
        Ok(absent(view)?.map(Invitation::from))
    }
}

/// Inviting people, and following an invitation.
#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Adds a person to the organisation; a link goes to their address. The answer is the same
    /// whether or not the address is known here.
    async fn invite_user(
        &self,
        ctx: &Context<'_>,
        input: InviteUserInput,
    ) -> Result<InvitationPayload> {
        let command = as_seen(invite(&input), input.expected_version, |it| {
            Entity::Organization(it.organization)
        });
        let sent = send(ctx, input.meta, command).await?;
        let invitation = invitation(ctx, sent.output).await?;
        Ok(InvitationPayload::of(sent, invitation))
    }

    /// Sends a new link; the old one works no longer.
    async fn reissue_invitation(
        &self,
        ctx: &Context<'_>,
        input: ReissueInvitationInput,
    ) -> Result<InvitationPayload> {
        let command = whose(input.organization_id.as_ref(), &input.invitation_id)
            .map(|(organization, invitation)| ReissueInvitation { organization, invitation });
        let command = as_seen(command, input.expected_version, |it| Entity::Invited(it.invitation));
        let sent = send(ctx, input.meta, command).await?;
        let invitation = invitation(ctx, sent.output).await?;
        Ok(InvitationPayload::of(sent, invitation))
    }

    /// Takes an open invitation back for good.
    async fn cancel_invitation(
        &self,
        ctx: &Context<'_>,
        input: CancelInvitationInput,
    ) -> Result<InvitationPayload> {
        let command =
            as_seen(cancel(&input), input.expected_version, |it| Entity::Invited(it.invitation));
        let sent = send(ctx, input.meta, command).await?;
        let invitation = invitation(ctx, sent.output).await?;
        Ok(InvitationPayload::of(sent, invitation))
    }

    /// The invited person gives names and telephone.
    async fn submit_invitee_details(
        &self,
        ctx: &Context<'_>,
        input: SubmitInviteeDetailsInput,
    ) -> Result<InvitationPayload> {
        let command = details(&input);
        let sent = send(ctx, input.meta, command).await?;
        let invitation = invitation(ctx, sent.output).await?;
        Ok(InvitationPayload::of(sent, invitation))
    }

    /// Completes an invitation; needed only where a step fell away after the others were done.
    async fn complete_invitation(
        &self,
        ctx: &Context<'_>,
        input: CompleteInvitationInput,
    ) -> Result<InvitationPayload> {
        let command = CompleteInvitation { token: LinkToken::new(&input.token) };
        let sent = send(ctx, input.meta, Ok(command)).await?;
        let invitation = invitation(ctx, sent.output).await?;
        Ok(InvitationPayload::of(sent, invitation))
    }
}

fn invite(input: &InviteUserInput) -> Result<InviteUser, Refusal> {
    let business = input.business_phone.as_ref().map(|phone| PhoneNumber::parse(&phone.0));
    Ok(InviteUser {
        organization: NodeType::Organization.parse(&input.organization_id, "organizationId")?,
        person: NewPerson {
            email: field("email", EmailAddress::parse(&input.email.0))?,
            first_name: field("firstName", PersonName::parse(&input.first_name))?,
            last_name: field("lastName", PersonName::parse(&input.last_name))?,
            mobile: field("mobile", PhoneNumber::parse(&input.mobile.0))?,
            business_phone: field("businessPhone", business.transpose())?,
        },
    })
}

fn cancel(input: &CancelInvitationInput) -> Result<CancelInvitation, Refusal> {
    let (organization, invitation) = whose(input.organization_id.as_ref(), &input.invitation_id)?;
    let reason = input.reason.as_deref().map(Reason::parse).transpose();
    Ok(CancelInvitation { organization, invitation, reason: field("reason", reason)? })
}

fn details(input: &SubmitInviteeDetailsInput) -> Result<SubmitInviteeDetails, Refusal> {
    Ok(SubmitInviteeDetails {
        token: LinkToken::new(&input.token),
        details: InviteeDetails {
            first_name: field("firstName", PersonName::parse(&input.first_name))?,
            last_name: field("lastName", PersonName::parse(&input.last_name))?,
            phone: field("phone", PhoneNumber::parse(&input.phone.0))?,
            channel: input.channel.into(),
        },
    })
}

fn whose(
    organization: Option<&ID>,
    invitation: &ID,
) -> Result<(Option<OrganizationId>, InvitationId), Refusal> {
    let organization =
        organization.map(|id| NodeType::Organization.parse(id, "organizationId")).transpose()?;
    Ok((organization, NodeType::Invitation.parse(invitation, "invitationId")?))
}

/// The invitation as it stands after a step; whoever took the step may see it.
pub(in crate::graphql) async fn invitation(
    ctx: &Context<'_>,
    id: Option<InvitationId>,
) -> Result<Option<Invitation>> {
    let Some(id) = id else { return Ok(None) };
    let visit = Visit::of(ctx)?;
    let view = Box::pin(visit.commands.invitation(visit.caller.tenant, id)).await;
    Ok(absent(view)?.map(Invitation::from))
}
