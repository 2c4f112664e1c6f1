//! What differs between two runs: resources that came, went or are configured differently, references likewise, and
//! who did it, where the lake has the events of CloudTrail.
//!
//! Null is not a value: what one of the runs could not ask is no change. A resource that is missing where its table was
//! not collected, or only partly, is neither added nor removed, but not known.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use handoff::run::{Run, Stage};

use super::read::{ReadError, rows, rows_of};
use super::{Facts, Index, Link, Resource, author};

/// What became of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in the later run only.
    Added,
    /// It is in the earlier run only.
    Removed,
    /// It is configured differently: `backup retention days 35 → 7`.
    Changed(Vec<String>),
}

/// Two runs as one.
#[derive(Debug, Default)]
pub struct Changes {
    /// Resources of both runs, with the references of both.
    pub facts: Facts,
    /// When the earlier facts were collected.
    pub before: String,
    /// What became of resources.
    pub fates: BTreeMap<Index, Fate>,
    /// Who did it, and when.
    pub authors: BTreeMap<Index, String>,
    /// References of the earlier run.
    pub old_links: Vec<Link>,
    /// References of the later run.
    pub new_links: Vec<Link>,
    /// Reachable from the internet in the earlier run, as far as known.
    pub was_exposed: BTreeMap<Index, bool>,
    /// Resources that are in one run only, where the other could not see them.
    pub unknown: BTreeSet<Index>,
}

/// Compares two runs.
///
/// # Errors
/// When files of one of them, or the events between them, can't be read.
pub fn read(before: &Run, after: &Run, old: Facts, new: Facts) -> Result<Changes, ReadError> {
    let (differences, states) = rayon::join(
        || Values::read(before)?.differences(after),
        || Ok::<_, ReadError>((State::read(before)?, State::read(after)?)),
    );
    let (differences, (old_state, new_state)) = (differences?, states?);
    let mut changes = Changes {
        before: old.as_of.clone(),
        ..Changes::default()
    };
    let old_arns: HashSet<String> = old.resources.iter().map(|r| r.arn.clone()).collect();
    let new_arns: HashSet<String> = new.resources.iter().map(|r| r.arn.clone()).collect();
    let exposed: HashMap<String, bool> = old
        .resources
        .iter()
        .filter_map(|resource| Some((resource.arn.clone(), resource.exposed?)))
        .collect();
    let (old_ends, new_ends) = (by_arn(&old), by_arn(&new));
    let mut facts = Facts {
        as_of: new.as_of,
        analyzed: new.analyzed && old.analyzed,
        resources: new.resources,
        main_route_tables_known: false,
        ..Facts::default()
    };
    let gone = old.resources.into_iter();
    facts
        .resources
        .extend(gone.filter(|resource| !new_arns.contains(&resource.arn)));
    let positions = facts.index();
    for index in facts.indexes() {
        let resource = facts.resource(index);
        let arn = resource.arn.as_str();
        match (old_arns.contains(arn), new_arns.contains(arn)) {
            (true, false) if new_state.saw(resource, old_state.tables.get(arn)) => {
                changes.fates.insert(index, Fate::Removed);
            }
            (false, true) if old_state.saw(resource, new_state.tables.get(arn)) => {
                changes.fates.insert(index, Fate::Added);
            }
            (true, true) => {
                if let Some(differences) = differences.get(arn) {
                    let fate = Fate::Changed(differences.iter().cloned().collect());
                    changes.fates.insert(index, fate);
                }
            }
            _ => {
                changes.unknown.insert(index);
            }
        }
        if let Some(&was) = exposed.get(arn) {
            changes.was_exposed.insert(index, was);
        }
    }
    changes.old_links = links(old.links, &old_ends, &positions);
    changes.new_links = links(new.links, &new_ends, &positions);
    facts.links = changes.old_links.clone();
    facts.links.extend(changes.new_links.iter().cloned());
    // Two sorted parts: merged rather than sorted.
    facts.links.sort();
    facts.links.dedup();
    facts.positions = positions;
    changes.authors = author::read(before, after, &facts, &changes.fates)?;
    changes.facts = facts;
    Ok(changes)
}

fn by_arn(facts: &Facts) -> Vec<String> {
    facts.resources.iter().map(|r| r.arn.clone()).collect()
}

/// References with the positions that resources have in both runs together.
fn links(links: Vec<Link>, arns: &[String], positions: &HashMap<String, Index>) -> Vec<Link> {
    let moved = |end: Option<Index>| {
        end.and_then(|end| positions.get(arns.get(end as usize)?))
            .copied()
    };
    let mut links: Vec<Link> = links
        .into_iter()
        .map(|link| Link {
            from: moved(link.from),
            to: moved(link.to),
            ..link
        })
        .collect();
    // Positions keep their order but where a resource changed its type: little is left to sort.
    links.sort();
    links.dedup();
    links
}

/// What is compared of a run.
#[derive(Default)]
struct Values {
    /// Numbers of the columns of each table.
    columns: HashMap<String, HashMap<String, usize>>,
    /// Values of each resource, by the number of their column.
    cells: HashMap<String, Cells>,
}

/// What a run could see.
#[derive(Default)]
struct State {
    /// Table of each resource.
    tables: HashMap<String, String>,
    /// Tables and accounts that were collected.
    collected: HashSet<(String, String)>,
    /// Tables, accounts and regions in which something of the table failed.
    failed: HashSet<(String, String, String)>,
}

/// Values one behind the other, which takes less time and memory than a text for each.
#[derive(Default)]
struct Cells {
    text: String,
    /// Number of the column, and where its value ends.
    ends: Vec<(usize, usize)>,
}

impl Cells {
    fn push(&mut self, column: usize, value: &str) {
        self.text.push_str(value);
        self.ends.push((column, self.text.len()));
    }

    fn get(&self, column: usize) -> Option<&str> {
        let at = self.ends.iter().position(|(own, _)| *own == column)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        Some(&self.text[start..self.ends[at].1])
    }
}

impl Values {
    fn read(run: &Run) -> Result<Self, ReadError> {
        let mut count = 0;
        let mut values = Self::default();
        each_row(run, |arn, table, row| {
            let columns = values.columns.entry(table.to_owned()).or_default();
            let cells = values.cells.entry(arn.to_owned()).or_default();
            for (column, value) in row {
                let number = columns.get(column).copied().unwrap_or(count);
                if number == count {
                    columns.insert(column.to_owned(), number);
                    count += 1;
                }
                cells.push(number, &value);
            }
        })?;
        Ok(values)
    }

    /// What is different in `later`, by ARN.
    fn differences(&self, later: &Run) -> Result<HashMap<String, BTreeSet<String>>, ReadError> {
        let mut found: HashMap<String, BTreeSet<String>> = HashMap::new();
        each_row(later, |arn, table, row| {
            let (Some(cells), Some(columns)) = (self.cells.get(arn), self.columns.get(table))
            else {
                return;
            };
            for (column, value) in row {
                let before = columns.get(column).and_then(|&number| cells.get(number));
                let Some(before) = before.filter(|before| *before != value) else {
                    continue;
                };
                let differences = found.entry(arn.to_owned()).or_default();
                if column == TAGS {
                    differences.extend(tags_in_words(before, &value));
                } else {
                    differences.insert(in_words(column, before, &value));
                }
            }
        })?;
        Ok(found)
    }
}

impl State {
    fn read(run: &Run) -> Result<Self, ReadError> {
        let files = run.files(Stage::Collect)?;
        let mut state = Self::default();
        for file in &files {
            let account = file.account_id.clone().unwrap_or_default();
            state.collected.insert((file.table.clone(), account));
        }
        let tables = &mut state.tables;
        let columns = ["arn", "source_table"];
        rows(run, &files, "resources", &columns, |row| {
            tables.insert(row.string("arn"), row.string("source_table"));
        })?;
        let failed = &mut state.failed;
        let columns = ["table_name", "account_id", "region", "resource_arn"];
        rows(run, &files, "collect_errors", &columns, |row| {
            if row.text("resource_arn").is_none() {
                let place = (row.string("account_id"), row.string("region"));
                failed.insert((row.string("table_name"), place.0, place.1));
            }
        })?;
        Ok(state)
    }

    /// Whether the run would have seen a resource of this table, had it been there.
    fn saw(&self, resource: &Resource, table: Option<&String>) -> bool {
        let Some(table) = table else { return false };
        let account = &resource.account_id;
        let asked = [account.as_str(), ""].iter().any(|account| {
            self.collected
                .contains(&(table.clone(), (*account).to_owned()))
        });
        // Only the sweep over tagged resources knows it: it knows no resource that lost its tags.
        table != "tags"
            && asked
            && ![resource.region.as_str(), "global"].iter().any(|region| {
                let place = (table.clone(), account.clone(), (*region).to_owned());
                self.failed.contains(&place)
            })
    }
}

/// All tags of a resource, as one cell: a tag that was not there is a difference, while tags that nobody could read are none.
const TAGS: &str = "all tags";

/// `tag Owner added`, `tag Owner anna → ben`.
fn tags_in_words(before: &str, after: &str) -> Vec<String> {
    let parse =
        |text: &str| -> BTreeMap<String, String> { serde_json::from_str(text).unwrap_or_default() };
    let (before, after) = (parse(before), parse(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter_map(|key| match (before.get(key), after.get(key)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) => Some(in_words(&format!("tag {key}"), old, new)),
            (None, _) => Some(format!("tag {key} added")),
            (Some(_), None) => Some(format!("tag {key} removed")),
        })
        .collect()
}

/// `backup retention days 35 → 7`; of long texts only that they differ.
fn in_words(column: &str, before: &str, after: &str) -> String {
    const SHORT: usize = 24;
    let name = column.replace('_', " ");
    let is_short = |text: &str| {
        text.chars().count() <= SHORT && !text.starts_with(['{', '[']) && !text.is_empty()
    };
    if is_short(before) && is_short(after) {
        format!("{name} {before} → {after}")
    } else {
        format!("{name} differs")
    }
}

/// Columns that say who or where a thing is, or that change by themselves.
fn is_compared(column: &str) -> bool {
    // `config` is the answer as it came, which the other columns are taken from.
    const IDENTITY: [&str; 8] = [
        "account_id",
        "region",
        "arn",
        "source_table",
        "tags",
        "config",
        "etag",
        "revision_id",
    ];
    !IDENTITY.contains(&column)
        && !["last_", "latest_", "newest_", "approximate_", "ping_"]
            .iter()
            .any(|start| column.starts_with(start))
        && !["_bytes", "_count", "_used", "_at", "_epoch_seconds"]
            .iter()
            .any(|end| column.ends_with(end))
}

/// Calls `each` with every resource, its table, and its cells that are compared: columns of the table, and all tags.
fn each_row(
    run: &Run,
    mut each: impl FnMut(&str, &str, &mut dyn Iterator<Item = (&str, Cow<'_, str>)>),
) -> Result<(), ReadError> {
    let files = run.files(Stage::Collect)?;
    let mut tables: Vec<&str> = files.iter().map(|file| file.table.as_str()).collect();
    tables.sort_unstable();
    tables.dedup();
    let is_wanted = |column: &str| column == "arn" || is_compared(column);
    for table in tables.iter().filter(|table| table.starts_with("aws_")) {
        rows_of(run, &files, table, is_wanted, |row| {
            if let Some(arn) = row.text("arn") {
                let mut cells = row.cells().filter(|(column, _)| *column != "arn");
                each(arn, table, &mut cells);
            }
        })?;
    }
    rows(run, &files, "resources", &["arn", "tags"], |row| {
        let Some(arn) = row.text("arn") else { return };
        let tags = row
            .map("tags")
            .and_then(|tags| serde_json::to_string(&tags).ok());
        let mut cells = tags.into_iter().map(|tags| (TAGS, Cow::Owned(tags)));
        each(arn, "resources", &mut cells);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_short_and_say_what_differs() {
        assert_eq!(
            in_words("backup_retention_days", "35", "7"),
            "backup retention days 35 → 7"
        );
        assert_eq!(in_words("policy", "{}", "{\"a\":1}"), "policy differs");
        assert!(is_compared("desired_capacity"));
        assert_eq!(
            tags_in_words(
                r#"{"a":"1","b":"2","c":"3"}"#,
                r#"{"a":"1","b":"4","d":"5"}"#
            ),
            ["tag b 2 → 4", "tag c removed", "tag d added"]
        );
        assert!(
            !is_compared("last_used_date") && !is_compared("item_count") && !is_compared("arn")
        );
    }
}
