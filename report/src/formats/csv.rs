//! Findings that do not pass as CSV, harmless in a spreadsheet.
//!
//! A cell that a spreadsheet would take for a formula starts with an apostrophe; nothing in it moves a cursor.

use std::io;

use handoff::text::{is_unprintable, printable};

use crate::content::Content;
use crate::content::finding::Finding;

/// Columns, in order.
const COLUMNS: [&str; 29] = [
    "status",
    "severity",
    "risk",
    "rule",
    "check_id",
    "title",
    "account_id",
    "region",
    "resource_arn",
    "resource_type",
    "resource_name",
    "discriminator",
    "owner",
    "environment",
    "system",
    "importance",
    "exposed",
    "reason",
    "first_seen",
    "change",
    "waiver_owner",
    "waiver_reason",
    "waiver_expires",
    "remediation",
    "evidence",
    "fingerprint",
    "kind",
    "changed_by",
    "changed_at",
];

/// Writes the file.
///
/// # Errors
/// Never for memory, which is what it writes to; the encoder's signature allows it.
pub fn render(content: &Content) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for finding in content
        .evaluation
        .iter()
        .flat_map(|evaluation| &evaluation.findings)
    {
        writer.write_record(cells(finding).map(|cell| neutral(&cell)))?;
    }
    writer
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))
}

fn cells(finding: &Finding) -> [String; 29] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let waiver = finding.waiver.as_ref();
    let actor = finding.changed_by.as_ref();
    [
        spelling(&finding.status),
        finding.severity.name().to_owned(),
        finding.risk.to_string(),
        finding.rule.to_string(),
        finding.check_id.clone(),
        finding.title.clone(),
        finding.account_id.clone(),
        finding.region.clone(),
        finding.resource_arn.clone(),
        text(&finding.resource_type),
        text(&finding.resource_name),
        text(&finding.discriminator),
        text(&finding.owner),
        text(&finding.environment),
        text(&finding.system),
        text(&finding.importance),
        finding
            .exposed
            .map(|exposed| exposed.to_string())
            .unwrap_or_default(),
        finding.reason.clone(),
        finding
            .first_seen
            .map(|time| time.to_string())
            .unwrap_or_default(),
        finding
            .change
            .map(|change| spelling(&change))
            .unwrap_or_default(),
        waiver.map(|waiver| text(&waiver.owner)).unwrap_or_default(),
        waiver
            .map(|waiver| text(&waiver.reason))
            .unwrap_or_default(),
        waiver
            .and_then(|waiver| waiver.expires)
            .map(|time| time.to_string())
            .unwrap_or_default(),
        text(&finding.remediation),
        text(&finding.evidence),
        finding.fingerprint.clone(),
        text(&finding.kind),
        actor
            .map(|actor| actor.principals.join(" "))
            .unwrap_or_default(),
        actor
            .map(|actor| actor.last.to_string())
            .unwrap_or_default(),
    ]
}

/// The lake's spelling of a value of a fixed vocabulary.
fn spelling(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// A cell no spreadsheet evaluates.
fn neutral(cell: &str) -> String {
    let cell = printable(cell);
    // Spreadsheets skip blanks, quotes and what we replaced before they look for a formula, and know full-width signs.
    let start = cell.trim_start_matches(|c: char| {
        c.is_whitespace() || is_unprintable(c) || matches!(c, '\u{fffd}' | '"')
    });
    let is_formula = start.starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠']);
    if is_formula {
        format!("'{cell}")
    } else {
        cell.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::neutral;

    #[test]
    fn formulas_become_text() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r\n=cmd|' /C calc'!A0",
            " =1",
            "\"=1",
            "＝1",
            "|x",
        ] {
            assert!(neutral(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!(neutral("a=b, c-d"), "a=b, c-d");
        assert_eq!(neutral("b01_bastion_platform"), "b01_bastion_platform");
    }
}
