//! A run of the checks: from the record of `collect` to the record of `analyze`.

use std::collections::BTreeMap;

use anyhow::Context as _;
use handoff::run::{Completeness, Run, RunRecord, Stage};
use handoff::shell::{self, Exit};

use crate::cli::RunArgs;
use crate::config::{self, Config};
use crate::events::{self, LeftOut};
use crate::findings::{self, Counts};
use crate::open::open_tables;
use crate::publish::{self, Outputs};
use crate::session::{self, Session};
use crate::verdicts::{self, Failure};
use crate::{check, history, waivers};

/// Runs the checks and writes their findings.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    let config = Config::load(args.config.as_deref()).map_err(|error| config::hinted(&error))?;
    let all = check::load(&args.sources.checks)?;
    let run = Run::find(args.run.as_deref())?;
    let collected = run.record(Stage::Collect)?;
    let mut session = Session::open(&args.limits, &config, &session::as_of(&run.id))?;
    waivers::load(&session, args.waivers.as_deref(), &all)?;
    let checks = check::select(all, &args.check, &args.rule, args.severity)?;
    let mut opened = open_tables(&mut session, &run, &collected, |_| true)?;
    let trail = events::Files::find(&run.lake, None)?;
    trail.register(&session)?;
    opened.readable.extend(trail.paths());
    let (checks, left_out) = events::leave_out(checks, &trail, &config, !args.check.is_empty());
    let history = history::find(&run)?;
    history
        .load(&session)
        .context("can't read what earlier runs found")?;
    events::judge_from(&session, args.since.as_deref(), history.last_run())?;
    session.define_views()?;
    let outputs = Outputs::new(&run)?;
    let mut allowed = opened.readable;
    allowed.extend(outputs.paths()?);
    session.lock(&allowed)?;
    events::prepare(&session, &config)?;
    session.note_gaps()?;
    session.derive()?;
    let failures = verdicts::judge(&session, &checks)?;
    let counts = findings::build(&session, &checks, &left_out)?;
    let missing = missing_lines(&session, &collected, &opened.unreadable, &failures)?;
    let files = outputs.write(&session, &run)?;
    publish::record(&run, files, &missing).commit(&run.lake)?;
    report_to_user(&missing, &counts, checks.len());
    note_left_out(&left_out);
    shell::answer(&format!("{}\n", run.reference()))?;
    let failed = args
        .fail_on
        .is_some_and(|fail_on| counts.failed_from(fail_on) > 0);
    Ok(match (failed, missing.is_empty() && counts.unknown == 0) {
        (true, _) => Exit::Findings,
        (false, true) => Exit::Done,
        (false, false) => Exit::Partial,
    })
}

fn note_left_out(left_out: &[LeftOut]) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for out in left_out {
        by_reason.entry(out.why).or_default().push(&out.check.id);
    }
    for (why, checks) in by_reason {
        let named = match checks.as_slice() {
            [check] => (*check).to_owned(),
            checks => format!("{} detections", checks.len()),
        };
        shell::note(&format!("{named} left out: {why}"));
    }
}

fn report_to_user(missing: &[String], counts: &Counts, checks: usize) {
    for line in missing.iter().take(10) {
        shell::warn(line);
    }
    if missing.len() > 10 {
        shell::warn(&format!(
            "{} more are missing; `analyze query 'from gaps'` lists what was not collected",
            missing.len() - 10
        ));
    }
    shell::note(&counts.summary(checks));
}

/// What makes the run partial, one line each.
fn missing_lines(
    session: &Session,
    collected: &RunRecord,
    unreadable: &[String],
    failures: &[Failure],
) -> anyhow::Result<Vec<String>> {
    let mut lines: Vec<String> = failures
        .iter()
        .map(|failure| format!("check {}: {}", failure.check, failure.message))
        .collect();
    lines.extend(unreadable.iter().cloned());
    let mut statement = session
        .connection
        .prepare(include_str!("sql/missing.sql"))?;
    lines.extend(
        statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?,
    );
    if lines.is_empty() && collected.status == Completeness::Partial {
        lines.push(format!(
            "collect left the run incomplete: {}",
            collected
                .errors
                .first()
                .map_or("its record says no more", String::as_str)
        ));
    }
    Ok(lines)
}
