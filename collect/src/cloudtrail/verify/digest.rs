//! Digests: which log objects were delivered in an hour, with their hashes, signed by AWS.
//!
//! AWS names a digest `<account>_CloudTrail-Digest_<region>_<trail>_<home region>_<end>Z[_backfill].json.gz`. Its
//! signature covers its content and its path, so account, region and trail are taken from the path that it says of
//! itself, wherever a copy of it lies.

use handoff::storage::Fetched;
use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;

use crate::cloudtrail::inflate::Inflater;
use crate::cloudtrail::source::{Object, content_etag};

/// The only algorithm that AWS signs digests with.
pub const ALGORITHM: &str = "SHA256withRSA";
/// The only one that it hashes log objects with.
pub const HASH_ALGORITHM: &str = "SHA-256";
/// Metadata of a digest in S3 that holds its signature.
const SIGNATURE: &str = "signature";

/// Whose digests form one chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trail {
    /// Account whose log it is.
    pub account_id: String,
    /// Region of the log.
    pub region: String,
    /// Name of the trail.
    pub name: String,
    /// Region that the trail was made in.
    pub home_region: String,
}

/// What the name of a digest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestName {
    /// The trail.
    pub trail: Trail,
    /// When its time ends.
    pub ends: Timestamp,
    /// Whether it adds objects that an earlier one lacks.
    pub is_backfill: bool,
}

/// The last part of a path, without the ending of its compression: what tells AWS's objects apart in any copy.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".gz").unwrap_or(name)
}

impl DigestName {
    /// Takes a path apart.
    pub fn parse(path: &str) -> Option<Self> {
        let (account_id, rest) = stem(path).split_once("_CloudTrail-Digest_")?;
        let rest = rest.strip_suffix(".json")?;
        let (rest, is_backfill) = match rest.strip_suffix("_backfill") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (rest, end) = rest.rsplit_once('_')?;
        let (rest, home_region) = rest.rsplit_once('_')?;
        // A trail's name may have underscores, a region's has none.
        let (region, name) = rest.split_once('_')?;
        let trail = Trail {
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
            home_region: home_region.to_owned(),
        };
        Some(Self {
            trail,
            ends: time("%Y%m%dT%H%M%SZ", end)?,
            is_backfill,
        })
    }
}

/// What the name of a log object says: `<account>_CloudTrail_<region>_<time>Z_<random>.json.gz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogName {
    /// Account whose log it is.
    pub account_id: String,
    /// Region of the log.
    pub region: String,
    /// Minute of its making.
    pub time: Timestamp,
}

impl LogName {
    /// Takes a path apart.
    pub fn parse(path: &str) -> Option<Self> {
        let (account_id, rest) = stem(path).split_once("_CloudTrail_")?;
        let mut parts = rest.split('_');
        let (region, minute) = (parts.next()?, parts.next()?);
        Some(Self {
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            time: time("%Y%m%dT%H%MZ", minute)?,
        })
    }
}

fn time(format: &str, text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(format, text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    digest_start_time: Timestamp,
    /// As it is written: the signature covers these very characters.
    digest_end_time: String,
    digest_s3_bucket: String,
    digest_s3_object: String,
    digest_public_key_fingerprint: String,
    digest_signature_algorithm: String,
    previous_digest_s3_bucket: Option<String>,
    previous_digest_s3_object: Option<String>,
    previous_digest_signature: Option<String>,
    log_files: Option<Vec<LogFile>>,
}

/// A log object that a digest names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    s3_bucket: String,
    s3_object: String,
    /// Hash of its text, in hex.
    pub hash_value: String,
    /// How it was made.
    pub hash_algorithm: String,
}

impl LogFile {
    /// Where it was delivered.
    pub fn location(&self) -> String {
        format!("s3://{}/{}", self.s3_bucket, self.s3_object)
    }

    /// Path in its bucket.
    pub fn path(&self) -> &str {
        &self.s3_object
    }
}

/// A digest that could be read; nothing is said yet of its signature.
#[derive(Debug)]
pub struct Digest {
    /// Where it was found.
    pub object: Object,
    /// What it says of itself.
    pub name: DigestName,
    /// Begin of its time.
    pub starts: Timestamp,
    /// End of its time.
    pub ends: Timestamp,
    /// Signature in the object's metadata; a downloaded file has none.
    pub own_signature: Option<String>,
    sha256: String,
    body: Body,
}

impl Digest {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no digest, or not the one that its name says.
    pub fn read(object: &Object, fetched: &Fetched) -> Result<Self, String> {
        let mut inflater = Inflater::default();
        let text = inflater
            .inflate(&fetched.bytes)
            .map_err(|error| error.to_string())?;
        let body: Body =
            serde_json::from_slice(text).map_err(|error| format!("not a digest: {error}"))?;
        let own_path = &body.digest_s3_object;
        if stem(own_path) != stem(&object.key) {
            return Err(format!("renamed: it says that it is {own_path}"));
        }
        let name = DigestName::parse(own_path)
            .ok_or_else(|| format!("not named like a digest: {own_path}"))?;
        let ends: Timestamp = body
            .digest_end_time
            .parse()
            .map_err(|error| format!("digestEndTime: {error}"))?;
        let starts = body.digest_start_time;
        if starts > ends {
            return Err(format!("ends before it starts, at {starts}"));
        }
        Ok(Self {
            object: object.clone(),
            name,
            starts,
            ends,
            own_signature: fetched.metadata.get(SIGNATURE).cloned(),
            sha256: content_etag(text),
            body,
        })
    }

    /// Where AWS put it.
    pub fn location(&self) -> String {
        format!(
            "s3://{}/{}",
            self.body.digest_s3_bucket, self.body.digest_s3_object
        )
    }

    /// Where the digest before it was put, with that one's signature; none at the begin of a chain.
    pub fn previous(&self) -> Option<(String, Option<&str>)> {
        let bucket = self.body.previous_digest_s3_bucket.as_deref()?;
        let object = self.body.previous_digest_s3_object.as_deref()?;
        let signature = self.body.previous_digest_signature.as_deref();
        Some((format!("s3://{bucket}/{object}"), signature))
    }

    /// The key it says it was signed with.
    pub fn fingerprint(&self) -> &str {
        &self.body.digest_public_key_fingerprint
    }

    /// The algorithm it says it was signed with.
    pub fn algorithm(&self) -> &str {
        &self.body.digest_signature_algorithm
    }

    /// The log objects it names.
    pub fn log_files(&self) -> &[LogFile] {
        self.body.log_files.as_deref().unwrap_or_default()
    }

    /// The text that AWS signs for a digest.
    pub fn signed_text(&self) -> String {
        let body = &self.body;
        format!(
            "{}\n{}/{}\n{}\n{}",
            body.digest_end_time,
            body.digest_s3_bucket,
            body.digest_s3_object,
            self.sha256,
            body.previous_digest_signature.as_deref().unwrap_or("null"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_whose_they_are() {
        let path = "p/AWSLogs/o-a/111122223333/CloudTrail-Digest/eu-west-1/2026/11/20/\
                    111122223333_CloudTrail-Digest_eu-west-1_my_own_trail_us-east-1_20261120T010203Z.json.gz";
        let name = DigestName::parse(path).unwrap();
        assert_eq!(name.trail.account_id, "111122223333");
        assert_eq!(name.trail.region, "eu-west-1");
        assert_eq!(name.trail.name, "my_own_trail");
        assert_eq!(name.trail.home_region, "us-east-1");
        assert_eq!(name.ends, "2026-11-20T01:02:03Z".parse().unwrap());
        assert!(!name.is_backfill);
        let backfill = path.replace("Z.json.gz", "Z_backfill.json.gz");
        assert!(DigestName::parse(&backfill).unwrap().is_backfill);
        assert!(DigestName::parse("events.json.gz").is_none());

        let log = "x/111122223333_CloudTrail_eu-west-1_20261120T0605Z_AbC.json.gz";
        let name = LogName::parse(log).unwrap();
        assert_eq!(name.region, "eu-west-1");
        assert_eq!(name.time, "2026-11-20T06:05:00Z".parse().unwrap());
        assert_eq!(LogName::parse(path), None);
    }
}
