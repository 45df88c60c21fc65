//! `directory_history`: what happened to a person in an organisation (MC-30).
//!
//! Invariant: one row per fact, never changed; free text and names are not in it.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::TenantId,
    organizations::OrganizationEvent,
    permissions::{EntitlementChange, MembershipEvent, NpiScope},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::projection::{Entry, Fact};

macro_rules! member_facts {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// What a row of the history tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MemberFact { $($(#[$doc])* $variant,)+ }

        impl MemberFact {
            /// The stored word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Reads a stored word back.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|fact| fact.as_str() == name)
            }
        }
    };
}

member_facts! {
    Invited = "INVITED";
    InvitationEnded = "INVITATION_ENDED";
    Joined = "JOINED";
    OrgRoleAssigned = "ORG_ROLE_ASSIGNED";
    Deactivated = "DEACTIVATED";
    Moved = "MOVED";
    EndPlanned = "END_PLANNED";
    EndCancelled = "END_CANCELLED";
    DeactivationWarned = "DEACTIVATION_WARNED";
    AutoDeactivated = "AUTO_DEACTIVATED";
    PlanEvidenceRecorded = "PLAN_EVIDENCE_RECORDED";
    AdminRequested = "ADMIN_REQUESTED";
    AdminDeclined = "ADMIN_DECLINED";
    Reactivated = "REACTIVATED";
    EmailDomainChanged = "EMAIL_DOMAIN_CHANGED";
    NpiPermissionSet = "NPI_PERMISSION_SET";
    NpiPermissionEnded = "NPI_PERMISSION_ENDED";
    CorrespondencePermissionSet = "CORRESPONDENCE_PERMISSION_SET";
    Granted = "GRANTED";
    Revoked = "REVOKED";
    GrantExpired = "GRANT_EXPIRED";
    PermissionsAssigned = "PERMISSIONS_ASSIGNED";
    PermissionsDeferred = "PERMISSIONS_DEFERRED";
    FormerPermissionsConfirmed = "FORMER_PERMISSIONS_CONFIRMED";
    PermissionsEnded = "PERMISSIONS_ENDED";
}

/// A fact with what was and what is, where that can be said in a word.
struct Told {
    fact: MemberFact,
    npi: Option<String>,
    old: Option<String>,
    new: Option<String>,
}

impl Told {
    fn plain(fact: MemberFact) -> Self {
        Self { fact, npi: None, old: None, new: None }
    }

    fn changed(fact: MemberFact, old: &str, new: &str) -> Self {
        Self { old: Some(old.to_owned()), new: Some(new.to_owned()), ..Self::plain(fact) }
    }

    fn about(mut self, npi: &NpiScope) -> Self {
        self.npi = Some(npi.to_string());
        self
    }
}

fn roster(event: &OrganizationEvent) -> Option<Told> {
    use OrganizationEvent as E;
    Some(match event {
        E::MemberInvited { .. } => Told::plain(MemberFact::Invited),
        E::MemberInvitationEnded { .. } => Told::plain(MemberFact::InvitationEnded),
        E::MembershipAdded { .. } => Told::plain(MemberFact::Joined),
        E::OrgRoleAssigned { old, new, .. } => {
            Told::changed(MemberFact::OrgRoleAssigned, old.as_str(), new.as_str())
        }
        E::UserDeactivated { left_on, .. } => {
            let new = left_on.map(|day| day.to_string());
            Told { new, ..Told::plain(MemberFact::Deactivated) }
        }
        E::MemberMoved { .. } => Told::plain(MemberFact::Moved),
        E::MembershipEndPlanned { left_on, .. } => {
            let new = Some(left_on.to_string());
            Told { new, ..Told::plain(MemberFact::EndPlanned) }
        }
        E::MembershipEndCancelled { .. } => Told::plain(MemberFact::EndCancelled),
        E::UserDeactivationWarned { .. } => Told::plain(MemberFact::DeactivationWarned),
        E::UserAutoDeactivated { .. } => Told::plain(MemberFact::AutoDeactivated),
        E::PlanEvidenceRecorded { .. } => Told::plain(MemberFact::PlanEvidenceRecorded),
        E::AdminRequestSubmitted { .. } => Told::plain(MemberFact::AdminRequested),
        E::AdminRequestDeclined { .. } => Told::plain(MemberFact::AdminDeclined),
        E::UserReactivated { .. } => Told::plain(MemberFact::Reactivated),
        E::MemberEmailDomainChanged { old, new, .. } => {
            Told::changed(MemberFact::EmailDomainChanged, old, new)
        }
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::OrganizationRegistered { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::TaxIdLinked { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::NpiMoveFailed { .. }
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::OrganizationClosed { .. } => return None,
    })
}

fn permissions(event: &MembershipEvent) -> Told {
    use MembershipEvent as E;
    match event {
        E::NpiPermissionSet { npi, old, new, .. } => {
            Told::changed(MemberFact::NpiPermissionSet, old.as_str(), new.as_str()).about(npi)
        }
        E::NpiPermissionEnded { npi, old, .. } => {
            let old = Some(old.as_str().to_owned());
            Told { old, ..Told::plain(MemberFact::NpiPermissionEnded) }.about(npi)
        }
        E::CorrespondencePermissionSet { npi, types, .. } => {
            let types: Vec<_> = types.iter().map(ToString::to_string).collect();
            let new = Some(types.join(" "));
            Told { new, ..Told::plain(MemberFact::CorrespondencePermissionSet) }.about(npi)
        }
        E::FeatureGranted { .. }
        | E::FeatureRevoked { .. }
        | E::JobRoleAssigned { .. }
        | E::JobRoleUnassigned { .. }
        | E::LocationAccessGranted { .. }
        | E::LocationAccessRevoked { .. }
        | E::TaxIdAccessGranted { .. }
        | E::TaxIdAccessRevoked { .. }
        | E::GrantExpired { .. } => {
            granted(&event.entitlement().expect("these facts are about one"))
        }
        E::PermissionsAssigned { steps, .. } => {
            let steps: Vec<_> = steps.iter().map(|step| step.as_str()).collect();
            let new = Some(steps.join(" "));
            Told { new, ..Told::plain(MemberFact::PermissionsAssigned) }
        }
        E::PermissionsDeferred { .. } => Told::plain(MemberFact::PermissionsDeferred),
        E::FormerPermissionsConfirmed { .. } => Told::plain(MemberFact::FormerPermissionsConfirmed),
        E::MembershipPermissionsEnded { .. } => Told::plain(MemberFact::PermissionsEnded),
    }
}

/// `new` is what is held, `old` what is no more: `FEATURE:CLAIMS`, `LOCATION:` with an id.
fn granted(change: &EntitlementChange) -> Told {
    match change {
        EntitlementChange::Granted { grant, .. } => {
            let new = Some(grant.entitlement.to_string());
            Told { new, ..Told::plain(MemberFact::Granted) }
        }
        EntitlementChange::Revoked { entitlement, .. } => {
            let old = Some(entitlement.to_string());
            Told { old, ..Told::plain(MemberFact::Revoked) }
        }
        EntitlementChange::Expired { entitlement, .. } => {
            let old = Some(entitlement.to_string());
            Told { old, ..Told::plain(MemberFact::GrantExpired) }
        }
    }
}

#[derive(Default)]
struct Columns {
    organizations: Vec<Uuid>,
    users: Vec<Uuid>,
    positions: Vec<i64>,
    facts: Vec<&'static str>,
    npis: Vec<Option<String>>,
    old: Vec<Option<String>>,
    new: Vec<Option<String>>,
    actor_kinds: Vec<&'static str>,
    actors: Vec<Option<Uuid>>,
    times: Vec<DateTime<Utc>>,
}

impl Columns {
    fn add(&mut self, (recorded, fact): &Entry<'_>) {
        let told = match fact {
            Fact::Roster(event) => roster(event),
            Fact::Permissions(event) => Some(permissions(event)),
            Fact::Invitation(_)
            | Fact::Credential(_)
            | Fact::Session(_)
            | Fact::Account(_)
            | Fact::Delivery(_) => None,
        };
        let (Some(told), Some(organization), Some(user)) =
            (told, recorded.subject_organization, recorded.subject)
        else {
            return;
        };
        self.organizations.push(organization.0);
        self.users.push(user.0);
        self.positions.push(recorded.tenant_position);
        self.facts.push(told.fact.as_str());
        self.npis.push(told.npi);
        self.old.push(told.old);
        self.new.push(told.new);
        self.actor_kinds.push(recorded.actor.kind.as_str());
        self.actors.push(recorded.actor.id);
        self.times.push(recorded.occurred_at);
    }
}

pub(super) async fn apply(
    tx: &mut PgConnection,
    tenant: TenantId,
    entries: &[Entry<'_>],
) -> Result<(), sqlx::Error> {
    let mut rows = Columns::default();
    entries.iter().for_each(|entry| rows.add(entry));
    if rows.positions.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO directory_history (tenant_id, organization_id, user_id, position, fact, npi,
                                        old, new, actor_kind, actor_id, occurred_at)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[],
                                  $7::text[], $8::text[], $9::text[], $10::uuid[],
                                  $11::timestamptz[])",
    )
    .bind(tenant.0)
    .bind(rows.organizations)
    .bind(rows.users)
    .bind(rows.positions)
    .bind(rows.facts)
    .bind(rows.npis)
    .bind(rows.old)
    .bind(rows.new)
    .bind(rows.actor_kinds)
    .bind(rows.actors)
    .bind(rows.times)
    .execute(tx)
    .await?;
    Ok(())
}
