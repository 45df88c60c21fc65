//! How facts about NPIs and PINs become rows of `read.pins` and `read.pin_history`.
//!
//! Invariant: a PIN belongs to the organisation its event names; another one's rows stay as they
//! were.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::OrganizationId,
    organizations::organization::OrganizationEvent,
    pins::{PinEvent, ResetBy},
    values::Npi,
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use super::PinFact;
use crate::readers;

/// Keeps `read.pins` and `read.pin_history`.
pub struct Pins;

#[async_trait]
impl Projection<AnyEvent> for Pins {
    fn name(&self) -> &'static str {
        "pins"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["pins", "pin_history"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let Some(first) = batch.first() else { return Ok(()) };
        let mut folded = Folded::default();
        batch.iter().for_each(|recorded| folded.take(recorded));
        folded.store_names(tx, first.tenant.0).await?;
        folded.store_pins(tx, first.tenant.0).await?;
        folded.store_propagation(tx, first.tenant.0).await?;
        folded.store_history(tx, first.tenant.0).await?;
        Ok(())
    }
}

type Key<'a> = (OrganizationId, &'a Npi);

/// What a batch says, the newest fact last.
#[derive(Default)]
struct Folded<'a> {
    names: BTreeMap<Key<'a>, &'a str>,
    pins: BTreeMap<Key<'a>, PinState>,
    propagation: BTreeMap<Key<'a>, Propagation>,
    history: Vec<HistoryLine<'a>>,
}

/// A PIN after a batch; what is absent was not changed by it.
#[derive(Clone, Copy)]
struct PinState {
    version: u32,
    issued_at: Option<DateTime<Utc>>,
    last_reset_at: Option<DateTime<Utc>>,
}

/// Until when dependent files lag behind a PIN; `None` when they lag no more.
type Propagation = Option<DateTime<Utc>>;

struct HistoryLine<'a> {
    key: Key<'a>,
    position: i64,
    fact: PinFact,
    version: u32,
    actor: Option<Uuid>,
    by_support: bool,
    at: DateTime<Utc>,
}

impl<'a> Folded<'a> {
    fn take(&mut self, recorded: &'a Recorded<AnyEvent>) {
        if let AnyEvent::Organization(event) = &recorded.event {
            self.take_npi(event);
        } else if let AnyEvent::Pin(event) = &recorded.event {
            self.take_pin(recorded, event);
        }
    }

    fn take_npi(&mut self, event: &'a OrganizationEvent) {
        match event {
            OrganizationEvent::NpiAttached { organization, npi, name, .. } => {
                self.names.insert((*organization, npi), name.as_str());
            }
            // Which NPIs are held is asked of the write side, whose word counts at once.
            OrganizationEvent::NpiDetached { .. }
            | OrganizationEvent::OrganizationEnrolled { .. }
            | OrganizationEvent::EnrolmentUpdated { .. }
            | OrganizationEvent::OrganizationContractStatusChanged { .. }
            | OrganizationEvent::OrganizationKindsChanged { .. }
            | OrganizationEvent::OrganizationRegistered { .. }
            | OrganizationEvent::MemberInvited { .. }
            | OrganizationEvent::MemberInvitationEnded { .. }
            | OrganizationEvent::MembershipAdded { .. }
            | OrganizationEvent::OrgRoleAssigned { .. }
            | OrganizationEvent::UserDeactivated { .. }
            | OrganizationEvent::UserDeactivationWarned { .. }
            | OrganizationEvent::PlanEvidenceRecorded { .. }
            | OrganizationEvent::AdminRequestSubmitted { .. }
            | OrganizationEvent::AdminRequestDeclined { .. }
            | OrganizationEvent::UserAutoDeactivated { .. }
            | OrganizationEvent::UserReactivated { .. }
            | OrganizationEvent::MemberEmailDomainChanged { .. }
            | OrganizationEvent::EmailDomainAdded { .. }
            | OrganizationEvent::EmailDomainRemoved { .. }
            | OrganizationEvent::LocationRegistered { .. }
            | OrganizationEvent::LocationCredentialingChanged { .. }
            | OrganizationEvent::LocationTerminated { .. }
            | OrganizationEvent::TaxIdLinked { .. }
            | OrganizationEvent::OrganizationSuspended { .. }
            | OrganizationEvent::OrganizationReopened { .. }
            | OrganizationEvent::NpiEndPlanned { .. }
            | OrganizationEvent::NpiEndCancelled { .. }
            | OrganizationEvent::NpiMoveFailed { .. }
            | OrganizationEvent::MembershipEndPlanned { .. }
            | OrganizationEvent::MembershipEndCancelled { .. }
            | OrganizationEvent::MemberMoved { .. }
            | OrganizationEvent::OrganizationMergeBegun { .. }
            | OrganizationEvent::OrganizationMergeAdvanced { .. }
            | OrganizationEvent::OrganizationMerged { .. }
            | OrganizationEvent::OrganizationAbsorptionBegun { .. }
            | OrganizationEvent::OrganizationAbsorbed { .. }
            | OrganizationEvent::OrganizationClosed { .. } => {}
        }
    }

    fn take_pin(&mut self, recorded: &Recorded<AnyEvent>, event: &'a PinEvent) {
        let at = recorded.occurred_at;
        let (key, fact, version, by_support) = match event {
            PinEvent::PinIssued { npi, organization, version, .. } => {
                let key = (*organization, npi);
                let issued =
                    PinState { version: *version, issued_at: Some(at), last_reset_at: None };
                self.pins.insert(key, issued);
                (key, PinFact::Issued, *version, false)
            }
            PinEvent::PinReset { npi, organization, version, effective_at, by, .. } => {
                let key = (*organization, npi);
                let before = PinState { version: 0, issued_at: None, last_reset_at: None };
                let pin = self.pins.entry(key).or_insert(before);
                pin.version = *version;
                pin.last_reset_at = Some(*effective_at);
                (key, PinFact::Reset, *version, *by == ResetBy::Support)
            }
            PinEvent::PinPropagationPending { npi, organization, due_at, .. } => {
                self.propagation.insert((*organization, npi), Some(*due_at));
                return;
            }
            PinEvent::PinPropagationCompleted { npi, organization, .. } => {
                self.propagation.insert((*organization, npi), None);
                return;
            }
            PinEvent::PinRevealed { npi, organization, version, .. } => {
                ((*organization, npi), PinFact::Revealed, *version, false)
            }
        };
        let (position, actor) = (recorded.tenant_position, recorded.actor.id);
        self.history.push(HistoryLine { key, position, fact, version, actor, by_support, at });
    }

    async fn store_names(&self, tx: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
        if self.names.is_empty() {
            return Ok(());
        }
        let (organizations, npis) = split(self.names.keys());
        sqlx::query(
            "INSERT INTO pins (tenant_id, organization_id, npi, provider_name, sort_name)
             SELECT $1, * FROM UNNEST($2::uuid[], $3::text[], $4::text[], $5::text[])
             ON CONFLICT (tenant_id, organization_id, npi) DO UPDATE
                SET provider_name = excluded.provider_name, sort_name = excluded.sort_name",
        )
        .bind(tenant)
        .bind(organizations)
        .bind(npis)
        .bind(self.names.values().copied().collect::<Vec<_>>())
        .bind(self.names.values().map(|name| name.to_lowercase()).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn store_pins(&self, tx: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let (organizations, npis) = split(self.pins.keys());
        let pins: Vec<PinState> = self.pins.values().copied().collect();
        sqlx::query(
            "INSERT INTO pins AS p
                    (tenant_id, organization_id, npi, version, issued_at, last_reset_at)
             SELECT $1, * FROM UNNEST($2::uuid[], $3::text[], $4::integer[], $5::timestamptz[],
                                      $6::timestamptz[])
             ON CONFLICT (tenant_id, organization_id, npi) DO UPDATE
                SET version = excluded.version,
                    issued_at = coalesce(excluded.issued_at, p.issued_at),
                    last_reset_at = excluded.last_reset_at",
        )
        .bind(tenant)
        .bind(organizations)
        .bind(npis)
        .bind(
            pins.iter()
                .map(|pin| i32::try_from(pin.version).unwrap_or(i32::MAX))
                .collect::<Vec<_>>(),
        )
        .bind(pins.iter().map(|pin| pin.issued_at).collect::<Vec<_>>())
        .bind(pins.iter().map(|pin| pin.last_reset_at).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn store_propagation(
        &self,
        tx: &mut PgConnection,
        tenant: Uuid,
    ) -> Result<(), sqlx::Error> {
        if self.propagation.is_empty() {
            return Ok(());
        }
        let (organizations, npis) = split(self.propagation.keys());
        sqlx::query(
            "UPDATE pins p SET propagation_due_at = t.due_at
               FROM UNNEST($2::uuid[], $3::text[], $4::timestamptz[]) t(organization_id, npi, due_at)
              WHERE p.tenant_id = $1 AND p.organization_id = t.organization_id AND p.npi = t.npi",
        )
        .bind(tenant)
        .bind(organizations)
        .bind(npis)
        .bind(self.propagation.values().copied().collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn store_history(&self, tx: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
        if self.history.is_empty() {
            return Ok(());
        }
        let (organizations, npis) = split(self.history.iter().map(|line| &line.key));
        let lines = &self.history;
        sqlx::query(
            "INSERT INTO pin_history (tenant_id, organization_id, npi, position, fact, version,
                                      actor_id, by_support, at)
             SELECT $1, * FROM UNNEST($2::uuid[], $3::text[], $4::bigint[], $5::text[],
                                      $6::integer[], $7::uuid[], $8::boolean[], $9::timestamptz[])",
        )
        .bind(tenant)
        .bind(organizations)
        .bind(npis)
        .bind(lines.iter().map(|line| line.position).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.fact.as_str()).collect::<Vec<_>>())
        .bind(
            lines
                .iter()
                .map(|line| i32::try_from(line.version).unwrap_or(i32::MAX))
                .collect::<Vec<_>>(),
        )
        .bind(lines.iter().map(|line| line.actor).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.by_support).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.at).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }
}

fn split<'k>(keys: impl Iterator<Item = &'k Key<'k>>) -> (Vec<Uuid>, Vec<&'k str>) {
    keys.map(|(organization, npi)| (organization.0, npi.as_str())).unzip()
}
