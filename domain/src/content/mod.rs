//! What the portal tells its visitors, kept by the tenant's content editors.
//!
//! Invariant: content is public and holds nothing about a person.

mod client_guidance;

pub use client_guidance::{
    ClientGuidance, ClientGuidanceCommand, ClientGuidanceEvent, ClientGuidanceRefusal, Guidance,
    ScreenSize,
};
