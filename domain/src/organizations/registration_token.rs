//! The token printed on the letter that lets an organisation register (MC-03, MC-04, GN-03).
//!
//! Invariant: a token works once and only to the last second of its last local day; the token's
//! text is never here, only its id.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::ids::{OrganizationId, RegistrationId, RegistrationTokenId, SubjectId, UserId};
use crate::values::{CalendarDate, Reason, Zip};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// Why a token was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TokenRejection {
    Invalid,
    Expired,
    Used,
    Revoked,
    TooManyTries,
}

/// What happened to a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RegistrationTokenEvent {
    /// The plan issued a token; it holds before `expires_at`.
    RegistrationTokenIssued {
        token: RegistrationTokenId,
        organization: OrganizationId,
        pay_to_zip: Option<Zip>,
        /// The day in the tenant's zone from which the days count.
        issued_on: CalendarDate,
        expires_at: DateTime<Utc>,
    },
    /// The letter with the token goes to the pay-to address on file.
    LetterQueued { letter: Uuid, token: RegistrationTokenId, organization: OrganizationId },
    /// A registration was completed with the token.
    RegistrationTokenRedeemed {
        organization: OrganizationId,
        registration: RegistrationId,
        user: Option<UserId>,
    },
    /// Somebody tried a token in vain.
    RegistrationTokenRejected {
        organization: Option<OrganizationId>,
        why: TokenRejection,
        /// Keyed hash of the client's address, in hex.
        address_hash: Option<String>,
    },
    /// The token's last day is over.
    RegistrationTokenExpired { organization: OrganizationId },
    /// The plan took the token back.
    RegistrationTokenRevoked { organization: OrganizationId, reason: Sealed<Reason> },
    /// The postal service returned the letter.
    LetterReturned { organization: OrganizationId, letter: Uuid },
    /// The plan opened the letter as a document, and so saw the token.
    LetterOpened { organization: OrganizationId, letter: Uuid },
}

impl Event for RegistrationTokenEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::RegistrationTokenIssued { .. } => {
                "organizations.registration_token.registration_token_issued"
            }
            Self::LetterQueued { .. } => "organizations.registration_token.letter_queued",
            Self::RegistrationTokenRedeemed { .. } => {
                "organizations.registration_token.registration_token_redeemed"
            }
            Self::RegistrationTokenRejected { .. } => {
                "organizations.registration_token.registration_token_rejected"
            }
            Self::RegistrationTokenExpired { .. } => {
                "organizations.registration_token.registration_token_expired"
            }
            Self::RegistrationTokenRevoked { .. } => {
                "organizations.registration_token.registration_token_revoked"
            }
            Self::LetterReturned { .. } => "organizations.registration_token.letter_returned",
            Self::LetterOpened { .. } => "organizations.registration_token.letter_opened",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::RegistrationTokenIssued { organization, .. }
            | Self::LetterQueued { organization, .. }
            | Self::RegistrationTokenExpired { organization }
            | Self::RegistrationTokenRevoked { organization, .. }
            | Self::LetterReturned { organization, .. }
            | Self::LetterOpened { organization, .. } => {
                Facets::default().organization(*organization)
            }
            Self::RegistrationTokenRedeemed { organization, user, .. } => {
                Facets { subject: *user, ..Facets::default().organization(*organization) }
            }
            Self::RegistrationTokenRejected { organization, .. } => {
                Facets { organization: *organization, ..Facets::default() }
            }
        }
    }
}

/// What may be asked of a token.
#[derive(Clone, Debug)]
pub enum RegistrationTokenCommand {
    IssueRegistrationToken {
        token: RegistrationTokenId,
        organization: OrganizationId,
        /// The plan has a pay-to address on file for the letter.
        has_pay_to_address: bool,
        pay_to_zip: Option<Zip>,
        letter: Uuid,
        /// The organisation has another token that works; revoke it to reissue.
        other_is_active: bool,
    },
    /// At the completion of a registration.
    RedeemRegistrationToken {
        registration: RegistrationId,
        user: Option<UserId>,
    },
    /// Writes a vain try down; also for a token that does not exist.
    RejectRegistrationToken {
        why: TokenRejection,
        address_hash: Option<String>,
    },
    ExpireRegistrationToken,
    RevokeRegistrationToken {
        reason: Reason,
    },
    RecordLetterReturned {
        letter: Uuid,
    },
    /// Opens the letter of a token that still works.
    OpenLetter,
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationTokenRefusal {
    #[error("There is no pay-to address on file. Complete the enrolment first.")]
    NoPayToAddress,
    #[error("The organization has a token that works. Revoke it to issue another.")]
    TokenActive,
    #[error("Letter tokens are not used here. Contact the health plan.")]
    NotOffered,
    #[error("This token is not valid. Check the letter and try again.")]
    Invalid,
    #[error("This token has expired. Ask the health plan for a new letter.")]
    Expired,
    #[error("This token was used already.")]
    Used,
    #[error("This token was withdrawn. Ask the health plan for a new letter.")]
    Revoked,
    #[error("Too many tries. Ask the health plan for a new letter.")]
    TooManyTries,
    #[error("The token still works; it has not expired yet.")]
    NotExpired(DateTime<Utc>),
    #[error("No such letter was sent.")]
    LetterUnknown,
}

impl RegistrationTokenRefusal {
    /// How a vain try is written down; `None` where nobody tried a token.
    #[must_use]
    pub fn rejection(&self) -> Option<TokenRejection> {
        match self {
            Self::Invalid => Some(TokenRejection::Invalid),
            Self::Expired => Some(TokenRejection::Expired),
            Self::Used => Some(TokenRejection::Used),
            Self::Revoked => Some(TokenRejection::Revoked),
            Self::TooManyTries => Some(TokenRejection::TooManyTries),
            Self::NoPayToAddress
            | Self::TokenActive
            | Self::NotOffered
            | Self::NotExpired(_)
            | Self::LetterUnknown => None,
        }
    }
}

impl From<RegistrationTokenRefusal> for Refusal {
    fn from(refusal: RegistrationTokenRefusal) -> Self {
        use RegistrationTokenRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::NoPayToAddress => Self::new(Code::NoPayToAddress, message),
            R::TokenActive => Self::new(Code::TokenActive, message),
            R::NotOffered => Self::new(Code::FeatureDisabled, message),
            R::Invalid => Self::new(Code::TokenInvalid, message).at("token"),
            R::Expired => Self::new(Code::TokenExpired, message).at("token"),
            R::Used => Self::new(Code::TokenUsed, message).at("token"),
            R::Revoked => Self::new(Code::TokenRevoked, message).at("token"),
            R::TooManyTries => Self::new(Code::RateLimited, message).at("token"),
            R::NotExpired(at) => Self::new(Code::TooEarly, message).retry_at(at),
            R::LetterUnknown => Self::new(Code::NotFound, message).at("letterId"),
        }
    }
}

/// Where a token stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenPhase {
    #[default]
    NotIssued,
    Issued {
        organization: OrganizationId,
        expires_at: DateTime<Utc>,
    },
    Redeemed {
        organization: OrganizationId,
    },
    Expired {
        organization: OrganizationId,
    },
    Revoked {
        organization: OrganizationId,
    },
}

/// A token with the vain tries on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistrationToken {
    phase: TokenPhase,
    letter: Option<Uuid>,
    tries: BTreeMap<String, u32>,
}

impl RegistrationToken {
    /// The letter that carries it.
    #[must_use]
    pub fn letter(&self) -> Option<Uuid> {
        self.letter
    }

    #[must_use]
    pub fn phase(&self) -> TokenPhase {
        self.phase
    }

    /// Whose token it is.
    #[must_use]
    pub fn organization(&self) -> Option<OrganizationId> {
        match self.phase {
            TokenPhase::NotIssued => None,
            TokenPhase::Issued { organization, .. }
            | TokenPhase::Redeemed { organization }
            | TokenPhase::Expired { organization }
            | TokenPhase::Revoked { organization } => Some(organization),
        }
    }

    /// Vain tries from one address (GN-03).
    #[must_use]
    pub fn tries(&self, address_hash: &str) -> u32 {
        self.tries.get(address_hash).copied().unwrap_or_default()
    }

    /// Whether the token may be used at `now` from this address, of which at most `limit` vain
    /// tries are borne.
    ///
    /// # Errors
    /// `TOKEN_INVALID`, `TOKEN_EXPIRED`, `TOKEN_USED`, `TOKEN_REVOKED` or `RATE_LIMITED`.
    pub fn check(
        &self,
        now: DateTime<Utc>,
        address_hash: Option<&str>,
        limit: u32,
    ) -> Result<OrganizationId, RegistrationTokenRefusal> {
        if address_hash.is_some_and(|hash| self.tries(hash) >= limit) {
            return Err(RegistrationTokenRefusal::TooManyTries);
        }
        self.usable(now)
    }

    fn usable(&self, now: DateTime<Utc>) -> Result<OrganizationId, RegistrationTokenRefusal> {
        match self.phase {
            TokenPhase::NotIssued => Err(RegistrationTokenRefusal::Invalid),
            TokenPhase::Issued { organization, expires_at } if now < expires_at => Ok(organization),
            TokenPhase::Issued { .. } | TokenPhase::Expired { .. } => {
                Err(RegistrationTokenRefusal::Expired)
            }
            TokenPhase::Redeemed { .. } => Err(RegistrationTokenRefusal::Used),
            TokenPhase::Revoked { .. } => Err(RegistrationTokenRefusal::Revoked),
        }
    }
}

impl Decider for RegistrationToken {
    const TYPE: &'static str = "organizations.registration_token";
    type Command = RegistrationTokenCommand;
    type Event = RegistrationTokenEvent;
    type Refusal = RegistrationTokenRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: RegistrationTokenCommand,
    ) -> Result<Vec<RegistrationTokenEvent>, RegistrationTokenRefusal> {
        use RegistrationTokenCommand as C;
        use RegistrationTokenEvent as E;
        let now = decision.now;
        match command {
            C::IssueRegistrationToken {
                token,
                organization,
                has_pay_to_address,
                pay_to_zip,
                letter,
                other_is_active,
            } => {
                let days =
                    decision.policy.org_token_days().ok_or(RegistrationTokenRefusal::NotOffered)?;
                if other_is_active || self.phase != TokenPhase::NotIssued {
                    return Err(RegistrationTokenRefusal::TokenActive);
                }
                if !has_pay_to_address {
                    return Err(RegistrationTokenRefusal::NoPayToAddress);
                }
                let zone = decision.policy.time_zone();
                let issued = E::RegistrationTokenIssued {
                    token,
                    organization,
                    pay_to_zip,
                    issued_on: zone.local_date(now).into(),
                    expires_at: zone.end_of_nth_day(now, days),
                };
                Ok(vec![issued, E::LetterQueued { letter, token, organization }])
            }
            C::RedeemRegistrationToken { registration, user } => {
                let organization = self.usable(now)?;
                Ok(vec![E::RegistrationTokenRedeemed { organization, registration, user }])
            }
            C::RejectRegistrationToken { why, address_hash } => {
                let organization = self.organization();
                Ok(vec![E::RegistrationTokenRejected { organization, why, address_hash }])
            }
            C::ExpireRegistrationToken => match self.phase {
                TokenPhase::Issued { expires_at, .. } if now < expires_at => {
                    Err(RegistrationTokenRefusal::NotExpired(expires_at))
                }
                TokenPhase::Issued { organization, .. } => {
                    Ok(vec![E::RegistrationTokenExpired { organization }])
                }
                TokenPhase::NotIssued
                | TokenPhase::Redeemed { .. }
                | TokenPhase::Expired { .. }
                | TokenPhase::Revoked { .. } => self.usable(now).map(|_| Vec::new()),
            },
            C::RevokeRegistrationToken { reason } => {
                let organization = self.usable(now)?;
                let reason = Sealed::new(SubjectId(organization.0), reason);
                Ok(vec![E::RegistrationTokenRevoked { organization, reason }])
            }
            C::RecordLetterReturned { letter } => match self.organization() {
                Some(organization) if self.letter == Some(letter) => {
                    Ok(vec![E::LetterReturned { organization, letter }])
                }
                Some(_) | None => Err(RegistrationTokenRefusal::LetterUnknown),
            },
            C::OpenLetter => {
                let organization = self.usable(now)?;
                let letter = self.letter.ok_or(RegistrationTokenRefusal::LetterUnknown)?;
                Ok(vec![E::LetterOpened { organization, letter }])
            }
        }
    }

    fn evolve(&mut self, event: &RegistrationTokenEvent) {
        use RegistrationTokenEvent as E;
        match event {
            E::RegistrationTokenIssued { organization, expires_at, .. } => {
                self.phase =
                    TokenPhase::Issued { organization: *organization, expires_at: *expires_at };
            }
            E::LetterQueued { letter, .. } => self.letter = Some(*letter),
            E::RegistrationTokenRedeemed { organization, .. } => {
                self.phase = TokenPhase::Redeemed { organization: *organization };
            }
            E::RegistrationTokenRejected { address_hash, .. } => {
                if let Some(hash) = address_hash {
                    *self.tries.entry(hash.clone()).or_default() += 1;
                }
            }
            E::RegistrationTokenExpired { organization } => {
                self.phase = TokenPhase::Expired { organization: *organization };
            }
            E::RegistrationTokenRevoked { organization, .. } => {
                self.phase = TokenPhase::Revoked { organization: *organization };
            }
            E::LetterReturned { .. } | E::LetterOpened { .. } => {}
        }
    }
}

#[cfg(test)]
#[path = "registration_token_tests.rs"]
mod tests;
