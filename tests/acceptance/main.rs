//! Acceptance tests: the real service, a real PostgreSQL, a module per topic.

mod first_password;
mod invitations;
mod outbox;
mod permissions;
mod pins;
mod postgres;
mod requirements;
mod running;
mod support;
mod user_directory;
