//! Test cases of checks and derived tables: given rows, expected verdicts or rows.
//!
//! A case goes the whole way, unknown rule included, in a transaction that is rolled back. A check without a failing
//! and a passing case is refused: a check that can't fail finds nothing, one that can't pass is noise.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use handoff::shell::{self, Exit};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::check::{self, Check};
use crate::cli::{Limits, TestArgs};
use crate::config::Config;
use crate::session::{self, Session};
use crate::sql::{identifier, quote};
use crate::{embedded, verdicts};

/// Account and region of rows that name none, and the time of the facts in all cases.
const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";
const AS_OF: &str = "2026-11-16 06:00:00";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases<Row> {
    case: Vec<Case<Row>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<Row> {
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
    /// Of a derived table: the rows looked at, as an SQL condition.
    #[serde(rename = "where")]
    condition: Option<String>,
    expect: Vec<Row>,
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
    let (tables, patterns): (Vec<String>, Vec<String>) = args
        .check
        .iter()
        .cloned()
        .partition(|name| table_cases(name).is_some());
    let checks = if patterns.is_empty() && !tables.is_empty() {
        Vec::new()
    } else {
        check::select(check::load(&args.sources.checks)?, &patterns, &[], None)?
    };
    let session = open()?;
    let mut passed = 0;
    let mut failed = Vec::new();
    let mut count = |name: &str, outcome: anyhow::Result<(usize, Vec<String>)>| match outcome {
        Ok((cases, failures)) => {
            passed += cases - failures.len();
            failed.extend(failures);
        }
        Err(error) => failed.push(format!("{name}: {error:#}")),
    };
    for check in &checks {
        count(&check.id, test(&session, check));
    }
    for name in session::derived_names() {
        if args.check.is_empty() || tables.iter().any(|table| table == name) {
            count(name, test_table(&session, name));
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

/// Runs the cases of a check; returns how many there are and what failed.
fn test(session: &Session, check: &Check) -> anyhow::Result<(usize, Vec<String>)> {
    let text = check.cases.as_ref().with_context(|| {
        format!(
            "no test cases: put them in {}",
            check.origin.replace(".sql", ".toml")
        )
    })?;
    let cases: Cases<Expected> = parse(text)?;
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
    let failures = run_cases(session, &check.id, &cases, |case| {
        judge(session, check, case)
    })?;
    Ok((cases.case.len(), failures))
}

/// The cases of a derived table, in the file beside it.
fn table_cases(name: &str) -> Option<&'static str> {
    let path = format!("{name}.toml");
    embedded::DERIVED
        .iter()
        .find_map(|(file, text)| (*file == path).then_some(*text))
}

/// Runs the cases of a derived table; returns how many there are and what failed.
fn test_table(session: &Session, name: &str) -> anyhow::Result<(usize, Vec<String>)> {
    let Some(text) = table_cases(name) else {
        return Ok((0, Vec::new()));
    };
    let cases: Cases<toml::Table> = parse(text)?;
    let failures = run_cases(session, name, &cases, |case| {
        session.derive_only(&BTreeSet::from([name.to_owned()]))?;
        let condition = case.condition.as_deref().unwrap_or("true");
        compare_rows(session, name, condition, &case.expect)
    })?;
    Ok((cases.case.len(), failures))
}

fn parse<Row: DeserializeOwned>(text: &str) -> anyhow::Result<Cases<Row>> {
    toml::from_str(text).map_err(|error| anyhow::anyhow!("its cases: {}", check::one_line(&error)))
}

/// Sets up every case and looks at it with `look`, in a transaction of its own; returns what failed.
fn run_cases<Row>(
    session: &Session,
    name: &str,
    cases: &Cases<Row>,
    look: impl Fn(&Case<Row>) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    for case in &cases.case {
        session.connection.execute_batch("begin")?;
        let outcome = set_up(session, case).and_then(|()| look(case));
        session.connection.execute_batch("rollback")?;
        if let Err(error) = outcome {
            failures.push(format!("{name}: {}: {error:#}", case.name));
        }
    }
    Ok(failures)
}

/// Fills the tables with what a case gives.
fn set_up<Row>(session: &Session, case: &Case<Row>) -> anyhow::Result<()> {
    session
        .connection
        .execute_batch(&Config::with("config", case.config.clone())?.sql())?;
    let mut accounts = BTreeSet::from([ACCOUNT.to_owned()]);
    for (table, rows) in &case.given {
        for row in rows {
            give(session, table, row, &mut accounts).with_context(|| format!("given.{table}"))?;
        }
    }
    for row in &case.errors {
        let kind = toml::Table::from_iter([("kind".to_owned(), "denied".into())]);
        insert(
            session,
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
    session.note_gaps()
}

fn judge(session: &Session, check: &Check, case: &Case<Expected>) -> anyhow::Result<()> {
    session.derive_only(&session.derived_read(&check.sql)?)?;
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
        insert(session, "resources", &resource)?;
    }
    insert(session, table, &row)
}

fn with_defaults(mut row: toml::Table, region: &str) -> toml::Table {
    row.entry("account_id").or_insert_with(|| ACCOUNT.into());
    row.entry("region").or_insert_with(|| region.into());
    row
}

fn insert(session: &Session, table: &str, row: &toml::Table) -> anyhow::Result<()> {
    let mut statement = session
        .connection
        .prepare("select column_name, data_type from duckdb_columns() where table_name = ?")?;
    let types: BTreeMap<String, String> = statement
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    ensure!(!types.is_empty(), "no table {table}");
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

/// The word for null in an expected row: TOML has none.
const NULL: &str = "null";

/// Every row must be expected by the columns that the case names, and nothing else may be expected.
fn compare_rows(
    session: &Session,
    table: &str,
    condition: &str,
    expected: &[toml::Table],
) -> anyhow::Result<()> {
    let sql = format!(
        "select to_json(t)::varchar from {} as t where {condition}",
        identifier(table)
    );
    let mut statement = session.connection.prepare(&sql)?;
    let texts = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    let mut actual = texts
        .iter()
        .map(|text| serde_json::from_str(text))
        .collect::<Result<Vec<Map<String, Value>>, _>>()?;
    for row in expected {
        let fits = |found: &Map<String, Value>| {
            row.iter().all(|(column, wanted)| match wanted.as_str() {
                Some(NULL) => found.get(column) == Some(&Value::Null),
                _ => found.get(column) == Some(&json(wanted, false)),
            })
        };
        match actual.iter().position(fits) {
            Some(index) => {
                actual.remove(index);
            }
            None => bail!(
                "expected {}, got {}",
                Value::from_iter(
                    row.iter()
                        .map(|(column, wanted)| (column.as_str(), json(wanted, false)))
                ),
                told(&actual)
            ),
        }
    }
    ensure!(actual.is_empty(), "not expected: {}", told(&actual));
    Ok(())
}

/// Rows for a message, without what is null in them.
fn told(rows: &[Map<String, Value>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let known = row.iter().filter(|(_, value)| !value.is_null());
            Value::from_iter(known.map(|(column, value)| (column.as_str(), value.clone())))
                .to_string()
        })
        .collect();
    format!("[{}]", rows.join(", "))
}
