//! From a planned message to one that can be handed over.
//!
//! Invariant: here, and nowhere before, do address, link and code come together; nothing of it is
//! stored but by whoever carries the message.

use std::sync::Arc;

use rollcall_domain::{
    AnyEvent,
    kernel::ids::{NotificationId, OrganizationId, RegistrationTokenId, TenantId, VaultRef},
    notifications::{Notification, NotificationType},
    organizations::Organization,
    policies::PolicyHistory,
    tenants::Tenant,
    values::TenantZone,
};
use rollcall_journal::{Journal, JournalError, ReadError, Reader};

use crate::{
    Failure,
    links::LinkPurpose,
    organizations::{letter::Letter, tokens::token_text},
    users::temporary_password,
};

use super::{
    Address, Particulars, Planned, Template,
    wording::{Facts, Wording},
};

/// A message as it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub to: Address,
    pub subject: String,
    pub text: String,
    pub links: Vec<String>,
    /// Passcodes, tokens and temporary passwords in it.
    pub codes: Vec<String>,
    /// The letter as a document.
    pub pdf: Option<Vec<u8>>,
}

/// Why a message cannot be made for now.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Letter(#[from] Failure),
}

/// There is no address to send to and never will be, or what would be sent works no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recipient has no address, or what would be sent works no longer")]
pub struct Unsendable;

/// Renders messages.
#[derive(Clone)]
pub struct Renderer {
    journal: Journal,
    reader: Reader<AnyEvent>,
    public_url: Arc<str>,
}

impl Renderer {
    /// `public_url` is the beginning of every link, without a slash at its end.
    #[must_use]
    pub fn new(journal: Journal, reader: Reader<AnyEvent>, public_url: &str) -> Self {
        Self { journal, reader, public_url: public_url.into() }
    }

    /// Renders `message`, which the event at `source_position` caused.
    ///
    /// # Errors
    /// The journal does not answer; the inner error is final.
    pub async fn render(
        &self,
        tenant: TenantId,
        source_position: i64,
        message: &Planned,
    ) -> Result<Result<Rendered, Unsendable>, RenderError> {
        let Some(to) = self.address(tenant, source_position, message).await? else {
            return Ok(Err(Unsendable));
        };
        let facts = self.facts(tenant, &message.particulars).await?;
        let Wording { subject, paragraphs } = Wording::of(message.template, &facts);
        let pdf = match (message.template, message.particulars.link) {
            (Template::TokenLetter, Some(link)) => {
                let token = RegistrationTokenId(link.id);
                let letter = Letter::of(&self.journal, tenant, token, &self.public_url).await?;
                // A token that works no longer is not sent in vain.
                let Some(letter) = letter else { return Ok(Err(Unsendable)) };
                Some(letter.render())
            }
            (_, Some(_) | None) => None,
        };
        Ok(Ok(Rendered {
            to,
            subject,
            text: paragraphs.join("\n\n"),
            links: facts.link.into_iter().collect(),
            codes: [facts.token, facts.code, facts.password].into_iter().flatten().collect(),
            pdf,
        }))
    }

    async fn address(
        &self,
        tenant: TenantId,
        source_position: i64,
        message: &Planned,
    ) -> Result<Option<Address>, RenderError> {
        if !message.to.is_in_the_event() {
            return Ok(message.to.look_up(&self.journal, tenant).await?);
        }
        let events = self.reader.tenant_after(tenant, source_position - 1, 1).await?;
        Ok(events.first().and_then(|event| message.to.read(event)))
    }

    async fn facts(
        &self,
        tenant: TenantId,
        particulars: &Particulars,
    ) -> Result<Facts, JournalError> {
        let secrets = self.journal.secrets();
        let token = particulars.link.map(|link| match link.purpose {
            // Typed from paper, so it is short and grouped.
            LinkPurpose::Registration => token_text(secrets, RegistrationTokenId(link.id)),
            LinkPurpose::Invitation
            | LinkPurpose::SetPassword
            | LinkPurpose::ResetPassword
            | LinkPurpose::VerifyEmail
            | LinkPurpose::FirstOperator => link.purpose.token(secrets, link.id),
        });
        let link = particulars
            .link
            .zip(token.as_ref())
            .map(|(link, token)| link.purpose.url(&self.public_url, token));
        let zone = self.zone(tenant).await?;
        Ok(Facts {
            portal: self.portal(tenant).await?,
            link,
            token,
            code: particulars.passcode.map(|code| secrets.otp(code.challenge, code.sent_length)),
            digits: particulars.passcode.map_or(0, |code| code.digits),
            password: particulars
                .temporary_password
                .map(|id| temporary_password(secrets, VaultRef(id)).reveal().to_owned()),
            until: particulars.until.map(|until| zone.wall_clock(until)),
            organization: self.name(tenant, particulars.organization).await?,
            counterparty: self.name(tenant, particulars.counterparty).await?,
            npi: particulars.npi.as_ref().map(ToString::to_string),
            notice: particulars.notice,
            digest: self.digest(tenant, &particulars.digest).await?,
        })
    }

    /// What each notice of a digest is about, and in which organisation.
    async fn digest(
        &self,
        tenant: TenantId,
        notifications: &[NotificationId],
    ) -> Result<Vec<(NotificationType, Option<String>)>, JournalError> {
        let mut told = Vec::with_capacity(notifications.len());
        for id in notifications {
            let state = self.journal.load::<Notification>(tenant, id.0).await?.state;
            let Notification::Raised(notice) = &*state else { continue };
            let organization = match notice.organization {
                Some(_) => Some(self.name(tenant, notice.organization).await?),
                None => None,
            };
            told.push((notice.notification_type, organization));
        }
        Ok(told)
    }

    async fn zone(&self, tenant: TenantId) -> Result<TenantZone, JournalError> {
        let history = self.journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await?;
        let (_, policy) = history.state.at(self.journal.now());
        Ok(policy.time_zone())
    }

    async fn portal(&self, tenant: TenantId) -> Result<String, JournalError> {
        let state = self.journal.load::<Tenant>(tenant, tenant.0).await?.state;
        let name = state.profile().map(|profile| profile.name.as_str().to_owned());
        Ok(name.unwrap_or_else(|| "the portal".to_owned()))
    }

    async fn name(
        &self,
        tenant: TenantId,
        organization: Option<OrganizationId>,
    ) -> Result<String, JournalError> {
        let Some(organization) = organization else { return Ok("your organization".to_owned()) };
        let state = self.journal.load::<Organization>(tenant, organization.0).await?.state;
        let name = state.record().map(|record| record.name.as_str().to_owned());
        Ok(name.unwrap_or_else(|| "an organization".to_owned()))
    }
}
