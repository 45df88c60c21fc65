//! How messages leave: by SMTP, by a telephone provider, as letters, or into the local mailbox.
//!
//! Invariant: handing a message over twice is the same message twice, under the same Message-ID.

mod eml;
mod mailbox;
mod smtp;
mod twilio;

use std::{io, path::Path, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{DeliveryId, SubjectId, TenantId},
    notifications::Channel,
};

pub use mailbox::{Item, Mailbox};
pub use smtp::{SmtpConfig, SmtpConfigError, SmtpRelay};
pub use twilio::{TelephoneConfig, TelephoneConfigError, TelephoneProvider};

use crate::messages::Rendered;

/// A message ready to be carried.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub delivery: DeliveryId,
    /// Whom it goes to, as a subject of personal data.
    pub subject: (TenantId, SubjectId),
    pub channel: Channel,
    pub content: Rendered,
    /// When it is handed over, by the injected clock.
    pub at: DateTime<Utc>,
}

/// Why a parcel was not taken. Only a kind: the other side's words may name people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It may be taken later.
    #[error("not taken for now: {0}")]
    ForNow(String),
    /// It never will.
    #[error("refused: {0}")]
    Ever(String),
    /// There is no such mailbox; `status` is the enhanced status code where one was given.
    #[error("bounced")]
    Bounced { status: Option<String> },
}

/// Takes parcels out of the service.
#[async_trait]
pub trait Carrier: Send + Sync + 'static {
    /// Hands the parcel over; answers the id under which the other side knows it.
    async fn carry(&self, parcel: &Parcel) -> Result<String, NotTaken>;
}

/// Who carries what.
#[derive(Clone)]
pub struct PostOffice {
    email: Arc<dyn Carrier>,
    telephone: Arc<dyn Carrier>,
    letters: Arc<dyn Carrier>,
    mailbox: Mailbox,
}

impl PostOffice {
    /// Email by SMTP and texts and calls by a provider where those are configured; everything else
    /// into the mailbox in `folder`.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(
        folder: &Path,
        smtp: Option<SmtpRelay>,
        telephone: Option<TelephoneProvider>,
    ) -> io::Result<Self> {
        let mailbox = Mailbox::open(folder)?;
        let local: Arc<dyn Carrier> = Arc::new(mailbox.clone());
        let email = match smtp {
            Some(relay) => Arc::new(relay) as Arc<dyn Carrier>,
            None => Arc::clone(&local),
        };
        let telephone = match telephone {
            Some(provider) => Arc::new(provider) as Arc<dyn Carrier>,
            None => Arc::clone(&local),
        };
        Ok(Self { email, telephone, letters: local, mailbox })
    }

    /// What was put into the local mailbox.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    pub(crate) async fn carry(&self, parcel: &Parcel) -> Result<String, NotTaken> {
        let carrier = match parcel.channel {
            Channel::Email => &self.email,
            Channel::Sms | Channel::Voice => &self.telephone,
            Channel::Letter => &self.letters,
        };
        carrier.carry(parcel).await
    }
}
