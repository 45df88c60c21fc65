//! `directory_members`: a person in an organisation.
//!
//! Invariant: `roster_facts` counts what the domain counts, so that the version shown is the version
//! a command expects.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::TenantId,
    organizations::{OrgRole, OrganizationEvent},
    permissions::{MembershipEvent, NpiLevel},
    sessions::SessionEvent,
};
use rollcall_journal::Recorded;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::projection::{Entry, Fact};

/// A row; the names are the table's columns.
#[derive(Clone, Debug, Serialize, Deserialize, sqlx::FromRow)]
struct MemberRow {
    tenant_id: Uuid,
    organization_id: Uuid,
    user_id: Uuid,
    standing: String,
    org_role: String,
    email_domain: String,
    invitation_id: Option<Uuid>,
    invited_at: Option<DateTime<Utc>>,
    joined_at: Option<DateTime<Utc>>,
    deactivated_at: Option<DateTime<Utc>>,
    left_on: Option<NaiveDate>,
    last_login_at: Option<DateTime<Utc>>,
    unassigned_since: Option<DateTime<Utc>>,
    was_assigned: bool,
    admin_requested_at: Option<DateTime<Utc>>,
    admin_requested_by: Option<Uuid>,
    setup: String,
    setup_steps: Vec<String>,
    roster_facts: i64,
    permission_facts: i64,
}

/// Organisation and person.
type Key = (Uuid, Uuid);

impl MemberRow {
    /// Somebody whom the roster does not name yet.
    fn unlisted(tenant: TenantId, (organization_id, user_id): Key) -> Self {
        Self {
            tenant_id: tenant.0,
            organization_id,
            user_id,
            standing: "UNLISTED".to_owned(),
            org_role: OrgRole::None.as_str().to_owned(),
            email_domain: String::new(),
            invitation_id: None,
            invited_at: None,
            joined_at: None,
            deactivated_at: None,
            left_on: None,
            last_login_at: None,
            unassigned_since: None,
            was_assigned: false,
            admin_requested_at: None,
            admin_requested_by: None,
            setup: "NOT_STARTED".to_owned(),
            setup_steps: Vec::new(),
            roster_facts: 0,
            permission_facts: 0,
        }
    }

    fn take_in(&mut self, recorded: &Recorded<AnyEvent>, fact: Fact<'_>) {
        match fact {
            Fact::Roster(event) => {
                self.roster_facts += 1;
                self.roster(event, recorded.occurred_at);
            }
            Fact::Permissions(event) => {
                self.permission_facts = recorded.sequence;
                self.permissions(event);
            }
            Fact::Session(event) => self.session(event, recorded.occurred_at),
            Fact::Invitation(_) | Fact::Credential(_) | Fact::Account(_) | Fact::Delivery(_) => {}
        }
    }

    fn roster(&mut self, event: &OrganizationEvent, at: DateTime<Utc>) {
        use OrganizationEvent as E;
        match event {
            E::MemberInvited { invitation, email_domain, .. } => {
                self.stand("INVITED");
                self.org_role = OrgRole::None.as_str().to_owned();
                self.email_domain.clone_from(email_domain);
                self.invitation_id = Some(invitation.0);
                self.invited_at = Some(at);
                self.joined_at = None;
                self.unassigned_since = None;
            }
            E::MemberInvitationEnded { .. } => {
                self.stand("ENDED");
                self.org_role = OrgRole::None.as_str().to_owned();
            }
            E::MembershipAdded { role, email_domain, joined_at, .. } => {
                self.stand("ACTIVE");
                self.org_role = role.as_str().to_owned();
                self.email_domain.clone_from(email_domain);
                self.joined_at = Some(*joined_at);
                self.unassigned_since = Some(*joined_at).filter(|_| *role == OrgRole::None);
            }
            E::OrgRoleAssigned { new, .. } => {
                self.org_role = new.as_str().to_owned();
                if *new == OrgRole::Admin {
                    self.no_admin_request();
                }
                self.unassigned_since = self.unassigned_since.filter(|_| *new == OrgRole::None);
            }
            E::UserAutoDeactivated { deactivated_at, .. } => {
                self.stand("INACTIVE");
                self.no_admin_request();
                self.deactivated_at = Some(*deactivated_at);
            }
            E::UserDeactivated { deactivated_at, left_on, .. } => {
                self.stand("INACTIVE");
                self.no_admin_request();
                self.deactivated_at = Some(*deactivated_at);
                self.left_on = left_on.map(|day| day.date());
            }
            E::MemberMoved { moved_at, .. } => {
                self.stand("INACTIVE");
                self.no_admin_request();
                self.deactivated_at = Some(*moved_at);
            }
            E::MembershipEndPlanned { left_on, .. } => self.left_on = Some(left_on.date()),
            E::MembershipEndCancelled { .. } => self.left_on = None,
            E::UserReactivated { reactivated_at, .. } => {
                self.stand("ACTIVE");
                let none = self.org_role == OrgRole::None.as_str();
                self.unassigned_since = reactivated_at.filter(|_| none);
                self.deactivated_at = None;
                self.left_on = None;
            }
            E::MemberEmailDomainChanged { new, .. } => self.email_domain.clone_from(new),
            E::AdminRequestSubmitted { requested_by, requested_at, .. } => {
                self.admin_requested_at = Some(*requested_at);
                self.admin_requested_by = Some(requested_by.0);
            }
            E::AdminRequestDeclined { .. } => self.no_admin_request(),
            E::UserDeactivationWarned { .. }
            | E::PlanEvidenceRecorded { .. }
            | E::OrganizationEnrolled { .. }
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
            | E::OrganizationClosed { .. } => {}
        }
    }

    fn permissions(&mut self, event: &MembershipEvent) {
        match event {
            MembershipEvent::PermissionsAssigned { steps, .. } => {
                self.setup = "ASSIGNED".to_owned();
                self.setup_steps = steps.iter().map(|step| step.as_str().to_owned()).collect();
                self.setup_steps.sort_unstable();
            }
            MembershipEvent::PermissionsDeferred { .. } => {
                self.setup = "DEFERRED".to_owned();
                self.setup_steps.clear();
            }
            MembershipEvent::MembershipPermissionsEnded { .. } => {
                self.setup = "NOT_STARTED".to_owned();
                self.setup_steps.clear();
                self.was_assigned = false;
            }
            MembershipEvent::NpiPermissionSet { new, .. } => {
                self.was_assigned |= *new > NpiLevel::None;
            }
            MembershipEvent::CorrespondencePermissionSet { types, .. } => {
                self.was_assigned |= !types.is_empty();
            }
            MembershipEvent::FeatureGranted { .. }
            | MembershipEvent::JobRoleAssigned { .. }
            | MembershipEvent::LocationAccessGranted { .. }
            | MembershipEvent::TaxIdAccessGranted { .. } => self.was_assigned = true,
            MembershipEvent::NpiPermissionEnded { .. }
            | MembershipEvent::FeatureRevoked { .. }
            | MembershipEvent::JobRoleUnassigned { .. }
            | MembershipEvent::LocationAccessRevoked { .. }
            | MembershipEvent::TaxIdAccessRevoked { .. }
            | MembershipEvent::GrantExpired { .. }
            | MembershipEvent::FormerPermissionsConfirmed { .. } => {}
        }
    }

    fn session(&mut self, event: &SessionEvent, at: DateTime<Utc>) {
        match event {
            SessionEvent::SessionStarted { .. }
            | SessionEvent::OrganizationSelected { .. }
            | SessionEvent::OrganizationSwitched { .. } => self.last_login_at = Some(at),
            SessionEvent::RestrictionLifted { .. }
            | SessionEvent::SecondFactorEnrolled { .. }
            | SessionEvent::SessionEnded { .. } => {}
        }
    }

    fn no_admin_request(&mut self) {
        self.admin_requested_at = None;
        self.admin_requested_by = None;
    }

    fn stand(&mut self, standing: &str) {
        standing.clone_into(&mut self.standing);
    }
}

/// Whom a fact is about, if it is about a member.
fn key((recorded, fact): &Entry<'_>) -> Option<Key> {
    match fact {
        Fact::Roster(_) | Fact::Permissions(_) | Fact::Session(_) => {
            Some((recorded.subject_organization?.0, recorded.subject?.0))
        }
        Fact::Invitation(_) | Fact::Credential(_) | Fact::Account(_) | Fact::Delivery(_) => None,
    }
}

pub(super) async fn apply(
    tx: &mut PgConnection,
    tenant: TenantId,
    entries: &[Entry<'_>],
) -> Result<(), sqlx::Error> {
    let keys: Vec<Key> = entries.iter().filter_map(key).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut rows = load(tx, tenant, &keys).await?;
    for entry @ (recorded, fact) in entries {
        let Some(key) = key(entry) else { continue };
        let row = rows.entry(key).or_insert_with(|| MemberRow::unlisted(tenant, key));
        row.take_in(recorded, *fact);
    }
    store(tx, rows.into_values().collect()).await
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    keys: &[Key],
) -> Result<BTreeMap<Key, MemberRow>, sqlx::Error> {
    let (organizations, users): (Vec<Uuid>, Vec<Uuid>) = keys.iter().copied().unzip();
    let rows: Vec<MemberRow> = sqlx::query_as(
        "SELECT m.* FROM directory_members m
          WHERE m.tenant_id = $1 AND (m.organization_id, m.user_id) IN
                (SELECT * FROM UNNEST($2::uuid[], $3::uuid[]))",
    )
    .bind(tenant.0)
    .bind(organizations)
    .bind(users)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.organization_id, row.user_id), row)).collect())
}

async fn store(tx: &mut PgConnection, rows: Vec<MemberRow>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO directory_members
         SELECT * FROM jsonb_populate_recordset(NULL::directory_members, $1)
         ON CONFLICT (tenant_id, organization_id, user_id) DO UPDATE
            SET standing = excluded.standing, org_role = excluded.org_role,
                email_domain = excluded.email_domain, invitation_id = excluded.invitation_id,
                invited_at = excluded.invited_at, joined_at = excluded.joined_at,
                deactivated_at = excluded.deactivated_at, left_on = excluded.left_on,
                last_login_at = excluded.last_login_at,
                unassigned_since = excluded.unassigned_since,
                was_assigned = excluded.was_assigned,
                admin_requested_at = excluded.admin_requested_at,
                admin_requested_by = excluded.admin_requested_by, setup = excluded.setup,
                setup_steps = excluded.setup_steps, roster_facts = excluded.roster_facts,
                permission_facts = excluded.permission_facts",
    )
    .bind(Json(rows))
    .execute(tx)
    .await?;
    Ok(())
}
