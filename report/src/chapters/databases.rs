//! Rule 6's own part: every database with what the business wants of it, and what fails there.

use std::collections::BTreeMap;

use crate::content::Evaluation;
use crate::content::finding::Status;
use crate::content::objectives::Observed;
use crate::markdown::words::{about, number, span};
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
        "RPO is how much work may be lost, RTO how long bringing it back may take: as tagged, else the default of the importance. Observed is what could be restored at the time of the facts, and how long its kind of \
         recovery takes at best: only a restore that was tried shows it for sure. Failed and unknown count this rule's verdicts on the database.",
    );
    let mut table = Table::new(&[
        ("Database", Align::Left),
        ("What it is", Align::Left),
        ("Environment", Align::Left),
        ("Importance", Align::Left),
        ("Owner", Align::Left),
        ("RPO wanted", Align::Right),
        ("Observed", Align::Left),
        ("RTO wanted", Align::Right),
        ("Observed", Align::Left),
        ("Restore tried", Align::Left),
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
            observed(database.rpo_seconds, database.rpo_observed.as_ref()),
            database.rto_seconds.map(span).unwrap_or_default(),
            observed(database.rto_seconds, database.rto_observed.as_ref()),
            match database.restore_tested {
                Some(Status::Pass) => "yes".to_owned(),
                Some(Status::Fail) => "**no**".to_owned(),
                Some(Status::Waived) => "no, accepted".to_owned(),
                Some(Status::Unknown) => "not known".to_owned(),
                None => String::new(),
            },
            count(Status::Fail),
            count(Status::Unknown),
        ]);
    }
    let limit = if page.is_folder() { usize::MAX } else { ROWS };
    page.table(&table, limit, "database");
}

/// What was observed, and whether that is enough.
fn observed(wanted: Option<i64>, observed: Option<&Observed>) -> String {
    let Some(observed) = observed else {
        return wanted.map_or_else(String::new, |_| "not evaluated".to_owned());
    };
    let found = observed.seconds.map_or_else(
        || match observed.status {
            Status::Fail | Status::Waived => "nothing".to_owned(),
            Status::Pass | Status::Unknown => String::new(),
        },
        about,
    );
    let verdict = match observed.status {
        Status::Pass => "met",
        Status::Fail => "**unmet**",
        Status::Waived => "unmet, accepted",
        Status::Unknown => "not known",
    };
    match found.is_empty() {
        true => verdict.to_owned(),
        false => format!("{found}, {verdict}"),
    }
}
