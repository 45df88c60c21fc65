//! One row per event.
//!
//! Invariant: a row follows from its event alone, whatever came before, but for the words of the names
//! that people and organisations had by then. An erasure takes addresses and names out of rows, as
//! reading their events anew would.

use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    audit::ErasureEvent,
    organizations::{RegistrationEvent, RegistrationTokenEvent},
    users::{credential::CredentialEvent, one_time_passcode::OneTimePasscodeEvent},
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Audience, changes,
    name_words::{self, AT_THE_TIME},
};

/// The projection's name in checkpoints.
pub const NAME: &str = "audit_timeline";

/// Whether what was asked for was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    Refused,
}

impl Outcome {
    /// The name in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Refused => "REFUSED",
        }
    }

    /// Whether an event records something done or something refused.
    #[must_use]
    pub fn of(event: &AnyEvent) -> Self {
        let refused = match event {
            AnyEvent::Denial(_) => true,
            AnyEvent::Credential(event) => matches!(event, CredentialEvent::LoginFailed { .. }),
            AnyEvent::OneTimePasscode(event) => {
                matches!(event, OneTimePasscodeEvent::OtpFailed { .. })
            }
            AnyEvent::RegistrationToken(event) => {
                matches!(event, RegistrationTokenEvent::RegistrationTokenRejected { .. })
            }
            AnyEvent::Registration(event) => {
                matches!(event, RegistrationEvent::RegistrantMismatch { .. })
            }
            AnyEvent::Tenant(_)
            | AnyEvent::PlanStaff(_)
            | AnyEvent::Policy(_)
            | AnyEvent::Agreement(_)
            | AnyEvent::PolicyProposal(_)
            | AnyEvent::ClientGuidance(_)
            | AnyEvent::AuditExport(_)
            | AnyEvent::SodRules(_)
            | AnyEvent::ActivityReviews(_)
            | AnyEvent::AuditSinks(_)
            | AnyEvent::JobRole(_)
            | AnyEvent::RightUse(_)
            | AnyEvent::ApiKey(_)
            | AnyEvent::Organization(_)
            | AnyEvent::Membership(_)
            | AnyEvent::AccessRequest(_)
            | AnyEvent::JoinRequest(_)
            | AnyEvent::MoveRequest(_)
            | AnyEvent::AccessReview(_)
            | AnyEvent::ReviewCampaign(_)
            | AnyEvent::ReviewTemplate(_)
            | AnyEvent::ReviewSubstitutes(_)
            | AnyEvent::Attestation(_)
            | AnyEvent::Evidence(_)
            | AnyEvent::LegalHolds(_)
            | AnyEvent::Erasure(_)
            | AnyEvent::Workspace(_)
            | AnyEvent::User(_)
            | AnyEvent::Invitation(_)
            | AnyEvent::Authenticator(_)
            | AnyEvent::TrustedIssuers(_)
            | AnyEvent::ExternalIdentities(_)
            | AnyEvent::Session(_)
            | AnyEvent::Pin(_)
            | AnyEvent::SubmitterProfile(_)
            | AnyEvent::Handoff(_)
            | AnyEvent::Affiliation(_)
            | AnyEvent::PeopleImport(_)
            | AnyEvent::AccountRequest(_)
            | AnyEvent::Notification(_)
            | AnyEvent::Inbox(_)
            | AnyEvent::Delivery(_) => false,
        };
        if refused { Self::Refused } else { Self::Succeeded }
    }
}

/// Keeps `audit_timeline`.
pub struct AuditTimeline;

#[async_trait]
impl Projection<AnyEvent> for AuditTimeline {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["audit_timeline", "audit_words", "audit_names"]
    }

    fn reads(&self, _: &AnyEvent) -> bool {
        true
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let mut columns = Columns::default();
        for event in batch {
            columns.push(event)?;
        }
        name_words::store(tx, batch).await?;
        columns.insert(tx).await?;
        name_words::mark_late(tx, batch).await?;
        for recorded in batch {
            if let AnyEvent::Erasure(ErasureEvent::PersonErased { user, .. }) = &recorded.event {
                sqlx::query(
                    "SELECT ops.forget_addresses('audit_timeline', $1, $2),
                            ops.forget_names('audit_timeline', $1, $2)",
                )
                .bind(recorded.tenant.0)
                .bind(user.0)
                .execute(&mut *tx)
                .await?;
            }
        }
        Ok(())
    }
}

/// A batch's rows, one list per column.
#[derive(Default)]
struct Columns {
    tenant: Option<Uuid>,
    position: Vec<i64>,
    event_id: Vec<Uuid>,
    event_type: Vec<String>,
    outcome: Vec<&'static str>,
    audience: Vec<&'static str>,
    actor_kind: Vec<&'static str>,
    actor_id: Vec<Option<Uuid>>,
    organization_id: Vec<Option<Uuid>>,
    subject_id: Vec<Option<Uuid>>,
    subject_organization_id: Vec<Option<Uuid>>,
    npi: Vec<Option<String>>,
    command: Vec<String>,
    session_id: Vec<Option<Uuid>>,
    policy_version: Vec<i64>,
    correlation_id: Vec<Uuid>,
    causation_id: Vec<Option<Uuid>>,
    command_id: Vec<Uuid>,
    recorded_at: Vec<DateTime<Utc>>,
    occurred_at: Vec<DateTime<Utc>>,
    effective_at: Vec<DateTime<Utc>>,
    before: Vec<Option<Value>>,
    after: Vec<Option<Value>>,
    client_address: Vec<Option<String>>,
    address_subject: Vec<Option<Uuid>>,
}

impl Columns {
    fn push(&mut self, event: &Recorded<AnyEvent>) -> Result<(), ProjectionError> {
        let unfit = |error| ProjectionError::Contradiction(format!("as JSON: {error}"));
        let (before, after) = changes::of(&event.event.payload().map_err(unfit)?);
        self.tenant = Some(event.tenant.0);
        self.position.push(event.tenant_position);
        self.event_id.push(event.event_id);
        self.event_type.push(event.event_type.clone());
        self.outcome.push(Outcome::of(&event.event).as_str());
        self.audience.push(Audience::of(&event.event).as_str());
        self.actor_kind.push(event.actor.kind.as_str());
        self.actor_id.push(event.actor.id);
        self.organization_id.push(event.organization.map(Uuid::from));
        self.subject_id.push(event.subject.map(Uuid::from));
        self.subject_organization_id.push(event.subject_organization.map(Uuid::from));
        self.npi.push(event.npi.clone());
        self.command.push(event.metadata.command.clone());
        self.session_id.push(event.metadata.session_id.map(Uuid::from));
        self.policy_version.push(i64::try_from(event.metadata.policy_version).unwrap_or(i64::MAX));
        self.correlation_id.push(event.correlation_id);
        self.causation_id.push(event.causation_id);
        self.command_id.push(event.command_id);
        self.recorded_at.push(event.recorded_at);
        self.occurred_at.push(event.occurred_at);
        self.effective_at.push(event.effective_at);
        self.before.push(before);
        self.after.push(after);
        let (address, subject) = client_address(event).unzip();
        self.client_address.push(address);
        self.address_subject.push(subject);
        Ok(())
    }

    async fn insert(self, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
        let statement = format!(
            "WITH made AS (INSERT INTO audit_timeline (tenant_id, position, event_id, event_type, outcome,
               audience, actor_kind, actor_id, organization_id, subject_id,
               subject_organization_id, npi, command, session_id, policy_version, correlation_id,
               causation_id, command_id, recorded_at, occurred_at, effective_at, before, after,
               client_address, address_subject, names)
             SELECT $1, u.*, {AT_THE_TIME} FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[],
               $7::text[], $8::uuid[], $9::uuid[], $10::uuid[], $11::uuid[], $12::text[],
               $13::text[], $14::uuid[], $15::bigint[], $16::uuid[], $17::uuid[], $18::uuid[],
               $19::timestamptz[], $20::timestamptz[], $21::timestamptz[], $22::jsonb[],
               $23::jsonb[], $24::inet[],
               $25::uuid[]) u(position, event_id, event_type, outcome, audience, actor_kind, actor_id,
               organization_id, subject_id, subject_organization_id, npi, command, session_id,
               policy_version, correlation_id, causation_id, command_id, recorded_at, occurred_at,
               effective_at, before, after, client_address, address_subject)
             RETURNING words, event_type)
             INSERT INTO audit_words SELECT DISTINCT $1, w, event_type
               FROM made, unnest(tsvector_to_array(made.words)) w ON CONFLICT DO NOTHING"
        );
        sqlx::query(&statement)
            .bind(self.tenant)
            .bind(self.position)
            .bind(self.event_id)
            .bind(self.event_type)
            .bind(self.outcome)
            .bind(self.audience)
            .bind(self.actor_kind)
            .bind(self.actor_id)
            .bind(self.organization_id)
            .bind(self.subject_id)
            .bind(self.subject_organization_id)
            .bind(self.npi)
            .bind(self.command)
            .bind(self.session_id)
            .bind(self.policy_version)
            .bind(self.correlation_id)
            .bind(self.causation_id)
            .bind(self.command_id)
            .bind(self.recorded_at)
            .bind(self.occurred_at)
            .bind(self.effective_at)
            .bind(self.before)
            .bind(self.after)
            .bind(self.client_address)
            .bind(self.address_subject)
            .execute(tx)
            .await?;
        Ok(())
    }
}

/// Where the request came from, while its key is there, and whose key that is.
fn client_address(event: &Recorded<AnyEvent>) -> Option<(String, Uuid)> {
    let sealed = event.metadata.client_address.as_ref()?;
    let address: IpAddr = sealed.get()?.parse().ok()?;
    Some((address.to_canonical().to_string(), sealed.subject().0))
}
