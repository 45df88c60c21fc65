//! Acceptance tests: the real service, a real PostgreSQL, a module per topic.

mod audit;
mod enrolment;
mod first_password;
mod invitations;
mod notifications;
mod outbox;
mod passwords;
mod permissions;
mod pins;
mod policies;
mod postgres;
mod rebuild;
mod registration;
mod registration_tokens;
mod requirements;
mod running;
mod scheduler;
mod sessions;
mod signing_in;
mod support;
mod tenancy;
mod user_directory;
