//! `EndSession`: the service ends a session that ran out.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::SessionId,
    sessions::{EndCause, Session, SessionCommand},
};

use crate::{Access, Command, Context, Failure};

/// Ends a session for a cause other than its owner's wish; ending it twice changes nothing.
pub struct EndSession {
    pub session: SessionId,
    pub cause: EndCause,
}

#[async_trait]
impl Command for EndSession {
    const NAME: &'static str = "EndSession";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        cx.decide::<Session>(self.session, SessionCommand::EndSession { cause: self.cause })
            .await?;
        Ok(())
    }
}
