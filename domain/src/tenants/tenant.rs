//! A tenant: one health plan's portal, from its creation to its end (GN-31).
//!
//! Invariant: a closed tenant never opens again; its events stay readable for auditors.

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{SubjectId, TenantId};
use crate::policies::Preset;
use crate::values::{OrganizationName, Reason, Slug};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// What happened to a tenant as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TenantEvent {
    /// An operator opened a portal under a slug, with the policy preset it starts from.
    TenantCreated {
        tenant: TenantId,
        slug: Slug,
        name: OrganizationName,
        /// The policy the tenant begins with.
        preset: Preset,
        /// How many active plan administrators the tenant must keep once it is live.
        administrators_required: u8,
    },
    /// An operator stopped the portal: nobody signs in, nothing is lost.
    TenantSuspended { reason: Sealed<Reason> },
    /// An operator let a suspended portal run again.
    TenantResumed {},
    /// An operator ended the portal for good.
    TenantClosed { reason: Sealed<Reason> },
}

impl Event for TenantEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::TenantCreated { .. } => "tenants.tenant.tenant_created",
            Self::TenantSuspended { .. } => "tenants.tenant.tenant_suspended",
            Self::TenantResumed {} => "tenants.tenant.tenant_resumed",
            Self::TenantClosed { .. } => "tenants.tenant.tenant_closed",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::TenantCreated { .. }
            | Self::TenantSuspended { .. }
            | Self::TenantResumed {}
            | Self::TenantClosed { .. } => Facets::default(),
        }
    }
}

/// What an operator may ask of a tenant.
#[derive(Clone, Debug)]
pub enum TenantCommand {
    /// Opens a portal. That the slug is free is reserved at the append.
    CreateTenant {
        tenant: TenantId,
        slug: Slug,
        name: OrganizationName,
        preset: Preset,
        administrators_required: u8,
    },
    SuspendTenant {
        reason: Reason,
    },
    ResumeTenant,
    CloseTenant {
        reason: Reason,
    },
}

/// Why a tenant refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantRefusal {
    #[error("This tenant exists already. Choose another short name.")]
    Exists,
    #[error("No such tenant exists.")]
    Unknown,
    #[error("The tenant is suspended already.")]
    AlreadySuspended,
    #[error("The tenant is running; only a suspended tenant can be resumed.")]
    NotSuspended,
    #[error("The tenant is closed for good. Create a new one.")]
    Closed,
}

impl From<TenantRefusal> for Refusal {
    fn from(refusal: TenantRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            TenantRefusal::Exists => Self::new(Code::SlugTaken, message).at("slug"),
            TenantRefusal::Unknown => Self::not_found("tenantId"),
            TenantRefusal::AlreadySuspended => Self::new(Code::AlreadyInactive, message),
            TenantRefusal::NotSuspended => Self::new(Code::NotInactive, message),
            TenantRefusal::Closed => Self::new(Code::TenantInactive, message),
        }
    }
}

/// What stays known of a tenant in every phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantProfile {
    pub tenant: TenantId,
    pub slug: Slug,
    pub name: OrganizationName,
    pub administrators_required: u8,
}

/// The phase a tenant is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tenant {
    #[default]
    NotCreated,
    Active(TenantProfile),
    Suspended(TenantProfile),
    Closed(TenantProfile),
}

impl Tenant {
    /// Whether people may sign in and commands be taken.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active(_))
    }

    /// What is known of it, unless it was never created.
    #[must_use]
    pub fn profile(&self) -> Option<&TenantProfile> {
        match self {
            Self::NotCreated => None,
            Self::Active(profile) | Self::Suspended(profile) | Self::Closed(profile) => {
                Some(profile)
            }
        }
    }

    fn move_to(&mut self, phase: fn(TenantProfile) -> Self) {
        if let Some(profile) = self.profile().cloned() {
            *self = phase(profile);
        }
    }
}

impl Decider for Tenant {
    const TYPE: &'static str = "tenants.tenant";
    type Command = TenantCommand;
    type Event = TenantEvent;
    type Refusal = TenantRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: TenantCommand,
    ) -> Result<Vec<TenantEvent>, TenantRefusal> {
        use TenantRefusal::{AlreadySuspended, Closed, Exists, NotSuspended, Unknown};
        let sealed =
            |profile: &TenantProfile, reason| Sealed::new(SubjectId(profile.tenant.0), reason);
        let event = match (self, command) {
            (
                Self::NotCreated,
                TenantCommand::CreateTenant { tenant, slug, name, preset, administrators_required },
            ) => TenantEvent::TenantCreated { tenant, slug, name, preset, administrators_required },
            (_, TenantCommand::CreateTenant { .. }) => return Err(Exists),
            (Self::NotCreated, _) => return Err(Unknown),
            (Self::Closed(_), _) => return Err(Closed),
            (Self::Active(profile), TenantCommand::SuspendTenant { reason }) => {
                TenantEvent::TenantSuspended { reason: sealed(profile, reason) }
            }
            (Self::Suspended(_), TenantCommand::SuspendTenant { .. }) => {
                return Err(AlreadySuspended);
            }
            (Self::Suspended(_), TenantCommand::ResumeTenant) => TenantEvent::TenantResumed {},
            (Self::Active(_), TenantCommand::ResumeTenant) => return Err(NotSuspended),
            (
                Self::Active(profile) | Self::Suspended(profile),
                TenantCommand::CloseTenant { reason },
            ) => TenantEvent::TenantClosed { reason: sealed(profile, reason) },
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &TenantEvent) {
        match event {
            TenantEvent::TenantCreated { tenant, slug, name, administrators_required, .. } => {
                *self = Self::Active(TenantProfile {
                    tenant: *tenant,
                    slug: slug.clone(),
                    name: name.clone(),
                    administrators_required: *administrators_required,
                });
            }
            TenantEvent::TenantSuspended { .. } => self.move_to(Self::Suspended),
            TenantEvent::TenantResumed {} => self.move_to(Self::Active),
            TenantEvent::TenantClosed { .. } => self.move_to(Self::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::scenario::given;

    fn tenant() -> TenantId {
        TenantId(Uuid::from_u128(1))
    }

    fn reason() -> Reason {
        Reason::parse("contract ended").unwrap()
    }

    fn created() -> TenantEvent {
        TenantEvent::TenantCreated {
            tenant: tenant(),
            slug: Slug::parse("medi-cal").unwrap(),
            name: OrganizationName::parse("Medi-Cal").unwrap(),
            preset: Preset::MediCal,
            administrators_required: 2,
        }
    }

    fn create() -> TenantCommand {
        TenantCommand::CreateTenant {
            tenant: tenant(),
            slug: Slug::parse("medi-cal").unwrap(),
            name: OrganizationName::parse("Medi-Cal").unwrap(),
            preset: Preset::MediCal,
            administrators_required: 2,
        }
    }

    fn suspended() -> TenantEvent {
        TenantEvent::TenantSuspended { reason: Sealed::new(SubjectId(tenant().0), reason()) }
    }

    fn closed() -> TenantEvent {
        TenantEvent::TenantClosed { reason: Sealed::new(SubjectId(tenant().0), reason()) }
    }

    #[test]
    fn a_tenant_is_created_once() {
        assert!(given::<Tenant>(&[]).when(create()).then(&[created()]).is_active());
        given::<Tenant>(&[created()]).when(create()).refused(Code::SlugTaken);
    }

    #[test]
    fn a_tenant_is_suspended_and_resumed() {
        let suspend = || TenantCommand::SuspendTenant { reason: reason() };
        let state = given::<Tenant>(&[created()]).when(suspend()).then(&[suspended()]);
        assert!(!state.is_active());
        given::<Tenant>(&[created(), suspended()]).when(suspend()).refused(Code::AlreadyInactive);
        let resumed = given::<Tenant>(&[created(), suspended()])
            .when(TenantCommand::ResumeTenant)
            .then(&[TenantEvent::TenantResumed {}]);
        assert!(resumed.is_active());
        given::<Tenant>(&[created()]).when(TenantCommand::ResumeTenant).refused(Code::NotInactive);
    }

    #[test]
    fn a_closed_tenant_stays_closed() {
        let close = || TenantCommand::CloseTenant { reason: reason() };
        given::<Tenant>(&[created()]).when(close()).then(&[closed()]);
        given::<Tenant>(&[created(), suspended()]).when(close()).then(&[closed()]);
        for command in [close(), TenantCommand::ResumeTenant] {
            given::<Tenant>(&[created(), closed()]).when(command).refused(Code::TenantInactive);
        }
    }

    #[test]
    fn an_unknown_tenant_is_not_found() {
        given::<Tenant>(&[]).when(TenantCommand::ResumeTenant).refused(Code::NotFound);
    }
}
