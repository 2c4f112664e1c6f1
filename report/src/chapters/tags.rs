//! Rule 1's own part: which required tags are there, by environment, and names that say nothing.

use std::collections::BTreeMap;

use crate::content::Evaluation;
use crate::content::context::{Cover, TagCoverage};
use crate::content::finding::Status;
use crate::content::score::percent;
use crate::markdown::words::{capitalised, counted, counted_as, number, some_of};
use crate::markdown::{Align, Page, Table, code};

/// Environments with a column of their own; the rest share one.
const ENVIRONMENTS: usize = 6;
/// The check whose failures are names that don't parse.
const NAME_CHECK: &str = "tag-name-format";
/// Keys with a column, and groups with a row in one file.
const KEYS: usize = 12;
const GROUPS: usize = 25;
/// Names shown.
const NAMES: usize = 40;

/// Writes the part.
pub fn write(page: &mut Page<'_>, evaluation: &Evaluation) {
    page.heading(3, "Tag coverage");
    match &evaluation.context {
        None => page
            .paragraph("Not known: this run has no table `resource_context`. Run `analyze` again."),
        Some(context) if context.tags.readable == 0 => {
            page.paragraph("Not known: no resource's tags could be read.")
        }
        Some(context) => coverage(page, &context.tags),
    }
    if let Some(context) = &evaluation.context {
        matrix(page, &context.tags, "system", &context.tags.systems);
        matrix(page, &context.tags, "owner", &context.tags.owners);
    }
    names(page, evaluation);
}

/// Who lacks which key: a row per system or owner, those without one first, then those that lack most.
fn matrix(page: &mut Page<'_>, tags: &TagCoverage, what: &str, groups: &BTreeMap<String, Cover>) {
    let keys: Vec<&String> = tags.missing.keys().take(KEYS).collect();
    if keys.is_empty() {
        return;
    }
    let mut columns = vec![
        (capitalised(what), Align::Left),
        ("Resources".to_owned(), Align::Right),
        ("All tags".to_owned(), Align::Right),
    ];
    columns.extend(keys.iter().map(|key| (code(key), Align::Right)));
    let mut table = Table::with_titles(columns);
    let mut groups: Vec<(&String, &Cover)> = groups.iter().collect();
    groups.sort_by_key(|(name, cover)| {
        let lacking = cover.readable - cover.complete;
        (!name.is_empty(), std::cmp::Reverse(lacking), *name)
    });
    for (name, cover) in groups {
        let mut cells = vec![
            if name.is_empty() {
                format!("no {what}")
            } else {
                code(name)
            },
            number(cover.readable),
            share(cover.complete, cover.readable),
        ];
        cells.extend(
            keys.iter()
                .map(|key| match cover.missing.get(*key).copied().unwrap_or(0) {
                    0 => "✓".to_owned(),
                    lacking => share(cover.readable.saturating_sub(lacking), cover.readable),
                }),
        );
        table.row(&cells);
    }
    page.heading(3, &format!("Tag coverage by {what}"));
    page.paragraph(&format!(
        "Share of the resources of each {what} that carry a required tag; `✓` is all of them."
    ));
    let limit = if page.is_folder() { usize::MAX } else { GROUPS };
    page.table(&table, limit, what);
}

fn coverage(page: &mut Page<'_>, tags: &TagCoverage) {
    let unreadable = match tags.unreadable {
        0 => String::new(),
        count => format!(
            " The tags of {} could not be read.",
            counted_as(count, "other", "others")
        ),
    };
    page.paragraph(&format!(
        "{} of {} that can carry tags carry every required one ({} %).{unreadable} Share of resources that carry each, by environment (with its number of resources):",
        number(tags.complete),
        counted(tags.readable, "resource"),
        tags.percent().unwrap_or(0),
    ));
    let columns = columns(tags);
    let titles = columns.iter().map(|column| {
        (
            format!("{} ({})", column.title, number(column.resources)),
            Align::Right,
        )
    });
    let all = (format!("All ({})", number(tags.readable)), Align::Right);
    let mut table = Table::with_titles(
        [("Required tag".to_owned(), Align::Left)]
            .into_iter()
            .chain(titles)
            .chain([all])
            .collect(),
    );
    for (key, missing) in &tags.missing {
        let cells = columns.iter().map(|column| {
            let lacking: u64 = column
                .environments
                .iter()
                .filter_map(|environment| missing.get(*environment))
                .sum();
            share(column.resources.saturating_sub(lacking), column.resources)
        });
        let lacking: u64 = missing.values().sum();
        let all = share(tags.readable.saturating_sub(lacking), tags.readable);
        table.row(
            &[code(key)]
                .into_iter()
                .chain(cells)
                .chain([all])
                .collect::<Vec<_>>(),
        );
    }
    let never_missing = tags.required_keys.saturating_sub(tags.missing.len() as u64);
    if never_missing > 0 {
        let full = columns
            .iter()
            .map(|_| "100 %".to_owned())
            .chain(["100 %".to_owned()]);
        let others = if tags.missing.is_empty() {
            counted(never_missing, "required tag")
        } else {
            counted(never_missing, "other required tag")
        };
        table.row(&[others].into_iter().chain(full).collect::<Vec<_>>());
    }
    page.table(&table, usize::MAX, "required tag");
}

struct Column<'a> {
    title: String,
    environments: Vec<&'a str>,
    resources: u64,
}

fn columns(tags: &TagCoverage) -> Vec<Column<'_>> {
    let mut named: Vec<(&str, u64)> = tags
        .environments
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    named.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let rest = named.split_off(named.len().min(ENVIRONMENTS));
    let mut columns: Vec<Column<'_>> = named
        .into_iter()
        .map(|(name, resources)| Column {
            title: code(name),
            environments: vec![name],
            resources,
        })
        .collect();
    if !rest.is_empty() {
        let title = counted_as(rest.len() as u64, "other", "others");
        columns.push(Column {
            title,
            environments: rest.iter().map(|(name, _)| *name).collect(),
            resources: rest.iter().map(|(_, count)| count).sum(),
        });
    }
    if let Some(&resources) = tags.environments.get("") {
        columns.push(Column {
            title: "No environment".to_owned(),
            environments: vec![""],
            resources,
        });
    }
    columns
}

#[expect(clippy::cast_precision_loss, reason = "counts of resources")]
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        String::new()
    } else {
        format!("{} %", percent(part as f64, whole as f64))
    }
}

fn names(page: &mut Page<'_>, evaluation: &Evaluation) {
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in evaluation
        .of(Status::Fail)
        .filter(|finding| finding.check_id == NAME_CHECK)
    {
        *names.entry(finding.resource_label()).or_default() += 1;
    }
    if names.is_empty() {
        return;
    }
    let count = names.len() as u64;
    let names: Vec<String> = names
        .into_iter()
        .map(|(name, uses)| {
            if uses > 1 {
                format!("{} ({uses} times)", code(name))
            } else {
                code(name)
            }
        })
        .collect();
    page.heading(3, "Names that don't parse");
    page.paragraph(&format!(
        "{} not made of an id, a function and a system: {}.",
        counted_as(count, "name is", "names are"),
        some_of(&names, NAMES)
    ));
}
