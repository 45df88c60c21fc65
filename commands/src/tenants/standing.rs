//! `SuspendTenant`, `ResumeTenant`, `CloseTenant`: an operator stops and restarts a portal (GN-31).
//!
//! Invariant: from the moment it is suspended nobody signs in or sends a command there; nothing is
//! lost.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::TenantId,
    tenants::{Tenant, TenantCommand},
    values::Reason,
};

use crate::{Access, Caller, Command, Context, Failure};

macro_rules! standing_command {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* } => $command:expr) => {
        $(#[$doc])*
        pub struct $name {
            /// The tenant meant; not the caller's.
            pub tenant: TenantId,
            $(pub $field: $type,)*
        }

        #[async_trait]
        impl Command for $name {
            const NAME: &'static str = stringify!($name);
            type Output = TenantId;

            fn access(&self) -> Access {
                Access::Operator
            }

            fn tenant(&self, _: &Caller) -> TenantId {
                self.tenant
            }

            async fn handle(&self, cx: &mut Context<'_>) -> Result<TenantId, Failure> {
                super::create_tenant::require_portal(self.tenant)?;
                let command: fn(&Self) -> TenantCommand = $command;
                cx.decide::<Tenant>(self.tenant.0, command(self)).await?;
                Ok(self.tenant)
            }
        }
    };
}

standing_command! {
    /// Stops a portal for the time being.
    SuspendTenant { reason: Reason } =>
        |command| TenantCommand::SuspendTenant { reason: command.reason.clone() }
}
standing_command! {
    /// Lets a suspended portal run again.
    ResumeTenant {} => |_| TenantCommand::ResumeTenant
}
standing_command! {
    /// Ends a portal for good; its events stay for auditors.
    CloseTenant { reason: Reason } =>
        |command| TenantCommand::CloseTenant { reason: command.reason.clone() }
}
