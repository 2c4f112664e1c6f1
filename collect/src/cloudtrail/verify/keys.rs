//! The public keys that AWS signs digests with, by fingerprint: from the API, or from what it answered before.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_config::BehaviorVersion;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use aws_sdk_cloudtrail::primitives::DateTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use crate::cloudtrail::lookup;

/// Keys change; a digest can be signed with one whose time begins or ends right beside its own.
const MARGIN_HOURS: i64 = 2;

/// Public keys, DER by fingerprint.
#[derive(Debug, Default)]
pub struct Keys {
    by_fingerprint: HashMap<String, Vec<u8>>,
}

/// Output of `aws cloudtrail list-public-keys`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyList {
    public_key_list: Vec<ListedKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedKey {
    value: String,
    fingerprint: String,
}

impl Keys {
    /// Keys of files.
    ///
    /// # Errors
    /// When a file can't be read or is something else.
    pub fn from_files(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut keys = Self::default();
        for path in paths {
            keys.read(path)
                .with_context(|| path.display().to_string())?;
        }
        Ok(keys)
    }

    fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let list: KeyList = serde_json::from_slice(&std::fs::read(path)?)
            .context("expected the output of `aws cloudtrail list-public-keys`")?;
        for key in list.public_key_list {
            let value = STANDARD.decode(key.value.trim());
            let value = value.with_context(|| format!("key {}: no base64", key.fingerprint))?;
            self.by_fingerprint.insert(key.fingerprint, value);
        }
        Ok(())
    }

    /// Keys from the API, for times by region; with a line for each region that could not be asked.
    ///
    /// # Errors
    /// When the network can't be used at all.
    pub fn from_api(
        profile: Option<&str>,
        times: &BTreeMap<String, (Timestamp, Timestamp)>,
    ) -> anyhow::Result<(Self, Vec<String>)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("can't start the threads for network access")?;
        runtime.block_on(async {
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            if let Some(profile) = profile {
                loader = loader.profile_name(profile);
            }
            let config = loader.load().await;
            let mut keys = Self::default();
            let mut problems = Vec::new();
            for (region, &(start, end)) in times {
                let client = lookup::client(&config, region);
                if let Err(error) = keys.ask(&client, start, end).await {
                    problems.push(format!(
                        "{region}: cloudtrail:ListPublicKeys failed: {error}"
                    ));
                }
            }
            Ok((keys, problems))
        })
    }

    async fn ask(
        &mut self,
        client: &aws_sdk_cloudtrail::Client,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<(), String> {
        let margin = MARGIN_HOURS.hours();
        let start = start.saturating_sub(margin).map_err(|e| e.to_string())?;
        let end = end.saturating_add(margin).map_err(|e| e.to_string())?;
        let end = end.min(Timestamp::now());
        let mut token = None;
        loop {
            let request = client
                .list_public_keys()
                .start_time(DateTime::from_secs(start.as_second()))
                .end_time(DateTime::from_secs(end.as_second()))
                .set_next_token(token);
            let page = request.send().await.map_err(|e| lookup::explain(&e))?;
            for key in page.public_key_list() {
                if let (Some(fingerprint), Some(value)) = (key.fingerprint(), key.value()) {
                    self.by_fingerprint
                        .insert(fingerprint.to_owned(), value.as_ref().to_vec());
                }
            }
            token = page
                .next_token()
                .filter(|token| !token.is_empty())
                .map(str::to_owned);
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether the key of this fingerprint made the signature, given in hex, of the text; `None` without such a key.
    pub fn has_signed(&self, fingerprint: &str, text: &str, signature: &str) -> Option<bool> {
        let key = self.by_fingerprint.get(fingerprint)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        let signature = from_hex(signature);
        Some(signature.is_some_and(|signature| key.verify(text.as_bytes(), &signature).is_ok()))
    }

    /// Whether there is a key of this fingerprint.
    pub fn contains(&self, fingerprint: &str) -> bool {
        self.by_fingerprint.contains_key(fingerprint)
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?));
    bytes
        .collect::<Option<Vec<u8>>>()
        .filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_of_either_case() {
        assert_eq!(from_hex("00fFa1"), Some(vec![0, 0xff, 0xa1]));
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex("zz"), None);
        assert_eq!(from_hex("+1"), None);
    }
}
