//! One user of an organisation, as read.
//!
//! Invariant: words are those the tables admit, so reading one back cannot fail.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    organizations::OrgRole,
    permissions::{WizardStep, membership::Setup},
    users::invitation::InvitationStatus,
};
use uuid::Uuid;

use crate::{people::Person, user_directory::EmailFate};

/// Where a person stands in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    Invited,
    /// A member without a password yet.
    Registered,
    Active,
    Deactivated,
    /// Invited once; the invitation ended.
    NeverJoined,
}

impl UserStatus {
    /// The word queries use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "INVITED",
            Self::Registered => "REGISTERED",
            Self::Active => "ACTIVE",
            Self::Deactivated => "DEACTIVATED",
            Self::NeverJoined => "NEVER_JOINED",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Invited, Self::Registered, Self::Active, Self::Deactivated, Self::NeverJoined]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// The invitation by which a person came or is to come.
#[derive(Clone, Debug)]
pub struct InvitationPart {
    pub id: Uuid,
    /// A link that has run out reads as expired.
    pub status: InvitationStatus,
    pub sent_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A user of an organisation.
#[derive(Clone, Debug)]
pub struct UserRow {
    pub organization_id: Uuid,
    /// What the organisation may know of the person.
    pub person: Person,
    pub status: UserStatus,
    pub org_role: OrgRole,
    pub email_domain: String,
    pub invited_at: Option<DateTime<Utc>>,
    pub joined_at: Option<DateTime<Utc>>,
    pub deactivated_at: Option<DateTime<Utc>>,
    pub left_on: Option<NaiveDate>,
    /// When the person last began to act for this organisation.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Since when the member has waited for a first permission (MC-32).
    pub unassigned_since: Option<DateTime<Utc>>,
    pub is_locked: bool,
    /// When the lock ends by itself.
    pub locked_until: Option<DateTime<Utc>>,
    /// When an email to the present address came back last.
    pub email_bounced_at: Option<DateTime<Utc>>,
    /// What became of the newest email to the present address, and when (CX-06).
    pub last_delivery: Option<(EmailFate, DateTime<Utc>)>,
    pub setup: Setup,
    /// No NPI level or other grant in force and no organisation-wide role (MC-44).
    pub is_unassigned: bool,
    pub invitation: Option<InvitationPart>,
    /// Facts about the person in this organisation.
    pub version: i64,
}

/// As the database answers it.
#[derive(sqlx::FromRow)]
pub(super) struct Raw {
    #[sqlx(flatten)]
    person: Person,
    organization_id: Uuid,
    status: String,
    org_role: String,
    email_domain: String,
    invited_at: Option<DateTime<Utc>>,
    joined_at: Option<DateTime<Utc>>,
    deactivated_at: Option<DateTime<Utc>>,
    left_on: Option<NaiveDate>,
    last_login_at: Option<DateTime<Utc>>,
    unassigned_since: Option<DateTime<Utc>>,
    is_locked: bool,
    locked_until: Option<DateTime<Utc>>,
    email_bounced_at: Option<DateTime<Utc>>,
    last_delivery: Option<String>,
    last_delivery_at: Option<DateTime<Utc>>,
    setup: String,
    setup_steps: Vec<String>,
    is_unassigned: bool,
    version: i64,
    invitation_id: Option<Uuid>,
    invitation_status: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    pub(super) last_key: String,
    pub(super) first_key: String,
}

impl From<Raw> for UserRow {
    fn from(raw: Raw) -> Self {
        let invitation = match (raw.invitation_id, raw.invitation_status, raw.sent_at) {
            (Some(id), Some(status), Some(sent_at)) => {
                let status = invitation_status(&status);
                raw.expires_at.map(|expires_at| InvitationPart { id, status, sent_at, expires_at })
            }
            (_, _, _) => None,
        };
        Self {
            organization_id: raw.organization_id,
            person: raw.person,
            status: UserStatus::parse(&raw.status).expect("the query computes one of them"),
            org_role: OrgRole::parse(&raw.org_role).expect("the table admits no other"),
            email_domain: raw.email_domain,
            invited_at: raw.invited_at,
            joined_at: raw.joined_at,
            deactivated_at: raw.deactivated_at,
            left_on: raw.left_on,
            last_login_at: raw.last_login_at,
            unassigned_since: raw.unassigned_since,
            is_locked: raw.is_locked,
            locked_until: raw.locked_until.filter(|_| raw.is_locked),
            email_bounced_at: raw.email_bounced_at,
            last_delivery: raw
                .last_delivery
                .and_then(|word| EmailFate::parse(&word))
                .zip(raw.last_delivery_at),
            setup: setup(&raw.setup, &raw.setup_steps),
            is_unassigned: raw.is_unassigned,
            invitation,
            version: raw.version,
        }
    }
}

fn setup(word: &str, steps: &[String]) -> Setup {
    let steps: BTreeSet<_> = steps.iter().filter_map(|step| WizardStep::parse(step)).collect();
    match word {
        "ASSIGNED" => Setup::Assigned(steps),
        "DEFERRED" => Setup::Deferred,
        _ => Setup::NotStarted,
    }
}

fn invitation_status(word: &str) -> InvitationStatus {
    match word {
        "OPENED" => InvitationStatus::Opened,
        "COMPLETED" => InvitationStatus::Completed,
        "EXPIRED" => InvitationStatus::Expired,
        "CANCELLED" => InvitationStatus::Cancelled,
        _ => InvitationStatus::Sent,
    }
}
