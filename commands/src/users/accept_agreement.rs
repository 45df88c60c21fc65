//! `AcceptAgreement`: an agreement is read and every box ticked (MC-06, MC-18).
//!
//! Invariant: what is recorded as accepted is the version in force, checked here and nowhere else.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::{InvitationId, RegistrationId},
    organizations::{Registration, registration::RegistrationCommand},
    policies::agreement::{Agreement, AgreementRefusal},
    users::{
        invitation::{Invitation, InvitationCommand},
        user::{User, UserCommand},
    },
    values::{Acceptance, AgreementKind},
};
use serde::{Deserialize, Serialize};

use super::{
    invitation::{self, open_invitation},
    links::LinkToken,
};
use crate::{Access, Command, Context, Failure};

/// Who agrees.
#[derive(Clone, Debug)]
pub enum Agreeing {
    /// Whoever registers an organisation (MC-06).
    Registrant(RegistrationId),
    /// An invited person (MC-18).
    Invitee(LinkToken),
    /// The signed-in person, to a newer version.
    Myself,
}

/// Whose acceptance was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgreedIn {
    Registration(RegistrationId),
    Invitation(InvitationId),
    Account,
}

/// Accepts one agreement.
pub struct AcceptAgreement {
    pub by: Agreeing,
    pub kind: AgreementKind,
    /// The version that was read.
    pub version: String,
    /// Keys of the boxes ticked.
    pub boxes: Vec<String>,
}

#[async_trait]
impl Command for AcceptAgreement {
    const NAME: &'static str = "AcceptAgreement";
    const FOR_VISITORS: bool = true;
    type Output = AgreedIn;

    fn access(&self) -> Access {
        match self.by {
            Agreeing::Myself => Access::SignedIn,
            Agreeing::Registrant(_) | Agreeing::Invitee(_) => Access::Public,
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AgreedIn, Failure> {
        match &self.by {
            Agreeing::Registrant(id) => {
                let acceptance = self.checked(cx).await?;
                let address = cx.caller.address.map(|address| address.to_string());
                let accept = RegistrationCommand::AcceptAgreement { acceptance, address };
                cx.decide::<Registration>(*id, accept).await?;
                Ok(AgreedIn::Registration(*id))
            }
            Agreeing::Invitee(token) => {
                let found = open_invitation(cx, token).await?;
                let acceptance = self.checked(cx).await?;
                let accept = InvitationCommand::AcceptAgreement {
                    link_id: found.link,
                    acceptance,
                    rules: found.rules.clone(),
                };
                cx.decide::<Invitation>(found.invitation, accept).await?;
                invitation::complete_if_last(cx, &found).await?;
                Ok(AgreedIn::Invitation(found.invitation))
            }
            Agreeing::Myself => {
                let acceptance = self.checked(cx).await?;
                let user = cx.person()?;
                cx.decide::<User>(user, UserCommand::AcceptAgreement(acceptance)).await?;
                Ok(AgreedIn::Account)
            }
        }
    }
}

impl AcceptAgreement {
    async fn checked(&self, cx: &mut Context<'_>) -> Result<Acceptance, Failure> {
        if self.kind == AgreementKind::PlanAttestation {
            return Err(Refusal::from(AgreementRefusal::SignedByHolders).into());
        }
        let stream = cx.tenant().agreement_stream(self.kind);
        let agreement = cx.load::<Agreement>(stream).await?;
        let checked = agreement.check_acceptance(&self.version, &self.boxes, cx.now);
        Ok(checked.map_err(Refusal::from)?)
    }
}
