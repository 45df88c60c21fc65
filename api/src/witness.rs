//! Witnesses of the log over HTTP (C2SP tlog-witness).
//!
//! Invariant: what a witness answers is read and judged elsewhere; this is only the way there.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::redirect::Policy;
use rollcall_projections::proof::witness::{Witness, WitnessKey};

/// The most bytes of an answer: some lines of signatures.
const LONGEST: usize = 64 << 10;
/// The longest a head waits for a witness; all logs are sealed in turns and wait with it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Where a witness is asked, and the key it signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessConfig {
    /// The submission prefix.
    pub url: String,
    pub key: WitnessKey,
}

impl WitnessConfig {
    /// Reads `url key` pairs with commas between them.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        let pair = |pair: &str| {
            let (url, key) =
                pair.trim().split_once(' ').ok_or("each is a URL, a blank and a key")?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(format!("{url} is no URL"));
            }
            let url = url.trim_end_matches('/').to_owned();
            Ok(Self { url, key: key.trim().parse()? })
        };
        text.split(',').map(pair).collect()
    }
}

struct HttpWitness {
    config: WitnessConfig,
    client: reqwest::Client,
}

/// The ways to the witnesses that are configured.
///
/// # Errors
/// TLS cannot be set up.
pub fn witnesses(configured: &[WitnessConfig]) -> Result<Vec<Arc<dyn Witness>>, reqwest::Error> {
    let client = reqwest::Client::builder().redirect(Policy::none()).timeout(TIMEOUT).build()?;
    let one = |config: &WitnessConfig| -> Arc<dyn Witness> {
        Arc::new(HttpWitness { config: config.clone(), client: client.clone() })
    };
    Ok(configured.iter().map(one).collect())
}

#[async_trait]
impl Witness for HttpWitness {
    fn key(&self) -> &WitnessKey {
        &self.config.key
    }

    async fn add_checkpoint(&self, body: String) -> Result<(u16, String), String> {
        let url = format!("{}/add-checkpoint", self.config.url);
        let answer = self.client.post(url).body(body).send().await;
        let mut answer = answer.map_err(|error| error.to_string())?;
        let mut said = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.to_string())? {
            said.extend_from_slice(&chunk);
            if said.len() > LONGEST {
                return Err(format!("its answer has more than {LONGEST} bytes"));
            }
        }
        let said = String::from_utf8(said).map_err(|error| error.to_string())?;
        Ok((answer.status().as_u16(), said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_are_named_with_their_keys() {
        for text in ["https://witness.example", "witness.example/w1 key", "https://w.example key"] {
            assert!(WitnessConfig::read(text).is_err(), "{text}");
        }
    }
}
