//! `collect compact`: a closed day's many files into few, sorted for those who ask by service and call.
//!
//! The merged files count from the moment the day's next index is written, and those they replace no longer; only then
//! are those removed. The index's number is taken with create-if-absent, so of two processes that merge a day one
//! gives up. Killed at any point, the day reads the same before and after.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use handoff::contract;
use handoff::run::DEFAULT_LAKE;
use handoff::shell::{self, Exit};
use handoff::storage::Storage;
use handoff::trail::{self, Day, DayIndex, file_name};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::ledger::{Ledger, batch_name};
use super::merge::{Limits, merge};

/// A day is closed when there are events this many days newer.
const OPEN_DAYS: i32 = 2;

/// Merge the files of closed days of a lake's CloudTrail events into few, sorted by service, call and time
///
/// A day is closed two days before the newest event. What arrives later lies beside the merged files until the next
/// time. Readers of the tables notice nothing.
#[derive(Debug, clap::Args)]
pub struct CompactArgs {
    /// Folder or s3://bucket/prefix of the lake
    #[arg(long, default_value = DEFAULT_LAKE, value_name = "LAKE")]
    pub lake: String,
    /// Last day to merge, instead of two days before the newest event
    #[arg(long, value_name = "DATE")]
    pub until: Option<Date>,
    /// Profile of the AWS configuration
    #[arg(long)]
    pub profile: Option<String>,
}

/// Runs `collect compact`.
///
/// # Errors
/// When the lake can't be read or written.
pub fn run(args: &CompactArgs) -> anyhow::Result<Exit> {
    let lake = Storage::open_as(&args.lake, args.profile.as_deref())?;
    let mut days = trail::days(&lake, None, None)?;
    let newest = days
        .keys()
        .filter_map(|date| date.parse::<Date>().ok())
        .max();
    let until = args
        .until
        .or_else(|| Some(newest?.saturating_sub((OPEN_DAYS + 1).days())));
    let Some(until) = until else {
        shell::note(&format!("{lake}: no CloudTrail events"));
        return Ok(Exit::Done);
    };
    days.retain(|date, _| date.parse::<Date>().is_ok_and(|date| date <= until));
    let unfinished = unfinished_batches(&lake)?;
    let progress = shell::progress("days", Some(days.len() as u64));
    let (mut merged, mut files) = (0_u64, 0_u64);
    for (date, day) in &days {
        let count = compact_day(&lake, date, day, &unfinished)?;
        merged += u64::from(count > 0);
        files += count as u64;
        progress.inc(1);
    }
    progress.finish_and_clear();
    shell::note(&format!(
        "{lake}: {merged} of {} closed days merged, {files} files replaced",
        days.len()
    ));
    Ok(Exit::Done)
}

/// Batches whose files may still be overwritten, because nobody has committed them yet.
fn unfinished_batches(lake: &Storage) -> anyhow::Result<BTreeSet<String>> {
    let mut ledger = Ledger::new(lake);
    let mut unfinished = BTreeSet::new();
    for date in ledger.unfinished_dates()? {
        ledger.load(&date)?;
        unfinished.extend(
            ledger
                .open_claims(&date)
                .map(|(_, claim)| claim.batch.clone()),
        );
        ledger.forget(&date);
    }
    Ok(unfinished)
}

/// Merges a day; the number of files replaced, 0 when there was nothing to do or somebody else did it.
fn compact_day(
    lake: &Storage,
    date: &str,
    day: &Day,
    unfinished: &BTreeSet<String>,
) -> anyhow::Result<usize> {
    let is_finished = |name: &str| {
        name.split('-')
            .next()
            .is_none_or(|batch| !unfinished.contains(batch))
    };
    let mut files = day.files.clone();
    files.retain(|file| is_finished(file_name(&file.key)));
    let merged: BTreeSet<&str> = day
        .index
        .iter()
        .flat_map(|index| &index.files)
        .map(String::as_str)
        .collect();
    if files
        .iter()
        .all(|file| merged.contains(file_name(&file.key)))
    {
        return Ok(0);
    }
    let table = trail::cloudtrail_events();
    let schema: SchemaRef = handoff::table::arrow_schema(&table);
    let paths = trail::local_paths(lake, &files)?;
    let outputs = merge(&table, &schema, &paths, Limits::default(), &|| {
        Ok(lake.scratch_file()?)
    })?;
    let plan = batch_name(files.iter().map(|file| (file_name(&file.key), "")));
    let names: Vec<String> = (0..outputs.len())
        .map(|part| format!("{}{plan}-{part}.parquet", trail::COMPACT))
        .collect();
    let folder = trail::day_folder(date);
    let key = |name: &String| format!("{folder}/{name}");
    lake.put_files(names.iter().map(key).zip(outputs).collect())?;
    // Files that an interrupted removal left must not count again because the new index is silent about them.
    let left = day
        .stale
        .iter()
        .filter(|file| !file_name(&file.key).starts_with(trail::COMPACT));
    let index = DayIndex {
        contract: contract::VERSION.to_owned(),
        replaced: files
            .iter()
            .chain(left)
            .map(|file| file_name(&file.key).to_owned())
            .collect(),
        files: names,
    };
    let mut text = serde_json::to_vec_pretty(&index)?;
    text.push(b'\n');
    if !lake.put_new(&trail::index_key(date, day.index_number + 1), &text)? {
        give_up(lake, date, &index)?;
        return Ok(0);
    }
    // No merge that began before this index can count any more, so what such a merge left is nobody's.
    let stale = day
        .stale
        .iter()
        .filter(|file| !index.files.iter().any(|name| name == file_name(&file.key)));
    for file in files.iter().chain(stale) {
        lake.remove(&file.key)?;
    }
    for number in 1..=day.index_number {
        lake.remove(&trail::index_key(date, number))?;
    }
    Ok(files.len())
}

/// Somebody else merged the day first. If they merged the same files, theirs are named as ours.
fn give_up(lake: &Storage, date: &str, ours: &DayIndex) -> anyhow::Result<()> {
    let days = trail::days(lake, Some(date), Some(date))?;
    let theirs = days.get(date).and_then(|day| day.index.as_ref());
    for name in &ours.files {
        if theirs.is_some_and(|theirs| !theirs.files.contains(name)) {
            lake.remove(&format!("{}/{name}", trail::day_folder(date)))?;
        }
    }
    Ok(())
}
