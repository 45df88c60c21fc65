//! Registering an organisation by its letter (MC-05 to MC-08, MC-10, MC-11).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::organizations::registration::{
    AddOrganization, CompleteOrganizationRegistration, EnrolmentClaims, RegistrationView,
    StartOrganizationRegistration, SubmitRegistrantDetails,
};
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, RegistrationId},
    organizations::registration::{RegistrantDetails, RegistrationStep as Step},
    values::{EmailAddress, PersonName, PhoneNumber, TaxId, Zip},
};

use crate::graphql::{
    ids::NodeType,
    scalars::{EmailScalar, PhoneScalar},
    sending::{MutationMeta, payload, send},
    users::one_time_passcodes::challenge_id,
    visiting::{Visit, absent},
    vocabulary::{AgreementKind, CodeChannel, TaxIdKind, field},
};

/// What the registrant does next.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::organizations::registration::RegistrationStep")]
pub enum RegistrationStep {
    /// Accept the Terms and Conditions of the portal.
    AcceptPortalTerms,
    /// Submit the details that match the letter.
    SubmitDetails,
    /// Ask for a passcode and type it.
    VerifyPasscode,
    /// Accept the Online Conditions of Use.
    AcceptConditionsOfUse,
    /// Complete the registration.
    Complete,
    /// Nothing: the organisation is open.
    Completed,
}

/// A registration under way. Whoever holds its id may go on with it; it tells nothing about
/// accounts.
#[derive(Clone, SimpleObject)]
pub struct Registration {
    pub id: ID,
    /// What comes next.
    pub step: RegistrationStep,
    /// The agreement that the next step asks for.
    pub agreement: Option<AgreementKind>,
    /// The registrant's address.
    pub email: Option<EmailScalar>,
    /// How often the details may still be wrong.
    pub tries_left: i32,
    /// Known once the details matched.
    pub organization_id: Option<ID>,
    /// Known once the details matched.
    pub organization_name: Option<String>,
}

impl From<RegistrationView> for Registration {
    fn from(view: RegistrationView) -> Self {
        let (organization_id, organization_name) = view.organization.unzip();
        Self {
            id: NodeType::Registration.id(view.registration),
            step: view.step.into(),
            agreement: Step::agreement(view.step).map(AgreementKind::from),
            email: view.email.map(EmailScalar),
            tries_left: i32::try_from(view.tries_left).unwrap_or(i32::MAX),
            organization_id: organization_id.map(|id| NodeType::Organization.id(id)),
            organization_name,
        }
    }
}

/// Begins a registration (MC-05).
#[derive(InputObject)]
pub struct StartOrganizationRegistrationInput {
    /// The registrant's own address.
    pub email: EmailScalar,
    /// The secure token of the letter; case and hyphens do not matter.
    pub token: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Names, telephone and what the letter's reader knows of the organisation (MC-07).
#[derive(InputObject)]
pub struct SubmitRegistrantDetailsInput {
    pub registration_id: ID,
    /// The registrant's own address, as at the start.
    pub email: EmailScalar,
    pub first_name: String,
    pub last_name: String,
    /// Whether `taxId` is an EIN or an SSN: nine bare digits are either.
    pub tax_id_kind: TaxIdKind,
    pub tax_id: String,
    /// The ZIP of the pay-to address on file.
    pub pay_to_zip: String,
    /// The contact address on file.
    pub contact_email: EmailScalar,
    pub mobile: PhoneScalar,
    /// How passcodes reach the registrant.
    pub channel: CodeChannel,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Completes a registration (MC-08).
#[derive(InputObject)]
pub struct CompleteOrganizationRegistrationInput {
    pub registration_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Adds an organisation to the signed-in person (MC-11).
#[derive(InputObject)]
pub struct AddOrganizationInput {
    /// The secure token of the letter.
    pub token: String,
    pub tax_id_kind: TaxIdKind,
    pub tax_id: String,
    /// The ZIP of the pay-to address on file.
    pub pay_to_zip: String,
    /// The contact address on file.
    pub contact_email: EmailScalar,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// A registration step's outcome.
    RegistrationPayload {
        /// The registration as it stands now.
        registration: Registration,
    }
}

payload! {
    /// The outcome of adding an organisation.
    AddOrganizationPayload {
        /// The organisation, to be chosen after the next sign-in.
        organization_id: ID,
    }
}

/// Questions about registrations.
#[derive(Default)]
pub struct RegistrationQuery;

#[Object]
impl RegistrationQuery {
    /// A registration under way, by the id that only its registrant holds.
    async fn registration(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Registration>> {
        let visit = Visit::of(ctx)?;
        let Ok(id) = NodeType::Registration.parse::<RegistrationId>(&id, "id") else {
            return Ok(None);
        };
        let view = Box::pin(visit.commands.registration(visit.caller.tenant, id)).await;
        Ok(absent(view)?.map(Registration::from))
    }
}

/// Steps of a registration.
#[derive(Default)]
pub struct RegistrationMutation;

#[Object]
impl RegistrationMutation {
    /// Begins the registration of an organisation with an email address and the letter's token.
    async fn start_organization_registration(
        &self,
        ctx: &Context<'_>,
        input: StartOrganizationRegistrationInput,
    ) -> Result<RegistrationPayload> {
        let command = field("email", EmailAddress::parse(&input.email.0))
            .map(|email| StartOrganizationRegistration { email, token: input.token });
        let sent = send(ctx, input.meta, command).await?;
        let registration = registration(ctx, sent.output).await?;
        Ok(RegistrationPayload::of(sent, registration))
    }

    /// Submits the registrant's details; which of them do not match is never said.
    async fn submit_registrant_details(
        &self,
        ctx: &Context<'_>,
        input: SubmitRegistrantDetailsInput,
    ) -> Result<RegistrationPayload> {
        let command = details(&input);
        let sent = send(ctx, input.meta, command).await?;
        let registration = registration(ctx, sent.output).await?;
        Ok(RegistrationPayload::of(sent, registration))
    }

    /// Completes the registration: the registrant is the organisation's administrator, and a link
    /// to set the password goes out.
    async fn complete_organization_registration(
        &self,
        ctx: &Context<'_>,
        input: CompleteOrganizationRegistrationInput,
    ) -> Result<RegistrationPayload> {
        let command = NodeType::Registration
            .parse(&input.registration_id, "registrationId")
            .map(|registration| CompleteOrganizationRegistration { registration });
        let sent = send(ctx, input.meta, command).await?;
        let registration = registration(ctx, sent.output).await?;
        Ok(RegistrationPayload::of(sent, registration))
    }

    /// Adds an organisation to the signed-in person, who sees it after the next sign-in.
    async fn add_organization(
        &self,
        ctx: &Context<'_>,
        input: AddOrganizationInput,
    ) -> Result<AddOrganizationPayload> {
        let command = addition(&input);
        let sent = send(ctx, input.meta, command).await?;
        let organization = sent.output.map(|id: OrganizationId| NodeType::Organization.id(id));
        Ok(AddOrganizationPayload::of(sent, organization))
    }
}

fn details(input: &SubmitRegistrantDetailsInput) -> Result<SubmitRegistrantDetails, Refusal> {
    Ok(SubmitRegistrantDetails {
        registration: NodeType::Registration.parse(&input.registration_id, "registrationId")?,
        email: field("email", EmailAddress::parse(&input.email.0))?,
        details: RegistrantDetails {
            first_name: field("firstName", PersonName::parse(&input.first_name))?,
            last_name: field("lastName", PersonName::parse(&input.last_name))?,
            mobile: field("mobile", PhoneNumber::parse(&input.mobile.0))?,
            channel: input.channel.into(),
        },
        claims: claims(input.tax_id_kind, &input.tax_id, &input.pay_to_zip, &input.contact_email)?,
    })
}

fn addition(input: &AddOrganizationInput) -> Result<AddOrganization, Refusal> {
    Ok(AddOrganization {
        token: input.token.clone(),
        claims: claims(input.tax_id_kind, &input.tax_id, &input.pay_to_zip, &input.contact_email)?,
        challenge: challenge_id(input.otp_challenge_id.as_ref(), "otpChallengeId")?,
    })
}

fn claims(
    kind: TaxIdKind,
    tax_id: &str,
    zip: &str,
    contact_email: &EmailScalar,
) -> Result<EnrolmentClaims, Refusal> {
    Ok(EnrolmentClaims {
        tax_id: field("taxId", TaxId::parse(kind.into(), tax_id))?,
        pay_to_zip: field("payToZip", Zip::parse(zip))?,
        contact_email: field("contactEmail", EmailAddress::parse(&contact_email.0))?,
    })
}

/// The registration as it stands after a step.
pub(in crate::graphql) async fn registration(
    ctx: &Context<'_>,
    id: Option<RegistrationId>,
) -> Result<Option<Registration>> {
    let Some(id) = id else { return Ok(None) };
    let visit = Visit::of(ctx)?;
    let view = Box::pin(visit.commands.registration(visit.caller.tenant, id)).await;
    Ok(absent(view)?.map(Registration::from))
}
