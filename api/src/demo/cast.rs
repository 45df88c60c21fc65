//! Who appears in the demonstration. All people are invented, and so are these organisations; the
//! hospitals in `california-hospitals.csv` are real, so nothing unfavourable happens to them.
//!
//! Invariant: telephone numbers are of the range kept for fiction, addresses end in `.example`.

/// An invented provider organisation: name, kind of provider, community, how many NPIs.
pub const CLINICS: [(&str, &str, &str, usize); 6] = [
    ("Redwood Family Clinic", "CLINIC", "PHYSICIANS", 8),
    ("Bayview Pediatrics", "GROUP", "PHYSICIANS", 6),
    ("Sierra Orthopedics", "GROUP", "PHYSICIANS", 6),
    ("Mission Street Dental", "DENTAL", "DENTAL", 4),
    ("Pacific Coast Home Health", "HOME_HEALTH", "LONG_TERM_CARE", 6),
    ("Valley Imaging Center", "LABORATORY", "ALLIED_HEALTH", 6),
];

/// Invented submitters: billing agents.
pub const SUBMITTERS: [&str; 3] =
    ["Golden Gate Billing", "Cypress Claims Service", "Evergreen Medical Billing"];

/// Organisations of the second tenant.
pub const CENCAL: [(&str, &str, &str, usize); 2] = [
    ("Santa Ynez Clinic", "CLINIC", "PHYSICIANS", 2),
    ("Lompoc Physicians Group", "GROUP", "PHYSICIANS", 2),
];

const FIRST: [&str; 40] = [
    "Ada", "Ben", "Cora", "Dan", "Elena", "Felix", "Grace", "Hugo", "Iris", "Jonas", "Kira",
    "Luis", "Mina", "Noah", "Olive", "Pablo", "Quinn", "Rosa", "Saul", "Tara", "Uma", "Victor",
    "Wanda", "Xavier", "Yara", "Zane", "Aisha", "Boris", "Carmen", "Dmitri", "Esther", "Farid",
    "Gloria", "Hassan", "Ines", "Jamal", "Keiko", "Leon", "Maya", "Nils",
];
const LAST: [&str; 36] = [
    "Alvarez", "Brandt", "Chen", "Dubois", "Eriksen", "Flores", "Garcia", "Haddad", "Ito",
    "Jensen", "Kaur", "Lopez", "Mensah", "Nguyen", "Okafor", "Patel", "Quiroz", "Rossi", "Sato",
    "Torres", "Ueda", "Vargas", "Weber", "Xu", "Yilmaz", "Zhou", "Abbott", "Becker", "Castro",
    "Dorsey", "Ellis", "Fraser", "Grant", "Hoang", "Iqbal", "Joshi",
];

/// A person as the demo knows them.
#[derive(Clone, Debug)]
pub struct Character {
    pub first: &'static str,
    pub last: &'static str,
    pub email: String,
    pub mobile: String,
}

/// The `n`-th character; each has another name. `place` is the mail domain's first label.
#[must_use]
pub fn character(n: usize, place: &str) -> Character {
    let first = FIRST[n % FIRST.len()];
    let last = LAST[(n / FIRST.len() * 7 + n) % LAST.len()];
    let email = format!("{}.{}@{place}.example", first.to_lowercase(), last.to_lowercase());
    Character { first, last, email, mobile: format!("+1{}555{:04}", area(n), 100 + n % 100) }
}

/// Several area codes, so that more than a hundred fictional numbers are to be had.
fn area(n: usize) -> u32 {
    [202, 213, 310, 408, 415, 510, 530, 559, 619, 626][n / 100 % 10]
}

/// The mail domain's label for an organisation's name.
#[must_use]
pub fn place(organization: &str) -> String {
    let words = organization.to_lowercase();
    words
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_characters_share_an_address_or_a_number() {
        let people: Vec<_> = (0..300).map(|n| character(n, "clinic")).collect();
        let emails: BTreeSet<_> = people.iter().map(|person| &person.email).collect();
        let mobiles: BTreeSet<_> = people.iter().map(|person| &person.mobile).collect();
        assert_eq!((emails.len(), mobiles.len()), (300, 300));
    }
}
