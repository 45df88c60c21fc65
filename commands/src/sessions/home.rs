//! The home page: the tiles that a person's rights allow (MC-37).
//!
//! Invariant: a tile is offered exactly where the commands behind it would be allowed, because both
//! ask the same rules of the same streams.

use std::collections::BTreeSet;

use rollcall_domain::{
    kernel::ids::OrganizationId,
    organizations::{OrgRole, Organization, OrganizationKind, organization::Standing},
    permissions::{JobRoles, Right, Situation},
    policies::{Feature, Policy, PolicyHistory},
    sessions::Session,
    tenants::{PlanRole, PlanStaff},
};

use crate::{
    Access, Authority, Caller, Commands, Failure, Identity,
    authorization::{authorise, not_signed_in},
    permissions::job_roles_of,
};

/// A place to go from the home page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tile {
    /// The home page itself.
    MyDashboard,
    /// In-portal notices.
    Notifications,
    /// Users of the organisation and their permissions.
    Users,
    /// PINs of the NPIs that the person may view and reset.
    Pins,
    /// A provider's submitters (MC-12).
    SubmitterManagement,
    /// The providers a submitter submits for (MC-12).
    ProviderNetwork,
    /// Who had and has access to what.
    AccessRegister,
    /// What happened.
    AuditTrail,
    /// Organisations, their NPIs and registration tokens.
    Organizations,
    /// The health plan's own people.
    PlanStaff,
    /// The portal's parameters and agreements.
    Policy,
    /// The portals of this service.
    Tenants,
    /// The end of the session.
    SignOut,
}

/// What somebody's home page shows, for the organisation the session acts for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    pub tiles: BTreeSet<Tile>,
    /// The organisation acted for, if the person is a member of it still.
    pub organization: Option<OrganizationId>,
    /// People asked to join it who have not come yet; counted where its users are offered.
    pub invited: usize,
}

impl Commands {
    /// The caller's home page.
    ///
    /// # Errors
    /// `NOT_SIGNED_IN`, `SESSION_ENDED`, `PASSWORD_CHANGE_REQUIRED`, or a fault.
    pub async fn home(&self, caller: &Caller) -> Result<Home, Failure> {
        let (journal, tenant, now) = (&self.journal, caller.tenant, self.journal.now());
        let (authority, _) = authorise(journal, caller, Access::SignedIn, now).await?;
        let user = authority.user.ok_or_else(not_signed_in)?;
        let policies = journal.load_fresh::<PolicyHistory>(tenant, tenant.policy_stream()).await?;
        let (_, policy) = policies.state.at(now);
        let staff = journal.load_fresh::<PlanStaff>(tenant, tenant.plan_staff_stream(user)).await?;
        let mut home = Home::default();
        home.tiles.extend([Tile::MyDashboard, Tile::Notifications, Tile::SignOut]);
        for role in staff.state.roles_at(now) {
            home.tiles.extend(tiles_of(role));
        }
        let Some(id) = caller.organization() else { return Ok(home) };
        match authorise(journal, caller, Access::Member(id), now).await {
            Ok((authority, _)) => {
                let organization = journal.load_fresh::<Organization>(tenant, id.0).await?.state;
                home.organization = Some(id);
                let roles = match &authority.membership {
                    Some(membership) => job_roles_of(journal, tenant, membership, now).await?,
                    None => JobRoles::new(),
                };
                self.add_member_tiles(&mut home, &authority, &organization, (policy, &roles));
                Ok(home)
            }
            // The membership has ended; the session shows what is left.
            Err(Failure::Refused(_)) => Ok(home),
            Err(fault) => Err(fault),
        }
    }

    /// The caller as their session stands now: it may act for another organisation than it did.
    ///
    /// # Errors
    /// A fault.
    pub async fn caller_now(&self, caller: &Caller) -> Result<Caller, Failure> {
        let Identity::Person { session, user, .. } = caller.identity else {
            return Ok(caller.clone());
        };
        let state = self.journal.load_fresh::<Session>(caller.tenant, session.0).await?.state;
        let organization = state.live().and_then(|live| live.organization);
        Ok(Caller { identity: Identity::Person { session, user, organization }, ..caller.clone() })
    }

    fn add_member_tiles(
        &self,
        home: &mut Home,
        authority: &Authority,
        organization: &Organization,
        (policy, job_roles): (&Policy, &JobRoles),
    ) {
        let (Some(user), Some(membership)) = (authority.user, &authority.membership) else {
            return;
        };
        let now = self.journal.now();
        let situation = Situation {
            user,
            account_active: true,
            organization,
            membership,
            policy,
            job_roles,
            types: &[],
            now,
        };
        for right in situation.rights().keys() {
            home.tiles.extend(tile_of(right));
        }
        if authority.org_role == Some(OrgRole::Admin) {
            home.tiles.insert(Tile::AccessRegister);
            if policy.is_on(Feature::Affiliations) {
                let kinds = organization.record().map(|record| &record.kinds);
                home.tiles.extend(kinds.into_iter().flatten().map(|kind| area_of(*kind)));
            }
        }
        if home.tiles.contains(&Tile::Users) {
            let is_invited = |standing: &Standing| matches!(standing, Standing::Invited { .. });
            home.invited =
                organization.members().filter(|(_, member)| is_invited(&member.standing)).count();
        }
    }
}

/// Each kind of organisation has an area of its own (MC-12).
const fn area_of(kind: OrganizationKind) -> Tile {
    match kind {
        OrganizationKind::Provider => Tile::SubmitterManagement,
        OrganizationKind::Submitter => Tile::ProviderNetwork,
    }
}

const fn tile_of(right: &Right) -> Option<Tile> {
    match right {
        Right::ManageUsers => Some(Tile::Users),
        Right::ManagePin(_) => Some(Tile::Pins),
        Right::ViewOrganization
        | Right::ViewNpi(_)
        | Right::ReadCorrespondence(..)
        | Right::UseFeature(_)
        | Right::HoldJobRole(_)
        | Right::ViewLocation(_)
        | Right::ChooseLocation(_)
        | Right::ReadTaxId(_) => None,
    }
}

const fn tiles_of(role: PlanRole) -> &'static [Tile] {
    match role {
        PlanRole::Operator => &[Tile::Tenants],
        PlanRole::Pa => &[
            Tile::Organizations,
            Tile::PlanStaff,
            Tile::Policy,
            Tile::AccessRegister,
            Tile::AuditTrail,
        ],
        PlanRole::Ps => &[Tile::Organizations, Tile::AccessRegister],
        PlanRole::Au => &[Tile::AccessRegister, Tile::AuditTrail],
        PlanRole::Qi | PlanRole::Ce => &[],
    }
}
