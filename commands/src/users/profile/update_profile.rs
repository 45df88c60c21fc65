//! `UpdateProfile`: people keep their own names and business number right (MC-27).

use async_trait::async_trait;
use rollcall_domain::users::user::{NewDetails, User, UserCommand};

use crate::{Access, Command, Context, Failure};

/// Changes the caller's own data; what stands already changes nothing.
pub struct UpdateProfile {
    pub details: NewDetails,
}

#[async_trait]
impl Command for UpdateProfile {
    const NAME: &'static str = "UpdateProfile";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let user = cx.person()?;
        cx.decide::<User>(user, UserCommand::UpdateProfile(self.details.clone())).await?;
        Ok(())
    }
}
