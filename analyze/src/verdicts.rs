//! Runs checks and judges what they return: the table `judged`.
//!
//! A check returns rows of `account_id, region, resource_arn, failed, reason, evidence` and, if it likes, `severity` and
//! `discriminator`. `failed` is true, false or null; null is unknown.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context as _;
use handoff::text::printable;

use crate::check::{Check, Kind};
use crate::session::Session;
use crate::sql::{self, quote};
use crate::{events, gaps};

const VERDICTS: &str = "
create sequence verdict_ids;
create table verdicts (id bigint default nextval('verdict_ids'), check_id varchar, account_id varchar, region varchar,
    resource_arn varchar, failed boolean, reason varchar, evidence json, severity varchar, discriminator varchar, command varchar);
";

/// The derived table of what tags tell of resources.
const CONTEXT: &str = "resource_context";

/// A check that could not be run, and why.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Id of the check.
    pub(crate) check: String,
    /// Why, in one line.
    pub(crate) message: String,
}

/// Runs the checks and fills `judged`; returns those that failed, whose verdicts are unknown.
pub(crate) fn judge(session: &Session, checks: &[Check]) -> anyhow::Result<Vec<Failure>> {
    let connection = &session.connection;
    connection.execute_batch(VERDICTS)?;
    connection.execute_batch(gaps::CHECK_TABLES)?;
    keep_picks(session, checks);
    let mut failures = Vec::new();
    let mut by_tags = BTreeSet::new();
    let bar = handoff::shell::progress("checks", Some(checks.len() as u64));
    for check in checks {
        let started = Instant::now();
        let outcome = evaluate(session, check);
        tracing::debug!(
            check = check.id,
            seconds = started.elapsed().as_secs_f64(),
            "judged"
        );
        match outcome {
            // Who and what matters is known from tags.
            Ok(derived) if derived.contains(CONTEXT) => {
                by_tags.insert(check.id.as_str());
            }
            Ok(_) => {}
            Err(message) => {
                connection.execute("delete from verdicts where check_id = ?", [&check.id])?;
                failures.push(Failure {
                    check: check.id.clone(),
                    message,
                });
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    describe(session, checks, &failures, &by_tags)?;
    connection
        .execute_batch(include_str!("sql/judge.sql"))
        .context("can't judge the verdicts")?;
    Ok(failures)
}

/// Computes once what several checks pick of the events. Where that fails, each of them says why.
fn keep_picks(session: &Session, checks: &[Check]) {
    let read: Vec<BTreeSet<String>> = checks
        .iter()
        .filter_map(|check| sql::tables_read(&session.connection, &check.sql).ok())
        .collect();
    for view in events::PICKS {
        if read.iter().filter(|names| names.contains(view)).count() > 1 {
            let started = Instant::now();
            let outcome = session.keep(view);
            tracing::debug!(
                view,
                seconds = started.elapsed().as_secs_f64(),
                error = outcome.err().map(|error| sql::first_line(&error)),
                "kept"
            );
        }
    }
}

/// Tells SQL what the checks read and which of them failed.
fn describe(
    session: &Session,
    checks: &[Check],
    failures: &[Failure],
    by_tags: &BTreeSet<&str>,
) -> anyhow::Result<()> {
    let some = |text: &str| Some(text.to_owned());
    session.fill(
        "check_reads",
        checks.iter().flat_map(|check| {
            let tables = check.metadata.tables.iter();
            let needed = tables.filter(|table| !check.metadata.optional.contains(table));
            let context = by_tags.contains(check.id.as_str()).then_some(CONTEXT);
            let of_check = move |table: &str| vec![Some(check.id.clone()), some(table)];
            needed.map(String::as_str).chain(context).map(of_check)
        }),
    )?;
    let operations = |check: &Check| check.metadata.operations.clone().unwrap_or_default();
    session.fill(
        "check_operations",
        checks.iter().flat_map(|check| {
            operations(check)
                .into_iter()
                .map(move |operation| vec![Some(check.id.clone()), Some(operation)])
        }),
    )?;
    session.fill(
        "check_facts",
        checks.iter().map(|check| {
            let error = failures
                .iter()
                .find(|failure| failure.check == check.id)
                .map(|failure| failure.message.clone());
            vec![
                some(&check.id),
                some(&check.metadata.absence.to_string()),
                some(&check.metadata.operations.is_some().to_string()),
                error,
            ]
        }),
    )
}

/// Fills `verdicts` with those of a check; returns the derived tables that it reads.
fn evaluate(session: &Session, check: &Check) -> Result<BTreeSet<String>, String> {
    let one_line = |error: &duckdb::Error| printable(&sql::first_line(error)).into_owned();
    let derived = verify_tables(session, check)?;
    let insert = format!(
        "insert into verdicts by name\nselect {id} as check_id, {command} as command, * replace (to_json(evidence) as evidence)\nfrom (\n{sql}\n);",
        id = quote(&check.id),
        command = command(check),
        sql = check.sql,
    );
    session
        .connection
        .execute_batch(&insert)
        .map_err(|error| one_line(&error))?;
    let incomplete = "select count(*) from verdicts where check_id = ? and (account_id is null or region is null or resource_arn is null)";
    let rows: i64 = session
        .connection
        .query_row(incomplete, [&check.id], |row| row.get(0))
        .map_err(|error| one_line(&error))?;
    if rows > 0 {
        return Err(format!(
            "{rows} of its rows lack account_id, region or resource_arn"
        ));
    }
    if check.metadata.kind == Kind::Detection {
        session
            .connection
            .execute(include_str!("sql/undetected.sql"), [&check.id])
            .map_err(|error| one_line(&error))?;
    }
    Ok(derived)
}

/// The metadata must name the tables the SQL reads: by them, what was not collected becomes unknown. Returns the derived ones.
fn verify_tables(session: &Session, check: &Check) -> Result<BTreeSet<String>, String> {
    let read = session
        .tables_read(&check.sql)
        .map_err(|error| error.to_string())?;
    let declared: BTreeSet<String> = check.metadata.tables.iter().cloned().collect();
    let listed = |names: Vec<&String>| {
        names
            .into_iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let undeclared: Vec<&String> = read.difference(&declared).collect();
    if !undeclared.is_empty() {
        return Err(format!(
            "it reads {}, which its metadata does not list under tables",
            listed(undeclared)
        ));
    }
    let unread: Vec<&String> = declared.difference(&read).collect();
    // A check of a derived table names the tables that its rows stand on.
    let derived = session
        .derived_read(&check.sql)
        .map_err(|error| error.to_string())?;
    if !unread.is_empty() && derived.is_empty() {
        return Err(format!(
            "its metadata lists {} under tables, which it does not read",
            listed(unread)
        ));
    }
    Ok(derived)
}

/// The remediation command as an expression: placeholders are columns of the row or members of its evidence, quoted for
/// a shell.
fn command(check: &Check) -> String {
    let Some(template) = &check.metadata.command else {
        return "null".to_owned();
    };
    let mut parts = Vec::new();
    let mut rest = template.as_str();
    while let Some((before, placeholder, after)) =
        rest.split_once('{').and_then(|(before, tail)| {
            tail.split_once('}')
                .map(|(name, after)| (before, name, after))
        })
    {
        parts.push(quote(before));
        let value = match placeholder {
            "account_id" | "region" | "resource_arn" => placeholder.to_owned(),
            "resource_id" => "regexp_extract(resource_arn, '[^:/]+$')".to_owned(),
            member => format!("(to_json(evidence)->>{})", quote(&format!("$.{member}"))),
        };
        parts.push(format!("shell_word({value}, {})", quote(placeholder)));
        rest = after;
    }
    parts.push(quote(rest));
    format!("case when failed then concat({}) end", parts.join(", "))
}
