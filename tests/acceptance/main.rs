//! Acceptance tests: the real service, a real PostgreSQL, a module per topic.

mod first_password;
mod invitations;
mod outbox;
mod pins;
mod postgres;
mod registration;
mod requirements;
mod running;
mod support;
