//! How facts about organisations and their tokens become rows.
//!
//! Invariant: organisations and members of a batch are folded in memory, because one import or one
//! wave of invitations touches the same rows many times; the rest is one statement per fact.

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent,
    kernel::ids::OrganizationId,
    organizations::{
        Change, ContractStatus, EnrolmentChanges, OrgRole, OrganizationEvent, OrganizationKind,
        OrganizationKinds, PostalAddress, TaxIdRef,
    },
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    places,
    rows::{self, MemberRow, Members, OrganizationRow},
    tokens,
};
use crate::readers;

/// Keeps `read.organizations` and the tables around it.
pub struct Organizations;

#[async_trait]
impl Projection<AnyEvent> for Organizations {
    fn name(&self) -> &'static str {
        "organizations"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "organizations",
            "organization_npis",
            "organization_members",
            "organization_domains",
            "registration_tokens",
            "locations",
            "tax_ids",
        ]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let Some(tenant) = batch.first().map(|recorded| recorded.tenant) else { return Ok(()) };
        let facts: Vec<_> = batch.iter().filter_map(organization_event).collect();
        let ids: Vec<Uuid> = facts.iter().map(|(recorded, _)| recorded.aggregate_id).collect();
        let keys: Vec<_> = facts
            .iter()
            .filter_map(|(recorded, _)| Some((recorded.aggregate_id, recorded.subject?.0)))
            .collect();
        let mut organizations = rows::load_organizations(tx, tenant, &ids).await?;
        let mut members = rows::load_members(tx, tenant, &keys).await?;
        for (recorded, event) in facts {
            let id = recorded.aggregate_id;
            if let OrganizationEvent::OrganizationEnrolled { .. } = event {
                organizations.insert(id, enrolled(recorded, event)?);
            }
            if let Some(row) = organizations.get_mut(&id) {
                row.version = recorded.sequence;
                change(row, recorded, event);
            }
            change_member(&mut members, id, event);
            beside(tx, recorded, event).await?;
            places::apply(tx, recorded, event).await?;
        }
        rows::store_organizations(tx, tenant, &organizations.into_values().collect::<Vec<_>>())
            .await?;
        rows::store_members(tx, tenant, &members.into_values().collect::<Vec<_>>()).await?;
        for recorded in batch {
            if let AnyEvent::RegistrationToken(event) = &recorded.event {
                tokens::apply(tx, recorded, event).await?;
            }
        }
        Ok(())
    }
}

fn organization_event<'a>(
    recorded: &&'a Recorded<AnyEvent>,
) -> Option<(&'a Recorded<AnyEvent>, &'a OrganizationEvent)> {
    let AnyEvent::Organization(event) = &recorded.event else { return None };
    Some((recorded, event))
}

/// The name that an event gives an organisation.
pub(crate) fn name_given(event: &AnyEvent) -> Option<(OrganizationId, &str)> {
    let AnyEvent::Organization(event) = event else { return None };
    if let OrganizationEvent::OrganizationEnrolled { organization, name, .. } = event {
        Some((*organization, name.as_str()))
    } else if let OrganizationEvent::EnrolmentUpdated { organization, changes, .. } = event {
        changes.name.as_ref().map(|change| (*organization, change.new.as_str()))
    } else {
        None
    }
}

fn enrolled(
    recorded: &Recorded<AnyEvent>,
    event: &OrganizationEvent,
) -> Result<OrganizationRow, ProjectionError> {
    let OrganizationEvent::OrganizationEnrolled {
        organization,
        name,
        kinds,
        tax_id,
        pay_to_address,
        pay_to_zip,
        contract_status,
        ..
    } = event
    else {
        return Err(ProjectionError::Contradiction("no enrolment".to_owned()));
    };
    let mut row = OrganizationRow {
        id: organization.0,
        name: name.as_str().to_owned(),
        is_provider: false,
        is_submitter: false,
        tax_id_kind: String::new(),
        tax_id_last4: String::new(),
        pay_to_address: pay_to_address.as_ref().and_then(address),
        pay_to_zip: pay_to_zip.as_ref().map(ToString::to_string),
        contract: Json::default(),
        status: "ENROLLED".to_owned(),
        was_registered: false,
        version: recorded.sequence,
        enrolled_at: recorded.occurred_at,
        registered_at: None,
        successor_id: None,
    };
    row.set_contract(contract(*contract_status), recorded.effective_at);
    set_kinds(&mut row, kinds);
    set_tax_id(&mut row, tax_id);
    Ok(row)
}

fn change(row: &mut OrganizationRow, recorded: &Recorded<AnyEvent>, event: &OrganizationEvent) {
    use OrganizationEvent as E;
    match event {
        E::EnrolmentUpdated { changes, .. } => update(row, changes),
        E::OrganizationContractStatusChanged { status, from, .. } => {
            row.set_contract(contract(*status), *from);
        }
        E::OrganizationKindsChanged { new, .. } => set_kinds(row, new),
        E::OrganizationRegistered { .. } => {
            row.status = "REGISTERED".to_owned();
            row.was_registered = true;
            row.registered_at = Some(recorded.occurred_at);
        }
        E::OrganizationSuspended { .. } => row.status = "SUSPENDED".to_owned(),
        E::OrganizationReopened { .. } => {
            let again = if row.was_registered { "REGISTERED" } else { "ENROLLED" };
            row.status = again.to_owned();
        }
        E::OrganizationMergeBegun { into, .. } => row.successor_id = Some(into.0),
        E::OrganizationMerged { .. } | E::OrganizationClosed { .. } => {
            row.status = "CLOSED".to_owned();
        }
        E::OrganizationEnrolled { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivated { .. }
        | E::UserDeactivationWarned { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::UserAutoDeactivated { .. }
        | E::UserReactivated { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::NpiMoveFailed { .. }
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::MemberMoved { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::TaxIdLinked { .. } => {}
    }
}

fn update(row: &mut OrganizationRow, changes: &EnrolmentChanges) {
    let EnrolmentChanges { name, tax_id, pay_to_address, pay_to_zip, contact_email: _ } = changes;
    if let Some(Change { new, .. }) = name {
        row.name = new.as_str().to_owned();
    }
    if let Some(Change { new, .. }) = tax_id {
        set_tax_id(row, new);
    }
    if let Some(Change { new, .. }) = pay_to_address {
        row.pay_to_address = new.as_ref().and_then(address);
    }
    if let Some(Change { new, .. }) = pay_to_zip {
        row.pay_to_zip = new.as_ref().map(ToString::to_string);
    }
}

fn set_kinds(row: &mut OrganizationRow, kinds: &OrganizationKinds) {
    row.is_provider = kinds.contains(&OrganizationKind::Provider);
    row.is_submitter = kinds.contains(&OrganizationKind::Submitter);
}

fn set_tax_id(row: &mut OrganizationRow, tax_id: &TaxIdRef) {
    row.tax_id_kind = tax_id.kind.as_str().to_owned();
    row.tax_id_last4.clone_from(&tax_id.last4);
}

fn address(address: &PostalAddress) -> Option<Value> {
    serde_json::to_value(address).ok()
}

fn contract(status: ContractStatus) -> &'static str {
    match status {
        ContractStatus::Contracted => "CONTRACTED",
        ContractStatus::NotContracted => "NOT_CONTRACTED",
        ContractStatus::Terminated => "TERMINATED",
    }
}

fn role(role: OrgRole) -> &'static str {
    match role {
        OrgRole::None => "NONE",
        OrgRole::Processor => "PROCESSOR",
        OrgRole::Admin => "ADMIN",
    }
}

fn change_member(members: &mut Members, organization: Uuid, event: &OrganizationEvent) {
    use OrganizationEvent as E;
    let row = |user: Uuid, is: OrgRole, standing: &str, domain: &str| MemberRow {
        organization_id: organization,
        user_id: user,
        role: role(is).to_owned(),
        standing: standing.to_owned(),
        email_domain: domain.to_owned(),
    };
    let mut change = |user: Uuid, change: &dyn Fn(&mut MemberRow)| {
        if let Some(row) = members.get_mut(&(organization, user)) {
            change(row);
        }
    };
    match event {
        E::MemberInvited { user, email_domain, .. } => {
            let row = row(user.0, OrgRole::None, "INVITED", email_domain);
            members.insert((organization, user.0), row);
        }
        E::MembershipAdded { user, role, email_domain, .. } => {
            let row = row(user.0, *role, "ACTIVE", email_domain);
            members.insert((organization, user.0), row);
        }
        E::MemberInvitationEnded { user, .. } => change(user.0, &|row| {
            row.standing = "ENDED".to_owned();
            row.role = role(OrgRole::None).to_owned();
        }),
        E::OrgRoleAssigned { user, new, .. } => {
            change(user.0, &|row| row.role = role(*new).to_owned());
        }
        E::UserDeactivated { user, .. }
        | E::MemberMoved { user, .. }
        | E::UserAutoDeactivated { user, .. } => {
            change(user.0, &|row| row.standing = "INACTIVE".to_owned());
        }
        E::UserReactivated { user, .. } => {
            change(user.0, &|row| row.standing = "ACTIVE".to_owned());
        }
        E::MemberEmailDomainChanged { user, new, .. } => {
            change(user.0, &|row| row.email_domain.clone_from(new));
        }
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::UserDeactivationWarned { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
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
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::OrganizationClosed { .. } => {}
    }
}

/// NPIs and domains.
async fn beside(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &OrganizationEvent,
) -> Result<(), sqlx::Error> {
    use OrganizationEvent as E;
    let tenant = recorded.tenant.0;
    let statement = match event {
        E::NpiAttached { organization, npi, name, provider_type, community, effective_at } => {
            sqlx::query(
                "INSERT INTO organization_npis (tenant_id, organization_id, npi, name,
                                                provider_type, community, attached_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (tenant_id, organization_id, npi, attached_at) DO UPDATE
                    SET name = excluded.name, provider_type = excluded.provider_type,
                        community = excluded.community, detached_at = NULL",
            )
            .bind(tenant)
            .bind(organization.0)
            .bind(npi.as_str())
            .bind(name.as_str())
            .bind(provider_type.as_str())
            .bind(community.as_str())
            .bind(effective_at)
        }
        // An end planned for later stands here from the beginning, and one that comes earlier in its
        // place. What is over stays as it was, and what ends before it began is not there at all.
        E::NpiDetached { organization, npi, effective_at, .. }
        | E::NpiEndPlanned { organization, npi, effective_at, .. } => sqlx::query(
            "WITH last AS (
               SELECT max(attached_at) AS attached_at FROM organization_npis
                WHERE tenant_id = $1 AND organization_id = $2 AND npi = $3
                  AND (detached_at IS NULL OR detached_at > attached_at)
             ), never AS (
               DELETE FROM organization_npis n USING last
                WHERE n.tenant_id = $1 AND n.organization_id = $2 AND n.npi = $3
                  AND n.attached_at = last.attached_at AND n.attached_at >= $4
             )
             UPDATE organization_npis n SET detached_at = $4 FROM last
              WHERE n.tenant_id = $1 AND n.organization_id = $2 AND n.npi = $3
                AND n.attached_at = last.attached_at AND n.attached_at < $4",
        )
        .bind(tenant)
        .bind(organization.0)
        .bind(npi.as_str())
        .bind(effective_at),
        E::NpiEndCancelled { organization, npi, effective_at } => sqlx::query(
            "UPDATE organization_npis SET detached_at = NULL
              WHERE tenant_id = $1 AND organization_id = $2 AND npi = $3 AND detached_at = $4",
        )
        .bind(tenant)
        .bind(organization.0)
        .bind(npi.as_str())
        .bind(effective_at),
        E::EmailDomainAdded { organization, domain } => sqlx::query(
            "INSERT INTO organization_domains (tenant_id, organization_id, domain)
             VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(organization.0)
        .bind(domain),
        E::EmailDomainRemoved { organization, domain } => sqlx::query(
            "DELETE FROM organization_domains
              WHERE tenant_id = $1 AND organization_id = $2 AND domain = $3",
        )
        .bind(tenant)
        .bind(organization.0)
        .bind(domain),
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::OrganizationRegistered { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivated { .. }
        | E::UserDeactivationWarned { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::UserAutoDeactivated { .. }
        | E::UserReactivated { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::TaxIdLinked { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::NpiMoveFailed { .. }
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::MemberMoved { .. }
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::OrganizationClosed { .. } => return Ok(()),
    };
    statement.execute(tx).await.map(drop)
}
