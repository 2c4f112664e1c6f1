//! Test cases of checks: given rows, expected verdicts.
//!
//! A case goes the whole way, unknown rule included, in a transaction that is rolled back. A check without a failing
//! and a passing case is refused: a check that can't fail finds nothing, one that can't pass is noise.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use handoff::shell::{self, Exit};
use handoff::trail;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::check::{self, Check};
use crate::cli::{Limits, TestArgs};
use crate::config::Config;
use crate::session::{self, Session};
use crate::sql::{self, identifier, quote};
use crate::{case_events, events, verdicts};

/// Account and region of rows that name none, and the time of the facts in all cases.
pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-west-1";
const AS_OF: &str = "2026-11-16 06:00:00";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Rows by table; only the columns that matter.
    #[serde(default)]
    given: BTreeMap<String, Vec<toml::Table>>,
    /// Rows of `collect_errors`.
    #[serde(default)]
    errors: Vec<toml::Table>,
    /// Tables that were not collected.
    #[serde(default)]
    missing: Vec<String>,
    /// Regions the account was collected in.
    #[serde(default = "regions")]
    regions: Vec<String>,
    /// Settings that replace defaults.
    #[serde(default)]
    config: toml::Table,
    /// The time from which events are new, as `--since` takes it.
    since: Option<String>,
    expect: Vec<Expected>,
}

fn regions() -> Vec<String> {
    vec![REGION.to_owned()]
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
struct Expected {
    resource: String,
    status: String,
    discriminator: Option<String>,
    severity: Option<String>,
    /// A part of the reason.
    reason: Option<String>,
    /// The whole remediation command.
    command: Option<String>,
}

/// Runs the test cases of the chosen checks.
pub(crate) fn run(args: &TestArgs) -> anyhow::Result<Exit> {
    let checks = check::select(check::load(&args.sources.checks)?, &args.check, &[], None)?;
    let session = open()?;
    let types = column_types(&session)?;
    let mut passed = 0;
    let mut failed = Vec::new();
    for check in &checks {
        match test(&session, &types, check) {
            Ok((cases, failures)) => {
                passed += cases - failures.len();
                failed.extend(failures);
            }
            Err(error) => failed.push(format!("{}: {error:#}", check.id)),
        }
    }
    for failure in &failed {
        shell::warn(failure);
    }
    shell::answer(&format!(
        "{} checks, {passed} cases passed, {} failed\n",
        checks.len(),
        failed.len()
    ))?;
    ensure!(
        failed.is_empty(),
        "{} of the test cases failed",
        failed.len()
    );
    Ok(Exit::Done)
}

fn open() -> anyhow::Result<Session> {
    let limits = Limits {
        memory: "1GB".to_owned(),
        threads: Some(1),
    };
    let mut session = Session::open(&limits, &Config::load(None)?, AS_OF)?;
    let names: Vec<String> = session.tables.keys().cloned().collect();
    for name in names {
        session.register(&name, &[])?;
    }
    session.define_views()?;
    session.lock(&[])?;
    Ok(session)
}

/// Types of the columns by table: looked up once, since DuckDB binds every view to tell.
type Types = BTreeMap<String, BTreeMap<String, String>>;

fn column_types(session: &Session) -> anyhow::Result<Types> {
    let mut statement = session
        .connection
        .prepare("select table_name, column_name, data_type from duckdb_columns()")?;
    let columns = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<Vec<(String, String, String)>, _>>()?;
    let mut types = Types::new();
    for (table, column, kind) in columns {
        types.entry(table).or_default().insert(column, kind);
    }
    Ok(types)
}

/// Runs the cases of a check; returns how many there are and what failed.
fn test(session: &Session, types: &Types, check: &Check) -> anyhow::Result<(usize, Vec<String>)> {
    let text = check.cases.as_ref().with_context(|| {
        format!(
            "no test cases: put them in {}",
            check.origin.replace(".sql", ".toml")
        )
    })?;
    let cases: Cases = toml::from_str(text)
        .map_err(|error| anyhow::anyhow!("its cases: {}", check::one_line(&error)))?;
    let statuses: BTreeSet<&str> = cases
        .case
        .iter()
        .flat_map(|case| &case.expect)
        .map(|expected| expected.status.as_str())
        .collect();
    for status in ["fail", "pass"] {
        ensure!(
            statuses.contains(status),
            "no case expects {status}: a check needs at least one that fails and one that passes"
        );
    }
    let mut failures = Vec::new();
    for case in &cases.case {
        session.connection.execute_batch("begin")?;
        let outcome = try_case(session, types, check, case);
        session.connection.execute_batch("rollback")?;
        if let Err(error) = outcome {
            failures.push(format!("{}: {}: {error:#}", check.id, case.name));
        }
    }
    Ok((cases.case.len(), failures))
}

fn try_case(session: &Session, types: &Types, check: &Check, case: &Case) -> anyhow::Result<()> {
    let config = Config::with("config", case.config.clone())?;
    if !case.config.is_empty() {
        session.connection.execute_batch(&config.sql())?;
    }
    let mut accounts = BTreeSet::from([ACCOUNT.to_owned()]);
    for (table, rows) in &case.given {
        let rows = if *table == trail::cloudtrail_events().name {
            &case_events::expand(rows)?
        } else {
            rows
        };
        for row in rows {
            give(session, types, table, row, &mut accounts)
                .with_context(|| format!("given.{table}"))?;
        }
    }
    let read = sql::tables_read(&session.connection, &check.sql)?;
    if events::are_read_by(&session.connection, &read)? {
        events::judge_from(session, case.since.as_deref(), None)?;
        events::prepare(session, &config)?;
    }
    for row in &case.errors {
        let kind = toml::Table::from_iter([("kind".to_owned(), "denied".into())]);
        insert(
            session,
            types,
            "collect_errors",
            &with_defaults(kind.into_iter().chain(row.clone()).collect(), REGION),
        )?;
    }
    let text = |text: &str| Some(text.to_owned());
    session.fill(
        "known_accounts",
        accounts.iter().map(|account| vec![text(account)]),
    )?;
    session.fill(
        "missing",
        case.missing
            .iter()
            .map(|table| vec![text(ACCOUNT), text(table), text("not collected")]),
    )?;
    let everywhere = session.tables.iter().flat_map(|(name, table)| {
        let regions = if table.global {
            vec!["global".to_owned()]
        } else {
            case.regions.clone()
        };
        regions
            .into_iter()
            .map(move |region| vec![text(ACCOUNT), Some(region), text(name)])
    });
    session.fill("collected", everywhere)?;
    session.note_gaps()?;
    let derived: Vec<&str> = session::derived_names().collect();
    if session::reach(&session.connection, &read, &derived)? {
        session.derive()?;
    }
    let failures = verdicts::judge(session, std::slice::from_ref(check))?;
    if let Some(failure) = failures.first() {
        bail!("{}", failure.message);
    }
    refuse_duplicates(session)?;
    compare(session, &case.expect)
}

/// Inserts a given row, and the resource it is.
fn give(
    session: &Session,
    types: &Types,
    table: &str,
    row: &toml::Table,
    accounts: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    let known = session.tables.get(table);
    let region = if known.is_some_and(|table| table.global) {
        "global"
    } else {
        REGION
    };
    let mut row = with_defaults(row.clone(), region);
    accounts.extend(row["account_id"].as_str().map(str::to_owned));
    let resource_type = known.and_then(|table| table.resource_type.as_ref());
    if let (Some(resource_type), true) = (resource_type, row.contains_key("arn")) {
        row.entry("tags")
            .or_insert_with(|| toml::Table::new().into());
        row.entry("incomplete")
            .or_insert_with(|| Vec::<toml::Value>::new().into());
        let mut resource: toml::Table = row
            .clone()
            .into_iter()
            .filter(|(key, _)| {
                matches!(
                    key.as_str(),
                    "account_id" | "region" | "arn" | "name" | "tags" | "created_at"
                )
            })
            .collect();
        resource.insert("resource_type".to_owned(), resource_type.as_str().into());
        resource.insert(
            "service".to_owned(),
            resource_type.split(':').next().unwrap_or_default().into(),
        );
        resource.insert("source_table".to_owned(), table.into());
        insert(session, types, "resources", &resource)?;
    }
    insert(session, types, table, &row)
}

fn with_defaults(mut row: toml::Table, region: &str) -> toml::Table {
    row.entry("account_id").or_insert_with(|| ACCOUNT.into());
    row.entry("region").or_insert_with(|| region.into());
    row
}

fn insert(session: &Session, types: &Types, table: &str, row: &toml::Table) -> anyhow::Result<()> {
    let types = types
        .get(table)
        .with_context(|| format!("no table {table}"))?;
    let (mut values, mut shape) = (Map::new(), Map::new());
    for (key, value) in row {
        // Facts of the run itself have no region or account of their own.
        let Some(kind) = types.get(key) else {
            if matches!(
                key.as_str(),
                "account_id" | "region" | "incomplete" | "created_at"
            ) {
                continue;
            }
            bail!("{table} has no column {key}");
        };
        values.insert(key.clone(), json(value, kind == "JSON"));
        shape.insert(
            key.clone(),
            if kind.ends_with("[]") {
                Value::from(vec!["VARCHAR"])
            } else {
                kind.as_str().into()
            },
        );
    }
    let shape = quote(&Value::Array(vec![shape.into()]).to_string());
    let sql = format!(
        "insert into {} by name select r.* from (select unnest(json_transform_strict(?::json, {shape})) as r)",
        identifier(table)
    );
    session
        .connection
        .execute(&sql, [Value::Array(vec![values.into()]).to_string()])?;
    Ok(())
}

/// TOML as JSON; times as text; text in a JSON column may be JSON itself.
fn json(value: &toml::Value, is_json: bool) -> Value {
    match value {
        toml::Value::String(text) if is_json => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(elements) => elements
            .iter()
            .map(|element| json(element, false))
            .collect(),
        toml::Value::Table(members) => Value::Object(
            members
                .iter()
                .map(|(key, member)| (key.clone(), json(member, false)))
                .collect(),
        ),
    }
}

/// Two verdicts on one resource that nothing tells apart would hide each other.
fn refuse_duplicates(session: &Session) -> anyhow::Result<()> {
    let sql = "select string_agg(resource_arn, ', ') from (select resource_arn from verdicts group by account_id, resource_arn, discriminator having count(*) > 1)";
    let twice: Option<String> = session.connection.query_row(sql, [], |row| row.get(0))?;
    match twice {
        Some(resources) => bail!(
            "two verdicts on {resources}: add a discriminator that tells them apart, or return one row"
        ),
        None => Ok(()),
    }
}

fn compare(session: &Session, expected: &[Expected]) -> anyhow::Result<()> {
    let sql = "select resource_arn, status, discriminator, severity, reason, command from judged order by all";
    let mut statement = session.connection.prepare(sql)?;
    let verdict = |row: &duckdb::Row<'_>| {
        Ok(Expected {
            resource: row.get(0)?,
            status: row.get(1)?,
            discriminator: row.get(2)?,
            severity: row.get(3)?,
            reason: row.get(4)?,
            command: row.get(5)?,
        })
    };
    let mut actual = statement
        .query_map([], verdict)?
        .collect::<Result<Vec<_>, _>>()?;
    for expectation in expected {
        let fits = |verdict: &Expected| {
            let same =
                |wanted: &Option<String>, got: &Option<String>| wanted.is_none() || wanted == got;
            verdict.resource == expectation.resource
                && verdict.status == expectation.status
                && same(&expectation.discriminator, &verdict.discriminator)
                && same(&expectation.severity, &verdict.severity)
                && same(&expectation.command, &verdict.command)
                && expectation.reason.as_ref().is_none_or(|part| {
                    verdict
                        .reason
                        .as_ref()
                        .is_some_and(|reason| reason.contains(part))
                })
        };
        match actual.iter().position(fits) {
            Some(index) => {
                actual.remove(index);
            }
            None => bail!("expected {expectation:?}, got {actual:?}"),
        }
    }
    ensure!(actual.is_empty(), "not expected: {actual:?}");
    Ok(())
}
