//! What acceptance tests stand on: a real service on a real PostgreSQL, driven over HTTP.

mod database;
mod joining;
mod letters;
mod mailbox;
mod portal;
mod receiver;
mod recording;
mod seed;
mod signing_in;
mod smtp;
mod socket;
mod telephone;

pub use joining::{GOOD_PASSWORD, uuid_of};
pub use letters::{CONTACT, PAY_TO_ZIP, TAX_ID};
pub use portal::{Answer, Client, Portal};
pub use receiver::{Receiver, Reply};
pub use seed::{Company, PASSWORD, Person, World};
pub use smtp::MailServer;
pub use telephone::TelephoneCompany;
