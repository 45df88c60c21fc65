//! The codec against documents of every shape, and against whoever alters what is stored.

use serde_json::json;

use super::*;

const EVENT: Uuid = Uuid::from_u128(0xe);
const ANN: &str = "00000000-0000-0000-0000-00000000000a";
const BOB: &str = "00000000-0000-0000-0000-00000000000b";

fn key(byte: u8, version: i32) -> SubjectKey {
    SubjectKey { version, key: Zeroizing::new([byte; 32]) }
}

/// Ann's key is all 0x0a, Bob's all 0x0b.
fn keys(subject: SubjectId) -> Option<SubjectKey> {
    Some(key(subject.0.as_bytes()[15], 1))
}

fn open_marker(subject: &str, value: Value) -> Value {
    json!({"$sealed": {"subject": subject, "value": value}})
}

fn erased(subject: &str) -> Value {
    json!({"$sealed": {"subject": subject}})
}

fn sealed(document: Value) -> Value {
    let mut document = document;
    seal(Part::Payload, EVENT, &mut document, keys).unwrap();
    document
}

fn opened(mut document: Value) -> Result<Value, SealError> {
    open(Part::Payload, EVENT, &mut document, |subject, _| keys(subject))?;
    Ok(document)
}

fn name_sealed() -> Value {
    sealed(json!({"name": open_marker(ANN, json!("Ann Lee"))}))
}

#[test]
fn opens_what_it_sealed_in_objects_arrays_and_maps() {
    let document = json!({"UserRegistered": {
        "name": open_marker(ANN, json!({"first": "Ann", "last": "Lee"})),
        "count": 3,
        "phones": [open_marker(ANN, json!("1")), open_marker(BOB, json!("2")), null],
        "by/key~": {"a~1b": open_marker(BOB, json!([true, 1.5, "x"]))},
        "none": open_marker(ANN, Value::Null),
    }});
    let stored = sealed(document.clone());
    let text = stored.to_string();
    assert!(!text.contains("Lee") && !text.contains("value"), "{text}");
    assert_eq!(opened(stored).unwrap(), document);
}

#[test]
fn a_stored_marker_has_exactly_the_frozen_fields() {
    let stored = name_sealed();
    let body = stored["name"]["$sealed"].as_object().unwrap();
    let fields: Vec<_> = body.keys().map(String::as_str).collect();
    assert_eq!(fields, ["subject", "alg", "v", "commit", "nonce", "ct"]);
    assert_eq!(body["alg"], "XC20P-HKDF-SHA256-C1");
}

#[test]
fn the_construction_is_frozen() {
    // Made by an independent implementation of the construction in Python. What is stored must open
    // for as long as it is stored.
    let stored = json!({"name": {"$sealed": {
        "subject": ANN,
        "alg": "XC20P-HKDF-SHA256-C1",
        "v": 1,
        "commit": "9I0anD5MWY7VVYqG8e4GSotvxFsLRO-z8CmXCNbNEMs",
        "nonce": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
        "ct": "2PqxtWA_txPLhonZL8iGRKCKPpZpzV2caQ",
    }}});
    assert_eq!(opened(stored).unwrap(), json!({"name": open_marker(ANN, json!("Ann Lee"))}));
}

#[test]
fn equal_values_seal_differently_by_field_event_and_time() {
    let twice = sealed(json!([open_marker(ANN, json!("x")), open_marker(ANN, json!("x"))]));
    assert_ne!(twice[0]["$sealed"]["commit"], twice[1]["$sealed"]["commit"]);
    let again = sealed(json!([open_marker(ANN, json!("x"))]));
    assert_eq!(twice[0]["$sealed"]["commit"], again[0]["$sealed"]["commit"]);
    assert_ne!(twice[0]["$sealed"]["ct"], again[0]["$sealed"]["ct"]);
}

#[test]
fn without_its_key_a_marker_reads_as_erased() {
    let mut stored = name_sealed();
    open(Part::Payload, EVENT, &mut stored, |_, _| None).unwrap();
    assert_eq!(stored, json!({"name": erased(ANN)}));
}

#[test]
fn under_a_later_key_of_the_same_version_it_reads_as_erased() {
    let mut stored = name_sealed();
    open(Part::Payload, EVENT, &mut stored, |_, version| Some(key(0xcc, version))).unwrap();
    assert_eq!(stored, json!({"name": erased(ANN)}));
}

#[test]
fn a_value_about_an_erased_subject_is_dropped_not_stored_in_clear() {
    let mut document = json!({"name": open_marker(ANN, json!("Ann Lee"))});
    seal(Part::Payload, EVENT, &mut document, |_| None).unwrap();
    assert_eq!(document, json!({"name": erased(ANN)}));
    assert_eq!(sealed(document.clone()), document);
    assert_eq!(opened(document.clone()).unwrap(), document);
}

#[test]
fn a_field_moved_or_altered_does_not_open() {
    let altered = Err(SealError::Altered("/payload/name".to_owned()));
    let mut ct = name_sealed();
    ct["name"]["$sealed"]["ct"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    assert_eq!(opened(ct), altered);
    let mut nonce = name_sealed();
    nonce["name"]["$sealed"]["nonce"] = name_sealed()["name"]["$sealed"]["nonce"].clone();
    assert_eq!(opened(nonce), altered);

    // Elsewhere the derived secret is another one: it commits to a key that nobody has.
    let moved = json!({"email": name_sealed()["name"]});
    assert_eq!(opened(moved).unwrap(), json!({"email": erased(ANN)}));
    let mut metadata = name_sealed();
    open(Part::Metadata, EVENT, &mut metadata, |subject, _| keys(subject)).unwrap();
    assert_eq!(metadata, json!({"name": erased(ANN)}));
    let mut other_event = name_sealed();
    open(Part::Payload, Uuid::from_u128(1), &mut other_event, |s, _| keys(s)).unwrap();
    assert_eq!(other_event, json!({"name": erased(ANN)}));
}

#[test]
fn a_malformed_marker_is_refused_both_ways() {
    let ill_formed = [
        json!({"$sealed": "text"}),
        json!({"$sealed": {"value": 1}}),
        json!({"$sealed": {"subject": "nobody", "value": 1}}),
        json!({"$sealed": {"subject": ANN, "value": 1}, "beside": 2}),
        json!({"$sealed": {"subject": ANN, "value": 1, "ct": "AA"}}),
    ];
    for marker in ill_formed {
        let malformed = Err(SealError::Malformed("/payload/f".to_owned()));
        let mut document = json!({ "f": marker });
        assert_eq!(opened(document.clone()).map(|_| ()), malformed, "{document}");
        assert_eq!(seal(Part::Payload, EVENT, &mut document, keys), malformed, "{document}");
    }
    let mut foreign = name_sealed();
    foreign["name"]["$sealed"]["alg"] = "ROT13".into();
    assert_eq!(opened(foreign), Err(SealError::Malformed("/payload/name".to_owned())));
}

#[test]
fn a_field_secret_opens_its_field_and_no_other() {
    let stored = sealed(json!({
        "name": open_marker(ANN, json!("Ann Lee")),
        "email": open_marker(ANN, json!("ann@example.org")),
    }));
    let field = |name: &str| -> SealedField {
        serde_json::from_value(stored[name]["$sealed"].clone()).unwrap()
    };
    let secret = disclose(&key(0x0a, 1), EVENT, "/payload/name");
    let secret = FieldSecret::from_bytes(*secret.as_bytes());
    let open =
        |pointer: &str, name: &str| open_with_field_secret(&secret, EVENT, pointer, &field(name));
    assert_eq!(open("/payload/name", "name"), Ok(Opened::Value(json!("Ann Lee"))));
    assert_eq!(open("/payload/email", "email"), Ok(Opened::OtherKey));

    let mut renamed = field("name");
    renamed.subject = BOB.parse().unwrap();
    assert_eq!(
        open_with_field_secret(&secret, EVENT, "/payload/name", &renamed),
        Err(SealError::Altered("/payload/name".to_owned())),
    );
}

#[test]
fn lists_each_subject_once() {
    let document = json!({"a": open_marker(BOB, json!(1)), "b": [erased(ANN), erased(BOB)]});
    let expected = [BOB, ANN].map(|subject| subject.parse::<SubjectId>().unwrap());
    assert_eq!(subjects(&document), expected);
    assert_eq!(subjects(&name_sealed()), [ANN.parse::<SubjectId>().unwrap()]);
}
