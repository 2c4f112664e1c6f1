//! `collect cloudtrail`: trails into the lake, nothing lost and nothing twice.
//!
//! ```text
//! source ──> ledger ──> batch: inflate ──> decode ──> rows ──> write ──> commit in the ledger
//! ```
//!
//! Invariants: an event can be rebuilt from its row ([`rebuild`]) except for session tokens ([`redact`]); an object's
//! events are in the lake all or not at all; every object that was looked at has a row in the ledger that says what
//! became of it; a run that is killed and repeated writes the same files.

mod batch;
mod column;
pub mod compact;
mod decode;
#[cfg(test)]
mod differential;
mod identity;
mod inflate;
mod ingest;
mod json;
mod layout;
mod ledger;
mod lookup;
mod members;
mod merge;
pub mod rebuild;
pub mod redact;
mod repeats;
mod rows;
mod scan;
mod source;
mod spool;
mod verify;
mod write;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use handoff::run::DEFAULT_LAKE;
use handoff::shell::{self, Exit};
use handoff::storage::Storage;
use jiff::civil::Date;

use ingest::{Outcome, ingest};
use ledger::Ledger;
use lookup::{LOOKUP, Lookup};
use source::{Source, Window};
use verify::{Verification, verify};

/// Read CloudTrail logs into a lake: what is new since the last time
///
/// Damaged objects are set aside in the table cloudtrail_ledger with the reason, and tried again when they change;
/// the exit code is 3 then. Nothing is read twice, and a run that was interrupted is repeated by the next one.
#[derive(Debug, clap::Args)]
pub struct CloudtrailArgs {
    /// File, folder, s3://bucket/prefix, or `lookup` for the LookupEvents API
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Folder or s3://bucket/prefix to write to
    #[arg(long, default_value = DEFAULT_LAKE, value_name = "LAKE")]
    pub lake: String,
    /// First day of the objects to read, by the date in their path; objects without one are always read
    #[arg(long, value_name = "DATE")]
    pub since: Option<Date>,
    /// Last day of the objects to read
    #[arg(long, value_name = "DATE")]
    pub until: Option<Date>,
    /// Look for late deliveries 30 days back instead of two
    #[arg(long, conflicts_with = "since")]
    pub rescan: bool,
    /// Region to look up; may be repeated [default: the configuration's and us-east-1]
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Profile of the AWS configuration
    #[arg(long)]
    pub profile: Option<String>,
    /// Then check hashes and signatures: is each object what CloudTrail delivered, and is none missing?
    ///
    /// Reads the objects of the source once more, and the digests in CloudTrail-Digest beside them, of the days that
    /// --since and --until choose. What is changed, missing or unproven is in the table cloudtrail_verification, and
    /// the exit code is 3 then. A downloaded folder will do, except that the signature of its newest digest is lost.
    #[arg(long)]
    pub verify: bool,
    /// File with AWS's public keys, as `aws cloudtrail list-public-keys` prints them for a region and time; may be
    /// repeated [default: ask AWS, cloudtrail:ListPublicKeys]
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub keys: Vec<PathBuf>,
}

/// Runs `collect cloudtrail`.
///
/// # Errors
/// When a source can't be listed, or the lake not be read or written.
pub fn run(args: &CloudtrailArgs) -> anyhow::Result<Exit> {
    let lake = Storage::open_as(&args.lake, args.profile.as_deref())?;
    if let (Some(since), Some(until)) = (args.since, args.until) {
        anyhow::ensure!(since <= until, "--since {since} is after --until {until}");
    }
    if args.verify && args.sources.iter().any(|location| location == LOOKUP) {
        anyhow::bail!("--verify: what is looked up is not signed; verify the bucket of a trail");
    }
    let window = Window {
        since: args.since,
        until: args.until,
    };
    lake.remove_abandoned()?;
    let mut ledger = Ledger::new(&lake);
    let mut exit = Exit::Done;
    for location in &args.sources {
        let started = Instant::now();
        let looked_up = tempfile::tempdir().context("can't make a temporary folder")?;
        let mut problems = Vec::new();
        let source = if location == LOOKUP {
            let lookup = Lookup {
                profile: args.profile.as_deref(),
                regions: &args.regions,
                window,
                rescan: args.rescan,
            };
            problems = lookup::fetch(&lookup, &mut ledger, looked_up.path())?;
            Source::open(&looked_up.path().to_string_lossy(), None)?
        } else {
            Source::open(location, args.profile.as_deref())?
        };
        let mut outcome = ingest(&source, &lake, &mut ledger, window, args.rescan)
            .with_context(|| format!("{location} into {lake}"))?;
        problems
            .into_iter()
            .for_each(|problem| outcome.problems.add(problem));
        if !outcome.problems.is_empty() {
            exit = Exit::Partial;
        }
        tell(location, &outcome, started.elapsed().as_secs_f64());
        if args.verify {
            let verification = Verification {
                location,
                source: &source,
                window,
                keys: &args.keys,
                profile: args.profile.as_deref(),
            };
            let problems = verify(&verification, &lake, &mut ledger)
                .with_context(|| format!("can't verify {location}"))?;
            if !problems.is_empty() {
                exit = Exit::Partial;
                problems.iter().for_each(|problem| shell::warn(problem));
                shell::hint(
                    "what is proven and what isn't is in the table cloudtrail_verification",
                );
            }
        }
    }
    let quarantined = ledger.quarantined();
    if quarantined > 0 {
        shell::note(&format!(
            "{quarantined} objects quarantined by earlier runs: see table cloudtrail_ledger"
        ));
    }
    Ok(exit)
}

fn tell(location: &str, outcome: &Outcome, seconds: f64) {
    for problem in outcome.problems.first() {
        shell::warn(problem);
    }
    let others = outcome.problems.others();
    if others > 0 {
        shell::warn(&format!("{others} more objects were not read whole"));
    }
    if !outcome.problems.is_empty() {
        shell::hint("every object's fate and reason is in the table cloudtrail_ledger");
    }
    for (kind, count) in &outcome.other {
        shell::note(&format!(
            "{location}: {count} of kind {} left out",
            kind.name()
        ));
    }
    if outcome.ignored > 0 {
        shell::note(&format!(
            "{location}: {} files ignored, whose names end with neither .json nor .gz",
            outcome.ignored
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = outcome.rows as f64 / seconds.max(0.001);
    shell::note(&format!(
        "{location}: {} events from {} objects, {} known already, {seconds:.1} s, {rate:.0} events a second",
        outcome.rows, outcome.objects, outcome.known
    ));
}
