//! Global object identification (Relay): an opaque id that names type and UUID.
//!
//! Every ID argument also takes the bare UUID, which is what exports and logs show.

use async_graphql::ID;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rollcall_domain::Refusal;
use uuid::Uuid;

/// The types behind `node(id)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeType {
    Tenant,
    Organization,
    User,
    Invitation,
    RegistrationToken,
    Registration,
    Session,
    Pin,
    Affiliation,
    AccessRequest,
    Notification,
    AuditEvent,
    PlanStaff,
    Agreement,
    AccountRequest,
    PeopleImport,
    ApiKey,
    AccessReview,
    ReviewCampaign,
    ReviewTemplate,
}

impl NodeType {
    /// Every type.
    pub const ALL: [Self; 20] = [
        Self::Tenant,
        Self::Organization,
        Self::User,
        Self::Invitation,
        Self::RegistrationToken,
        Self::Registration,
        Self::Session,
        Self::Pin,
        Self::Affiliation,
        Self::AccessRequest,
        Self::Notification,
        Self::AuditEvent,
        Self::PlanStaff,
        Self::Agreement,
        Self::AccountRequest,
        Self::PeopleImport,
        Self::ApiKey,
        Self::AccessReview,
        Self::ReviewCampaign,
        Self::ReviewTemplate,
    ];

    /// The GraphQL type's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant",
            Self::Organization => "Organization",
            Self::User => "User",
            Self::Invitation => "Invitation",
            Self::RegistrationToken => "RegistrationToken",
            Self::Registration => "Registration",
            Self::Session => "Session",
            Self::Pin => "Pin",
            Self::Affiliation => "Affiliation",
            Self::AccessRequest => "AccessRequest",
            Self::Notification => "Notification",
            Self::AuditEvent => "AuditEvent",
            Self::PlanStaff => "PlanStaff",
            Self::Agreement => "Agreement",
            Self::AccountRequest => "AccountRequest",
            Self::PeopleImport => "PeopleImport",
            Self::ApiKey => "ApiKey",
            Self::AccessReview => "AccessReview",
            Self::ReviewCampaign => "ReviewCampaign",
            Self::ReviewTemplate => "ReviewTemplate",
        }
    }

    /// The global id of one object of this type.
    #[must_use]
    pub fn id(self, uuid: impl Into<Uuid>) -> ID {
        ID(URL_SAFE_NO_PAD.encode(format!("{}:{}", self.name(), uuid.into())))
    }

    /// Reads an id of this type, global or bare.
    ///
    /// # Errors
    /// `NOT_FOUND` at `field`: an id that cannot be is an id that does not exist.
    pub fn parse<T: From<Uuid>>(self, id: &ID, field: &str) -> Result<T, Refusal> {
        if let Ok(uuid) = id.parse::<Uuid>() {
            return Ok(uuid.into());
        }
        match decode(id) {
            Some((kind, uuid)) if kind == self => Ok(uuid.into()),
            Some(_) | None => Err(Refusal::not_found(field)),
        }
    }

    /// Reads the id of something that is no node: a bare UUID.
    ///
    /// # Errors
    /// `NOT_FOUND` at `field`.
    pub fn parse_bare<T: From<Uuid>>(id: &ID, field: &str) -> Result<T, Refusal> {
        id.parse::<Uuid>().map(T::from).map_err(|_| Refusal::not_found(field))
    }
}

/// Reads a global id.
#[must_use]
pub fn decode(id: &ID) -> Option<(NodeType, Uuid)> {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, uuid) = text.split_once(':')?;
    let kind = NodeType::ALL.into_iter().find(|kind| kind.name() == name)?;
    Some((kind, uuid.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_and_bare_ids_are_read_and_foreign_types_are_not_found() {
        let uuid = Uuid::from_u128(5);
        let id = NodeType::User.id(uuid);
        assert_eq!(decode(&id), Some((NodeType::User, uuid)));
        assert_eq!(NodeType::User.parse::<Uuid>(&id, "userId"), Ok(uuid));
        assert_eq!(NodeType::User.parse::<Uuid>(&ID(uuid.to_string()), "userId"), Ok(uuid));
        let refusal = NodeType::Pin.parse::<Uuid>(&id, "pinId").unwrap_err();
        assert_eq!(refusal.field, ["pinId"]);
        assert!(NodeType::User.parse::<Uuid>(&ID("nonsense".into()), "userId").is_err());
    }
}
