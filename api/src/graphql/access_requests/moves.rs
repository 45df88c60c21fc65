//! `requestMove` and `moveOutlook`: users who are to move to another organisation (AL-08).

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Commands, Failure,
    access_requests::{MoveOutlook as Outlook, RequestMove, Wish},
};
use rollcall_domain::{
    Code, Refusal,
    values::{EmailAddress, Npi, Reason},
};

use super::mutations::{AccessRequestPayload, MoveInput, change, organization, request};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    reading::caller,
    scalars::{EmailScalar, NpiScalar},
    sending::MutationMeta,
    vocabulary::field,
};

/// Asks the plan to move a user: exactly one of `toNpi` and `email`.
#[derive(InputObject)]
pub struct RequestMoveInput {
    /// The organisation acted for.
    pub organization_id: ID,
    /// The caller leaves it for the organisation that holds this NPI.
    pub to_npi: Option<NpiScalar>,
    /// The person with this address comes here; for administrators.
    pub email: Option<EmailScalar>,
    pub why: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl RequestMoveInput {
    fn command(&self) -> Result<RequestMove, Refusal> {
        let wish = match (&self.to_npi, &self.email) {
            (Some(npi), None) => Wish::Away(field("toNpi", Npi::parse(&npi.0))?),
            (None, Some(email)) => Wish::Here(field("email", EmailAddress::parse(&email.0))?),
            (Some(_), Some(_)) | (None, None) => {
                let message =
                    "Name either an NPI of your new organization or the address of who comes here.";
                return Err(Refusal::new(Code::FieldRequired, message).at("toNpi"));
            }
        };
        Ok(RequestMove {
            organization: organization(&self.organization_id)?,
            wish,
            why: field("why", Reason::parse(&self.why))?,
        })
    }
}

/// What approving a move would do.
#[derive(Clone, Debug, SimpleObject)]
pub struct MoveOutlook {
    pub user_id: ID,
    pub from_organization_id: ID,
    pub to_organization_id: ID,
    /// Role and permissions that end there and are not carried over, one line each.
    pub former_permissions: Vec<String>,
    /// The organisation left would have no active administrator (GN-10).
    pub leaves_adminless: bool,
}

impl From<Outlook> for MoveOutlook {
    fn from(outlook: Outlook) -> Self {
        Self {
            user_id: NodeType::User.id(outlook.moved.user.0),
            from_organization_id: NodeType::Organization.id(outlook.moved.from.0),
            to_organization_id: NodeType::Organization.id(outlook.moved.to.0),
            former_permissions: outlook.former,
            leaves_adminless: outlook.leaves_adminless,
        }
    }
}

/// Questions about moves.
#[derive(Default)]
pub struct MoveQuery;

#[Object]
impl MoveQuery {
    /// What approving a move would do, for plan staff before they decide (AL-08). What is missing for
    /// it is an error that names its field.
    async fn move_outlook(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        access_request_id: ID,
        #[graphql(name = "move", desc = "What the request does not say.")] moving: Option<
            MoveInput,
        >,
    ) -> Result<MoveOutlook> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let request = request(&access_request_id).map_err(top_level)?;
        let found = moving.unwrap_or_default().found().map_err(top_level)?;
        let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
        match Box::pin(commands.move_outlook(caller, (request, organization), &found)).await {
            Ok(outlook) => Ok(outlook.into()),
            Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
                Err(top_level(refusal))
            }
            Err(Failure::Journal(error)) => Err(fault(&error)),
            Err(Failure::Database(error)) => Err(fault(&error)),
        }
    }
}

/// Requests for moves.
#[derive(Default)]
pub struct MoveMutation;

#[Object]
impl MoveMutation {
    /// Asks the health plan to move a user to another organisation: oneself, or as an administrator
    /// somebody who comes here. The answer does not tell who is known elsewhere. Refusals:
    /// DUPLICATE_REQUEST, NOT_ORG_ADMIN, FEATURE_DISABLED.
    async fn request_move(
        &self,
        ctx: &Context<'_>,
        input: RequestMoveInput,
    ) -> Result<AccessRequestPayload> {
        let command = input.command();
        change(ctx, input.meta, &input.organization_id, command).await
    }
}
