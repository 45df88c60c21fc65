//! People's own data: names, telephone, email address (MC-27, GN-06).

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use rollcall_commands::users::{
    ChangeEmail, ChangePhone, CurrentPassword, UpdateProfile, VerifyEmail, links::LinkToken,
};
use rollcall_domain::{
    Refusal,
    users::user::NewDetails,
    values::{EmailAddress, Password, PersonName, PhoneNumber},
};

use super::one_time_passcodes::challenge_id;
use crate::graphql::{
    scalars::{EmailScalar, PhoneScalar},
    sending::{MutationMeta, payload, send},
    vocabulary::{CodeChannel, field},
};

/// One's own data; what is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// `null` removes it.
    pub business_phone: MaybeUndefined<PhoneScalar>,
    /// How passcodes reach the mobile number.
    pub preferred_channel: Option<CodeChannel>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A new number for passcodes.
#[derive(InputObject)]
pub struct ChangePhoneInput {
    pub mobile: PhoneScalar,
    #[graphql(secret)]
    pub current_password: String,
    /// A verified passcode that was sent to the new number (`requestOtp` with `newPhone`), where the
    /// policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A new email address.
#[derive(InputObject)]
pub struct ChangeEmailInput {
    pub email: EmailScalar,
    #[graphql(secret)]
    pub current_password: String,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// The link that came to a new address.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// From the link.
    #[graphql(secret)]
    pub token: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of changing one's own data; read it with `me`.
    UpdateProfilePayload {}
}
payload! {
    /// The outcome of changing the number for passcodes.
    ChangePhonePayload {}
}
payload! {
    /// The outcome of changing the email address.
    ChangeEmailPayload {}
}
payload! {
    /// The outcome of following the link that came to a new address.
    VerifyEmailPayload {}
}

/// Commands on one's own data.
#[derive(Default)]
pub struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes the caller's names, business number and channel for passcodes.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        let command = details(&input).map(|details| UpdateProfile { details });
        Ok(UpdateProfilePayload::of(send(ctx, input.meta, command).await?))
    }

    /// Changes the number that passcodes go to. Refusals: CURRENT_PASSWORD_WRONG, OTP_REQUIRED,
    /// PHONE_INVALID.
    async fn change_phone(
        &self,
        ctx: &Context<'_>,
        input: ChangePhoneInput,
    ) -> Result<ChangePhonePayload> {
        let command = phone(&input);
        Ok(ChangePhonePayload::of(send(ctx, input.meta, command).await?))
    }

    /// Changes the caller's email address; a link goes to the new one, word of it to both. Refusals:
    /// CURRENT_PASSWORD_WRONG, OTP_REQUIRED, EMAIL_INVALID, EMAIL_TAKEN.
    async fn change_email(
        &self,
        ctx: &Context<'_>,
        input: ChangeEmailInput,
    ) -> Result<ChangeEmailPayload> {
        let command = email(&input);
        Ok(ChangeEmailPayload::of(send(ctx, input.meta, command).await?))
    }

    /// Shows that mail to a new address arrives; the link works once. Refusals: LINK_INVALID,
    /// LINK_EXPIRED, LINK_USED.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        input: VerifyEmailInput,
    ) -> Result<VerifyEmailPayload> {
        let command = VerifyEmail { token: LinkToken::new(&input.token) };
        Ok(VerifyEmailPayload::of(send(ctx, input.meta, Ok(command)).await?))
    }
}

fn details(input: &UpdateProfileInput) -> Result<NewDetails, Refusal> {
    let name = |name: &Option<String>| name.as_deref().map(PersonName::parse).transpose();
    Ok(NewDetails {
        first_name: field("firstName", name(&input.first_name))?,
        last_name: field("lastName", name(&input.last_name))?,
        business_phone: optional_phone("businessPhone", &input.business_phone)?,
        preferred_channel: input.preferred_channel.map(Into::into),
    })
}

/// A number that may be left as it is or taken away.
///
/// # Errors
/// `PHONE_INVALID` at `name`.
pub(in crate::graphql) fn optional_phone(
    name: &str,
    given: &MaybeUndefined<PhoneScalar>,
) -> Result<Option<Option<PhoneNumber>>, Refusal> {
    match given {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(None)),
        MaybeUndefined::Value(phone) => {
            field(name, PhoneNumber::parse(&phone.0)).map(|phone| Some(Some(phone)))
        }
    }
}

fn phone(input: &ChangePhoneInput) -> Result<ChangePhone, Refusal> {
    let mobile = field("mobile", PhoneNumber::parse(&input.mobile.0))?;
    let challenge = challenge_id(input.otp_challenge_id.as_ref(), "otpChallengeId")?;
    Ok(ChangePhone { mobile, current: current(&input.current_password), challenge })
}

fn email(input: &ChangeEmailInput) -> Result<ChangeEmail, Refusal> {
    let email = field("email", EmailAddress::parse(&input.email.0))?;
    let challenge = challenge_id(input.otp_challenge_id.as_ref(), "otpChallengeId")?;
    Ok(ChangeEmail { email, current: current(&input.current_password), challenge })
}

fn current(typed: &str) -> CurrentPassword {
    CurrentPassword::new(Password::new(typed.to_owned()))
}
