//! Rule 4's own part: what scanners look at and how long ago, and what people attest.

use super::attested;
use crate::content::{Content, Evaluation};
use crate::markdown::words::{counted, day, number};
use crate::markdown::{Align, Page, Table, code, text};

/// Rows of the table.
const ROWS: usize = 80;

/// Writes the part.
pub fn write(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    coverage(page, content, evaluation);
    attested::write(page, content, 4);
}

fn coverage(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    page.heading(3, "Scanner coverage and age");
    let Some(scanners) = &evaluation.monitoring.scanners else {
        page.paragraph("Not known: this run has no table `scan_coverage`. Run `analyze` again.");
        return;
    };
    if scanners.is_empty() {
        page.paragraph("This run has nothing that a scanner could look at.");
        return;
    }
    let many_accounts = content.accounts.len() > 1;
    let mut columns = vec![("Scanner", Align::Left), ("Looks at", Align::Left)];
    if many_accounts {
        columns.push(("Account", Align::Left));
    }
    columns.extend([
        ("Region", Align::Left),
        ("Covered", Align::Right),
        ("Not known", Align::Right),
        ("Oldest scan", Align::Left),
        ("Age", Align::Right),
    ]);
    let mut table = Table::new(&columns);
    for scanner in scanners {
        let mut cells = vec![text(&scanner.scanner), text(&scanner.kind)];
        if many_accounts {
            cells.push(code(&scanner.account_id));
        }
        let covered = format!(
            "{} of {}",
            number(scanner.covered),
            number(scanner.resources)
        );
        let age = scanner.oldest_scan_at.map(|scanned| {
            let days = content.as_of.duration_since(scanned).as_hours() / 24;
            counted(u64::try_from(days).unwrap_or(0), "day")
        });
        cells.extend([
            text(&scanner.region),
            match scanner.covered + scanner.undecided < scanner.resources {
                true => format!("**{covered}**"),
                false => covered,
            },
            number(scanner.undecided),
            scanner.oldest_scan_at.map(day).unwrap_or_default(),
            age.unwrap_or_default(),
        ]);
        table.row(&cells);
    }
    page.table(&table, ROWS, "line");
}
