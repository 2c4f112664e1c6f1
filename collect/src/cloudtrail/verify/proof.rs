//! Which digests are what AWS signed.
//!
//! A digest's signature is in the metadata of its S3 object, which a download loses, and again in the digest that
//! follows it. Where a signature comes from does not matter: only AWS can make one that fits. But one that does not
//! fit speaks against a digest only when it comes from its own object or from a digest that is proven itself.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::Status;
use super::digest::{ALGORITHM, Digest, DigestName, Trail};
use super::hours::is_pending;
use super::keys::Keys;

/// A digest and what became of it.
#[derive(Debug)]
pub struct Judged {
    /// The digest.
    pub digest: Digest,
    /// Proven, changed, unproven or pending.
    pub status: Status,
    /// Why it is not proven.
    pub reason: Option<String>,
}

/// Judges digests, newest first.
pub fn judge(mut digests: Vec<Digest>, keys: &Keys) -> Vec<Judged> {
    digests.sort_by(|a, b| (b.ends, &b.object.key).cmp(&(a.ends, &a.object.key)));
    // By the place of a digest, what those after it say of its signature, and whether they are proven.
    let mut told: HashMap<String, Vec<(String, bool)>> = HashMap::new();
    let mut judged = Vec::with_capacity(digests.len());
    for digest in digests {
        let own = digest.own_signature.iter().map(|own| (own.as_str(), true));
        let told_of = told.get(&digest.location()).into_iter().flatten();
        let candidates = own.chain(told_of.map(|(signature, sure)| (signature.as_str(), *sure)));
        let (status, reason) = match test(&digest, keys, candidates) {
            Ok(()) => (Status::Proven, None),
            Err((status, reason)) => (status, Some(reason)),
        };
        if let Some((previous, Some(signature))) = digest.previous() {
            told.entry(previous)
                .or_default()
                .push((signature.to_owned(), status == Status::Proven));
        }
        judged.push(Judged {
            digest,
            status,
            reason,
        });
    }
    await_the_next(&mut judged);
    judged
}

fn test<'a>(
    digest: &Digest,
    keys: &Keys,
    candidates: impl Iterator<Item = (&'a str, bool)>,
) -> Result<(), (Status, String)> {
    let unproven = |reason: String| Err((Status::Unproven, reason));
    if digest.algorithm() != ALGORITHM {
        return unproven(format!("signed with {}, not known", digest.algorithm()));
    }
    let fingerprint = digest.fingerprint();
    if !keys.contains(fingerprint) {
        return unproven(format!("no public key with fingerprint {fingerprint}"));
    }
    let text = digest.signed_text();
    let mut refuted = None;
    for (signature, is_sure) in candidates {
        if keys.has_signed(fingerprint, &text, signature) == Some(true) {
            return Ok(());
        }
        refuted = Some(refuted.unwrap_or(false) || is_sure);
    }
    match refuted {
        Some(true) => Err((
            Status::Changed,
            "its signature does not fit its content".to_owned(),
        )),
        Some(false) => unproven("its signature is known from a digest that is not proven".to_owned()),
        None => unproven(
            "its signature is not known: it is in the metadata of the S3 object and in the digest that follows"
                .to_owned(),
        ),
    }
}

/// The newest digest of a download waits for the one after it.
fn await_the_next(judged: &mut [Judged]) {
    let newest = newest_proven(judged);
    for one in judged.iter_mut() {
        let proven = newest.get(&one.digest.name.trail);
        let is_unsigned = one.digest.own_signature.is_none() && one.status == Status::Unproven;
        if is_unsigned && proven.is_some_and(|&proven| is_pending(one.digest.starts, proven)) {
            one.status = Status::Pending;
        }
    }
}

/// Until when a trail is proven at most.
pub fn newest_proven(judged: &[Judged]) -> BTreeMap<Trail, Timestamp> {
    let mut newest: BTreeMap<Trail, Timestamp> = BTreeMap::new();
    for one in judged {
        if one.status == Status::Proven && !one.digest.name.is_backfill {
            let ends = newest
                .entry(one.digest.name.trail.clone())
                .or_insert(one.digest.ends);
            *ends = one.digest.ends.max(*ends);
        }
    }
    newest
}

/// A digest that another names as the one before it, and that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Where it should be.
    pub location: String,
    /// The digest that names it.
    pub named_by: String,
}

/// Digests that are missing. Those before the first digest of a trail are not: what is looked at begins there.
pub fn missing(judged: &[Judged], since: Option<Timestamp>) -> Vec<(DigestName, Missing)> {
    let mut first: BTreeMap<(&Trail, bool), Timestamp> = BTreeMap::new();
    let present: std::collections::HashSet<String> =
        judged.iter().map(|one| one.digest.location()).collect();
    for one in judged {
        let name = &one.digest.name;
        let starts = first
            .entry((&name.trail, name.is_backfill))
            .or_insert(one.digest.starts);
        *starts = one.digest.starts.min(*starts);
    }
    let mut missing = Vec::new();
    for one in judged.iter().filter(|one| one.status != Status::Changed) {
        let Some((location, _)) = one.digest.previous() else {
            continue;
        };
        let Some(name) = DigestName::parse(&location) else {
            continue;
        };
        let begin = match since {
            Some(since) => Some(since),
            None => first.get(&(&name.trail, name.is_backfill)).copied(),
        };
        if !present.contains(&location) && begin.is_some_and(|begin| name.ends > begin) {
            let named_by = one.digest.location();
            missing.push((name, Missing { location, named_by }));
        }
    }
    missing.sort_by(|a, b| a.1.cmp(&b.1));
    missing.dedup_by(|a, b| a.1.location == b.1.location);
    missing
}
