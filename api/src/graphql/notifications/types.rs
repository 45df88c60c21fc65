//! A notice and what mail follows it, in the schema.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::{kernel::ids::NotificationId, notifications as domain, policies::Policy};
use rollcall_projections::notifications::{Notice, OwnChoice, title};

use crate::graphql::{
    ids::NodeType,
    paging::connection,
    scalars::{DateTime, NpiScalar},
};

/// What notices are about (MC-69).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::notifications::NotificationType")]
pub enum NotificationType {
    /// Somebody asks for access.
    AccessRequest,
    /// Correspondence arrived.
    NewCorrespondence,
    /// An organisation asks for an affiliation.
    AffiliationRequest,
    /// An affiliation was approved, denied or ended.
    AffiliationDecision,
    /// A PIN was reset.
    PinReset,
    /// The person's permissions were changed.
    PermissionChange,
    /// A user of the organisation was added, deactivated or reactivated.
    UserActivity,
    /// The person's password, telephone or address was changed, or the account locked.
    AccountSecurity,
    /// A review waits, or is overdue.
    ReviewDue,
    /// A report was released.
    ReportReleased,
    /// The portal itself has something to say.
    SystemAlert,
}

/// A notice in a person's list.
#[derive(Clone, Debug, SimpleObject)]
pub struct Notification {
    pub id: ID,
    /// What it is about; null for a type of a newer version.
    #[graphql(name = "type")]
    pub notification_type: Option<NotificationType>,
    /// The type in words.
    pub title: String,
    /// One sentence that says what happened.
    pub text: String,
    /// The organisation in whose list it stands; null for the person's own affairs.
    pub organization_id: Option<ID>,
    pub organization_name: Option<String>,
    pub npi: Option<NpiScalar>,
    pub raised_at: DateTime,
    /// Null while it is unread.
    pub read_at: Option<DateTime>,
}

connection!(NotificationConnection, NotificationEdge, Notification);

impl From<Notice> for Notification {
    fn from(notice: Notice) -> Self {
        let kind = notice.notification_type();
        Self {
            id: NodeType::Notification.id(NotificationId(notice.notification_id)),
            notification_type: kind.map(Into::into),
            title: kind.map_or("Notice", title).to_owned(),
            text: notice.sentence(),
            organization_id: notice.organization_id.map(|id| NodeType::Organization.id(id)),
            organization_name: notice.organization_name,
            npi: notice.npi.map(NpiScalar),
            raised_at: notice.raised_at.into(),
            read_at: notice.read_at.map(Into::into),
        }
    }
}

/// How often mail follows notices of a type (MC-65).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::notifications::Frequency")]
pub enum NotificationFrequency {
    /// With each notice.
    Immediate,
    /// One digest a day.
    Daily,
    /// One digest a week.
    Weekly,
    /// Never.
    Off,
}

/// Where the preference in force comes from.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::notifications::PreferenceSource")]
pub enum NotificationPreferenceSource {
    /// The person chose it.
    Own,
    /// The portal's policy `notify.email_default`.
    Policy,
    /// The type's own default, whatever the policy says.
    Type,
    /// It concerns the security of the account and cannot be switched off.
    Security,
}

/// What mail follows notices of one type; in the portal they stand in any case (MC-64).
#[derive(Clone, Debug, SimpleObject)]
pub struct NotificationPreference {
    #[graphql(name = "type")]
    pub notification_type: NotificationType,
    /// The type in words.
    pub title: String,
    /// Only organisation administrators receive and choose these (MC-66).
    pub admin_only: bool,
    /// Mail about the security of the account: always and at once.
    pub security: bool,
    /// Whether mail follows.
    pub email: bool,
    /// How often, while mail follows.
    pub frequency: NotificationFrequency,
    pub source: NotificationPreferenceSource,
    /// When the person chose; null where nothing was chosen.
    pub chosen_at: Option<DateTime>,
}

impl NotificationPreference {
    /// What holds for a person's type now.
    pub fn of(kind: domain::NotificationType, own: Option<&OwnChoice>, policy: &Policy) -> Self {
        let chosen = own.map(|own| own.preference);
        let (preference, source) = domain::Preference::in_force(kind, chosen, policy);
        Self {
            notification_type: kind.into(),
            title: title(kind).to_owned(),
            admin_only: kind.is_admin_only(),
            security: kind.is_security(),
            email: preference.email,
            frequency: preference.frequency.into(),
            source: source.into(),
            chosen_at: own.map(|own| own.chosen_at.into()),
        }
    }
}
