//! Opening a run: its files as tables of a locked DuckDB, whole for checks and for any question, or only what one question
//! needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff::run::{FileEntry, Run, RunId, RunRecord, Stage};
use handoff::shell::Hinted;

use crate::cli::Limits;
use crate::config::Config;
use crate::register::Registration;
use crate::session::{self, Reached, Session};
use crate::{events, gaps, history, schema};

/// The files of a run, registered.
pub(crate) struct Opened {
    /// Files that SQL may read.
    pub(crate) readable: Vec<PathBuf>,
    /// Tables whose files can't be read, and why.
    pub(crate) unreadable: Vec<String>,
}

/// Registers the tables of a run that `wanted` names, and what the record says about all of them.
///
/// # Errors
/// When a file is of a newer contract, or the storage fails as a whole.
pub(crate) fn open_tables(
    session: &mut Session,
    run: &Run,
    record: &RunRecord,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Opened> {
    let mut by_table: BTreeMap<&str, Vec<&FileEntry>> = BTreeMap::new();
    // Most tables of an account are empty: their files say no more than the record does.
    let says_something =
        |file: &FileEntry| file.rows > 0 || !session.tables.contains_key(&file.table);
    let files: Vec<FileEntry> = record
        .files
        .iter()
        .filter(|file| wanted(&file.table) && says_something(file))
        .cloned()
        .collect();
    for file in &files {
        by_table.entry(&file.table).or_default().push(file);
    }
    // All files at once, so that those in a bucket are fetched together; one by one only if that fails.
    let whole = run.lake.local_paths(&files).is_ok();
    // The events belong to the lake, not to the run: `events::Files` registers them.
    let of_lake = schema::trail().map(|table| table.name);
    let names: BTreeSet<String> = session
        .tables
        .keys()
        .filter(|name| !of_lake.contains(name) && wanted(name))
        .cloned()
        .chain(by_table.keys().map(|name| (*name).to_owned()))
        .collect();
    let mut opened = Opened {
        readable: Vec::new(),
        unreadable: Vec::new(),
    };
    let mut missing = Vec::new();
    let mut tables: Vec<(&str, Vec<PathBuf>)> = Vec::new();
    for name in &names {
        let mut paths = Vec::new();
        for entry in by_table.get(name.as_str()).into_iter().flatten() {
            match readable_path(run, entry, whole) {
                Ok(path) => paths.push(path),
                Err(error) => unreadable(&mut opened, &mut missing, entry, &error)?,
            }
        }
        tables.push((name, paths));
    }
    let registrations: Vec<Registration<'_>> = tables
        .iter()
        .map(|(name, paths)| (*name, paths.as_slice()))
        .collect();
    let outcomes = session.register_all(&registrations)?;
    for ((name, mut paths), outcome) in tables.into_iter().zip(outcomes) {
        if let Err(error) = outcome {
            for entry in by_table.get(name).into_iter().flatten() {
                unreadable(&mut opened, &mut missing, entry, &error)?;
            }
            paths.clear();
            session.register(name, &[])?;
        }
        opened.readable.append(&mut paths);
    }
    let accounts = fill_run_tables(session, record, &mut missing)?;
    if accounts == 0 {
        anyhow::bail!(
            "{}: nothing was collected from any account; run `collect inventory` again",
            run.reference()
        );
    }
    Ok(opened)
}

fn readable_path(run: &Run, entry: &FileEntry, whole: bool) -> anyhow::Result<PathBuf> {
    let mut paths = run
        .lake
        .local_paths(std::slice::from_ref(entry))
        .with_context(|| {
            if whole {
                "was there a moment ago"
            } else {
                "can't be opened"
            }
        })?;
    let path = paths.pop().context("has no place on this machine")?;
    open_file(&entry.table, &path)
}

/// The path of a file of a table for SQL, if the file can be read.
///
/// # Errors
/// When it can't; see [`is_newer`].
pub(crate) fn open_file(table: &str, path: &Path) -> anyhow::Result<PathBuf> {
    let path = path.canonicalize()?;
    handoff::table::read(table, &path, &[])?;
    Ok(path)
}

/// Whether a file is refused because a newer version wrote it, which is no damage.
pub(crate) fn is_newer(error: &str) -> bool {
    error.contains("install the newer version")
}

fn unreadable(
    opened: &mut Opened,
    missing: &mut Vec<Missing>,
    entry: &FileEntry,
    error: &anyhow::Error,
) -> anyhow::Result<()> {
    let text = handoff::text::printable(&format!("{error:#}")).into_owned();
    if is_newer(&text) {
        anyhow::bail!("{text}");
    }
    if schema::fixed()
        .iter()
        .any(|fixed| fixed.name == entry.table)
    {
        anyhow::bail!("{text}: nothing can be said without it; run `collect inventory` again");
    }
    opened.unreadable.push(format!("{}: {text}", entry.path));
    missing.push(Missing {
        account_id: entry.account_id.clone(),
        table: entry.table.clone(),
        why: "its file can't be read",
    });
    Ok(())
}

/// A table that an account lacks.
struct Missing {
    account_id: Option<String>,
    table: String,
    why: &'static str,
}

/// Fills `accounts`, `collected` and `missing`; returns the number of accounts.
fn fill_run_tables(
    session: &Session,
    record: &RunRecord,
    missing: &mut Vec<Missing>,
) -> anyhow::Result<usize> {
    let connection = &session.connection;
    let mut accounts: BTreeSet<String> = record
        .tables
        .iter()
        .map(|outcome| outcome.account_id.clone())
        .collect();
    accounts.extend(
        record
            .files
            .iter()
            .filter_map(|file| file.account_id.clone()),
    );
    let mut statement = connection
        .prepare("select distinct account_id from collect_errors where account_id is not null")?;
    accounts.extend(
        statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?,
    );
    let mut has: BTreeSet<(&str, &str)> = record
        .tables
        .iter()
        .map(|outcome| (outcome.account_id.as_str(), outcome.table.as_str()))
        .collect();
    has.extend(
        record
            .files
            .iter()
            .filter_map(|file| Some((file.account_id.as_deref()?, file.table.as_str()))),
    );
    let fixed: BTreeSet<String> = schema::fixed()
        .into_iter()
        .chain(schema::trail())
        .map(|fixed| fixed.name)
        .collect();
    for account in &accounts {
        for table in session
            .tables
            .keys()
            .filter(|table| !fixed.contains(*table))
        {
            let known = missing.iter().any(|entry| {
                entry.table == *table && entry.account_id.as_ref().is_none_or(|id| id == account)
            });
            if !known && !has.contains(&(account.as_str(), table.as_str())) {
                missing.push(Missing {
                    account_id: Some(account.clone()),
                    table: table.clone(),
                    why: "not collected",
                });
            }
        }
    }
    let some = |text: &str| Some(text.to_owned());
    session.fill(
        "collected",
        record.tables.iter().map(|outcome| {
            vec![
                some(&outcome.account_id),
                some(&outcome.region),
                some(&outcome.table),
            ]
        }),
    )?;
    let each = missing.iter().flat_map(|entry| {
        let of: Vec<&String> = entry
            .account_id
            .as_ref()
            .map_or_else(|| accounts.iter().collect(), |id| vec![id]);
        of.into_iter()
            .map(move |account| vec![some(account), some(&entry.table), some(entry.why)])
    });
    session.fill("missing", each)?;
    session.fill(
        "collect_outcomes",
        record
            .tables
            .iter()
            .filter(|outcome| outcome.errors > 0)
            .map(|outcome| {
                vec![
                    some(&outcome.account_id),
                    some(&outcome.region),
                    some(&outcome.table),
                ]
            }),
    )?;
    session.fill(
        "known_accounts",
        accounts.iter().map(|account| vec![some(account)]),
    )?;
    Ok(accounts.len())
}

/// Opens a run for questions: its tables, its findings, its derived tables, the events of `trail`; locked.
///
/// # Errors
/// When the run or one of the files of `trail` can't be read.
pub(crate) fn open_for_reading(
    run: &Run,
    config: &Config,
    limits: &Limits,
    trail: &events::Files,
) -> anyhow::Result<Session> {
    let collected = run.record(Stage::Collect)?;
    let mut session = Session::open(limits, config, &session::as_of(&run.id))?;
    let mut readable = open_tables(&mut session, run, &collected, |_| true)?.readable;
    history::find(run)?
        .load(&session)
        .context("can't read what earlier runs found")?;
    trail.register(&session)?;
    readable.extend(trail.paths());
    session.define_views()?;
    events::prepare(&session, config)?;
    session.note_gaps()?;
    readable.extend(open_findings(&session, run, &run.id)?);
    session.lock(&readable)?;
    Ok(session)
}

/// Tables that `analyze` writes.
fn is_analyzed(table: &str) -> bool {
    matches!(table, "findings" | "checks") || session::derived_schema(table).is_some()
}

/// What a question needs of a run.
pub(crate) struct Wanted<'a> {
    /// Tables, among them those that `analyze` wrote.
    pub(crate) tables: &'a [&'a str],
    /// Tables that are as if they were empty.
    pub(crate) spared: &'a [&'a str],
    /// Views, each after those it reads.
    pub(crate) views: &'a [&'a str],
    /// The SQL that will be run, for the macros in it.
    pub(crate) asked: &'a [&'a str],
    /// Whether the gaps are noted now, or by whoever asks, beside other questions.
    pub(crate) gaps: bool,
}

/// Opens what is wanted of a run, and nothing else; locked. For questions that have to be answered at once.
///
/// # Errors
/// When the run can't be read, or was not analyzed.
pub(crate) fn open_some(
    run: &Run,
    config: &Config,
    limits: &Limits,
    wanted: &Wanted<'_>,
) -> anyhow::Result<Session> {
    let Wanted { tables, views, .. } = *wanted;
    let texts = views.iter().filter_map(|name| session::view(name));
    let texts = texts.chain(wanted.asked.iter().copied());
    let texts: Vec<&str> = texts.chain([gaps::SQL]).collect();
    let as_of = session::as_of(&run.id);
    // Not by rayon, whose threads may be taken by then.
    let (records, session) = std::thread::scope(|scope| {
        let session = scope.spawn(|| Session::open_for(limits, config, &as_of, &texts));
        let records = || {
            let analyzed = RunRecord::read(&run.lake, &run.id, Stage::Analyze)?;
            anyhow::Ok((run.record(Stage::Collect)?, analyzed))
        };
        let records = records();
        let session = session.join();
        (
            records,
            session.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    });
    let ((collected, analyzed), mut session) = (records?, session?);
    let is_wanted = |name: &str| tables.contains(&name);
    let mut readable = open_tables(&mut session, run, &collected, is_wanted)?.readable;
    for name in wanted.spared {
        session.register(name, &[])?;
    }
    let mut files: Vec<FileEntry> = analyzed.map(|record| record.files).unwrap_or_default();
    files.retain(|file| is_wanted(&file.table));
    let by_table = written(run, &files)?;
    for name in tables.iter().filter(|name| is_analyzed(name)) {
        let paths = by_table.get(name).ok_or_else(|| {
            Hinted::new(
                format!("{} has no table {name}", run.reference()),
                "run `analyze` first",
            )
        })?;
        session.register(name, paths)?;
        readable.extend(paths.iter().cloned());
    }
    if wanted.gaps {
        session.note_gaps_beside(views)?;
    } else {
        session.define_some_views(views)?;
    }
    session.lock(&readable)?;
    Ok(session)
}

/// As [`open_some`] for what `select` reads; none if it reads what takes more: events, history, or what was not analyzed.
///
/// # Errors
/// When the run can't be read.
pub(crate) fn open_reached(
    run: &Run,
    config: &Config,
    limits: &Limits,
    select: &str,
    reached: &Reached,
) -> anyhow::Result<Option<Session>> {
    /// Tables about the run itself that are there in any case, and complete. What is missing is not among them: of a file that
    /// is not opened nobody knows whether it can be read.
    const OF_RUN: [&str; 5] = [
        "accounts",
        "collect_outcomes",
        "collected",
        "known_accounts",
        "resource_tables",
    ];
    let trail = schema::trail().map(|table| table.name);
    let inventory = schema::tables()?;
    let written: BTreeSet<String> = RunRecord::read(&run.lake, &run.id, Stage::Analyze)?
        .into_iter()
        .flat_map(|record| record.files)
        .map(|file| file.table)
        .collect();
    let is_there = |name: &String| {
        OF_RUN.contains(&name.as_str())
            || name.starts_with("config_")
            || if is_analyzed(name) {
                written.contains(name)
            } else {
                inventory.contains_key(name) && !trail.contains(name)
            }
    };
    // Who reads no table asks about the tables themselves, such as with `show tables`.
    if reached.tables.is_empty() || !reached.tables.iter().all(is_there) {
        return Ok(None);
    }
    // What is missing is told by these.
    let always = ["collect_errors", "resources"];
    let tables = reached.tables.iter().map(String::as_str).chain(always);
    let views: Vec<&str> = reached.views.iter().map(String::as_str).collect();
    let wanted = Wanted {
        tables: &tables.collect::<Vec<_>>(),
        spared: &[],
        views: &views,
        asked: &[select],
        gaps: true,
    };
    open_some(run, config, limits, &wanted).map(Some)
}

/// Registers what `analyze` wrote; what it has not written is derived now.
fn open_findings(session: &Session, run: &Run, id: &RunId) -> anyhow::Result<Vec<PathBuf>> {
    let files = RunRecord::read(&run.lake, id, Stage::Analyze)?
        .map(|record| record.files)
        .unwrap_or_default();
    let mut by_table = written(run, &files)?;
    if !session::derived_names().all(|name| by_table.contains_key(name)) {
        session.derive()?;
        for name in session::derived_names() {
            by_table.remove(name);
        }
    }
    for (name, paths) in &by_table {
        session.register(name, paths)?;
    }
    Ok(by_table.into_values().flatten().collect())
}

/// Where files of the lake lie on this machine, by table.
fn written<'f>(
    run: &Run,
    files: &'f [FileEntry],
) -> anyhow::Result<BTreeMap<&'f str, Vec<PathBuf>>> {
    let mut by_table: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for (file, path) in files.iter().zip(run.lake.local_paths(files)?) {
        by_table
            .entry(&file.table)
            .or_default()
            .push(path.canonicalize()?);
    }
    Ok(by_table)
}
