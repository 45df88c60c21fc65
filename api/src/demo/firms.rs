//! Organisations of the demo and how they come to be: on file, registered by their letter, staffed.

use rollcall_commands::{
    Caller,
    organizations::{
        registration::{
            CompleteOrganizationRegistration, EnrolmentClaims, StartOrganizationRegistration,
            SubmitRegistrantDetails,
        },
        tokens::{IssueRegistrationToken, token_text},
    },
    users::{
        Agreeing,
        invitation::{InviteUser, NewPerson},
        one_time_passcode::PasscodeOwner,
    },
};
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    organizations::registration::{RegistrantDetails, RegistrationStep},
    values::{CodeChannel, EmailAddress, Npi, PersonName, PhoneNumber, TaxId, TaxIdKind, Zip},
};

use super::{
    cast::Character,
    stage::{Stage, StepError},
};

/// A member of a firm.
#[derive(Clone, Debug)]
pub struct Member {
    pub user: UserId,
    pub who: Character,
}

/// An organisation as the demo plays it.
#[derive(Clone, Debug)]
pub struct Firm {
    pub id: OrganizationId,
    pub name: String,
    /// `PROVIDER` or `SUBMITTER`.
    pub kind: &'static str,
    /// An invented organisation; only to those does anything unfavourable happen.
    pub fictional: bool,
    pub npis: Vec<Npi>,
    /// Invented, whoever's it is.
    pub tax_id: String,
    pub zip: String,
    /// Invented, whoever's it is.
    pub contact_email: String,
    /// The registrant first.
    pub members: Vec<Member>,
}

impl Firm {
    /// The registrant, who administers it.
    ///
    /// # Panics
    /// Before it is registered.
    #[must_use]
    pub fn admin(&self) -> &Member {
        self.members.first().expect("the demo registers a firm before it plays")
    }

    /// Signs its administrator in.
    ///
    /// # Errors
    /// The sign-in was refused.
    pub async fn administrator(&self, stage: &Stage) -> Result<Caller, StepError> {
        stage.sign_in(&self.admin().who.email).await
    }
}

/// Registers a firm by the token on its letter; `registrant` becomes its administrator.
///
/// # Errors
/// The refusal of any step.
pub async fn register(
    stage: &Stage,
    plan: &Caller,
    firm: &mut Firm,
    registrant: Character,
) -> Result<(), StepError> {
    let issued = stage.run(plan, &IssueRegistrationToken { organization: firm.id }).await?;
    // The letter takes two days.
    stage.wait(2 * 24 * 60);
    let visitor = stage.visitor();
    let email = EmailAddress::parse(&registrant.email)?;
    let token = token_text(stage.commands.journal.secrets(), issued.token);
    let start = StartOrganizationRegistration { email: email.clone(), token };
    let registration = stage.run(&visitor, &start).await?;
    loop {
        let view = stage.commands.registration(stage.tenant, registration).await?;
        match view.step {
            RegistrationStep::AcceptPortalTerms | RegistrationStep::AcceptConditionsOfUse => {
                let kind = view.step.agreement().ok_or(StepError::Missing("an agreement"))?;
                stage.accept(&visitor, Agreeing::Registrant(registration), kind).await?;
            }
            RegistrationStep::SubmitDetails => {
                let submit = SubmitRegistrantDetails {
                    registration,
                    email: email.clone(),
                    details: RegistrantDetails {
                        first_name: PersonName::parse(registrant.first)?,
                        last_name: PersonName::parse(registrant.last)?,
                        mobile: PhoneNumber::parse(&registrant.mobile)?,
                        channel: CodeChannel::Sms,
                    },
                    claims: EnrolmentClaims {
                        tax_id: TaxId::parse(TaxIdKind::Ein, &firm.tax_id)?,
                        pay_to_zip: Zip::parse(&firm.zip)?,
                        contact_email: EmailAddress::parse(&firm.contact_email)?,
                    },
                };
                stage.run(&visitor, &submit).await?;
            }
            RegistrationStep::VerifyPasscode => {
                stage.passcode(&visitor, PasscodeOwner::Registration(registration)).await?;
            }
            RegistrationStep::Complete => {
                stage.run(&visitor, &CompleteOrganizationRegistration { registration }).await?;
            }
            RegistrationStep::Completed => break,
        }
    }
    let user = user_of(stage, &email).await?;
    stage.set_first_password(user).await?;
    firm.members.push(Member { user, who: registrant });
    Ok(())
}

/// Invites a person, who follows the invitation to its end.
///
/// # Errors
/// The refusal of any step.
pub async fn hire(
    stage: &Stage,
    admin: &Caller,
    firm: &mut Firm,
    who: Character,
) -> Result<UserId, StepError> {
    let invitation = stage.run(admin, &invite(firm.id, &who)?).await?;
    let user = stage.follow_invitation(invitation, &who).await?;
    firm.members.push(Member { user, who });
    Ok(user)
}

/// The command that invites somebody.
///
/// # Errors
/// A value of the cast is not one.
pub fn invite(organization: OrganizationId, who: &Character) -> Result<InviteUser, StepError> {
    let person = NewPerson {
        email: EmailAddress::parse(&who.email)?,
        first_name: PersonName::parse(who.first)?,
        last_name: PersonName::parse(who.last)?,
        mobile: PhoneNumber::parse(&who.mobile)?,
        business_phone: None,
    };
    Ok(InviteUser { organization, person })
}

/// The person behind an address.
///
/// # Errors
/// Nobody has it.
pub async fn user_of(stage: &Stage, email: &EmailAddress) -> Result<UserId, StepError> {
    let owner = stage.commands.journal.owner_of(stage.tenant, "email", &email.key()).await?;
    owner.map(UserId).ok_or(StepError::Missing("the person behind an address"))
}
