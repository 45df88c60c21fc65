//! Links by which a password is set. Invariant: at most one link is alive; each works once and only
//! before it expires, to the second (MC-21, MC-26).

use chrono::{DateTime, Utc};

use super::{CredentialRefusal, ResetMethod};
use crate::kernel::ids::LinkId;

/// How many links are remembered, so that an old one is still told what became of it.
const REMEMBERED: usize = 16;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Setting the first password.
    Setup,
    /// Replacing a forgotten one.
    Reset(ResetMethod),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Alive,
    Used,
    Replaced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    id: LinkId,
    purpose: LinkPurpose,
    expires_at: DateTime<Utc>,
    fate: Fate,
}

/// The links sent so far, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links(Vec<Link>);

impl Links {
    pub(super) fn sent(&mut self, id: LinkId, purpose: LinkPurpose, expires_at: DateTime<Utc>) {
        self.close_all();
        self.0.push(Link { id, purpose, expires_at, fate: Fate::Alive });
        let surplus = self.0.len().saturating_sub(REMEMBERED);
        self.0.drain(..surplus);
    }

    /// A password was set: the link used for it is used, any other is dead.
    pub(super) fn used(&mut self, id: Option<LinkId>) {
        self.close_all();
        for link in self.0.iter_mut().filter(|link| Some(link.id) == id) {
            link.fate = Fate::Used;
        }
    }

    fn close_all(&mut self) {
        for link in self.0.iter_mut().filter(|link| link.fate == Fate::Alive) {
            link.fate = Fate::Replaced;
        }
    }

    /// Every link remembered, dead ones included.
    pub(super) fn all(&self) -> impl Iterator<Item = (LinkId, LinkPurpose)> + '_ {
        self.0.iter().map(|link| (link.id, link.purpose))
    }

    /// The purpose of a link that may be used now.
    pub(super) fn check(
        &self,
        id: LinkId,
        now: DateTime<Utc>,
    ) -> Result<LinkPurpose, CredentialRefusal> {
        let link =
            self.0.iter().find(|link| link.id == id).ok_or(CredentialRefusal::LinkInvalid)?;
        match link.fate {
            Fate::Used => Err(CredentialRefusal::LinkUsed),
            Fate::Replaced => Err(CredentialRefusal::LinkInvalid),
            Fate::Alive if now >= link.expires_at => Err(CredentialRefusal::LinkExpired),
            Fate::Alive => Ok(link.purpose),
        }
    }
}
