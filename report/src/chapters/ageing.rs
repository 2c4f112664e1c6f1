//! How long findings have been open, by owner.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::content::finding::Status;
use crate::content::{Content, Evaluation};
use crate::markdown::words::{day, number};
use crate::markdown::{Align, Page, Table, code};

/// Owners shown.
const OWNERS: usize = 60;
/// Ages in days at which a column begins.
const AGES: [(i64, &str); 4] = [
    (0, "Under a week"),
    (7, "Under a month"),
    (30, "Under a quarter"),
    (91, "Older"),
];

#[derive(Default)]
struct Ages {
    open: u64,
    by_age: [u64; AGES.len()],
    oldest: Option<Timestamp>,
}

/// Writes the part; nothing in the first run, in which everything is new.
pub fn write(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    if evaluation.history.last().is_none() {
        return;
    }
    let mut owners: BTreeMap<Option<&str>, Ages> = BTreeMap::new();
    for finding in evaluation.of(Status::Fail) {
        let ages = owners.entry(finding.owner.as_deref()).or_default();
        ages.open += 1;
        let Some(first_seen) = finding.first_seen else {
            continue;
        };
        let days = content.as_of.duration_since(first_seen).as_hours() / 24;
        let column = AGES
            .iter()
            .rposition(|(from, _)| days >= *from)
            .unwrap_or(0);
        ages.by_age[column] += 1;
        ages.oldest = Some(
            ages.oldest
                .map_or(first_seen, |oldest| oldest.min(first_seen)),
        );
    }
    if owners.is_empty() {
        return;
    }
    page.heading(3, "How long it has been open");
    page.paragraph(
        "By owner, since the first run of this lake in which it failed without a pass in between.",
    );
    let mut columns = vec![("Owner", Align::Left), ("Open", Align::Right)];
    columns.extend(AGES.map(|(_, title)| (title, Align::Right)));
    columns.push(("Oldest", Align::Left));
    let mut table = Table::new(&columns);
    let mut owners: Vec<_> = owners.into_iter().collect();
    owners.sort_by(|(a, one), (b, other)| {
        let place = |owner: &Option<&str>, ages: &Ages| {
            (
                owner.is_some(),
                std::cmp::Reverse(ages.by_age[AGES.len() - 1]),
                std::cmp::Reverse(ages.open),
            )
        };
        place(a, one).cmp(&place(b, other)).then_with(|| a.cmp(b))
    });
    for (owner, ages) in owners {
        let mut cells = vec![
            owner.map_or_else(|| "no owner".to_owned(), code),
            number(ages.open),
        ];
        cells.extend(ages.by_age.map(number));
        cells.push(ages.oldest.map(day).unwrap_or_default());
        table.row(&cells);
    }
    page.table(&table, OWNERS, "owner");
}
