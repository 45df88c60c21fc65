//! `correctUserDetails`, `changeUserEmail`, `discloseUsername` (MC-33, CX-04, CX-06, AL-03).

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use rollcall_commands::{
    Access,
    users::{ChangeUserEmail, CorrectUserDetails, DiscloseUsername, SUPPORT},
};
use rollcall_domain::{
    Refusal,
    users::user::NewDetails,
    values::{EmailAddress, PersonName, PhoneNumber, Reason},
};
use rollcall_projections::people;

use super::{
    loading::{read_back, user_of_input},
    types::User,
};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::read,
    scalars::{EmailScalar, PhoneScalar},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// What an administrator corrects about a member or an invited person; what is left out stays.
#[derive(InputObject)]
pub struct CorrectUserDetailsInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// The number that passcodes go to.
    pub mobile: Option<PhoneScalar>,
    /// `null` removes it.
    pub business_phone: MaybeUndefined<PhoneScalar>,
    /// A member verifies it by the link sent to it; somebody invited is invited there anew, with what
    /// was assigned, and is another user.
    pub email: Option<EmailScalar>,
    /// Required of plan staff.
    pub reason: Option<String>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl CorrectUserDetailsInput {
    fn command(&self) -> Result<CorrectUserDetails, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let name = |text: &Option<String>| text.as_deref().map(PersonName::parse).transpose();
        let phone = |phone: &PhoneScalar| PhoneNumber::parse(&phone.0);
        let business_phone = match &self.business_phone {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(number) => Some(Some(field("businessPhone", phone(number))?)),
        };
        let details = NewDetails {
            first_name: field("firstName", name(&self.first_name))?,
            last_name: field("lastName", name(&self.last_name))?,
            business_phone,
            preferred_channel: None,
        };
        let email = self.email.as_ref().map(|email| EmailAddress::parse(&email.0)).transpose();
        Ok(CorrectUserDetails {
            organization,
            user,
            details,
            mobile: field("mobile", self.mobile.as_ref().map(phone).transpose())?,
            email: field("email", email)?,
            reason: reason(self.reason.as_deref())?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// The right address of a member or an invited person.
#[derive(InputObject)]
pub struct ChangeUserEmailInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// For the address that stands and is not verified yet, only another link is sent.
    pub email: EmailScalar,
    /// Required of plan staff.
    pub reason: Option<String>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl ChangeUserEmailInput {
    fn command(&self) -> Result<ChangeUserEmail, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        Ok(ChangeUserEmail {
            organization,
            user,
            email: field("email", EmailAddress::parse(&self.email.0))?,
            reason: reason(self.reason.as_deref())?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

fn reason(text: Option<&str>) -> Result<Option<Reason>, Refusal> {
    field("reason", text.map(Reason::parse).transpose())
}

/// Somebody who forgot their user name asks support.
#[derive(InputObject)]
pub struct DiscloseUsernameInput {
    pub user_id: ID,
    /// How the person who asked was recognised; required.
    pub reason: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl DiscloseUsernameInput {
    fn command(&self) -> Result<DiscloseUsername, Refusal> {
        let user = NodeType::User.parse(&self.user_id, "userId")?;
        let reason = Reason::parse(self.reason.as_deref().unwrap_or_default());
        Ok(DiscloseUsername { user, reason: field("reason", reason)? })
    }
}

payload! {
    /// What became of `correctUserDetails`.
    CorrectUserDetailsPayload { user: User }
}
payload! {
    /// What became of `changeUserEmail`.
    ChangeUserEmailPayload { user: User }
}
payload! {
    /// What became of `discloseUsername`.
    DiscloseUsernamePayload {
        /// To be told to the person.
        username: String
    }
}

/// Commands by which others put somebody's account right.
#[derive(Default)]
pub struct CorrectionMutation;

#[Object]
impl CorrectionMutation {
    /// Corrects what was typed about a member or an invited person. Refusals: NOT_ORG_ADMIN,
    /// FORBIDDEN (oneself, or somebody who belongs elsewhere too), EMAIL_INVALID, EMAIL_TAKEN,
    /// EMAIL_TAKEN_IN_ORG, PHONE_INVALID, FIELD_REQUIRED, REASON_REQUIRED, VERSION_CONFLICT.
    async fn correct_user_details(
        &self,
        ctx: &Context<'_>,
        input: CorrectUserDetailsInput,
    ) -> Result<CorrectUserDetailsPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(CorrectUserDetailsPayload::of(sent, user))
    }

    /// Corrects the address of somebody whom mail does not reach; both addresses are told. Refusals:
    /// as `correctUserDetails`.
    async fn change_user_email(
        &self,
        ctx: &Context<'_>,
        input: ChangeUserEmailInput,
    ) -> Result<ChangeUserEmailPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(ChangeUserEmailPayload::of(sent, user))
    }

    /// Tells plan staff somebody's user name, on record; its owner is mailed. Refusals: FORBIDDEN,
    /// REASON_REQUIRED, USER_UNKNOWN, NOT_FOUND (a portal without user names).
    async fn disclose_username(
        &self,
        ctx: &Context<'_>,
        input: DiscloseUsernameInput,
    ) -> Result<DiscloseUsernamePayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let username = match sent.output {
            Some(user) => {
                let mut reading = read(ctx, Access::Plan(SUPPORT), sent.position).await?;
                let person = people::person(&mut reading.view, user).await;
                person.map_err(|error| fault(&error))?.and_then(|person| person.username)
            }
            None => None,
        };
        Ok(DiscloseUsernamePayload::of(sent, username))
    }
}
