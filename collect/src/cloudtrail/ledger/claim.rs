//! A claim: the objects that somebody has taken to read.

use anyhow::Context as _;
use handoff::contract;
use handoff::run::is_newer;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::cloudtrail::source::{Object, hex};

/// A batch: objects that are read together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Version of the contract.
    pub contract: String,
    /// Hash of the objects, see [`batch_name`].
    pub batch: String,
    /// When it was begun; what `ingested_at` says of its events, also when another process completes it.
    pub ingested_at: jiff::Timestamp,
    /// The objects, by key.
    pub objects: Vec<ClaimedObject>,
}

/// An object of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedObject {
    /// As in the ledger.
    pub key: String,
    /// As in the ledger.
    pub etag: String,
    /// Size.
    pub bytes: u64,
}

impl Claim {
    /// A claim of these objects, made now.
    pub fn new(objects: &[Object]) -> Self {
        let named = objects
            .iter()
            .map(|object| (object.key.as_str(), object.etag.as_str()));
        let claimed = |object: &Object| ClaimedObject {
            key: object.key.clone(),
            etag: object.etag.clone(),
            bytes: object.listed.bytes,
        };
        Self {
            contract: contract::VERSION.to_owned(),
            batch: batch_name(named),
            ingested_at: now(),
            objects: objects.iter().map(claimed).collect(),
        }
    }

    /// Reads a claim.
    ///
    /// # Errors
    /// When it is none, or of a newer version.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let claim: Self = serde_json::from_slice(bytes).context("not a claim of ours")?;
        if is_newer(&claim.contract) {
            anyhow::bail!(
                "written under contract {}: install the newer version",
                claim.contract
            );
        }
        Ok(claim)
    }
}

/// Whole seconds: what a day's files say of their age need not differ within one.
fn now() -> jiff::Timestamp {
    let now = handoff::run::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The name of a batch of these objects: 16 hex digits.
pub fn batch_name<'a>(objects: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    hex(&hash(objects)[..8])
}

/// A version of an object in 16 bytes; a ledger of many holds these. No two versions have the same, by the strength of
/// half a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionId([u8; 16]);

impl VersionId {
    /// Of the object of this key and ETag.
    pub fn of(key: &str, etag: &str) -> Self {
        let hash = hash(std::iter::once((key, etag)));
        Self(std::array::from_fn(|index| hash[index]))
    }
}

fn hash<'a>(objects: impl Iterator<Item = (&'a str, &'a str)>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (key, etag) in objects {
        // Lengths keep `ab` + `c` and `a` + `bc` apart.
        hash.update((key.len() as u64).to_le_bytes());
        hash.update(key);
        hash.update((etag.len() as u64).to_le_bytes());
        hash.update(etag);
    }
    hash.finalize().into()
}
