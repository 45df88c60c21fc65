//! The letter that carries a registration token to the pay-to address on file (MC-03).
//!
//! Invariant: it is made of ids at delivery and never stored, so the token's text is on paper alone.

use chrono::{NaiveDate, TimeDelta};
use rollcall_domain::{
    kernel::ids::{RegistrationTokenId, TenantId},
    organizations::{
        Organization, PostalAddress, RegistrationToken, RegistrationTokenEvent, TokenPhase,
    },
    policies::PolicyHistory,
    tenants::Tenant,
};
use rollcall_journal::Journal;
use zeroize::Zeroizing;

use super::tokens::token_text;
use crate::{
    Failure,
    paper::{Font, Sheet, bind},
};

/// What stands on a letter.
pub struct Letter {
    pub plan: String,
    pub organization: String,
    pub address: PostalAddress,
    pub token: Zeroizing<String>,
    pub issued_on: NaiveDate,
    /// The last day on which the token works, in the portal's time zone.
    pub last_day: NaiveDate,
    /// Where to register.
    pub url: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("organization", &self.organization).finish_non_exhaustive()
    }
}

impl Letter {
    /// Gathers what stands on the letter of a token; `None` when the token works no longer, so that
    /// no letter goes out in vain, or when there is nowhere to send it.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn of(
        journal: &Journal,
        tenant: TenantId,
        token: RegistrationTokenId,
        public_url: &str,
    ) -> Result<Option<Self>, Failure> {
        let state = journal.load::<RegistrationToken>(tenant, token.0).await?.state;
        let TokenPhase::Issued { organization, expires_at } = state.phase() else {
            return Ok(None);
        };
        let now = journal.now();
        if expires_at <= now {
            return Ok(None);
        }
        let issued_on = journal
            .events::<RegistrationToken>(tenant, token.0)
            .await?
            .into_iter()
            .find_map(issued_on);
        let policies = journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await?.state;
        let zone = policies.at(now).1.time_zone();
        let portal = journal.load::<Tenant>(tenant, tenant.0).await?.state;
        let enrolled = journal.load::<Organization>(tenant, organization.0).await?.state;
        let (Some(issued_on), Some(profile), Some(record)) =
            (issued_on, portal.profile(), enrolled.record())
        else {
            return Ok(None);
        };
        let Some(address) = record.pay_to_address.clone() else { return Ok(None) };
        Ok(Some(Self {
            plan: profile.name.as_str().to_owned(),
            organization: record.name.as_str().to_owned(),
            address,
            token: Zeroizing::new(token_text(journal.secrets(), token)),
            issued_on,
            last_day: zone.local_date(expires_at - TimeDelta::seconds(1)),
            url: format!("{public_url}/register"),
        }))
    }

    /// The letter as a PDF of one US letter page, in fonts every reader has.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut sheet = Sheet::new();
        sheet.line(Font::Bold, 14.0, (72.0, 720.0), &self.plan);
        sheet.line(Font::Plain, 10.5, (72.0, 700.0), &format!("Date: {}", long(self.issued_on)));
        // The address block lies where a #10 window envelope shows it.
        let mut at = 640.0;
        for line in self.address_lines() {
            sheet.line(Font::Plain, 11.0, (72.0, at), &line);
            at -= 14.0;
        }
        at = 548.0;
        sheet.line(Font::Bold, 12.0, (72.0, at), "Your registration token for the provider portal");
        at -= 24.0;
        for text in self.opening() {
            at = paragraph(&mut sheet, at, &text);
        }
        sheet.line(Font::Mono, 20.0, (150.0, at - 16.0), &self.token);
        let until = format!("Works until the end of {}.", long(self.last_day));
        sheet.line(Font::Bold, 10.5, (150.0, at - 36.0), &until);
        at -= 66.0;
        for text in self.instructions() {
            at = paragraph(&mut sheet, at, &text);
        }
        let foot = "Keep this letter confidential. Never send the token by email or telephone.";
        sheet.line(Font::Plain, 9.0, (72.0, 60.0), foot);
        bind(&format!("Registration token for {}", self.organization), vec![sheet])
    }

    fn address_lines(&self) -> Vec<String> {
        let PostalAddress { line1, line2, city, state, zip } = &self.address;
        [Some(self.organization.clone()), Some(line1.clone()), line2.clone()]
            .into_iter()
            .flatten()
            .chain([format!("{city}, {state} {zip}")])
            .collect()
    }

    fn opening(&self) -> [String; 2] {
        [
            format!(
                "{} may now register for the provider portal of {}. The person who registers \
                 becomes the organization's first administrator and decides who else may act \
                 for it.",
                self.organization, self.plan
            ),
            "Use this token:".to_owned(),
        ]
    }

    fn instructions(&self) -> [String; 5] {
        [
            format!(
                "The token was issued on {} and works once. Its days count from the date of \
                 issue, not from the day you receive this letter.",
                long(self.issued_on)
            ),
            format!("1. Open {} and choose Join.", self.url),
            "2. Enter your own email address and the token above.".to_owned(),
            "3. Have ready: the tax identification number (EIN or SSN), the ZIP code of this \
             pay-to address and the contact email address of your enrollment."
                .to_owned(),
            "If the token has expired, or you did not expect this letter, contact provider \
             support of the health plan."
                .to_owned(),
        ]
    }
}

fn issued_on(event: RegistrationTokenEvent) -> Option<NaiveDate> {
    match event {
        RegistrationTokenEvent::RegistrationTokenIssued { issued_on, .. } => Some(issued_on.date()),
        RegistrationTokenEvent::LetterQueued { .. }
        | RegistrationTokenEvent::RegistrationTokenRedeemed { .. }
        | RegistrationTokenEvent::RegistrationTokenRejected { .. }
        | RegistrationTokenEvent::RegistrationTokenExpired { .. }
        | RegistrationTokenEvent::RegistrationTokenRevoked { .. }
        | RegistrationTokenEvent::LetterReturned { .. }
        | RegistrationTokenEvent::LetterOpened { .. } => None,
    }
}

/// `March 1, 2026`.
fn long(date: NaiveDate) -> String {
    date.format("%B %-d, %Y").to_string()
}

/// Characters of 10.5 point Helvetica that surely fit between the margins.
const LINE_CHARACTERS: usize = 84;
const LINE_HEIGHT: f32 = 14.0;

/// Sets wrapped text from `y` downwards; answers where the next paragraph begins.
fn paragraph(sheet: &mut Sheet, mut y: f32, text: &str) -> f32 {
    for line in wrap(text) {
        sheet.line(Font::Plain, 10.5, (72.0, y), &line);
        y -= LINE_HEIGHT;
    }
    y - LINE_HEIGHT / 2.0
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= LINE_CHARACTERS {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            plan: "Medi-Cal".to_owned(),
            organization: "Clínica Redwood".to_owned(),
            address: PostalAddress::parse("1 Main St", "", "Fresno", "CA", "93701").unwrap(),
            token: Zeroizing::new("7F3K-9QWX-2M4R-HB8T".to_owned()),
            issued_on: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap(),
            last_day: NaiveDate::from_ymd_opt(2026, 3, 31).unwrap(),
            url: "https://portal.test/register".to_owned(),
        }
    }

    #[test]
    fn mc_03_the_letter_is_a_pdf_page_with_address_token_and_dates() {
        let pdf = letter().render();
        let shows = |text: &[u8]| pdf.windows(text.len()).any(|window| window == text);
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
        assert!(shows(b"612 792"), "US letter");
        for text in
            ["1 Main St", "Fresno, CA 93701", "7F3K-9QWX-2M4R-HB8T", "end of March 31, 2026."]
        {
            assert!(shows(text.as_bytes()), "{text}");
        }
        // Text beyond ASCII is written in hexadecimal.
        let name: String = b"Cl\xednica Redwood".iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(shows(name.as_bytes()), "accents are in the fonts' encoding");
    }

    #[test]
    fn a_letter_shows_no_token_when_it_is_logged() {
        assert!(!format!("{:?}", letter()).contains("7F3K"));
    }

    #[test]
    fn long_paragraphs_wrap_between_words() {
        let lines = wrap(&"word ".repeat(40));
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= LINE_CHARACTERS));
        assert_eq!(lines.join(" "), "word ".repeat(40).trim());
    }
}
