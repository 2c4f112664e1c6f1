//! Trails with digests, signed by a key of the tests' own as AWS signs with its.

use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::trail::{gzip, object_key, records, write};

pub const BUCKET: &str = "trail-bucket";
pub const FINGERPRINT: &str = "31e8b5433410dfb61a9dc45cc65b22ff";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A digest that was delivered.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Path in the bucket.
    pub path: String,
    pub signature: String,
    sha256: String,
}

/// Who delivers a trail into a folder.
pub struct Signer {
    folder: PathBuf,
    key: RsaKeyPair,
}

impl Signer {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            key: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        }
    }

    /// What the API says of the public key.
    pub fn key_list(&self) -> Value {
        json!({"PublicKeyList": [{
            "Value": STANDARD.encode(self.key.public_key().as_ref()),
            "ValidityStartTime": 1_700_000_000,
            "ValidityEndTime": 1_900_000_000,
            "Fingerprint": FINGERPRINT,
        }]})
    }

    /// The same as a file, for `--keys`.
    pub fn key_file(&self) -> String {
        let path = self.folder.join("../keys.json");
        write(&path, self.key_list().to_string().as_bytes());
        path.to_str().unwrap().to_owned()
    }

    /// A log object of ten events, and the entry that a digest has for it.
    pub fn log(&self, number: u32) -> (String, Value) {
        let path = object_key(20, number);
        let text = records(number * 10..number * 10 + 10);
        write(&self.folder.join(&path), &gzip(&text));
        let entry = json!({
            "s3Bucket": BUCKET,
            "s3Object": path,
            "hashValue": hex(&Sha256::digest(&text)),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": "2026-11-20T00:00:00Z",
            "oldestEventTime": "2026-11-20T00:00:00Z",
        });
        (path, entry)
    }

    /// The digest of the hour that begins half a minute after `hour`.
    pub fn digest(
        &self,
        hour: u32,
        ending: &str,
        logs: &[Value],
        previous: Option<&Delivered>,
    ) -> Delivered {
        let end = hour + 1;
        let path = format!(
            "AWSLogs/444455556666/CloudTrail-Digest/eu-west-1/2026/11/20/\
             444455556666_CloudTrail-Digest_eu-west-1_my_trail_us-east-1_20261120T{end:02}0031Z{ending}.json.gz"
        );
        let end = format!("2026-11-20T{end:02}:00:31Z");
        let text = json!({
            "awsAccountId": "444455556666",
            "digestStartTime": format!("2026-11-20T{hour:02}:00:31Z"),
            "digestEndTime": end,
            "digestS3Bucket": BUCKET,
            "digestS3Object": path,
            "digestPublicKeyFingerprint": FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null,
            "oldestEventTime": null,
            "previousDigestS3Bucket": previous.map(|_| BUCKET),
            "previousDigestS3Object": previous.map(|previous| &previous.path),
            "previousDigestHashValue": previous.map(|previous| &previous.sha256),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|previous| &previous.signature),
            "logFiles": logs,
        })
        .to_string();
        write(&self.folder.join(&path), &gzip(text.as_bytes()));
        let sha256 = hex(&Sha256::digest(&text));
        let before = previous.map_or("null", |previous| &previous.signature);
        let signed = format!("{end}\n{BUCKET}/{path}\n{sha256}\n{before}");
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        Delivered {
            path,
            signature: hex(&signature),
            sha256,
        }
    }

    /// Two objects and a digest for each of the hours, the first without one before it.
    pub fn hours(&self, hours: std::ops::Range<u32>) -> Vec<Delivered> {
        let mut chain: Vec<Delivered> = Vec::new();
        for hour in hours {
            let logs = [self.log(hour * 60 + 10).1, self.log(hour * 60 + 40).1];
            let digest = self.digest(hour, "", &logs, chain.last());
            chain.push(digest);
        }
        chain
    }
}
