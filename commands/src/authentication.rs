//! From a bearer token to a caller. Invariant: a token is looked up by its hash alone, and a session
//! that ran out is ended on record the first time somebody notices.

use std::net::IpAddr;

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{SessionId, TenantId},
    policies::PolicyHistory,
    sessions::{EndCause, Session, SessionStatus},
};
use uuid::Uuid;

use crate::{
    Caller, Commands, Failure, Identity,
    api_keys::PREFIX,
    authorization::{not_signed_in, session_ended},
    sessions::EndSession,
};

/// The reservation kind under which session tokens are found.
pub const SESSION_TOKEN: &str = "session_token";

/// What came with a request.
pub struct Presented<'a> {
    /// The bearer token: a session's, or a machine's key.
    pub token: &'a str,
    /// The tenant the request names, if it names one; the session's must be the same.
    pub tenant: Option<TenantId>,
    pub address: Option<IpAddr>,
    pub correlation_id: Uuid,
    /// Whether this counts as activity; watching an open socket does not.
    pub is_activity: bool,
}

impl Commands {
    /// The person behind a session's token, or the machine behind a key.
    ///
    /// # Errors
    /// `NOT_SIGNED_IN` (unknown token, or one of another tenant), `SESSION_ENDED`,
    /// `SESSION_EXPIRED`, `API_KEY_REVOKED`, `API_KEY_EXPIRED`, or a fault.
    pub async fn authenticate(&self, presented: Presented<'_>) -> Result<Caller, Failure> {
        if presented.token.starts_with(PREFIX) {
            return self.authenticate_key(presented).await;
        }
        let hash = self.journal.secrets().link_hash(presented.token);
        let found = self.journal.tenant_of_hash(SESSION_TOKEN, &hash).await?;
        let Some((tenant, session)) = found else { return Err(not_signed_in().into()) };
        if presented.tenant.is_some_and(|named| named != tenant) {
            return Err(not_signed_in().into());
        }
        let session_id = SessionId(session);
        // Fresh, because another process may have ended it or made it act for another organisation.
        let session = self.journal.load_fresh::<Session>(tenant, session).await?.state;
        let now = self.journal.now();
        let policies =
            self.journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await?.state;
        let (_, policy) = policies.at(now);
        let before = self.activity.last_seen(tenant, session_id).await?;
        let last_seen = before.or(session.live().map(|live| live.started_at)).unwrap_or(now);
        match session.status(now, last_seen, policy.session().idle) {
            SessionStatus::Live { .. } => {}
            SessionStatus::Expired(cause) => {
                self.end_expired(tenant, session_id, cause).await?;
                return Err(Refusal::new(
                    Code::SessionExpired,
                    "Your session ended after a time without activity. Sign in again.",
                )
                .into());
            }
            SessionStatus::Ended(_) => return Err(session_ended().into()),
            SessionStatus::Unknown => return Err(not_signed_in().into()),
        }
        let Some(live) = session.live() else { return Err(session_ended().into()) };
        if presented.is_activity {
            self.activity.touch(tenant, session_id, before, now).await?;
        }
        Ok(Caller {
            tenant,
            identity: Identity::Person {
                session: session_id,
                user: live.user,
                organization: live.organization,
            },
            address: presented.address,
            correlation_id: presented.correlation_id,
        })
    }

    async fn end_expired(
        &self,
        tenant: TenantId,
        session: SessionId,
        cause: EndCause,
    ) -> Result<(), Failure> {
        let caller = Caller::system(tenant, Uuid::now_v7(), None);
        match self.dispatch(&caller, None, &EndSession { session, cause }).await {
            Ok(_) | Err(crate::DispatchError::Refused(_)) => Ok(()),
            Err(crate::DispatchError::Fault(text)) => {
                tracing::warn!(%session, text, "the end of an expired session was not recorded");
                Ok(())
            }
        }
    }
}
