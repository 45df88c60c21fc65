//! Why somebody asked and why it was denied, from the events themselves.
//!
//! Invariant: free text is personal, so it is opened here for whoever may see the request and stands
//! in no read table; what was erased is absent.

use std::collections::BTreeMap;

use rollcall_domain::{
    Sealed,
    access_requests::{
        AccessRequest, AccessRequestEvent, JoinRequest, JoinRequestEvent, Move, MoveRequest,
        MoveRequestEvent, MoveWish,
    },
    kernel::ids::{AccessRequestId, TenantId},
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

/// What was written in a request and about it.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    pub why: Option<String>,
    /// What was noted when it was handed on or approved, or why it was denied.
    pub answer: Option<String>,
    /// Who asks without an account.
    pub visitor: Option<Visitor>,
    /// Who is to move.
    pub moving: Option<Moving>,
}

/// Somebody without an account; what was erased is absent.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// A wish to move, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Moving {
    /// Held by the organisation that is joined.
    pub npi: Option<String>,
    /// The address of who comes here.
    pub email: Option<String>,
    pub moved: Option<Move>,
}

/// The texts of several requests, which the caller has been found to see.
///
/// # Errors
/// The database did not answer, or an event cannot be read.
pub async fn texts(
    journal: &Journal,
    tenant: TenantId,
    requests: &[Uuid],
) -> Result<BTreeMap<AccessRequestId, Texts>, JournalError> {
    let mut texts = BTreeMap::new();
    for (id, events) in journal.events_of::<AccessRequest>(tenant, requests).await? {
        texts.insert(AccessRequestId(id), Texts::of(events));
    }
    for (id, events) in journal.events_of::<JoinRequest>(tenant, requests).await? {
        texts.insert(AccessRequestId(id), Texts::of_joining(events));
    }
    for (id, events) in journal.events_of::<MoveRequest>(tenant, requests).await? {
        texts.insert(AccessRequestId(id), Texts::of_moving(events));
    }
    Ok(texts)
}

impl Texts {
    fn of(events: Vec<AccessRequestEvent>) -> Self {
        use AccessRequestEvent as E;
        let mut texts = Self::default();
        for event in events {
            match event {
                E::AccessRequested { why, .. } => texts.why = open(&why),
                E::AccessRequestRouted { note, .. } | E::AccessRequestApproved { note, .. } => {
                    texts.answer = note.as_ref().and_then(open).or(texts.answer);
                }
                E::AccessRequestDenied { reason, .. } => texts.answer = open(&reason),
                E::AccessRequestWithdrawn { .. } | E::AccessRequestExpired { .. } => {}
            }
        }
        texts
    }

    fn of_joining(events: Vec<JoinRequestEvent>) -> Self {
        use JoinRequestEvent as E;
        let mut texts = Self::default();
        for event in events {
            match event {
                E::JoinRequested { visitor, why, .. } => {
                    texts.why = open(&why);
                    texts.visitor = Some(Visitor {
                        first_name: open(&visitor.first_name),
                        last_name: open(&visitor.last_name),
                        email: open(&visitor.email),
                        phone: open(&visitor.phone),
                    });
                }
                E::JoinRequestApproved { note, .. } => texts.answer = note.as_ref().and_then(open),
                E::JoinRequestDenied { reason, .. } => texts.answer = open(&reason),
                E::JoinRequestExpired { .. } => {}
            }
        }
        texts
    }

    fn of_moving(events: Vec<MoveRequestEvent>) -> Self {
        use MoveRequestEvent as E;
        let (mut texts, mut moving) = (Self::default(), Moving::default());
        for event in events {
            match event {
                E::MoveRequested { wish, why, .. } => {
                    texts.why = open(&why);
                    match wish {
                        MoveWish::Away { npi } => moving.npi = Some(npi.to_string()),
                        MoveWish::Here { email } => moving.email = open(&email),
                    }
                }
                E::MoveRequestApproved { moved, note, .. } => {
                    moving.moved = Some(moved);
                    texts.answer = note.as_ref().and_then(open);
                }
                E::MoveRequestDenied { reason, .. } => texts.answer = open(&reason),
                E::MoveRequestWithdrawn { .. } | E::MoveRequestExpired { .. } => {}
            }
        }
        texts.moving = Some(moving);
        texts
    }
}

fn open<T: ToString>(sealed: &Sealed<T>) -> Option<String> {
    sealed.get().map(ToString::to_string)
}
