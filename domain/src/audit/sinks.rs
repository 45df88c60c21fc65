//! Where the audit timeline is pushed to: the plan's own receivers, such as a SIEM (GN-26).
//!
//! Invariant: no secret is in an event, only where the vault keeps it; what left is on record by
//! ranges without a gap, from where the sink began.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::audit::ExportFilter;
use crate::kernel::ids::{AuditSinkId, SubjectId, UserId, VaultRef};
use crate::values::{Reason, SinkName};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// The most sinks of a plan.
pub const MOST_SINKS: usize = 10;
/// For how long two secrets count after one was replaced.
pub const SECRETS_OVERLAP: TimeDelta = TimeDelta::hours(24);

/// How events are written into a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SinkFormat {
    /// One JSON object a line, as exports have it.
    JsonLines,
    /// One event of OCSF a line.
    Ocsf,
}

/// Why nothing is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PauseCause {
    /// An administrator wants it so.
    Administrator,
    /// The receiver said that it is gone for good.
    Gone,
    /// The receiver took nothing for days.
    Unreachable,
}

impl PauseCause {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "ADMINISTRATOR",
            Self::Gone => "GONE",
            Self::Unreachable => "UNREACHABLE",
        }
    }
}

/// What a receiver took since the last time that this was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Every event of the filter after the first and up to the second position was taken.
    pub after_position: i64,
    pub to_position: i64,
    pub events: u64,
    pub batches: u64,
}

/// An event of stream `audit.sinks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AuditSinksEvent {
    /// An administrator of the plan has events pushed.
    AuditSinkCreated {
        sink: AuditSinkId,
        by: UserId,
        name: SinkName,
        url: String,
        format: SinkFormat,
        filter: Box<ExportFilter>,
        words: Option<Sealed<Vec<String>>>,
        secret_ref: VaultRef,
        /// Events after this position are pushed.
        after_position: i64,
    },
    /// Deliveries are signed with another secret, and for a while with both.
    AuditSinkSecretRotated {
        sink: AuditSinkId,
        by: UserId,
        secret_ref: VaultRef,
        both_until: DateTime<Utc>,
    },
    /// Nothing is delivered until somebody says otherwise.
    AuditSinkPaused {
        sink: AuditSinkId,
        cause: PauseCause,
        by: Option<UserId>,
        reason: Option<Sealed<Reason>>,
    },
    /// It goes on where it stopped.
    AuditSinkResumed { sink: AuditSinkId, by: UserId },
    /// Nothing is delivered any more.
    AuditSinkDeleted { sink: AuditSinkId, by: UserId, reason: Sealed<Reason> },
    /// What the receiver took; at most one a day.
    AuditSinkDelivered { sink: AuditSinkId, delivered: Delivered },
}

impl Event for AuditSinksEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AuditSinkCreated { .. } => "audit.sinks.audit_sink_created",
            Self::AuditSinkSecretRotated { .. } => "audit.sinks.audit_sink_secret_rotated",
            Self::AuditSinkPaused { .. } => "audit.sinks.audit_sink_paused",
            Self::AuditSinkResumed { .. } => "audit.sinks.audit_sink_resumed",
            Self::AuditSinkDeleted { .. } => "audit.sinks.audit_sink_deleted",
            Self::AuditSinkDelivered { .. } => "audit.sinks.audit_sink_delivered",
        }
    }

    fn facets(&self) -> Facets {
        Facets::default()
    }
}

/// A sink to be made.
#[derive(Clone, Debug)]
pub struct NewSink {
    pub sink: AuditSinkId,
    pub by: UserId,
    pub name: SinkName,
    pub url: String,
    pub format: SinkFormat,
    pub filter: Box<ExportFilter>,
    pub words: Vec<String>,
    pub secret_ref: VaultRef,
    pub after_position: i64,
}

/// A command to stream `audit.sinks`.
#[derive(Clone, Debug)]
pub enum AuditSinksCommand {
    Create(NewSink),
    RotateSecret {
        sink: AuditSinkId,
        by: UserId,
        secret_ref: VaultRef,
    },
    /// By an administrator, who says why.
    Pause {
        sink: AuditSinkId,
        by: UserId,
        reason: Reason,
    },
    /// By the service itself.
    Stop {
        sink: AuditSinkId,
        cause: PauseCause,
    },
    Resume {
        sink: AuditSinkId,
        by: UserId,
    },
    Delete {
        sink: AuditSinkId,
        by: UserId,
        reason: Reason,
    },
    RecordDelivered {
        sink: AuditSinkId,
        delivered: Delivered,
    },
}

/// Why a sink refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditSinkRefusal {
    #[error("There is no such sink. Check the id and try again.")]
    Unknown,
    #[error("This sink exists already. Try again.")]
    Exists,
    #[error("There are {MOST_SINKS} sinks already. Delete one first.")]
    TooMany,
    #[error("Another sink has this name. Choose another one.")]
    NameTaken,
    #[error("Give stored names of events and of a command, such as pins.pin.pin_reset.")]
    NotNames,
    #[error("It is paused already.")]
    Paused,
    #[error("It is not paused.")]
    NotPaused,
}

impl From<AuditSinkRefusal> for Refusal {
    fn from(refusal: AuditSinkRefusal) -> Self {
        use AuditSinkRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Unknown => Self::not_found("auditSinkId"),
            R::Exists => Self::new(Code::VersionConflict, message),
            R::TooMany => Self::new(Code::RangeInvalid, message),
            R::NameTaken => Self::new(Code::AlreadyAssigned, message).at("name"),
            R::NotNames => Self::new(Code::FieldInvalid, message).at("filter"),
            R::Paused => Self::new(Code::AlreadyInactive, message).at("auditSinkId"),
            R::NotPaused => Self::new(Code::NotInactive, message).at("auditSinkId"),
        }
    }
}

/// A sink.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditSink {
    pub name: SinkName,
    pub url: String,
    pub format: SinkFormat,
    pub filter: ExportFilter,
    /// Absent where none were given, or whoever gave them was erased.
    pub words: Option<Sealed<Vec<String>>>,
    pub secret: VaultRef,
    /// The secret before it, and until when deliveries are signed with it too.
    pub former: Option<(VaultRef, DateTime<Utc>)>,
    pub paused: Option<PauseCause>,
    pub created_by: UserId,
    pub after_position: i64,
}

impl AuditSink {
    /// The secrets that sign at `now`, the newest first.
    #[must_use]
    pub fn secrets(&self, now: DateTime<Utc>) -> Vec<VaultRef> {
        let former = self.former.filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        [self.secret].into_iter().chain(former).collect()
    }
}

/// The sinks of a plan, without those that were deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditSinks(BTreeMap<AuditSinkId, AuditSink>);

impl AuditSinks {
    /// One of them.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, sink: AuditSinkId) -> Result<&AuditSink, AuditSinkRefusal> {
        self.0.get(&sink).ok_or(AuditSinkRefusal::Unknown)
    }

    /// All of them, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = (AuditSinkId, &AuditSink)> {
        self.0.iter().map(|(id, sink)| (*id, sink))
    }

    fn create(&self, new: NewSink) -> Result<AuditSinksEvent, AuditSinkRefusal> {
        let NewSink { sink, by, name, url, format, filter, words, secret_ref, after_position } =
            new;
        if self.0.contains_key(&sink) {
            return Err(AuditSinkRefusal::Exists);
        }
        if self.0.len() >= MOST_SINKS {
            return Err(AuditSinkRefusal::TooMany);
        }
        let key = name.key();
        if self.0.values().any(|other| other.name.key() == key) {
            return Err(AuditSinkRefusal::NameTaken);
        }
        if !filter.names_only() {
            return Err(AuditSinkRefusal::NotNames);
        }
        let words = Some(words).filter(|words| !words.is_empty());
        Ok(AuditSinksEvent::AuditSinkCreated {
            sink,
            by,
            name,
            url,
            format,
            filter,
            words: words.map(|words| Sealed::new(SubjectId::from(by), words)),
            secret_ref,
            after_position,
        })
    }
}

impl Decider for AuditSinks {
    const TYPE: &'static str = "audit.sinks";
    type Command = AuditSinksCommand;
    type Event = AuditSinksEvent;
    type Refusal = AuditSinkRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: AuditSinksCommand,
    ) -> Result<Vec<AuditSinksEvent>, AuditSinkRefusal> {
        use AuditSinksCommand as C;
        use AuditSinksEvent as E;
        Ok(vec![match command {
            C::Create(new) => self.create(new)?,
            C::RotateSecret { sink, by, secret_ref } => {
                self.get(sink)?;
                let both_until = decision.now + SECRETS_OVERLAP;
                E::AuditSinkSecretRotated { sink, by, secret_ref, both_until }
            }
            C::Pause { sink, by, reason } => {
                if self.get(sink)?.paused.is_some() {
                    return Err(AuditSinkRefusal::Paused);
                }
                let reason = Some(Sealed::new(SubjectId::from(by), reason));
                let cause = PauseCause::Administrator;
                E::AuditSinkPaused { sink, cause, by: Some(by), reason }
            }
            C::Stop { sink, cause } => match self.0.get(&sink) {
                Some(found) if found.paused.is_none() => {
                    E::AuditSinkPaused { sink, cause, by: None, reason: None }
                }
                // Somebody else was faster.
                Some(_) | None => return Ok(Vec::new()),
            },
            C::Resume { sink, by } => {
                if self.get(sink)?.paused.is_none() {
                    return Err(AuditSinkRefusal::NotPaused);
                }
                E::AuditSinkResumed { sink, by }
            }
            C::Delete { sink, by, reason } => {
                self.get(sink)?;
                let reason = Sealed::new(SubjectId::from(by), reason);
                E::AuditSinkDeleted { sink, by, reason }
            }
            // What left is on record even where the sink was deleted meanwhile.
            C::RecordDelivered { sink, delivered } => E::AuditSinkDelivered { sink, delivered },
        }])
    }

    fn evolve(&mut self, event: &AuditSinksEvent) {
        use AuditSinksEvent as E;
        match event {
            E::AuditSinkCreated {
                sink,
                by,
                name,
                url,
                format,
                filter,
                words,
                secret_ref,
                after_position,
            } => {
                let made = AuditSink {
                    name: name.clone(),
                    url: url.clone(),
                    format: *format,
                    filter: (**filter).clone(),
                    words: words.clone(),
                    secret: *secret_ref,
                    former: None,
                    paused: None,
                    created_by: *by,
                    after_position: *after_position,
                };
                self.0.insert(*sink, made);
            }
            E::AuditSinkSecretRotated { sink, secret_ref, both_until, .. } => {
                if let Some(sink) = self.0.get_mut(sink) {
                    sink.former = Some((sink.secret, *both_until));
                    sink.secret = *secret_ref;
                }
            }
            E::AuditSinkPaused { sink, cause, .. } => {
                if let Some(sink) = self.0.get_mut(sink) {
                    sink.paused = Some(*cause);
                }
            }
            E::AuditSinkResumed { sink, .. } => {
                if let Some(sink) = self.0.get_mut(sink) {
                    sink.paused = None;
                }
            }
            E::AuditSinkDeleted { sink, .. } => {
                self.0.remove(sink);
            }
            E::AuditSinkDelivered { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
