//! Accepting agreements (MC-06, MC-18).

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::users::{AcceptAgreement, AgreedIn, Agreeing, links::LinkToken};
use rollcall_domain::{Code, Refusal};

use super::invitations::{Invitation, invitation};
use crate::graphql::{
    ids::NodeType,
    organizations::registrations::{Registration, registration},
    sending::{MutationMeta, payload, send},
    vocabulary::AgreementKind,
};

/// Accepts an agreement, for a registration, for an invitation, or for the signed-in person.
#[derive(InputObject)]
pub struct AcceptAgreementInput {
    pub registration_id: Option<ID>,
    /// From the invitation's link.
    pub invitation_token: Option<String>,
    pub kind: AgreementKind,
    /// The version that was read.
    pub version: String,
    /// Keys of the boxes ticked; all of the version's must be.
    pub boxes: Vec<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of accepting an agreement.
    AcceptAgreementPayload {
        /// The registration it was accepted for.
        registration: Registration,
        /// The invitation it was accepted for.
        invitation: Invitation,
    }
}

/// Accepting agreements.
#[derive(Default)]
pub struct AgreementMutation;

#[Object]
impl AgreementMutation {
    /// Accepts the version in force of an agreement, with every box ticked.
    async fn accept_agreement(
        &self,
        ctx: &Context<'_>,
        input: AcceptAgreementInput,
    ) -> Result<AcceptAgreementPayload> {
        let command = by(&input).map(|by| AcceptAgreement {
            by,
            kind: input.kind.into(),
            version: input.version,
            boxes: input.boxes,
        });
        let sent = send(ctx, input.meta, command).await?;
        let (in_registration, in_invitation) = match sent.output {
            Some(AgreedIn::Registration(id)) => (Some(id), None),
            Some(AgreedIn::Invitation(id)) => (None, Some(id)),
            Some(AgreedIn::Account) | None => (None, None),
        };
        let registration = registration(ctx, in_registration).await?;
        let invitation = invitation(ctx, in_invitation).await?;
        Ok(AcceptAgreementPayload::of(sent, registration, invitation))
    }
}

fn by(input: &AcceptAgreementInput) -> Result<Agreeing, Refusal> {
    match (&input.registration_id, &input.invitation_token) {
        (None, None) => Ok(Agreeing::Myself),
        (Some(id), None) => {
            NodeType::Registration.parse(id, "registrationId").map(Agreeing::Registrant)
        }
        (None, Some(token)) => Ok(Agreeing::Invitee(LinkToken::new(token))),
        (Some(_), Some(_)) => {
            Err(Refusal::new(Code::FieldInvalid, "Name the registration or the invitation."))
        }
    }
}
