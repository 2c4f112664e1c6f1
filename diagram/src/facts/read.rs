//! From the lake's files to [`Facts`], reading only the columns that pictures need.

use std::collections::{BTreeMap, HashMap};

use handoff::run::{FileEntry, Run, RunError, Stage};
use handoff::storage::StorageError;
use handoff::table::{self, Row, TableError};

use super::{Facts, FailedCall, Findings, Index, Link, Resource};

/// Tag keys that stand for themselves before `analyze` has read the configuration.
const DEFAULT_KEYS: [&str; 5] = ["Name", "Owner", "Environment", "System", "Importance"];
/// Importance levels before `analyze` has read the configuration, lowest first.
const DEFAULT_LEVELS: [&str; 4] = ["low", "medium", "high", "critical"];

/// A run that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The run's records failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file of the run is missing or not the one listed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file of the run is damaged.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Reads a run: what `analyze` derived where it has run, else what `collect` found.
///
/// # Errors
/// When the run's files can't be read.
pub fn read(run: &Run) -> Result<Facts, ReadError> {
    let collected = run.files(Stage::Collect)?;
    let derived = run.files(Stage::Analyze)?;
    let analyzed = derived.iter().any(|file| file.table == "resource_context");
    let mut facts = Facts {
        analyzed,
        as_of: as_of(run),
        ..Facts::default()
    };
    let mut found = Vec::new();
    if analyzed {
        rows(run, &derived, "resource_context", CONTEXT, |row| {
            found.push(in_context(row))
        })?;
    } else {
        let columns = [
            "account_id",
            "region",
            "arn",
            "resource_type",
            "name",
            "tags",
            "zone",
            "summary",
        ];
        rows(run, &collected, "resources", &columns, |row| {
            found.push(by_default_keys(row))
        })?;
    }
    facts.resources = found;
    let index = facts.index();
    read_links(run, &collected, &index, &mut facts)?;
    read_main_route_tables(run, &collected, &index, &mut facts)?;
    read_findings(run, &derived, &index, &mut facts)?;
    rows(
        run,
        &collected,
        "collect_errors",
        &["account_id", "region", "operation", "resource_arn"],
        |row| {
            facts.errors.push(FailedCall {
                account_id: row.string("account_id"),
                region: row.string("region"),
                resource: row
                    .text("resource_arn")
                    .and_then(|arn| index.get(arn))
                    .copied(),
                tells_tags: row
                    .text("operation")
                    .is_some_and(|operation| operation.contains("Tag")),
            });
        },
    )?;
    facts.positions = index;
    Ok(facts)
}

/// When the facts of a run were collected, such as `2026-11-16 06:00 UTC`.
pub fn as_of(run: &Run) -> String {
    let text = run.id.as_of().to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", time.get(..5).unwrap_or_default())
}

/// Calls `each` with every row of a table of the run.
pub(super) fn rows(
    run: &Run,
    files: &[FileEntry],
    name: &str,
    columns: &[&str],
    each: impl FnMut(Row<'_>),
) -> Result<(), ReadError> {
    rows_of(run, files, name, |column| columns.contains(&column), each)
}

/// The same, with the columns that `is_wanted` admits.
pub(super) fn rows_of(
    run: &Run,
    files: &[FileEntry],
    name: &str,
    is_wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(Row<'_>),
) -> Result<(), ReadError> {
    let files: Vec<FileEntry> = files
        .iter()
        .filter(|file| file.table == name)
        .cloned()
        .collect();
    for path in run.lake.local_paths(&files)? {
        table::read_columns(name, &path, &is_wanted)?.for_each::<ReadError>(|row| {
            each(row);
            Ok(())
        })?;
    }
    Ok(())
}

const CONTEXT: &[&str] = &[
    "account_id",
    "region",
    "arn",
    "resource_type",
    "name",
    "summary",
    "zone",
    "system",
    "environment",
    "owner",
    "importance",
    "importance_rank",
    "critical",
    "dr",
    "required_tags",
    "missing_tags",
    "taggable",
    "exposed",
    "exposure",
    "dr_met",
];

/// What every source of resources has in common.
fn bare(row: Row<'_>) -> Resource {
    Resource {
        account_id: row.string("account_id"),
        region: row.string("region"),
        arn: row.string("arn"),
        resource_type: row.string("resource_type"),
        name: row.string("name"),
        summary: row.string("summary"),
        zone: row.string("zone"),
        ..Resource::default()
    }
}

fn in_context(row: Row<'_>) -> Resource {
    let count = |name: &str| row.int(name).and_then(|count| u64::try_from(count).ok());
    let tags = match (
        row.bool("taggable"),
        count("required_tags"),
        row.list("missing_tags"),
    ) {
        (Some(true) | None, Some(required), Some(missing)) if required > 0 => {
            Some((required.saturating_sub(missing.len() as u64), required))
        }
        _ => None,
    };
    let dr: Vec<String> = row.list("dr").unwrap_or_default();
    // `none` is no demand, and nothing that is met.
    let declined = dr.iter().filter(|demand| *demand == "none").count() as u64;
    let dr: Vec<String> = dr.into_iter().filter(|demand| demand != "none").collect();
    Resource {
        system: row.string("system"),
        environment: row.string("environment"),
        owner: row.string("owner"),
        importance: row.string("importance"),
        importance_rank: row.int("importance_rank"),
        critical: row.bool("critical"),
        dr_met: count("dr_met")
            .unwrap_or(0)
            .saturating_sub(declined)
            .min(dr.len() as u64),
        dr,
        tags,
        exposed: row.bool("exposed"),
        exposure: row.string("exposure"),
        ..bare(row)
    }
}

/// Before `analyze`: tags by their usual keys, as they stand. No exposure, no DR, no findings are made up.
fn by_default_keys(row: Row<'_>) -> Resource {
    let found = row.map("tags");
    let empty = BTreeMap::new();
    let tags = found.as_ref().unwrap_or(&empty);
    let value = |key: &str| {
        tags.get(key)
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    };
    let resource = bare(row);
    let mut system = value("System");
    if system.is_empty()
        && let [_, _, last] = resource.name.split('_').collect::<Vec<_>>()[..]
    {
        last.clone_into(&mut system);
    }
    let importance = value("Importance");
    let rank = DEFAULT_LEVELS
        .iter()
        .position(|level| level.eq_ignore_ascii_case(&importance));
    let have = DEFAULT_KEYS
        .iter()
        .filter(|key| !value(key).is_empty())
        .count() as u64;
    Resource {
        system,
        environment: value("Environment"),
        owner: value("Owner"),
        importance_rank: rank.and_then(|rank| i64::try_from(rank).ok()),
        importance,
        tags: found.is_some().then_some((have, DEFAULT_KEYS.len() as u64)),
        ..resource
    }
}

fn read_links(
    run: &Run,
    files: &[FileEntry],
    index: &HashMap<String, Index>,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    let columns = ["kind", "from_arn", "from_id", "to_arn", "to_id", "detail"];
    let links = &mut facts.links;
    rows(run, files, "relationships", &columns, |row| {
        let end = |arn: &str, id: &str| {
            let known = row.text(arn).and_then(|arn| index.get(arn)).copied();
            let bare = if known.is_some() {
                None
            } else {
                row.text(arn).or_else(|| row.text(id))
            };
            (known, bare.unwrap_or_default().to_owned())
        };
        let (from, from_id) = end("from_arn", "from_id");
        let (to, to_id) = end("to_arn", "to_id");
        if from.is_some() || to.is_some() {
            let (kind, detail) = (row.string("kind"), row.string("detail"));
            links.push(Link {
                kind,
                from,
                to,
                from_id,
                to_id,
                detail,
            });
        }
    })?;
    links.sort_unstable();
    links.dedup();
    Ok(())
}

fn read_main_route_tables(
    run: &Run,
    files: &[FileEntry],
    index: &HashMap<String, Index>,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    const TABLE: &str = "aws_ec2_route_table";
    facts.main_route_tables_known = files.iter().any(|file| file.table == TABLE);
    let main = &mut facts.main_route_tables;
    rows(run, files, TABLE, &["arn", "is_main"], |row| {
        if row.bool("is_main") == Some(true)
            && let Some(&table) = row.text("arn").and_then(|arn| index.get(arn))
        {
            main.insert(table);
        }
    })
}

fn read_findings(
    run: &Run,
    files: &[FileEntry],
    index: &HashMap<String, Index>,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    let resources = &mut facts.resources;
    rows(
        run,
        files,
        "findings",
        &["resource_arn", "status", "severity"],
        |row| {
            let Some(&judged) = row.text("resource_arn").and_then(|arn| index.get(arn)) else {
                return;
            };
            let mut verdict = Findings::default();
            match (row.text("status"), row.text("severity")) {
                (Some("pass" | "waived"), _) => verdict.settled = 1,
                (Some("fail"), Some("critical")) => verdict.critical = 1,
                (Some("fail"), Some("high")) => verdict.high = 1,
                (Some("fail"), Some("medium")) => verdict.medium = 1,
                (Some("fail"), _) => verdict.low = 1,
                // Anything else was not decided, and must not look clean.
                _ => verdict.unknown = 1,
            }
            resources[judged as usize].findings.add(verdict);
        },
    )
}
