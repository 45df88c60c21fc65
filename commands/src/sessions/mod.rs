//! Commands on sessions: signing in and out, the organisation acted for, ends for every cause.

mod begin_login;
mod complete_login;
mod confirm_login;
mod end_session;
mod ending;
mod home;
mod identifier;
pub(crate) mod limits;
mod memberships;
mod select_organization;
mod sign_out;
mod ticket;

pub use begin_login::BeginLogin;
pub use complete_login::{CompleteLogin, LoginProgress, SessionToken, SignedIn};
pub use confirm_login::ConfirmLogin;
pub use end_session::EndSession;
pub(crate) use ending::acts_for;
pub use ending::{end_sessions_of, live_sessions_of};
pub use home::{Home, Tile};
pub use identifier::Identifier;
pub use memberships::{ActiveMembership, memberships_of, organization_shown};
pub use select_organization::{SelectOrganization, SwitchOrganization};
pub use sign_out::{RevokeSession, SignOut};
pub use ticket::LoginTicket;
