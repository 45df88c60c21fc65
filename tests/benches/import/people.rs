//! The files: organisations, and their people with rights, some lines spoiled on demand.
//!
//! Invariant: the same number of rows is the same file.

use std::fmt::Write;

use rollcall_domain::values::Npi;

/// Organisations beside the large one.
const SMALL: usize = 30;
/// Every so many lines one is spoiled.
const SPOILED: usize = 100;

/// A file of people.
pub struct File {
    pub text: String,
    pub lines: usize,
    /// In the order of their lines.
    pub bad: Vec<Bad>,
}

/// A line that has to be refused.
pub struct Bad {
    pub line: u32,
    pub code: &'static str,
    pub column: &'static str,
}

impl File {
    /// A file without a fault.
    pub fn of(rows: usize) -> Self {
        Self::with(rows, false)
    }

    /// The same with a fault in one line of a hundred, each time another one.
    pub fn spoiled(rows: usize) -> Self {
        Self::with(rows, true)
    }

    fn with(rows: usize, spoiled: bool) -> Self {
        let header = "organization_reference,legacy_id,email,first_name,last_name,mobile,\
                      org_role,npis,correspondence\n";
        let mut file = Self { text: header.to_owned(), lines: rows, bad: Vec::new() };
        for (nth, line) in (0..rows).zip(2..) {
            let person = Person::nth(nth);
            if spoiled && nth % SPOILED == SPOILED / 2 {
                let (person, code, column) = person.spoil(nth / SPOILED);
                file.bad.push(Bad { line, code, column });
                person.write(&mut file.text);
            } else {
                person.write(&mut file.text);
            }
        }
        file
    }
}

struct Person {
    nth: usize,
    organization: String,
    email: String,
    mobile: String,
    role: &'static str,
    npi: String,
    level: &'static str,
}

impl Person {
    /// Two of five belong to the first organisation.
    fn nth(nth: usize) -> Self {
        let organization = if nth % 5 < 2 { 0 } else { 1 + nth / 5 % SMALL };
        Self {
            nth,
            organization: reference(organization),
            email: format!("person{nth}@org{organization}.example"),
            mobile: format!("+1202555{:04}", 100 + nth % 100),
            role: if nth.is_multiple_of(50) { "PROCESSOR" } else { "NONE" },
            npi: npi(organization),
            level: if nth.is_multiple_of(10) { "ADMIN" } else { "PROCESSOR" },
        }
    }

    fn spoil(mut self, fault: usize) -> (Self, &'static str, &'static str) {
        let (code, column) = match fault % 5 {
            0 => {
                self.email = format!("person{} at home", self.nth);
                ("EMAIL_INVALID", "email")
            }
            1 => {
                self.npi = npi(SMALL + 1);
                ("NPI_NOT_IN_ORG", "npis")
            }
            2 => {
                self.organization = "NOBODY".to_owned();
                ("NOT_FOUND", "organization_reference")
            }
            3 => {
                self.mobile = "+10125550123".to_owned();
                ("PHONE_INVALID", "mobile")
            }
            _ => {
                self.level = "OWNER";
                ("FIELD_INVALID", "npis")
            }
        };
        (self, code, column)
    }

    fn write(&self, text: &mut String) {
        let Self { nth, organization, email, mobile, role, npi, level } = self;
        writeln!(
            text,
            "{organization},u-{nth},{email},Ada,Row,{mobile},{role},{npi}={level},{npi}=RAD"
        )
        .expect("text takes everything");
    }
}

/// The organisations of the files, as the plan enrols them.
pub fn enrolment() -> String {
    let header = "reference,organization,kinds,tax_id_type,tax_id,pay_to_line1,pay_to_city,\
                  pay_to_state,pay_to_zip,contact_email,npi,provider_type,community\n";
    let line = |nth: usize| {
        format!(
            "{},Practice {nth},PROVIDER,EIN,12-{:07},22 Oak Ave,Fresno,CA,93701,\
             office@org{nth}.example,{},GROUP,PHYSICIANS\n",
            reference(nth),
            3_000_000 + nth,
            npi(nth),
        )
    };
    (0..=SMALL).map(line).fold(header.to_owned(), |file, line| file + &line)
}

fn reference(organization: usize) -> String {
    format!("R-{organization}")
}

/// An NPI for each organisation, with a valid check digit.
fn npi(organization: usize) -> String {
    (0..10)
        .map(|check| format!("1{:08}{check}", 50_000_000 + organization))
        .find(|npi| Npi::parse(npi).is_ok())
        .expect("one digit fits")
}
