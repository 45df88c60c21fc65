//! People in the schema.

pub mod acceptances;
pub mod agreements;
pub mod authenticator;
pub mod credential;
pub mod external_identities;
pub mod first_password;
pub mod invitations;
pub mod one_time_passcodes;
pub mod profile;
