//! `analyze tags`: missing tags proposed as a file to review, and what was accepted of it as commands.
//!
//! Invariants: a value is one that a tag of the run carries; a tag that is there is never changed; a resource whose tags
//! could not be read gets no proposal. The SQL in `sql/tags` does the work; README.md says how sure it is of what.

mod cells;
mod review;
mod script;

use std::path::Path;

use anyhow::Context as _;
use handoff::run::Run;
use handoff::shell::{self, Exit, Hinted};
use handoff::storage::Storage;
use handoff::text::printable;
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use crate::cli::TagsArgs;
use crate::config::{self, Config};
use crate::events::Files;
use crate::open::open_for_reading;
use crate::session::Session;

/// Name of the file in the folder.
const FILE: &str = "tags.csv";

/// Its columns: first what a reviewer reads and writes, then what the commands need.
const COLUMNS: [&str; 10] = [
    "accept",
    "key",
    "value",
    "confidence",
    "evidence",
    "type",
    "name",
    "scope",
    "tags",
    "arn",
];

/// Days of events before the run in which creators are looked for.
const DAYS: i64 = 90;

/// How far evidence is carried: a snapshot of a volume of an instance of a group is three steps.
const ROUNDS: usize = 4;

const FACTS: &str = include_str!("../sql/tags/facts.sql");
const CREATORS: &str = include_str!("../sql/tags/creators.sql");
const VOTES: &str = include_str!("../sql/tags/votes.sql");
const WEIGHTS: &str = include_str!("../sql/tags/weights.sql");
const DECIDE: &str = include_str!("../sql/tags/decide.sql");
const PROPOSALS: &str = include_str!("../sql/tags/proposals.sql");

/// Does what the arguments ask for.
pub(crate) fn run(args: &TagsArgs) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.propose {
        return propose(args, folder);
    }
    let file = args
        .commands
        .as_deref()
        .context("say --propose DIR or --commands FILE")?;
    print_commands(file)
}

fn propose(args: &TagsArgs, folder: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(args.config.as_deref()).map_err(|error| config::hinted(&error))?;
    let run = Run::find(args.run.as_deref())?;
    let out = Storage::open(&folder.display().to_string())?;
    refuse_to_replace(out.exists(FILE)?, &out)?;
    let (session, mut events_known) = open(args, &run, &config)?;
    events_known &= find_creators(&session)?;
    weigh(&session)?;
    let text = sheet(&session)?;
    refuse_to_replace(!out.put_new(FILE, text.as_bytes())?, &out)?;
    let complete = summarize(&session, &out)?;
    Ok(if complete && events_known {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// A file that somebody may have spent a day on is not written over.
fn refuse_to_replace(exists: bool, out: &Storage) -> anyhow::Result<()> {
    if !exists {
        return Ok(());
    }
    Err(Hinted::new(
        format!("{out}/{FILE} is there already"),
        "it may have been reviewed: name another folder, or remove it",
    )
    .into())
}

/// The run with the events of the last days; false when some can't be read, or none.
fn open(args: &TagsArgs, run: &Run, config: &Config) -> anyhow::Result<(Session, bool)> {
    let since = args.since.unwrap_or_else(|| {
        let day = TimeZone::UTC.to_datetime(run.id.as_of()).date();
        day.saturating_sub(DAYS.days())
    });
    let with = |trail: &Files| open_for_reading(run, config, &args.limits, trail);
    let trail = Files::find(&run.lake, Some(&since.to_string()))?;
    if trail.is_empty() {
        return Ok((with(&trail)?, true));
    }
    if !trail.is_whole() {
        shell::warn(
            "some events of CloudTrail can't be read, so who created what is not known in all cases",
        );
    }
    with(&trail)
        .map(|session| (session, trail.is_whole()))
        .or_else(|error| {
            warn_of_events(&error);
            Ok((with(&Files::default())?, false))
        })
}

/// Fills the creators; false when the events can't be read.
fn find_creators(session: &Session) -> anyhow::Result<bool> {
    let table = "create or replace table tag_trail_creators (arn varchar, principal varchar, identity_arn varchar);";
    let Err(error) = session.connection.execute_batch(CREATORS) else {
        return Ok(true);
    };
    warn_of_events(&error.into());
    session.connection.execute_batch(table)?;
    Ok(false)
}

fn warn_of_events(error: &anyhow::Error) {
    let text = format!("{error:#}");
    let line = text.lines().next().unwrap_or_default();
    shell::warn(&format!(
        "the events of CloudTrail can't be read, so who created what is not known: {line}"
    ));
}

/// Round by round, as long as something new is decided.
fn weigh(session: &Session) -> anyhow::Result<()> {
    let step = |name: &str, sql: &str| {
        session
            .connection
            .execute_batch(sql)
            .with_context(|| format!("sql/tags/{name}.sql"))
    };
    step("facts", FACTS)?;
    step("votes", VOTES)?;
    step("weights", WEIGHTS)?;
    step("decide", DECIDE)?;
    for _ in 1..ROUNDS {
        let decided: i64 =
            session
                .connection
                .query_row("select count(*) from tag_decided", [], |row| row.get(0))?;
        if decided == 0 {
            break;
        }
        step("votes", VOTES)?;
        step("decide", DECIDE)?;
    }
    step("proposals", PROPOSALS)
}

/// The proposals as comma-separated values.
fn sheet(session: &Session) -> anyhow::Result<String> {
    let mut statement = session.connection.prepare(
        "select key, value, printf('%.2f', confidence), evidence, resource_type, name, scope, tags::varchar, arn from tag_proposals order by account_id, resource_type, name, arn, concept, key",
    )?;
    let mut rows = statement.query([])?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    while let Some(row) = rows.next()? {
        let cell = |index| row.get::<_, String>(index);
        let shown = |index| cell(index).map(|text| cells::escaped(&shown(&text)));
        let exact = |index| cell(index).map(|text| cells::escaped(&text));
        writer.write_record([
            String::new(),
            exact(0)?,
            exact(1)?,
            cell(2)?,
            shown(3)?,
            shown(4)?,
            shown(5)?,
            exact(6)?,
            cell(7)?,
            exact(8)?,
        ])?;
    }
    let text = String::from_utf8(writer.into_inner()?)?;
    // Excel takes text without a mark for the encoding of the country, and saves letters that nobody wrote.
    let mark = if text.is_ascii() { "" } else { "\u{feff}" };
    Ok(format!("{mark}{text}"))
}

/// Text for eyes only. A semicolon separates cells for spreadsheets of half of Europe, so it would start a new one.
fn shown(text: &str) -> String {
    printable(text).replace(';', ",")
}

/// Says what is proposed and for what nothing is; whether all that could be asked was known.
fn summarize(session: &Session, out: &Storage) -> anyhow::Result<bool> {
    let [
        lacking,
        missing,
        proposed,
        helped,
        doubtful,
        unsupported,
        renames,
        unread,
        foreign,
        gaps,
    ] = session
        .connection
        .query_row("from tag_summary", [], |row| {
            let mut counts = [0_i64; 10];
            for (index, count) in counts.iter_mut().enumerate() {
                *count = row.get(index)?;
            }
            Ok(counts)
        })?;
    shell::note(&format!(
        "{lacking} resources lack {missing} tags: {proposed} proposals for {helped} of them in {out}/{FILE}"
    ));
    for (count, what) in [
        (
            unsupported,
            "resources have no evidence: nothing they have to do with is tagged",
        ),
        (
            doubtful,
            "resources have evidence that is weak or contradicts itself",
        ),
        (
            renames,
            "tags have a key in another spelling than the account's: accepting copies them",
        ),
        (foreign, "resources belong to other accounts, who tag them"),
    ] {
        if count > 0 {
            shell::note(&format!("{count} {what}"));
        }
    }
    if unread > 0 {
        shell::warn(&format!(
            "the tags of {unread} resources could not be read: nothing is proposed for them"
        ));
    }
    if gaps > 0 {
        shell::warn(
            "some resources were not collected; `analyze query 'from gaps'` says which calls failed",
        );
    }
    shell::hint(&format!(
        "write yes in the column accept where a proposal is right, correct the value where it is not, then `analyze tags --commands {out}/{FILE} > tags.sh`"
    ));
    Ok(unread == 0 && gaps == 0)
}

fn print_commands(file: &Path) -> anyhow::Result<Exit> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("can't read {name}"))?;
    let reviewed = review::read(&bytes).with_context(|| name.clone())?;
    let calls = script::calls(&reviewed.accepted).with_context(|| name.clone())?;
    shell::answer(&script::text(&calls))?;
    shell::note(&format!(
        "{} of {} proposals accepted: {} calls",
        reviewed.accepted.len(),
        reviewed.rows,
        calls.len()
    ));
    Ok(Exit::Done)
}
