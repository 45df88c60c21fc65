//! `AgePassword`: warnings before a password is too old, and its end (CC-04).
//!
//! Invariant: it ends to the second by the password's own age; that this is written down late lets
//! nobody sign in longer.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::UserId,
    policies::PolicyHistory,
    users::credential::{Credential, CredentialCommand},
};

use crate::{Access, Command, Context, Failure};

/// The scheduler looks at a password's age; the answer is when to look again.
pub struct AgePassword {
    pub user: UserId,
}

#[async_trait]
impl Command for AgePassword {
    const NAME: &'static str = "AgePassword";
    type Output = Option<DateTime<Utc>>;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Option<DateTime<Utc>>, Failure> {
        let credential = cx.tenant().credential_stream(self.user);
        let age = CredentialCommand::AgePassword { user: self.user };
        cx.decide::<Credential>(credential, age).await?;
        let state = cx.load::<Credential>(credential).await?;
        let next = state.next_age_check(&cx.policy, cx.now);
        let policies = cx.load::<PolicyHistory>(cx.tenant().policy_stream()).await?;
        Ok(next.into_iter().chain(policies.next_change(cx.now)).min())
    }
}
