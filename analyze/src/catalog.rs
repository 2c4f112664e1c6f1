//! `analyze checks` and `analyze explain`: what the checks are.

use std::fmt::Write as _;

use clap::ValueEnum;
use handoff::shell::{self, Exit, Hinted};
use serde_json::json;

use crate::check::{self, Check};
use crate::cli::{ChecksArgs, ExplainArgs};

/// Formats of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table
    Markdown,
    /// One JSON array
    Json,
}

/// Names of the seven steps.
const RULES: [&str; 7] = [
    "Tags",
    "Permissions",
    "Logging and monitoring",
    "Assessment",
    "Mitigation",
    "Databases",
    "Disaster recovery",
];

/// Lists the checks.
pub(crate) fn list(args: &ChecksArgs) -> anyhow::Result<Exit> {
    let mut checks = check::load(&args.sources.checks)?;
    if let Some(framework) = &args.framework {
        let known: std::collections::BTreeSet<String> = checks
            .iter()
            .flat_map(|check| check.metadata.frameworks.keys().cloned())
            .collect();
        if !known.contains(framework) {
            let known: Vec<String> = known.into_iter().collect();
            return Err(Hinted::new(
                format!("no check names a control of {framework:?}"),
                format!("frameworks: {}", known.join(", ")),
            )
            .into());
        }
        checks.retain(|check| check.metadata.frameworks.contains_key(framework));
    }
    shell::answer(&match args.format {
        Format::Markdown => markdown(&checks),
        Format::Json => {
            let list: Vec<_> = checks.iter().map(as_json).collect();
            format!("{}\n", serde_json::to_string_pretty(&list)?)
        }
    })?;
    Ok(Exit::Done)
}

fn as_json(check: &Check) -> serde_json::Value {
    let metadata = &check.metadata;
    json!({
        "id": check.id,
        "rule": check.rule,
        "kind": metadata.kind,
        "title": metadata.title,
        "severity": metadata.severity,
        "tables": metadata.tables,
        "frameworks": metadata.frameworks,
        "remediation": metadata.remediation,
        "command": metadata.command,
        "links": metadata.links,
    })
}

fn markdown(checks: &[Check]) -> String {
    let mut out = String::from(
        "| rule | check | severity | asks for | controls |\n| --- | --- | --- | --- | --- |\n",
    );
    for check in checks {
        let controls: Vec<String> = check
            .metadata
            .frameworks
            .iter()
            .map(|(name, controls)| format!("{name}: {}", controls.join(", ")))
            .collect();
        // Writing to a String can't fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            check.rule,
            check.id,
            check.metadata.severity,
            check.metadata.title.replace('|', "\\|"),
            controls.join("; ")
        );
    }
    out
}

/// Explains a check.
pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let checks = check::load(&args.sources.checks)?;
    let Some(check) = checks.iter().find(|check| check.id == args.check) else {
        return Err(check::unknown_check(&args.check, &checks).into());
    };
    let metadata = &check.metadata;
    let rule = RULES
        .get(usize::from(check.rule).wrapping_sub(1))
        .copied()
        .unwrap_or_default();
    let mut out = format!(
        "{}: {}\n\nrule {} ({rule}), severity {}\n",
        check.id, metadata.title, check.rule, metadata.severity
    );
    let _ = writeln!(out, "reads {}", metadata.tables.join(", "));
    for (framework, controls) in &metadata.frameworks {
        let _ = writeln!(out, "{framework}: {}", controls.join(", "));
    }
    let _ = write!(out, "\nWhat to do:\n  {}\n", metadata.remediation);
    if let Some(command) = &metadata.command {
        let _ = writeln!(out, "  {command}");
    }
    for link in &metadata.links {
        let _ = writeln!(out, "  {link}");
    }
    let _ = write!(out, "\nHow it decides:\n{}\n", check.sql);
    shell::answer(&out)?;
    Ok(Exit::Done)
}
