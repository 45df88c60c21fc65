//! Email by SMTP, with STARTTLS or TLS and authentication (ROLLCALL_SMTP_URL, ROLLCALL_MAIL_FROM).
//!
//! Invariant: what a server refuses for good is given up, everything else is tried again.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        Error,
        response::{Category, Code, Severity},
    },
};

use crate::outbox::is_enhanced_status;

use super::{
    Carrier, NotTaken, Parcel,
    eml::{compose, message_id},
};

/// The longest a server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where to and in whose name mail is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    /// `smtp://user:password@host:587?tls=required` (STARTTLS) or `smtps://…` (TLS from the start).
    pub url: String,
    /// `Portal <portal@plan.example>`.
    pub from: String,
}

impl fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConfig").field("from", &self.from).finish_non_exhaustive()
    }
}

/// A setting mail cannot be sent with. The URL is not repeated: it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum SmtpConfigError {
    #[error(
        "ROLLCALL_SMTP_URL cannot be used: {0}. Give smtp://user:password@host:587?tls=required"
    )]
    Url(String),
    #[error("ROLLCALL_MAIL_FROM={0} is no address. Give e.g. Portal <portal@plan.example>")]
    From(String),
}

/// A mail server that takes our mail.
pub struct SmtpRelay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpRelay {
    /// Reads the settings; the server is not asked yet.
    ///
    /// # Errors
    /// [`SmtpConfigError`].
    pub fn new(config: &SmtpConfig) -> Result<Self, SmtpConfigError> {
        let from = config.from.parse().map_err(|_| SmtpConfigError::From(config.from.clone()))?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.url)
            .map_err(|error| SmtpConfigError::Url(error.to_string()))?
            .timeout(Some(PATIENCE))
            .build();
        Ok(Self { transport, from })
    }
}

#[async_trait]
impl Carrier for SmtpRelay {
    async fn carry(&self, parcel: &Parcel) -> Result<String, NotTaken> {
        let message = compose(parcel, &self.from)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(message_id(parcel.delivery, &self.from)),
            Err(error) => Err(verdict(&error)),
        }
    }
}

/// Whether another try is worth it. An answer 5xx about the mailbox or the message is final; one
/// about our credentials is ours to mend, and the mail waits for it.
fn verdict(error: &Error) -> NotTaken {
    match error.status() {
        Some(status) if is_final(status) => {
            let said = std::error::Error::source(error).map(ToString::to_string);
            final_verdict(status, said.as_deref().and_then(enhanced_status))
        }
        Some(status) => NotTaken::ForNow(format!("SMTP {status}")),
        None if error.is_timeout() => NotTaken::ForNow("timeout".to_owned()),
        None if error.is_tls() => NotTaken::ForNow("TLS".to_owned()),
        None => NotTaken::ForNow("connection".to_owned()),
    }
}

/// Whether the mailbox is to blame, or the message: only the former bounced (RFC 5321, section
/// 4.2.3; RFC 3463, subjects 1 and 2).
fn final_verdict(code: Code, status: Option<String>) -> NotTaken {
    let blames_the_mailbox = match status.as_deref().and_then(|status| status.split('.').nth(1)) {
        Some(subject) => matches!(subject, "1" | "2"),
        None => matches!(code.to_string().as_str(), "550" | "551" | "553"),
    };
    if blames_the_mailbox {
        NotTaken::Bounced { status }
    } else {
        NotTaken::Ever(format!("SMTP {code}"))
    }
}

/// The enhanced status code at the beginning of a server's words.
fn enhanced_status(said: &str) -> Option<String> {
    said.split_whitespace().find(|word| is_enhanced_status(word)).map(str::to_owned)
}

fn is_final(code: Code) -> bool {
    code.severity == Severity::PermanentNegativeCompletion && code.category == Category::MailSystem
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::response::Detail;

    use super::*;

    #[test]
    fn a_refused_mailbox_is_final_and_refused_credentials_are_not() {
        let code = |severity, category| Code::new(severity, category, Detail::Zero);
        let permanent = Severity::PermanentNegativeCompletion;
        assert!(is_final(code(permanent, Category::MailSystem)));
        assert!(!is_final(code(permanent, Category::Unspecified3)));
        assert!(!is_final(code(Severity::TransientNegativeCompletion, Category::MailSystem)));
    }

    #[test]
    fn gn_19_only_a_refused_mailbox_bounces() {
        let code =
            |detail| Code::new(Severity::PermanentNegativeCompletion, Category::MailSystem, detail);
        let status = enhanced_status("5.1.1 <ann@clinic.example>: no such user");
        assert_eq!(status.as_deref(), Some("5.1.1"));
        let bounced = NotTaken::Bounced { status: status.clone() };
        assert_eq!(final_verdict(code(Detail::Zero), status), bounced);
        let bounced = NotTaken::Bounced { status: None };
        assert_eq!(final_verdict(code(Detail::Zero), enhanced_status("no such user")), bounced);
        let spam = NotTaken::Ever("SMTP 550".to_owned());
        assert_eq!(final_verdict(code(Detail::Zero), Some("5.7.1".to_owned())), spam);
        let failed = NotTaken::Ever("SMTP 554".to_owned());
        assert_eq!(final_verdict(code(Detail::Four), None), failed);
    }

    #[test]
    fn bad_settings_are_named_without_the_password() {
        let with = |url: &str, from: &str| {
            SmtpRelay::new(&SmtpConfig { url: url.to_owned(), from: from.to_owned() })
                .err()
                .map(|error| error.to_string())
        };
        let error = with("ftp://me:hunter2@mail.example", "a@b.example").expect("refused");
        assert!(error.contains("ROLLCALL_SMTP_URL") && !error.contains("hunter2"), "{error}");
        let error = with("smtp://mail.example", "nobody").expect("refused");
        assert!(error.contains("ROLLCALL_MAIL_FROM=nobody"), "{error}");
        let config = SmtpConfig { url: "smtp://me:hunter2@m".to_owned(), from: String::new() };
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
