//! Rule 6's own part: every database with what the business wants of it, and what fails there.

use std::collections::BTreeMap;

use crate::content::Evaluation;
use crate::content::finding::Status;
use crate::markdown::words::{number, span};
use crate::markdown::{Align, Page, Table, code, text};

/// Rows shown.
const ROWS: usize = 80;

/// Writes the part.
pub fn write(page: &mut Page<'_>, evaluation: &Evaluation) {
    let Some(context) = &evaluation.context else {
        page.paragraph("The list of databases is not known: this run has no table `resource_context`. Run `analyze` again.");
        return;
    };
    if context.databases.is_empty() {
        page.paragraph("This run has no database.");
        return;
    }
    let mut verdicts: BTreeMap<(&str, Status), u64> = BTreeMap::new();
    for finding in evaluation
        .findings
        .iter()
        .filter(|finding| finding.rule == 6)
    {
        *verdicts
            .entry((finding.resource_arn.as_str(), finding.status))
            .or_default() += 1;
    }
    page.heading(3, "Databases and what is wanted of them");
    page.paragraph(
        "RPO is how much work may be lost, RTO how long bringing it back may take: as tagged, else the default of the importance. Failed and unknown count this rule's verdicts on the database.",
    );
    let mut table = Table::new(&[
        ("Database", Align::Left),
        ("What it is", Align::Left),
        ("Environment", Align::Left),
        ("Importance", Align::Left),
        ("Owner", Align::Left),
        ("RPO", Align::Right),
        ("RTO", Align::Right),
        ("Failed", Align::Right),
        ("Unknown", Align::Right),
    ]);
    for database in &context.databases {
        let count = |status| {
            verdicts
                .get(&(database.arn.as_str(), status))
                .copied()
                .map_or_else(|| "0".to_owned(), number)
        };
        table.row(&[
            code(&database.name),
            text(&match &database.summary {
                Some(summary) => format!("{}: {summary}", database.resource_type),
                None => database.resource_type.clone(),
            }),
            database
                .environment
                .as_deref()
                .map(text)
                .unwrap_or_default(),
            database.importance.as_deref().map(text).unwrap_or_default(),
            database.owner.as_deref().map(code).unwrap_or_default(),
            database.rpo_seconds.map(span).unwrap_or_default(),
            database.rto_seconds.map(span).unwrap_or_default(),
            count(Status::Fail),
            count(Status::Unknown),
        ]);
    }
    page.table(&table, ROWS, "database");
}
