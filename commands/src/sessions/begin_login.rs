//! `BeginLogin`: the first step of signing in (MC-34).

use async_trait::async_trait;

use super::{Identifier, LoginTicket, limits};
use crate::{Access, Command, Context, Failure};

/// Takes an identifier; the answer is the same whoever it belongs to, or if nobody.
pub struct BeginLogin {
    pub identifier: Identifier,
}

#[async_trait]
impl Command for BeginLogin {
    const NAME: &'static str = "BeginLogin";
    const FOR_VISITORS: bool = true;
    type Output = LoginTicket;

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<LoginTicket, Failure> {
        limits::count_address(cx, limits::BEGIN_BY_ADDRESS).await?;
        Ok(LoginTicket::issue(cx.journal().secrets(), cx.tenant(), &self.identifier, cx.now))
    }
}
