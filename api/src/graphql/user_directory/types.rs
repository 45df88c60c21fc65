//! What clients see of an organisation's people.
//!
//! Invariant: a field that needs more tables than the directory's own is absent unless it was
//! selected.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::{Actor, permissions::membership::Setup};
use rollcall_projections::{
    people,
    user_directory::{FactRow, InvitationPart, UserRow},
};

pub use crate::graphql::organizations::EmailDomain;
use crate::graphql::{
    audit::actor_id,
    ids::NodeType,
    paging::connection,
    permissions::{PermissionMatrix, WizardStep, grants::Grants},
    scalars::{Date, DateTime, EmailScalar, NpiScalar, PhoneScalar, Position},
    users::invitations::InvitationStatus,
    vocabulary::{ActorKind, OrgRole},
};

/// Where a person stands in an organisation.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::user_directory::UserStatus")]
pub enum UserStatus {
    /// The invitation waits for them.
    Invited,
    /// A member who has set no password yet.
    Registered,
    /// A member who may sign in.
    Active,
    /// Shown as "Deactivated User"; may be reactivated at any time.
    Deactivated,
    /// Invited once; the invitation ended.
    NeverJoined,
}

impl UserStatus {
    /// As people read it (MC-30).
    fn label(self) -> &'static str {
        match self {
            Self::Invited => "Invited",
            Self::Registered => "Registered",
            Self::Active => "Active",
            Self::Deactivated => "Deactivated User",
            Self::NeverJoined => "Never joined",
        }
    }
}

/// How far the permission wizard came (MC-43, MC-44).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum SetupState {
    /// Nobody has gone through it yet.
    NotStarted,
    /// Skipped for now.
    Deferred,
    /// Finished; `setupSteps` says with which steps.
    Assigned,
}

/// The invitation by which a person came or is to come.
#[derive(Clone, SimpleObject)]
pub struct UserInvitation {
    pub id: ID,
    /// A link that has run out reads as EXPIRED.
    pub status: InvitationStatus,
    pub sent_at: DateTime,
    pub expires_at: DateTime,
}

impl From<InvitationPart> for UserInvitation {
    fn from(part: InvitationPart) -> Self {
        Self {
            id: NodeType::Invitation.id(part.id),
            status: part.status.into(),
            sent_at: part.sent_at.into(),
            expires_at: part.expires_at.into(),
        }
    }
}

/// What became of an email.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::user_directory::EmailFate")]
pub enum EmailFate {
    /// The mail server took it; it may still come back.
    Sent,
    /// It came back: the address is wrong, or its mailbox takes nothing.
    Bounced,
    /// Nobody took it, however often it was tried.
    GaveUp,
}

/// The newest email to somebody.
#[derive(Clone, SimpleObject)]
pub struct LastDelivery {
    pub state: EmailFate,
    pub at: DateTime,
}

impl From<(rollcall_projections::user_directory::EmailFate, chrono::DateTime<chrono::Utc>)>
    for LastDelivery
{
    fn from(
        (state, at): (
            rollcall_projections::user_directory::EmailFate,
            chrono::DateTime<chrono::Utc>,
        ),
    ) -> Self {
        Self { state: state.into(), at: at.into() }
    }
}

/// Which detail a former value was.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::people::FormerField")]
pub enum FormerField {
    FirstName,
    LastName,
    Email,
    Mobile,
    BusinessPhone,
}

/// Something that stood in an account before.
#[derive(Clone, SimpleObject)]
pub struct FormerDetail {
    pub field: FormerField,
    /// As it stood.
    pub value: Option<String>,
    pub replaced_at: DateTime,
    /// Who changed it, where that was a person.
    pub replaced_by: Option<String>,
}

impl From<people::FormerDetail> for FormerDetail {
    fn from(detail: people::FormerDetail) -> Self {
        Self {
            field: detail.field.into(),
            value: detail.value,
            replaced_at: detail.replaced_at.into(),
            replaced_by: detail.replaced_by,
        }
    }
}

/// A person in one organisation: who they are, where they stand and what they may do (MC-29).
#[derive(Clone, SimpleObject)]
pub struct User {
    pub id: ID,
    pub organization_id: ID,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<EmailScalar>,
    /// Whether mail to the address is known to arrive (CX-06).
    pub email_verified: bool,
    /// The number passcodes go to.
    pub mobile: Option<PhoneScalar>,
    pub business_phone: Option<PhoneScalar>,
    /// Where people sign in with one (AL-03).
    pub username: Option<String>,
    pub status: UserStatus,
    /// The status as people read it, e.g. "Deactivated User" (MC-30).
    pub status_label: String,
    pub org_role: OrgRole,
    /// Of the email address (MC-14).
    pub email_domain: String,
    pub invited_at: Option<DateTime>,
    pub joined_at: Option<DateTime>,
    pub deactivated_at: Option<DateTime>,
    /// The last day at work, where the administrator gave one.
    /// Of an active user the last day still to come (GN-04).
    pub left_on: Option<Date>,
    /// When they last began to act for this organisation.
    pub last_login_at: Option<DateTime>,
    pub locked: bool,
    /// When the lock ends by itself; absent where only a person lifts it.
    pub locked_until: Option<DateTime>,
    /// When an email to their present address came back, of somebody invited the newest one with
    /// the link (GN-19); absent where none did.
    pub email_bounced_at: Option<DateTime>,
    /// What became of the newest email to their present address (CX-06).
    pub last_delivery: Option<LastDelivery>,
    pub setup_state: SetupState,
    /// The wizard's steps that are done.
    pub setup_steps: Vec<WizardStep>,
    /// Nothing is assigned: profile, notifications and content only (MC-44).
    pub unassigned: bool,
    /// Since when they have waited for a first permission; where the policy
    /// `user.unassigned_deactivate_days` has a value, they are deactivated after that (MC-32).
    pub unassigned_since: Option<DateTime>,
    pub invitation: Option<UserInvitation>,
    /// What was granted per NPI (MC-48).
    pub permissions: Option<PermissionMatrix>,
    /// Features, job roles, locations and tax ids that were granted (CC-08, CC-09, CX-12, CC-02).
    pub grants: Option<Grants>,
    /// The latest fifty facts about them here, newest first; all of them stand in `auditEvents`.
    pub history: Option<Vec<MemberHistoryEntry>>,
    /// Names, telephones and addresses they had since they joined, newest first (GN-06).
    pub former_details: Option<Vec<FormerDetail>>,
    /// Pass it as `expectedVersion` to change this user only as seen.
    pub version: i32,
}

impl User {
    /// The user without what is read from further tables.
    #[must_use]
    pub fn of(row: UserRow) -> Self {
        let status = UserStatus::from(row.status);
        let (setup_state, setup_steps) = match row.setup {
            Setup::NotStarted => (SetupState::NotStarted, Vec::new()),
            Setup::Deferred => (SetupState::Deferred, Vec::new()),
            Setup::Assigned(steps) => {
                (SetupState::Assigned, steps.into_iter().map(WizardStep::from).collect())
            }
        };
        Self {
            id: NodeType::User.id(row.person.user_id),
            organization_id: NodeType::Organization.id(row.organization_id),
            first_name: row.person.first_name,
            last_name: row.person.last_name,
            email: row.person.email.map(EmailScalar),
            email_verified: row.person.email_verified,
            mobile: row.person.mobile.map(PhoneScalar),
            business_phone: row.person.business_phone.map(PhoneScalar),
            username: row.person.username,
            status,
            status_label: status.label().to_owned(),
            org_role: row.org_role.into(),
            email_domain: row.email_domain,
            invited_at: row.invited_at.map(DateTime::from),
            joined_at: row.joined_at.map(DateTime::from),
            deactivated_at: row.deactivated_at.map(DateTime::from),
            left_on: row.left_on.map(Date::from),
            last_login_at: row.last_login_at.map(DateTime::from),
            locked: row.is_locked,
            locked_until: row.locked_until.map(DateTime::from),
            email_bounced_at: row.email_bounced_at.map(DateTime::from),
            last_delivery: row.last_delivery.map(LastDelivery::from),
            setup_state,
            setup_steps,
            unassigned: row.is_unassigned,
            unassigned_since: row.unassigned_since.map(DateTime::from),
            invitation: row.invitation.map(UserInvitation::from),
            permissions: None,
            grants: None,
            history: None,
            former_details: None,
            version: i32::try_from(row.version).unwrap_or(i32::MAX),
        }
    }
}

connection!(UserConnection, UserEdge, User);

/// What happened to a person in an organisation.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::user_directory::MemberFact")]
pub enum MemberFact {
    Invited,
    InvitationEnded,
    Joined,
    OrgRoleAssigned,
    Deactivated,
    /// They went over into the organisation that this one was merged into (GN-03).
    Moved,
    /// They will be, after the last day at work that `new` tells (GN-04).
    EndPlanned,
    /// That was called off.
    EndCancelled,
    /// They have no permissions and will be deactivated.
    DeactivationWarned,
    /// They were, because nobody gave them any (MC-32).
    AutoDeactivated,
    /// The plan recorded why it stepped in (CC-07).
    PlanEvidenceRecorded,
    /// The plan was asked to make them administrator (CX-05).
    AdminRequested,
    /// It declined that.
    AdminDeclined,
    Reactivated,
    EmailDomainChanged,
    NpiPermissionSet,
    NpiPermissionEnded,
    CorrespondencePermissionSet,
    /// A feature, job role, location or tax id was granted.
    Granted,
    /// One was taken back.
    Revoked,
    /// One ran out.
    GrantExpired,
    PermissionsAssigned,
    PermissionsDeferred,
    FormerPermissionsConfirmed,
    PermissionsEnded,
}

/// One fact about a person in an organisation.
#[derive(Clone, SimpleObject)]
pub struct MemberHistoryEntry {
    pub fact: MemberFact,
    /// The NPI it is about; `*` for all.
    pub npi: Option<NpiScalar>,
    /// What was before, in a word.
    pub old: Option<String>,
    /// What is since then, in a word; of a deactivation the last day at work.
    pub new: Option<String>,
    /// In which role somebody did it.
    pub actor_kind: ActorKind,
    /// Who did it: a person, or a machine's `ApiKey`.
    pub actor_id: Option<ID>,
    pub actor_name: Option<String>,
    pub at: DateTime,
    pub position: Position,
}

impl From<FactRow> for MemberHistoryEntry {
    fn from(row: FactRow) -> Self {
        Self {
            fact: row.fact.into(),
            npi: row.npi.map(NpiScalar),
            old: row.old,
            new: row.new,
            actor_kind: row.actor.into(),
            actor_id: actor_id(Actor { kind: row.actor, id: row.actor_id }),
            actor_name: row.actor_name,
            at: row.occurred_at.into(),
            position: Position(row.position),
        }
    }
}
