//! All events of the domain as one type, for readers that meet every stream.
//!
//! Invariant: an aggregate is listed here once, and that ties its stored type to its events; what
//! is not listed cannot be read.

use serde_json::Value;

use crate::kernel::{DecodeError, EventSet};
use crate::{Decider, Event, Facets};

macro_rules! any_event {
    ($($(#[$doc:meta])* $variant:ident($aggregate:ty);)+) => {
        /// An event of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyEvent {
            $($(#[$doc])* $variant(<$aggregate as Decider>::Event),)+
        }

        impl AnyEvent {
            /// The stored types of all aggregates.
            pub const AGGREGATE_TYPES: &'static [&'static str] =
                &[$(<$aggregate as Decider>::TYPE),+];

            /// The stored type of the aggregate it belongs to.
            #[must_use]
            pub const fn aggregate_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => <$aggregate as Decider>::TYPE),+ }
            }

            /// The stored name.
            #[must_use]
            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.event_type()),+ }
            }

            /// The version of the payload's shape.
            #[must_use]
            pub fn event_version(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.event_version()),+ }
            }

            /// The filter fields.
            #[must_use]
            pub fn facets(&self) -> Facets {
                match self { $(Self::$variant(event) => event.facets()),+ }
            }

            /// What is stored of it, before anything is sealed.
            ///
            /// # Errors
            /// None in practice: every event serialises.
            pub fn payload(&self) -> serde_json::Result<Value> {
                match self { $(Self::$variant(event) => serde_json::to_value(event)),+ }
            }

            fn read(aggregate_type: &str, payload: Value) -> Option<serde_json::Result<Self>> {
                match aggregate_type {
                    $(<$aggregate as Decider>::TYPE => {
                        Some(serde_json::from_value(payload).map(Self::$variant))
                    })+
                    _ => None,
                }
            }

            fn read_text(aggregate_type: &str, payload: &str) -> Option<serde_json::Result<Self>> {
                match aggregate_type {
                    $(<$aggregate as Decider>::TYPE => {
                        Some(serde_json::from_str(payload).map(Self::$variant))
                    })+
                    _ => None,
                }
            }
        }

        $(impl From<<$aggregate as Decider>::Event> for AnyEvent {
            fn from(event: <$aggregate as Decider>::Event) -> Self {
                Self::$variant(event)
            }
        })+
    };
}

any_event! {
    Tenant(crate::tenants::Tenant);
    PlanStaff(crate::tenants::PlanStaff);
    Policy(crate::policies::PolicyHistory);
    PolicyProposal(crate::policies::proposal::PolicyProposal);
    Agreement(crate::policies::agreement::Agreement);
    ClientGuidance(crate::content::ClientGuidance);
    Organization(crate::organizations::Organization);
    RegistrationToken(crate::organizations::RegistrationToken);
    AccountRequest(crate::organizations::AccountRequest);
    Registration(crate::organizations::Registration);
    Membership(crate::permissions::Membership);
    JobRole(crate::permissions::JobRole);
    RightUse(crate::permissions::right_use::RightUses);
    User(crate::users::user::User);
    Invitation(crate::users::invitation::Invitation);
    Credential(crate::users::credential::Credential);
    Authenticator(crate::users::authenticator::Authenticator);
    TrustedIssuers(crate::users::external_identity::TrustedIssuers);
    ExternalIdentities(crate::users::external_identity::ExternalIdentities);
    OneTimePasscode(crate::users::one_time_passcode::OneTimePasscode);
    Session(crate::sessions::Session);
    ApiKey(crate::api_keys::ApiKey);
    AccessRequest(crate::access_requests::AccessRequest);
    JoinRequest(crate::access_requests::JoinRequest);
    MoveRequest(crate::access_requests::MoveRequest);
    AccessReview(crate::access_reviews::AccessReview);
    ReviewCampaign(crate::access_reviews::campaign::ReviewCampaign);
    ReviewTemplate(crate::access_reviews::template::ReviewTemplate);
    ReviewSubstitutes(crate::access_reviews::substitutes::ReviewSubstitutes);
    Attestation(crate::attestations::Attestation);
    Evidence(crate::audit::Evidence);
    LegalHolds(crate::audit::LegalHolds);
    Erasure(crate::audit::Erasure);
    Workspace(crate::audit::Workspace);
    Pin(crate::pins::Pin);
    SubmitterProfile(crate::affiliations::SubmitterProfile);
    Affiliation(crate::affiliations::Affiliation);
    PeopleImport(crate::imports::PeopleImport);
    Handoff(crate::transactions::Handoff);
    Notification(crate::notifications::Notification);
    Inbox(crate::notifications::Inbox);
    Delivery(crate::notifications::Delivery);
    Denial(crate::audit::Denial);
    AuditExport(crate::audit::AuditExport);
    SodRules(crate::audit::SodRules);
    ActivityReviews(crate::audit::ActivityReviews);
    AuditSinks(crate::audit::AuditSinks);
}

impl AnyEvent {
    /// Reads a payload as it is stored, without a tree of values in between.
    ///
    /// # Errors
    /// As of [`EventSet::decode`].
    pub fn decode_text(
        aggregate_type: &str,
        event_type: &str,
        payload: &str,
    ) -> Result<Self, DecodeError> {
        Self::checked(aggregate_type, event_type, Self::read_text(aggregate_type, payload))
    }

    fn checked(
        aggregate_type: &str,
        event_type: &str,
        read: Option<serde_json::Result<Self>>,
    ) -> Result<Self, DecodeError> {
        let unfit = |source| DecodeError::Payload { event_type: event_type.to_owned(), source };
        let event = read
            .ok_or_else(|| DecodeError::UnknownAggregate(aggregate_type.to_owned()))?
            .map_err(unfit)?;
        if event.event_type() == event_type {
            Ok(event)
        } else {
            let found = format!("the payload is one of {}", event.event_type());
            Err(unfit(serde::de::Error::custom(found)))
        }
    }
}

impl EventSet for AnyEvent {
    fn decode(aggregate_type: &str, event_type: &str, payload: Value) -> Result<Self, DecodeError> {
        Self::checked(aggregate_type, event_type, Self::read(aggregate_type, payload))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::kernel::scenario::id;
    use crate::sessions::{EndCause, SessionEvent};

    fn ended() -> SessionEvent {
        SessionEvent::SessionEnded { user: id(1), organization: None, cause: EndCause::User }
    }

    #[test]
    fn every_aggregate_has_its_own_stored_type_of_two_parts() {
        let types = AnyEvent::AGGREGATE_TYPES;
        assert_eq!(types.iter().collect::<HashSet<_>>().len(), types.len());
        for name in types {
            assert_eq!(name.split('.').count(), 2, "{name}");
        }
    }

    #[test]
    fn an_event_reads_back_by_its_stored_names() {
        let payload = serde_json::to_value(ended()).unwrap();
        let event = AnyEvent::decode("sessions.session", "sessions.session.session_ended", payload)
            .unwrap();
        assert_eq!(event, AnyEvent::from(ended()));
        let text = serde_json::to_string(&ended()).unwrap();
        let (of, name) = ("sessions.session", "sessions.session.session_ended");
        assert_eq!(AnyEvent::decode_text(of, name, &text).unwrap(), event);
        assert_eq!(event.aggregate_type(), "sessions.session");
        assert!(event.event_type().starts_with(event.aggregate_type()));
    }

    #[test]
    fn an_unknown_aggregate_and_an_unfit_payload_are_errors() {
        let payload = || serde_json::to_value(ended()).unwrap();
        let unknown = AnyEvent::decode("weather.forecast", "weather.forecast.rain", payload());
        assert!(
            matches!(unknown, Err(DecodeError::UnknownAggregate(name)) if name == "weather.forecast")
        );
        let unfit = AnyEvent::decode("pins.pin", "pins.pin.pin_reset", payload());
        assert!(matches!(unfit, Err(DecodeError::Payload { .. })));
        let other =
            AnyEvent::decode("sessions.session", "sessions.session.session_started", payload());
        assert!(matches!(other, Err(DecodeError::Payload { .. })));
    }
}
