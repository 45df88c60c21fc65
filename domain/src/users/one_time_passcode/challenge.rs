//! The challenge aggregate. Invariant: sent or asked for, then verified, then consumed, each at most once, and
//! none of them late.

use chrono::{DateTime, TimeDelta, Utc};

use super::events::{OneTimePasscodeEvent, OtpOwner, OtpPurpose};
use super::refusal::OneTimePasscodeRefusal;
use crate::kernel::ids::OtpChallengeId;
use crate::values::{CodeChannel, PhoneNumber};
use crate::{Decider, Decision, Sealed};

/// How long after its expiry a challenge that was verified in time may still be used: the time to
/// fill in the page behind it.
pub const CONSUME_GRACE: TimeDelta = TimeDelta::minutes(10);

/// One code that is asked for: sent to a telephone, or shown by an authenticator app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OneTimePasscode {
    /// The id is not in use.
    #[default]
    NotSent,
    /// Waiting for the right code.
    Pending { sent: Sent, attempts: u32 },
    /// Closed by too many wrong codes.
    Exhausted,
    /// The right code was typed; not used yet.
    Verified(Sent),
    /// Used.
    Consumed,
}

/// What is asked for, of whom and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub owner: OtpOwner,
    pub purpose: OtpPurpose,
    pub source: Source,
    /// How many last digits are typed.
    pub digits: u32,
    pub tries: u32,
    pub expires_at: DateTime<Utc>,
}

/// Where the code comes from, and so what the right one proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `sent_length` digits went to this number.
    Telephone { to: Sealed<PhoneNumber>, sent_length: u32 },
    /// The owner's authenticator app, or one of their recovery codes.
    Authenticator,
}

impl Sent {
    /// The number that the right code proves, unless it was erased.
    #[must_use]
    pub fn telephone(&self) -> Option<&PhoneNumber> {
        match &self.source {
            Source::Telephone { to, .. } => to.get(),
            Source::Authenticator => None,
        }
    }
}

/// A command to stream `users.one_time_passcode`.
#[derive(Clone, Debug)]
pub enum OneTimePasscodeCommand {
    /// Send a code.
    SendOtp(SendOtp),
    /// Ask for the code that the owner's authenticator app shows.
    ChallengeOtp(ChallengeOtp),
    /// A code was typed; `matches` is the constant-time comparison's answer.
    VerifyOtp { matches: bool },
    /// Use the verified challenge for what it was sent for.
    ConsumeOtp { owner: OtpOwner, purpose: OtpPurpose },
}

/// Where a code goes; its length, tries and time are the policy's.
#[derive(Clone, Debug)]
pub struct SendOtp {
    pub challenge: OtpChallengeId,
    pub owner: OtpOwner,
    pub purpose: OtpPurpose,
    pub channel: CodeChannel,
    pub to: PhoneNumber,
}

/// A code that is asked for and not sent; its tries and time are the policy's.
#[derive(Clone, Copy, Debug)]
pub struct ChallengeOtp {
    pub challenge: OtpChallengeId,
    pub owner: OtpOwner,
    pub purpose: OtpPurpose,
    /// How many digits the app shows.
    pub digits: u32,
}

impl OneTimePasscode {
    /// Wrong codes that may still be typed, and when the code expires; `None` when it is closed.
    #[must_use]
    pub fn pending(&self) -> Option<(u32, DateTime<Utc>)> {
        match self {
            Self::Pending { sent, attempts } => {
                Some((sent.tries.saturating_sub(*attempts), sent.expires_at))
            }
            Self::NotSent | Self::Exhausted | Self::Verified(_) | Self::Consumed => None,
        }
    }

    /// What was sent, while it is waiting for its code or for its use.
    #[must_use]
    pub fn sent(&self) -> Option<&Sent> {
        match self {
            Self::Pending { sent, .. } | Self::Verified(sent) => Some(sent),
            Self::NotSent | Self::Exhausted | Self::Consumed => None,
        }
    }

    /// Whether the challenge proves `owner` for `purpose` at `now`.
    ///
    /// # Errors
    /// OTP_REQUIRED where it was not verified, is another's or was used; OTP_EXPIRED.
    pub fn check_verified(
        &self,
        owner: OtpOwner,
        purpose: OtpPurpose,
        now: DateTime<Utc>,
    ) -> Result<(), OneTimePasscodeRefusal> {
        match self {
            Self::Verified(sent) if sent.owner != owner || sent.purpose != purpose => {
                Err(OneTimePasscodeRefusal::Required)
            }
            Self::Verified(sent) if now >= sent.expires_at + CONSUME_GRACE => {
                Err(OneTimePasscodeRefusal::Expired)
            }
            Self::Verified(_) => Ok(()),
            Self::NotSent | Self::Pending { .. } | Self::Exhausted | Self::Consumed => {
                Err(OneTimePasscodeRefusal::Required)
            }
        }
    }

    fn require_unused(&self) -> Result<(), OneTimePasscodeRefusal> {
        match self {
            Self::NotSent => Ok(()),
            Self::Pending { .. } | Self::Exhausted | Self::Verified(_) | Self::Consumed => {
                Err(OneTimePasscodeRefusal::AlreadySent)
            }
        }
    }

    fn verify(
        &self,
        now: DateTime<Utc>,
        matches: bool,
    ) -> Result<OneTimePasscodeEvent, OneTimePasscodeRefusal> {
        let (sent, attempts) = match self {
            Self::NotSent => return Err(OneTimePasscodeRefusal::NotSent),
            Self::Exhausted => return Err(OneTimePasscodeRefusal::TooMany),
            Self::Verified(_) | Self::Consumed => {
                return Err(OneTimePasscodeRefusal::AlreadyVerified);
            }
            Self::Pending { sent, attempts } => (sent, attempts + 1),
        };
        let owner = sent.owner;
        if now >= sent.expires_at {
            Err(OneTimePasscodeRefusal::Expired)
        } else if matches {
            Ok(OneTimePasscodeEvent::OtpVerified { owner })
        } else {
            let attempts_left = sent.tries.saturating_sub(attempts);
            Ok(OneTimePasscodeEvent::OtpFailed { owner, attempts, attempts_left })
        }
    }
}

fn sent(decision: &Decision<'_>, send: SendOtp) -> OneTimePasscodeEvent {
    let otp = decision.policy.otp();
    OneTimePasscodeEvent::OtpSent {
        challenge: send.challenge,
        owner: send.owner,
        purpose: send.purpose,
        channel: send.channel,
        masked_to: send.to.masked(),
        to: Sealed::new(send.owner.subject(), send.to),
        digits: otp.digits,
        sent_length: otp.sent_length,
        tries: otp.tries,
        expires_at: decision.now + otp.ttl,
    }
}

fn challenged(decision: &Decision<'_>, ask: ChallengeOtp) -> OneTimePasscodeEvent {
    let otp = decision.policy.otp();
    OneTimePasscodeEvent::OtpChallenged {
        challenge: ask.challenge,
        owner: ask.owner,
        purpose: ask.purpose,
        digits: ask.digits,
        tries: otp.tries,
        expires_at: decision.now + otp.ttl,
    }
}

impl Decider for OneTimePasscode {
    const TYPE: &'static str = "users.one_time_passcode";
    type Command = OneTimePasscodeCommand;
    type Event = OneTimePasscodeEvent;
    type Refusal = OneTimePasscodeRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: OneTimePasscodeCommand,
    ) -> Result<Vec<OneTimePasscodeEvent>, OneTimePasscodeRefusal> {
        match command {
            OneTimePasscodeCommand::SendOtp(send) => {
                self.require_unused()?;
                Ok(vec![sent(decision, send)])
            }
            OneTimePasscodeCommand::ChallengeOtp(ask) => {
                self.require_unused()?;
                Ok(vec![challenged(decision, ask)])
            }
            OneTimePasscodeCommand::VerifyOtp { matches } => {
                Ok(vec![self.verify(decision.now, matches)?])
            }
            OneTimePasscodeCommand::ConsumeOtp { owner, purpose } => {
                self.check_verified(owner, purpose, decision.now)?;
                Ok(vec![OneTimePasscodeEvent::OtpConsumed { owner, by: purpose }])
            }
        }
    }

    fn evolve(&mut self, event: &OneTimePasscodeEvent) {
        match event {
            OneTimePasscodeEvent::OtpSent {
                owner,
                purpose,
                to,
                digits,
                sent_length,
                tries,
                expires_at,
                ..
            } => {
                let sent = Sent {
                    owner: *owner,
                    purpose: *purpose,
                    source: Source::Telephone { to: to.clone(), sent_length: *sent_length },
                    digits: *digits,
                    tries: *tries,
                    expires_at: *expires_at,
                };
                *self = Self::Pending { sent, attempts: 0 };
            }
            OneTimePasscodeEvent::OtpChallenged {
                owner,
                purpose,
                digits,
                tries,
                expires_at,
                ..
            } => {
                let sent = Sent {
                    owner: *owner,
                    purpose: *purpose,
                    source: Source::Authenticator,
                    digits: *digits,
                    tries: *tries,
                    expires_at: *expires_at,
                };
                *self = Self::Pending { sent, attempts: 0 };
            }
            OneTimePasscodeEvent::OtpFailed { attempts_left: 0, .. } => *self = Self::Exhausted,
            OneTimePasscodeEvent::OtpFailed { attempts: failed, .. } => {
                if let Self::Pending { attempts, .. } = self {
                    *attempts = *failed;
                }
            }
            OneTimePasscodeEvent::OtpVerified { .. } => {
                if let Self::Pending { sent, .. } = self {
                    *self = Self::Verified(sent.clone());
                }
            }
            OneTimePasscodeEvent::OtpConsumed { .. } => *self = Self::Consumed,
        }
    }
}
