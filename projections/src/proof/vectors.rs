//! The public vectors of the formats that a log is proven in: proofs of RFC 6962, canonical JSON of
//! RFC 8785, signed notes of C2SP. Invariant: none of them was made here.

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Deserialize;
use serde_json::Value;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Hash, tlog};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[derive(Deserialize)]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    #[serde(rename = "wantErr")]
    want_err: bool,
}

/// A hash out of a vector; what is not 32 bytes is refused before any proof is looked at.
fn hash(text: Option<&str>) -> Option<Hash> {
    Hash::parse_hash(text.unwrap_or_default()).ok()
}

fn proof(of: Option<&Vec<String>>) -> Option<Vec<Hash>> {
    of.into_iter().flatten().map(|text| hash(Some(text))).collect()
}

#[test]
fn the_public_vectors_of_inclusion_pass() {
    let vectors: Vec<Inclusion> =
        serde_json::from_str(include_str!("vectors/inclusion.json")).unwrap();
    assert_eq!(vectors.len(), 98);
    for vector in vectors {
        let hashes = hash(vector.root.as_deref())
            .zip(hash(vector.leaf_hash.as_deref()))
            .zip(proof(vector.proof.as_ref()));
        let accepted = hashes.is_some_and(|((root, leaf), proof)| {
            tlog::check_record(&proof, vector.tree_size, root, vector.leaf_idx, leaf).is_ok()
        });
        assert_eq!(!accepted, vector.want_err, "{}", vector.desc);
    }
}

#[test]
fn the_public_vectors_of_consistency_pass() {
    let vectors: Vec<Consistency> =
        serde_json::from_str(include_str!("vectors/consistency.json")).unwrap();
    assert_eq!(vectors.len(), 98);
    for vector in vectors {
        let hashes = hash(vector.root1.as_deref())
            .zip(hash(vector.root2.as_deref()))
            .zip(proof(vector.proof.as_ref()));
        let accepted = hashes.is_some_and(|((root1, root2), proof)| {
            tlog::check_tree(&proof, vector.size2, root2, vector.size1, root1).is_ok()
        });
        // Its roots are 12 bytes long; here a root has 32 or is none.
        let too_short = vector.desc.contains("sizes are equal (one) and proof is empty")
            && root_is_short(vector.root1.as_deref());
        assert_eq!(!accepted, vector.want_err || too_short, "{}", vector.desc);
    }
}

fn root_is_short(root: Option<&str>) -> bool {
    hash(root).is_none()
}

#[derive(Deserialize)]
struct Canonical {
    name: String,
    input: String,
    /// The canonical form's bytes in hexadecimal digits.
    output: String,
}

#[derive(Deserialize)]
struct CanonicalFile {
    cases: Vec<Canonical>,
}

#[test]
fn the_public_vectors_of_rfc_8785_pass() {
    let file: CanonicalFile = serde_json::from_str(include_str!("vectors/canonical.json")).unwrap();
    assert_eq!(file.cases.len(), 6);
    for case in file.cases {
        let value: Value = serde_json::from_str(&case.input).unwrap();
        let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
        assert_eq!(rollcall_domain::hex(&canonical), case.output, "{}", case.name);
    }
}

/// The example of C2SP signed-note, at 5ba5ee8.
const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "This is an example message.

\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
";

fn verified(note: &str, keys: &[&str]) -> bool {
    let keys = keys.iter().map(|key| Box::new(StandardVerifier::new(key).unwrap()) as _).collect();
    let Ok(note) = Note::from_bytes(note.as_bytes()) else { return false };
    note.verify(&VerifierList::new(keys)).is_ok()
}

#[test]
fn the_example_of_a_signed_note_passes_and_nothing_near_it() {
    assert!(verified(EXAMPLE, &[EXAMPLE_KEY]));
    assert!(!verified(EXAMPLE, &[]));
    for altered in [
        EXAMPLE.replace("an example", "no example"),
        EXAMPLE.replace("IneyaQM=", "IneyaQI="),
        EXAMPLE.replace("example.com/foo", "example.com/bar"),
        EXAMPLE.replace("message.\n\n", "message.\n"),
        EXAMPLE.replace("\u{2014} ", "- "),
        EXAMPLE.trim_end().to_owned(),
        format!("{EXAMPLE}\n"),
        format!("\u{1}{EXAMPLE}"),
    ] {
        assert_ne!(altered, EXAMPLE);
        assert!(!verified(&altered, &[EXAMPLE_KEY]), "{altered}");
    }
    // A signature by somebody unknown beside it is no harm.
    let beside = format!(
        "{EXAMPLE}\u{2014} other.example Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    );
    assert!(verified(&beside, &[EXAMPLE_KEY]));
}

#[test]
fn a_key_id_is_what_the_specification_says() {
    let (name, key) =
        (EXAMPLE_KEY.split('+').next().unwrap(), EXAMPLE_KEY.split('+').nth(2).unwrap());
    let key = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, key).unwrap();
    assert_eq!(signed_note::key_id(name, &key), 0x530d_903a);
    // Ours are made the same way, from the same kind of key.
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    assert_eq!(pair.public_key().as_ref().len() + 1, key.len());
}
