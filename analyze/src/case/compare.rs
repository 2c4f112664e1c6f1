//! What came out of a case against what it expects.

use anyhow::{bail, ensure};
use serde_json::{Map, Value};

use super::Expected;
use super::given::json;
use crate::session::Session;
use crate::sql::identifier;

/// Two verdicts on one resource that nothing tells apart would hide each other.
pub(super) fn refuse_duplicates(session: &Session) -> anyhow::Result<()> {
    let sql = "select string_agg(resource_arn, ', ') from (select resource_arn from verdicts group by account_id, resource_arn, discriminator having count(*) > 1)";
    let twice: Option<String> = session.connection.query_row(sql, [], |row| row.get(0))?;
    match twice {
        Some(resources) => bail!(
            "two verdicts on {resources}: add a discriminator that tells them apart, or return one row"
        ),
        None => Ok(()),
    }
}

pub(super) fn compare(session: &Session, expected: &[Expected]) -> anyhow::Result<()> {
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
pub(super) fn compare_rows(
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
