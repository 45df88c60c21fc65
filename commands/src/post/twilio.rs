//! Text messages and calls by a provider with Twilio's API of 2010-04-01 (ROLLCALL_TELEPHONE_URL,
//! ROLLCALL_TELEPHONE_FROM).
//!
//! Invariant: what the provider refuses because of the number is given up; what it refuses because
//! of our account waits until that is mended.

use std::{fmt, net::IpAddr, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, StatusCode, Url};
use rollcall_domain::notifications::Channel;
use serde::Deserialize;

use super::{Carrier, NotTaken, Parcel};
use crate::messages::{Address, Rendered};

/// The longest the provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// By which account and from which number messages and calls go out.
#[derive(Clone, PartialEq, Eq)]
pub struct TelephoneConfig {
    /// `https://ACCOUNT:TOKEN@api.twilio.com`, or an API key as `https://ACCOUNT:KEY:SECRET@…` with
    /// the second colon written `%3A`.
    pub url: String,
    /// A number in E.164 that may send texts and call.
    pub from: String,
}

impl fmt::Debug for TelephoneConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelephoneConfig").field("from", &self.from).finish_non_exhaustive()
    }
}

/// A setting nobody can be called with. The URL is not repeated: it holds a token.
#[derive(Debug, thiserror::Error)]
pub enum TelephoneConfigError {
    #[error(
        "ROLLCALL_TELEPHONE_URL cannot be used: {0}. Give https://ACCOUNT:TOKEN@api.twilio.com"
    )]
    Url(&'static str),
    #[error("ROLLCALL_TELEPHONE_FROM={0} is no number in E.164. Give e.g. +12025550100")]
    From(String),
    #[error("the client for ROLLCALL_TELEPHONE_URL cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// A provider that texts and calls for us.
pub struct TelephoneProvider {
    client: Client,
    /// Of the account, with a slash at its end.
    account: Url,
    user: String,
    token: String,
    from: String,
}

impl TelephoneProvider {
    /// Reads the settings; the provider is not asked yet.
    ///
    /// # Errors
    /// [`TelephoneConfigError`].
    pub fn new(config: &TelephoneConfig) -> Result<Self, TelephoneConfigError> {
        use TelephoneConfigError::Url as Bad;
        let url = Url::parse(&config.url).map_err(|_| Bad("it is no URL"))?;
        let on_this_machine = url
            .host_str()
            .and_then(|host| host.parse::<IpAddr>().ok())
            .is_some_and(|address| address.is_loopback());
        if url.scheme() != "https" && !on_this_machine {
            return Err(Bad("codes go over https only"));
        }
        let account = url.username().to_owned();
        if account.is_empty() || !account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Bad("it names no account"));
        }
        let secret = url.password().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or(Bad("it holds no token"))?.replace("%3A", ":");
        let (user, token) = match secret.split_once(':') {
            Some((key, secret)) => (key.to_owned(), secret.to_owned()),
            None => (account.clone(), secret),
        };
        if !is_number(&config.from) {
            return Err(TelephoneConfigError::From(config.from.clone()));
        }
        let path = format!("2010-04-01/Accounts/{account}/");
        let mut base = url;
        // Neither fails for a URL with a host.
        let _ = (base.set_username(""), base.set_password(None));
        let account = base.join(&path).map_err(|_| Bad("it is no base of a URL"))?;
        let client = Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { client, account, user, token, from: config.from.clone() })
    }

    async fn post(&self, resource: &str, form: &[(&str, &str)]) -> Result<String, NotTaken> {
        let url = self.account.join(resource).expect("the name of a resource");
        let request = self.client.post(url).basic_auth(&self.user, Some(&self.token)).form(form);
        let response = request.send().await.map_err(|error| {
            NotTaken::ForNow(if error.is_timeout() { "timeout" } else { "connection" }.to_owned())
        })?;
        let status = response.status();
        if !status.is_success() {
            let refused = response.json::<Refused>().await.ok();
            return Err(verdict(status, refused.map(|refused| refused.code)));
        }
        // A message without an id would be taken for one that did not leave, and leave again.
        let taken = response.json::<Taken>().await;
        Ok(taken.map_or_else(|_| "unnamed".to_owned(), |taken| taken.sid))
    }
}

#[async_trait]
impl Carrier for TelephoneProvider {
    async fn carry(&self, parcel: &Parcel) -> Result<String, NotTaken> {
        let Address::Telephone(to) = &parcel.content.to else {
            return Err(NotTaken::Ever("no telephone number".to_owned()));
        };
        let both = [("To", to.as_str()), ("From", self.from.as_str())];
        match parcel.channel {
            Channel::Sms => {
                let form = [both[0], both[1], ("Body", parcel.content.text.as_str())];
                self.post("Messages.json", &form).await
            }
            Channel::Voice => {
                let spoken = spoken(&parcel.content);
                self.post("Calls.json", &[both[0], both[1], ("Twiml", spoken.as_str())]).await
            }
            Channel::Email | Channel::Letter => {
                Err(NotTaken::Ever("no message for a telephone".to_owned()))
            }
        }
    }
}

/// What the provider says when it took a message.
#[derive(Deserialize)]
struct Taken {
    sid: String,
}

/// What it says when it did not; its words may hold the number and are not kept.
#[derive(Deserialize)]
struct Refused {
    code: u32,
}

/// Whether another try is worth it. 400 is about the message or its number; all else about our
/// account, our rate or their service.
fn verdict(status: StatusCode, code: Option<u32>) -> NotTaken {
    let said = match code {
        Some(code) => format!("telephone provider {} ({code})", status.as_u16()),
        None => format!("telephone provider {}", status.as_u16()),
    };
    match code {
        _ if status != StatusCode::BAD_REQUEST => NotTaken::ForNow(said),
        // A sender that is not ours or not able (yet): 21212, 21210 and 21606 to 21608.
        Some(21210 | 21212 | 21606..=21608) => NotTaken::ForNow(said),
        Some(_) | None => NotTaken::Ever(said),
    }
}

/// The text as an automatic voice says it, twice, with each code digit by digit.
fn spoken(content: &Rendered) -> String {
    let text = content.codes.iter().fold(content.text.clone(), |text, code| {
        let digits: Vec<String> = code.chars().map(String::from).collect();
        text.replace(code.as_str(), &digits.join(", "))
    });
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<Response><Say loop=\"2\">{escaped}</Say></Response>")
}

fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(url: &str, from: &str) -> Result<TelephoneProvider, String> {
        TelephoneProvider::new(&TelephoneConfig { url: url.to_owned(), from: from.to_owned() })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn bad_settings_are_named_without_the_token() {
        for url in [
            "api.twilio.com",
            "https://api.twilio.com",
            "https://AC1@api.twilio.com",
            "http://AC1:hunter2@api.twilio.com",
            "https://AC%2F1:hunter2@api.twilio.com",
        ] {
            let error = provider(url, "+12025550100").err().expect("refused");
            assert!(error.contains("ROLLCALL_TELEPHONE_URL"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let error = provider("https://AC1:hunter2@api.twilio.com", "555").err().expect("refused");
        assert!(error.contains("ROLLCALL_TELEPHONE_FROM=555"), "{error}");
        let config = TelephoneConfig { url: "https://AC1:hunter2@x".into(), from: String::new() };
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn an_api_key_signs_for_the_account() {
        let made = provider("https://AC1:SK2%3Ahunter2@api.twilio.com", "+12025550100");
        let made = made.expect("settings");
        assert_eq!(made.account.as_str(), "https://api.twilio.com/2010-04-01/Accounts/AC1/");
        assert_eq!((made.user.as_str(), made.token.as_str()), ("SK2", "hunter2"));
    }

    #[test]
    fn numbers_are_given_up_and_our_own_trouble_waits() {
        let (bad, ever) = (StatusCode::BAD_REQUEST, "telephone provider 400");
        // Not a number, no text messages to it, opted out.
        for code in [21211, 21614, 21610] {
            assert_eq!(verdict(bad, Some(code)), NotTaken::Ever(format!("{ever} ({code})")));
        }
        assert_eq!(verdict(bad, None), NotTaken::Ever(ever.to_owned()));
        assert!(matches!(verdict(bad, Some(21606)), NotTaken::ForNow(_)));
        for status in [401, 403, 404, 429, 500, 503] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(matches!(verdict(status, Some(20003)), NotTaken::ForNow(_)), "{status}");
        }
    }

    #[test]
    fn a_code_is_said_digit_by_digit_and_nothing_is_markup() {
        let content = Rendered {
            to: Address::Telephone("+12025550123".to_owned()),
            subject: String::new(),
            text: "Q & A: your code is 040719 <now>.".to_owned(),
            links: Vec::new(),
            codes: vec!["040719".to_owned()],
            pdf: None,
        };
        assert_eq!(
            spoken(&content),
            "<Response><Say loop=\"2\">Q &amp; A: your code is 0, 4, 0, 7, 1, 9 &lt;now&gt;.\
             </Say></Response>"
        );
    }
}
