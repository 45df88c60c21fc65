//! Email addresses as practice knows them, not every form RFC 5322 allows.

use super::{Invalid, string_value};
use crate::Code;

/// An address such as `Jane.Doe@clinic.example`: ASCII, at most 254 characters, domain in lower
/// case. Nothing is trimmed: a pasted blank is refused, so that it cannot hide in a stored address.
///
/// Two addresses are the same account when their [`EmailAddress::key`] is equal (GN-05).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

string_value!(EmailAddress);

impl EmailAddress {
    /// Parses an address.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `EMAIL_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("email address"));
        }
        match text.rsplit_once('@') {
            Some((local, domain))
                if text.len() <= 254 && is_local_part(local) && is_domain(domain) =>
            {
                Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
            }
            Some(_) | None => Err(Invalid::new(
                Code::EmailInvalid,
                "Enter an email address such as name@example.com, without blanks.",
            )),
        }
    }

    /// The form uniqueness is decided on: all in lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The domain, in lower case (MC-14).
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the `@`, as typed.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// `j***@example.com`: enough for its owner to recognise.
    pub fn masked(&self) -> String {
        let first = self.local_part().chars().next().map(String::from).unwrap_or_default();
        format!("{first}***@{}", self.domain())
    }
}

fn is_local_part(local: &str) -> bool {
    let atoms = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
    local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atoms))
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match domain.rsplit_once('.') {
        Some((rest, top)) => {
            rest.split('.').all(label)
                && label(top)
                && top.len() >= 2
                && !top.bytes().all(|c| c.is_ascii_digit())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_lower_cased_and_the_local_part_kept() {
        let email = EmailAddress::parse("Jane.O'Doe+x@Clinic.EXAMPLE").expect("valid");
        assert_eq!(email.as_str(), "Jane.O'Doe+x@clinic.example");
        assert_eq!(email.domain(), "clinic.example");
        assert_eq!(email.key(), "jane.o'doe+x@clinic.example");
    }

    #[test]
    fn addresses_that_no_mail_server_takes_are_refused() {
        for text in [
            "jane",
            "@clinic.example",
            "jane@",
            "jane@clinic",
            "jane@@clinic.example",
            "jane doe@clinic.example",
            " jane@clinic.example",
            "jane@clinic.example ",
            "jane@clinic.example\r\nBcc: x@y.example",
            ".jane@clinic.example",
            "jane.@clinic.example",
            "ja..ne@clinic.example",
            "jane@-clinic.example",
            "jane@clinic-.example",
            "jane@clinic..example",
            "jane@127.0.0.1",
            "\"jane\"@clinic.example",
            "jané@clinic.example",
            "jane@clínic.example",
        ] {
            assert_eq!(
                EmailAddress::parse(text).unwrap_err().code.as_str(),
                "EMAIL_INVALID",
                "{text}"
            );
        }
        assert_eq!(EmailAddress::parse("").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }

    #[test]
    fn lengths_end_at_64_and_254() {
        let domain = format!("{}.{}.{}.example", "a".repeat(60), "b".repeat(60), "c".repeat(57));
        assert_eq!(domain.len(), 187);
        let local = "x".repeat(64);
        assert!(EmailAddress::parse(&format!("{local}@{domain}")).is_ok());
        assert!(EmailAddress::parse(&format!("{local}y@short.example")).is_err());
        let longer = format!("{}.{domain}", "d".repeat(2));
        assert_eq!(format!("{local}@{longer}").len(), 255);
        assert!(EmailAddress::parse(&format!("{local}@{longer}")).is_err());
    }

    #[test]
    fn the_mask_keeps_the_first_letter_and_the_domain() {
        assert_eq!(
            EmailAddress::parse("jane@example.com").expect("valid").masked(),
            "j***@example.com"
        );
    }
}
