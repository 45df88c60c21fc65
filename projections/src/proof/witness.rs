//! What a log says to a witness and hears from it (C2SP tlog-witness and tlog-cosignature, Ed25519).
//!
//! A witness is somebody else's service. It keeps the last head of the log that it saw and signs a new
//! one only with the proof that it continues that one, so that nobody, not even whoever holds the
//! database and the log's key, can show two logs to two people.
//!
//! Invariant: a cosignature counts only if the key that was named beforehand verifies it.

use std::str::FromStr;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use ring::signature::{ED25519, UnparsedPublicKey};
use tlog_tiles::Hash;

/// Timestamped Ed25519 cosignatures, in a verifier key.
const COSIGNATURE: u8 = 4;
/// Bytes of a signature line: the key's id, the time, the signature.
const LENGTH: usize = 4 + 8 + 64;

/// A witness's key, as `<name>+<id>+<base64 of 0x04 and 32 bytes>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: Vec<u8>,
}

impl FromStr for WitnessKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no_key = |what: &str| format!("{text} is no key of a witness: {what}");
        let [name, id, key] = text.trim().splitn(3, '+').collect::<Vec<_>>()[..] else {
            return Err(no_key("it has a name, an id and a key, with + between them"));
        };
        let typed = BASE64_STANDARD.decode(key).map_err(|error| no_key(&error.to_string()))?;
        let Some((&COSIGNATURE, key)) = typed.split_first().filter(|_| typed.len() == 33) else {
            return Err(no_key("only Ed25519 cosignatures (type 4) are read"));
        };
        let expected = signed_note::key_id(name, &typed);
        if name.is_empty() || format!("{expected:08x}") != id {
            return Err(no_key("its id is another key's"));
        }
        Ok(Self { name: name.to_owned(), id: expected.to_be_bytes(), key: key.to_vec() })
    }
}

impl WitnessKey {
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the witness signed the checkpoint; `None` where it did not.
    #[must_use]
    pub fn cosigned(&self, note: &str) -> Option<DateTime<Utc>> {
        let (body, signatures) = note.split_at(note.rfind("\n\n")? + 1);
        signatures.lines().find_map(|line| self.signed(body, line))
    }

    fn signed(&self, body: &str, line: &str) -> Option<DateTime<Utc>> {
        let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = BASE64_STANDARD.decode(signature).ok().filter(|bytes| bytes.len() == LENGTH)?;
        if name != self.name || bytes[..4] != self.id {
            return None;
        }
        let seconds = u64::from_be_bytes(bytes[4..12].try_into().ok()?);
        let message = format!("cosignature/v1\ntime {seconds}\n{body}");
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(message.as_bytes(), &bytes[12..]).ok()?;
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
    }
}

/// The way to a witness.
#[async_trait]
pub trait Witness: Send + Sync {
    fn key(&self) -> &WitnessKey;

    /// Posts to its `add-checkpoint`; the status and the body that came back.
    ///
    /// # Errors
    /// In words, why nothing came back.
    async fn add_checkpoint(&self, body: String) -> Result<(u16, String), String>;
}

/// What is posted: that the log of the note continues the one of `old` events.
#[must_use]
pub fn add_checkpoint(old: u64, proof: &[Hash], note: &str) -> String {
    let proof: String =
        proof.iter().map(|hash| format!("{}\n", BASE64_STANDARD.encode(hash.0))).collect();
    format!("old {old}\n{proof}\n{note}")
}

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The checkpoint with its cosignature.
    Cosigned(String),
    /// The log of so many events is the last that it saw.
    Knows(u64),
    Refused(String),
}

/// Reads an answer about a note.
#[must_use]
pub fn reply(key: &WitnessKey, note: &str, (status, body): (u16, &str)) -> Reply {
    match status {
        200 => {
            let lines = body.lines().filter(|line| line.starts_with('\u{2014}'));
            let cosigned: String = [note.to_owned()]
                .into_iter()
                .chain(lines.map(|line| format!("{line}\n")))
                .collect();
            match key.cosigned(&cosigned) {
                Some(_) => Reply::Cosigned(cosigned),
                None => Reply::Refused("its key did not sign what it answered".to_owned()),
            }
        }
        409 => match body.trim_end().parse() {
            Ok(size) => Reply::Knows(size),
            Err(_) => Reply::Refused("it knows another log, and not how long a one".to_owned()),
        },
        422 => Reply::Refused(
            "the log does not continue the one it saw: it was altered, or is another one"
                .to_owned(),
        ),
        403 => Reply::Refused("it does not know the log's key".to_owned()),
        404 => Reply::Refused("it does not know the log".to_owned()),
        other => Reply::Refused(format!("it answered {other}")),
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const NOTE: &str = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

    fn key() -> (Ed25519KeyPair, WitnessKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let typed = [&[COSIGNATURE], pair.public_key().as_ref()].concat();
        let id = signed_note::key_id("witness.example/w1", &typed);
        let text = format!("witness.example/w1+{id:08x}+{}", BASE64_STANDARD.encode(&typed));
        (pair, text.parse().unwrap())
    }

    fn line(pair: &Ed25519KeyPair, key: &WitnessKey, note: &str, seconds: u64) -> String {
        let body = &note[..note.rfind("\n\n").unwrap() + 1];
        let message = format!("cosignature/v1\ntime {seconds}\n{body}");
        let signature = pair.sign(message.as_bytes());
        let bytes = [&key.id[..], &seconds.to_be_bytes(), signature.as_ref()].concat();
        format!("\u{2014} {} {}\n", key.name, BASE64_STANDARD.encode(bytes))
    }

    #[test]
    fn a_cosignature_is_over_the_time_and_the_whole_head() {
        let (pair, key) = key();
        let good = line(&pair, &key, NOTE, 1_679_315_147);
        let at = key.cosigned(&format!("{NOTE}{good}")).expect("its own signature");
        assert_eq!(at.timestamp(), 1_679_315_147);
        assert_eq!(key.cosigned(NOTE), None);
        let other_head = NOTE.replace("20852163", "20852164");
        assert_eq!(key.cosigned(&format!("{other_head}{good}")), None);
        let other_name = good.replace("w1", "w2");
        assert_eq!(key.cosigned(&format!("{NOTE}{other_name}")), None);
    }

    #[test]
    fn an_answer_counts_only_with_the_witness_s_own_signature() {
        let (pair, key) = key();
        let good = line(&pair, &key, NOTE, 7);
        let answer = |status, body: &str| reply(&key, NOTE, (status, body));
        assert_eq!(answer(200, &good), Reply::Cosigned(format!("{NOTE}{good}")));
        let elsewhere = line(&pair, &key, &NOTE.replace("20852163", "1"), 7);
        assert!(matches!(answer(200, &elsewhere), Reply::Refused(_)));
        assert!(matches!(answer(200, ""), Reply::Refused(_)));
        assert_eq!(answer(409, "20852014\n"), Reply::Knows(20_852_014));
        for (status, body) in [(409, "many"), (422, ""), (403, ""), (404, ""), (500, "")] {
            assert!(matches!(answer(status, body), Reply::Refused(_)), "{status}");
        }
    }

    #[test]
    fn what_is_posted_is_as_the_specification_has_it() {
        let hash = Hash::parse_hash("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=").unwrap();
        let body = add_checkpoint(20_852_014, &[hash], NOTE);
        let head = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\nexample.com/";
        assert!(body.starts_with(head), "{body}");
        assert!(body.ends_with("xeMcTOAYQ8=\n"));
        assert!(add_checkpoint(0, &[], NOTE).starts_with("old 0\n\nexample.com/"));
    }

    #[test]
    fn a_key_of_another_kind_or_with_another_id_is_refused() {
        let log_key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        for text in [log_key, "", "a+b", "name+00000000+BAAA"] {
            assert!(text.parse::<WitnessKey>().is_err(), "{text}");
        }
    }
}
