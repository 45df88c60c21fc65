//! Signatures under the Telecommunications Provider and Biller Application/Agreement (MC-55, MC-57).
//!
//! Invariant: a signature names the version in force and the hash of its text, and every box of
//! that version is ticked.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    affiliations::{Affiliation, AffiliationCommand, Signature},
    kernel::ids::OtpChallengeId,
    policies::{Feature, StepUpAction, agreement::Agreement},
    values::{AgreementKind, PersonName},
};

use super::Target;
use crate::{Access, Command, Context, Failure, users::one_time_passcode::require_step_up};

/// The agreement's box that `eligibility_confirmed` ticks.
pub const ELIGIBILITY_BOX: &str = "ELIGIBILITY";

/// A signature as typed.
pub struct TypedSignature {
    pub eligibility_confirmed: bool,
    pub first_name: String,
    pub last_name: String,
    pub role: String,
    pub agreement_version: String,
    /// Keys of the agreement's further boxes that are ticked.
    pub boxes: Vec<String>,
    /// A verified passcode, where the policy asks for one (MC-28).
    pub otp_challenge: Option<OtpChallengeId>,
}

/// A signature whose names are names.
#[derive(Clone, Debug)]
pub struct GivenSignature {
    eligibility_confirmed: bool,
    first_name: Option<PersonName>,
    last_name: Option<PersonName>,
    role: String,
    agreement_version: String,
    boxes: Vec<String>,
    otp_challenge: Option<OtpChallengeId>,
}

impl GivenSignature {
    /// Reads what was typed; an empty name is for the agreement to refuse.
    ///
    /// # Errors
    /// `NAME_INVALID`.
    pub fn parse(typed: TypedSignature) -> Result<Self, Refusal> {
        Ok(Self {
            first_name: name(&typed.first_name, "signature.firstName")?,
            last_name: name(&typed.last_name, "signature.lastName")?,
            eligibility_confirmed: typed.eligibility_confirmed,
            role: typed.role,
            agreement_version: typed.agreement_version,
            boxes: typed.boxes,
            otp_challenge: typed.otp_challenge,
        })
    }

    /// The signature under the version in force, by the signed-in person.
    ///
    /// # Errors
    /// `AGREEMENT_UNKNOWN`, `AGREEMENT_SUPERSEDED`, `BOX_NOT_TICKED`, `OTP_REQUIRED`.
    pub(super) async fn under_agreement(&self, cx: &mut Context<'_>) -> Result<Signature, Failure> {
        let user = cx.person()?;
        let stream = cx.tenant().agreement_stream(AgreementKind::AffiliationAgreement);
        let agreement = cx.load::<Agreement>(stream).await?;
        let acceptance = agreement
            .check_acceptance(&self.agreement_version, &self.ticked(&agreement, cx), cx.now)
            .map_err(|refusal| beneath_signature(refusal.into()))?;
        let sha256 = agreement.current(cx.now).map(|edition| edition.sha256.clone());
        require_step_up(cx, StepUpAction::SignAgreement, self.otp_challenge).await?;
        Ok(Signature {
            user,
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            role: self.role.clone(),
            eligibility_confirmed: self.eligibility_confirmed,
            agreement_version: acceptance.version,
            sha256: sha256.expect("an accepted version is the one in force"),
        })
    }

    fn ticked(&self, agreement: &Agreement, cx: &Context<'_>) -> Vec<String> {
        let has_eligibility = agreement
            .current(cx.now)
            .is_some_and(|edition| edition.boxes.iter().any(|tick| tick.key == ELIGIBILITY_BOX));
        let mut ticked = self.boxes.clone();
        if has_eligibility && self.eligibility_confirmed {
            ticked.push(ELIGIBILITY_BOX.to_owned());
        }
        ticked
    }
}

fn name(typed: &str, field: &str) -> Result<Option<PersonName>, Refusal> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    PersonName::parse(typed).map(Some).map_err(|invalid| Refusal::from(invalid).at(field))
}

/// The agreement's refusal, at the field where a signature has what is wrong.
fn beneath_signature(refusal: Refusal) -> Refusal {
    let about_version = refusal.field == ["version"];
    let no_eligibility = refusal.details.iter().any(|key| key == ELIGIBILITY_BOX);
    refusal.at(match (about_version, no_eligibility) {
        (true, _) => "signature.agreementVersion",
        (false, true) => "signature.eligibilityConfirmed",
        (false, false) => "signature.boxes",
    })
}

/// Signs for one side: for the side that asked in a step of its own, for the other as approval.
pub struct SignAffiliationAgreement {
    pub target: Target,
    pub signature: GivenSignature,
}

#[async_trait]
impl Command for SignAffiliationAgreement {
    const NAME: &'static str = "SignAffiliationAgreement";
    const FEATURE: Option<Feature> = Some(Feature::Affiliations);
    type Output = ();

    fn access(&self) -> Access {
        Access::OrgAdmin(self.target.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.target.check(cx).await?;
        let signature = self.signature.under_agreement(cx).await?;
        let organization = self.target.organization;
        let sign = AffiliationCommand::Sign { organization, signature };
        cx.decide::<Affiliation>(self.target.affiliation, sign).await?;
        Ok(())
    }
}
