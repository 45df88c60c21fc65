//! A challenge as its stream tells it, for whoever holds its id (MC-20).

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Refusal,
    kernel::ids::{OtpChallengeId, TenantId},
    users::one_time_passcode::{OneTimePasscode, Source},
};

use crate::{Commands, Failure};

/// Where a challenge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeStatus {
    /// The code is awaited.
    Pending { attempts_left: u32, expires_at: DateTime<Utc>, digits: u32, by_app: bool },
    /// The code was right and serves once.
    Verified,
    /// Nobody came in time.
    Expired,
    /// Too many wrong codes.
    Exhausted,
    /// The code has served.
    Used,
}

impl Commands {
    /// A challenge by its id, which only whoever asked for it holds.
    ///
    /// # Errors
    /// `NOT_FOUND`, or the database did not answer.
    pub async fn otp_challenge(
        &self,
        tenant: TenantId,
        id: OtpChallengeId,
    ) -> Result<ChallengeStatus, Failure> {
        let state = self.journal.load_fresh::<OneTimePasscode>(tenant, id.0).await?.state;
        let now = self.journal.now();
        Ok(match &*state {
            OneTimePasscode::NotSent => return Err(Refusal::not_found("id").into()),
            OneTimePasscode::Pending { sent, .. } if now >= sent.expires_at => {
                ChallengeStatus::Expired
            }
            OneTimePasscode::Pending { sent, attempts } => ChallengeStatus::Pending {
                attempts_left: sent.tries.saturating_sub(*attempts),
                expires_at: sent.expires_at,
                digits: sent.digits,
                by_app: sent.source == Source::Authenticator,
            },
            OneTimePasscode::Verified(_) => ChallengeStatus::Verified,
            OneTimePasscode::Exhausted => ChallengeStatus::Exhausted,
            OneTimePasscode::Consumed => ChallengeStatus::Used,
        })
    }
}
