//! What happens to a session. Invariant: every event names the person, so that a login history
//! needs no other stream.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{OrganizationId, UserId};
use crate::{Event, Facets};

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoginMethod {
    /// Identifier and password (MC-34).
    Password,
    /// The same, and a passcode after it (MC-28).
    PasswordAndPasscode,
}

/// Why a session ended (GN-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndCause {
    /// Its person signed out (MC-37).
    User,
    /// Nothing was done for the policy's idle time (CX-10).
    Inactivity,
    /// The policy's absolute time ran out.
    Absolute,
    /// Its person or plan staff ended it from elsewhere.
    Revoked,
    /// The membership it acted for, or the account, was deactivated (MC-30).
    Deactivated,
    /// The password was changed or reset.
    PasswordChanged,
    /// The account was locked.
    Locked,
    /// The role under which it acted was taken away.
    RoleRemoved,
    /// A newer login exceeded the number of concurrent sessions.
    NewLoginLimit,
}

/// An event of stream `sessions.session`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SessionEvent {
    /// Somebody signed in; with one membership only, the session acts for it from the start.
    SessionStarted {
        user: UserId,
        method: LoginMethod,
        organization: Option<OrganizationId>,
        /// Until a new password is set, the session can do nothing else (CC-04, CX-07, AL-02).
        must_change_password: bool,
        /// Until an authenticator app is enrolled, the session can do nothing else (MC-28).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        must_enrol: bool,
        started_at: DateTime<Utc>,
        absolute_expires_at: DateTime<Utc>,
    },
    /// The password that was due was changed: the session may do everything from now on.
    RestrictionLifted { user: UserId },
    /// The authenticator app that was asked for was enrolled: the session may do everything else too.
    SecondFactorEnrolled { user: UserId },
    /// The person chose the organisation to act for (MC-35).
    OrganizationSelected { user: UserId, organization: OrganizationId },
    /// The person went on to another organisation without signing out (MC-36).
    OrganizationSwitched { user: UserId, from: OrganizationId, to: OrganizationId },
    /// The session is over, for the cause named.
    SessionEnded { user: UserId, organization: Option<OrganizationId>, cause: EndCause },
}

impl Event for SessionEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::SessionStarted { .. } => "sessions.session.session_started",
            Self::RestrictionLifted { .. } => "sessions.session.restriction_lifted",
            Self::SecondFactorEnrolled { .. } => "sessions.session.second_factor_enrolled",
            Self::OrganizationSelected { .. } => "sessions.session.organization_selected",
            Self::OrganizationSwitched { .. } => "sessions.session.organization_switched",
            Self::SessionEnded { .. } => "sessions.session.session_ended",
        }
    }

    fn facets(&self) -> Facets {
        let (user, organization) = match self {
            Self::SessionStarted { user, organization, .. }
            | Self::SessionEnded { user, organization, .. } => (*user, *organization),
            Self::RestrictionLifted { user } | Self::SecondFactorEnrolled { user } => (*user, None),
            Self::OrganizationSelected { user, organization } => (*user, Some(*organization)),
            Self::OrganizationSwitched { user, to, .. } => (*user, Some(*to)),
        };
        Facets { organization, ..Facets::default().subject(user) }
    }
}
