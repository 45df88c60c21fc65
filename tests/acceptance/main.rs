//! Acceptance tests: the real service, a real PostgreSQL, a module per topic.

mod affiliations;
mod audit;
mod first_password;
mod invitations;
mod notifications;
mod outbox;
mod passwords;
mod permissions;
mod pins;
mod postgres;
mod rebuild;
mod registration;
mod requirements;
mod running;
mod scheduler;
mod sessions;
mod signing_in;
mod support;
mod user_directory;
