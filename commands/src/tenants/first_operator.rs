//! `RegisterFirstOperator`: whoever holds the link printed at the first start becomes operator.
//!
//! Invariant: of two registrations at once one wins, because both reserve the same key.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{TenantId, UserId},
    tenants::{PlanRole, PlanScope, PlanStaff, PlanStaffCommand},
    users::{
        credential::{Credential, CredentialCommand},
        user::{Registration, User, UserCommand},
    },
    values::{CodeChannel, Password},
};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{PersonDetails, bootstrap};
use crate::{
    Access, Command, Context, Failure,
    users::{Candidate, EMAIL, new_password},
};

/// Registers the first operator with a password, in the operations tenant.
pub struct RegisterFirstOperator {
    /// From the printed link.
    pub token: String,
    pub person: PersonDetails,
    pub password: Password,
}

#[async_trait]
impl Command for RegisterFirstOperator {
    const NAME: &'static str = "RegisterFirstOperator";
    const FOR_VISITORS: bool = true;
    type Output = UserId;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<UserId, Failure> {
        let tenant = cx.tenant();
        if tenant != TenantId::OPERATIONS {
            return Err(invalid().into());
        }
        let expected = bootstrap::token(cx.journal());
        if !bool::from(expected.as_bytes().ct_eq(self.token.trim().as_bytes())) {
            return Err(invalid().into());
        }
        if bootstrap::has_operator(cx.journal()).await? {
            return Err(used().into());
        }
        let user = UserId(Uuid::now_v7());
        let PersonDetails { email, first_name, last_name, mobile } = &self.person;
        let identifiers = [email.as_str(), first_name.as_str(), last_name.as_str()];
        let credential = tenant.credential_stream(user);
        let candidate =
            Candidate { password: &self.password, identifiers: &identifiers, current: None };
        let new = new_password(cx, &Credential::default(), candidate).await?;
        cx.decide::<Credential>(credential, CredentialCommand::SetFirstPassword { user, new })
            .await?;

        let registration = Registration {
            user,
            email: email.clone(),
            first_name: first_name.clone(),
            last_name: last_name.clone(),
            mobile: mobile.clone(),
            business_phone: None,
            username: None,
            preferred_channel: CodeChannel::Sms,
        };
        cx.decide::<User>(user, UserCommand::RegisterUser(Box::new(registration))).await?;
        let assign = PlanStaffCommand::AssignPlanRole {
            tenant,
            user,
            role: PlanRole::Operator,
            from: None,
            until: None,
            scope: PlanScope::Whole,
            reason: None,
        };
        cx.decide::<PlanStaff>(tenant.plan_staff_stream(user), assign).await?;
        cx.work.reserve(EMAIL, &email.key(), user.0, used());
        cx.work.reserve(bootstrap::FIRST_OPERATOR, "", user.0, used());
        Ok(user)
    }
}

fn invalid() -> Refusal {
    Refusal::new(Code::TokenInvalid, "This link is not valid. Take the one printed at the start.")
        .at("token")
}

fn used() -> Refusal {
    Refusal::new(Code::TokenUsed, "An operator is registered already. Ask them to invite you.")
        .at("token")
}
