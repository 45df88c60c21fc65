//! A notice in the schema.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::kernel::ids::NotificationId;
use rollcall_projections::notifications::{Notice, title};

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
    /// An access review waits.
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
