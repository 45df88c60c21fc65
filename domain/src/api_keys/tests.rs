//! Keys, shown. Invariant: limits are tried to the second, on both sides.

use chrono::{DateTime, Utc};

use super::*;
use crate::Code;
use crate::Sealed;
use crate::kernel::ids::{OrganizationId, SubjectId, UserId};
use crate::kernel::scenario::{Given, after, given, id};
use crate::policies::{Policy, PolicyKey, PolicyValue, Preset};
use crate::values::{ApiKeyName, Reason};

const DAY: i64 = 24 * 3600;

fn name() -> ApiKeyName {
    ApiKeyName::parse("Nightly roster").unwrap()
}

fn create(scopes: &[Scope], expires_at: DateTime<Utc>) -> ApiKeyCommand {
    ApiKeyCommand::CreateApiKey {
        key: id(7),
        organization: Some(clinic()),
        name: name(),
        scopes: scopes.iter().copied().collect(),
        by: admin(),
        expires_at,
    }
}

fn clinic() -> OrganizationId {
    id(10)
}

fn admin() -> UserId {
    id(1)
}

fn created() -> ApiKeyEvent {
    ApiKeyEvent::ApiKeyCreated {
        key: id(7),
        organization: Some(clinic()),
        name: name(),
        scopes: [Scope::ReadDirectory].into(),
        by: admin(),
        expires_at: after(30 * DAY),
    }
}

fn none() -> Given<ApiKey> {
    given(&[])
}

#[test]
fn gn_28_a_key_has_scopes_and_an_end_within_the_policys_days() {
    let scopes = [Scope::ReadDirectory];
    none().when(create(&scopes, after(30 * DAY))).then(&[created()]);
    none().when(create(&scopes, after(365 * DAY))).events();
    for end in [after(365 * DAY + 1), after(0), after(-1)] {
        let refusal = none().when(create(&scopes, end)).refused(Code::RangeInvalid);
        assert_eq!(refusal.field, ["expiresAt"]);
        assert!(refusal.message.contains("365 days"), "{}", refusal.message);
    }
    let hardened = || none().under(Preset::Hardened);
    hardened().when(create(&scopes, after(90 * DAY))).events();
    hardened().when(create(&scopes, after(90 * DAY + 1))).refused(Code::RangeInvalid);
    none().when(create(&[], after(DAY))).refused(Code::FieldRequired);
    given::<ApiKey>(&[created()]).when(create(&scopes, after(DAY))).refused(Code::VersionConflict);
}

#[test]
fn gn_28_a_portal_without_keys_makes_none() {
    let policy = Policy::from(Preset::MediCal).with(PolicyKey::ApiKeysMaxDays, PolicyValue::Off);
    let wanted = create(&[Scope::ReadAudit], after(DAY));
    none().under(policy).when(wanted).refused(Code::FeatureDisabled);
}

#[test]
fn gn_28_a_key_works_until_its_end_or_until_it_is_revoked() {
    let key = given::<ApiKey>(&[created()]).state();
    assert!(key.usable(after(30 * DAY - 1)).is_ok());
    assert_eq!(key.usable(after(30 * DAY)), Err(ApiKeyRefusal::Expired));
    let reason = Reason::parse("The laptop was stolen.").unwrap();
    let revoke = || ApiKeyCommand::RevokeApiKey { by: Some(admin()), reason: Some(reason.clone()) };
    let revoked = ApiKeyEvent::ApiKeyRevoked {
        key: id(7),
        organization: Some(clinic()),
        by: Some(admin()),
        reason: Some(Sealed::new(SubjectId::from(admin()), reason.clone())),
    };
    let over: ApiKey = given(&[created()]).when(revoke()).then(std::slice::from_ref(&revoked));
    assert_eq!(over.usable(after(1)), Err(ApiKeyRefusal::Revoked));
    given::<ApiKey>(&[created(), revoked]).when(revoke()).refused(Code::AlreadyInactive);
    given::<ApiKey>(&[created()]).at(after(30 * DAY)).when(revoke()).refused(Code::AlreadyInactive);
    none().when(revoke()).refused(Code::NotFound);
}

#[test]
fn gn_28_a_scope_covers_itself_and_managing_people_covers_seeing_them() {
    for scope in Scope::ALL {
        assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        for demanded in Scope::ALL {
            let people = (scope, demanded) == (Scope::ManageUsers, Scope::ReadDirectory);
            assert_eq!(scope.covers(demanded), scope == demanded || people);
        }
    }
    assert_eq!(Scope::parse("EVERYTHING"), None);
}
