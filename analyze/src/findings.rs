//! Findings out of verdicts: the tables `findings` and `checks`, as the contract has them.

use anyhow::Context as _;
use handoff::contract;

use crate::check::{Check, Severity};
use crate::cli::FailOn;
use crate::events::LeftOut;
use crate::schema;
use crate::session::Session;

const METADATA: &str = "
create table check_metadata (check_id varchar, rule bigint, kind varchar, title varchar, severity varchar, tables varchar,
    frameworks varchar, remediation varchar, remediation_command varchar, links varchar);
create table checks_left_out (check_id varchar, why varchar);
";

/// How many findings there are, by status and severity.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Failures by severity, worst first.
    pub(crate) failed: Vec<(Severity, i64)>,
    /// Those of them that are new or reopened.
    pub(crate) failed_anew: Vec<(Severity, i64)>,
    /// Verdicts unknown.
    pub(crate) unknown: i64,
    /// Verdicts waived.
    pub(crate) waived: i64,
    /// Verdicts pass.
    pub(crate) passed: i64,
}

/// Builds `findings` and `checks` from `judged`, `resource_context`, `waivers` and `history`.
///
/// Checks that were left out stand in `checks` with the reason and have no findings.
pub(crate) fn build(
    session: &Session,
    checks: &[Check],
    left_out: &[LeftOut],
) -> anyhow::Result<Counts> {
    let connection = &session.connection;
    connection.execute_batch(METADATA)?;
    let reason = |out: &LeftOut| vec![Some(out.check.id.clone()), Some(out.why.to_owned())];
    session.fill("checks_left_out", left_out.iter().map(reason))?;
    let mut insert =
        connection.prepare("insert into check_metadata values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    for check in checks.iter().chain(left_out.iter().map(|out| &out.check)) {
        let metadata = &check.metadata;
        let frameworks: serde_json::Map<_, _> = metadata
            .frameworks
            .iter()
            .map(|(name, controls)| (name.clone(), controls.join(", ").into()))
            .collect();
        insert.execute(duckdb::params![
            check.id,
            i64::from(check.rule),
            metadata.kind.name(),
            metadata.title,
            metadata.severity.name(),
            serde_json::to_string(&metadata.tables)?,
            serde_json::Value::Object(frameworks).to_string(),
            metadata.remediation,
            metadata.command,
            serde_json::to_string(&metadata.links)?,
        ])?;
    }
    for table in [contract::findings(), contract::checks()] {
        connection.execute_batch(&schema::create(&table))?;
    }
    connection
        .execute_batch(include_str!("sql/findings.sql"))
        .context("can't build the findings")?;
    counts(session)
}

fn counts(session: &Session) -> anyhow::Result<Counts> {
    let of = |condition: &str, parameter: &str| -> anyhow::Result<i64> {
        Ok(session.connection.query_row(
            &format!("select count(*) from findings where {condition} = ?"),
            [parameter],
            |row| row.get(0),
        )?)
    };
    let mut counts = Counts {
        unknown: of("status", "unknown")?,
        waived: of("status", "waived")?,
        passed: of("status", "pass")?,
        failed: Vec::new(),
        failed_anew: Vec::new(),
    };
    for severity in Severity::WORST_FIRST {
        let failed = of("status = 'fail' and severity", severity.name())?;
        let anew = of(
            "status = 'fail' and change in ('new', 'reopened') and severity",
            severity.name(),
        )?;
        counts.failed.push((severity, failed));
        counts.failed_anew.push((severity, anew));
    }
    Ok(counts)
}

impl Counts {
    /// One line for a human.
    pub(crate) fn summary(&self, checks: usize) -> String {
        let failed: i64 = self.failed.iter().map(|(_, count)| count).sum();
        let by_severity: Vec<String> = self
            .failed
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| format!("{count} {severity}"))
            .collect();
        let by_severity = if by_severity.is_empty() {
            String::new()
        } else {
            format!(" ({})", by_severity.join(", "))
        };
        format!(
            "{checks} checks: {failed} failed{by_severity}, {} unknown, {} waived, {} passed",
            self.unknown, self.waived, self.passed
        )
    }

    /// Failures that `--fail-on` is about.
    pub(crate) fn failed_from(&self, fail_on: FailOn) -> i64 {
        let failed = if fail_on.new {
            &self.failed_anew
        } else {
            &self.failed
        };
        failed
            .iter()
            .filter(|(of, _)| *of >= fail_on.severity)
            .map(|(_, count)| count)
            .sum()
    }
}
