//! `requestToJoin`: somebody without an account asks for one (CC-11).

use async_graphql::{Context, InputObject, Object, Result};
use rollcall_commands::access_requests::{Named, RequestToJoin};
use rollcall_domain::{
    Code, Refusal,
    access_requests::JoinWish,
    values::{EmailAddress, Npi, OrganizationName, PersonName, PhoneNumber, Reason},
};

use crate::graphql::{
    scalars::{EmailScalar, NpiScalar, PhoneScalar},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// Asks the administrators of an organisation for an account there, without one. The organisation is
/// named by an NPI that it holds or by the address of one of its administrators.
#[derive(InputObject)]
pub struct RequestToJoinInput {
    pub npi: Option<NpiScalar>,
    pub administrator_email: Option<EmailScalar>,
    /// Where that person administers several organisations, the name of the one meant.
    pub organization_name: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub email: EmailScalar,
    pub phone: PhoneScalar,
    /// Why the account is needed.
    pub why: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl RequestToJoinInput {
    fn command(&self) -> Result<RequestToJoin, Refusal> {
        let wish = JoinWish {
            first_name: field("firstName", PersonName::parse(&self.first_name))?,
            last_name: field("lastName", PersonName::parse(&self.last_name))?,
            email: field("email", EmailAddress::parse(&self.email.0))?,
            phone: field("phone", PhoneNumber::parse(&self.phone.0))?,
            why: field("why", Reason::parse(&self.why))?,
        };
        Ok(RequestToJoin::new(self.named()?, wish))
    }

    fn named(&self) -> Result<Named, Refusal> {
        match (&self.npi, &self.administrator_email) {
            (Some(npi), None) => Ok(Named::Npi(field("npi", Npi::parse(&npi.0))?)),
            (None, Some(email)) => {
                let name = self.organization_name.as_deref().map(OrganizationName::parse);
                Ok(Named::Administrator {
                    email: field("administratorEmail", EmailAddress::parse(&email.0))?,
                    organization: field("organizationName", name.transpose())?,
                })
            }
            (Some(_), Some(_)) | (None, None) => {
                let message =
                    "Enter either an NPI of the organization or an administrator's address.";
                Err(Refusal::new(Code::FieldRequired, message).at("npi"))
            }
        }
    }
}

payload! {
    /// The answer to every well-formed request, whoever and whatever is meant: if the organisation is
    /// in this portal, its administrators have the request now.
    RequestToJoinPayload {}
}

/// What people without an account ask for.
#[derive(Default)]
pub struct JoinMutation;

#[Object]
impl JoinMutation {
    /// Asks an organisation's administrators for an account, without one; the answer tells nothing
    /// about who or what is known here. Refusals: FEATURE_DISABLED, RATE_LIMITED, field formats.
    async fn request_to_join(
        &self,
        ctx: &Context<'_>,
        input: RequestToJoinInput,
    ) -> Result<RequestToJoinPayload> {
        let command = input.command();
        let mut sent = send(ctx, input.meta, command).await?;
        // A position would tell whether something was recorded.
        sent.position = None;
        Ok(RequestToJoinPayload::of(sent))
    }
}
