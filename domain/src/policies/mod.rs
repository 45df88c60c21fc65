//! Policies: all that differs between portals, as parameters of a tenant (requirements, section 2).
//!
//! Invariant: no rule asks which portal it runs for. It asks the [`Policy`] in force, which is a
//! [`Preset`] plus the tenant's changes, each an event with its effective time and reason; every
//! decision records the [`PolicyVersion`] it used.

mod aggregate;
pub mod agreement;
mod change;
mod feature;
mod key;
mod notify;
mod policy;
mod presets;
pub mod proposal;
mod readers;
mod spec;
mod terms;
mod value;

pub use aggregate::{
    PolicyCommand, PolicyEvent, PolicyHistory, PolicyRefusal, PolicyVersion, ScheduledChange,
};
pub use change::{describe, parse_change, parse_key};
pub use feature::{Availability, Feature, FeatureState, Switch};
pub use key::PolicyKey;
pub use policy::Policy;
pub use presets::Preset;
pub use spec::{Literal, PolicySpec, Unit, ValueType};
pub use terms::{
    AdminCreator, ImpliedRight, LocationMode, LockoutPolicy, LoginIdentifier, NpiRole, OtpMethod,
    OtpPolicy, OverdueAction, PinAlphabet, PinPolicy, ResetHelper, ResetMethod, ReviewPolicy,
    ReviewedChange, RevocationMode, SecondReviewer, SessionPolicy, StepUpAction, UndecidedAction,
    Unlocker,
};
pub use value::PolicyValue;
