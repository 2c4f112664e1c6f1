//! The ways from the internet to data, as `analyze` derived them: one path from one thing to the next, and its links.
//!
//! What is closed has no path. A path is open, or it is not known whether it is.

use std::collections::HashMap;

use handoff::run::{Run, Stage};
use handoff::table::Row;

use super::read::{ReadError, rows};
use super::{Facts, Index};

/// One end of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// A resource of the run.
    Known(Index),
    /// `internet`, another account, an identity provider, or what a role reads beyond what is listed.
    Outside(String),
}

/// Where a thing stands on the way from the internet to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Outside.
    Internet,
    /// Reached from outside.
    Entry,
    /// What runs, and roles.
    Compute,
    /// Data.
    Data,
}

/// A path from one thing to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// 1 where it starts outside, else one more than the nearest path to where it starts.
    pub step: u64,
    /// Where it starts.
    pub from: End,
    /// What is reached.
    pub to: End,
    /// Where what is reached stands.
    pub lane: Lane,
    /// Open, or not known.
    pub open: bool,
    /// Ports, as they are printed; empty where calls are answered.
    pub ports: String,
    /// What opens it, or what is not known of it.
    pub words: String,
    /// Its links in order: what lets it on, and how.
    pub hops: Vec<String>,
}

/// Reads the paths of a run, sorted; `None` when `analyze` has not derived them.
///
/// # Errors
/// When the run's files can't be read.
pub fn read(run: &Run, facts: &Facts) -> Result<Option<Vec<Path>>, ReadError> {
    let derived = run.files(Stage::Analyze)?;
    if !derived.iter().any(|file| file.table == "reachability") {
        return Ok(None);
    }
    let mut hops: HashMap<String, Vec<(i64, String)>> = HashMap::new();
    let columns = ["path_id", "hop", "to_arn", "kind", "detail", "open"];
    rows(run, &derived, "reachability_hops", &columns, |row| {
        let path = row.string("path_id");
        let number = row.int("hop").unwrap_or_default();
        hops.entry(path)
            .or_default()
            .push((number, hop(facts, row)));
    })?;
    let columns = [
        "path_id",
        "step",
        "from_arn",
        "to_arn",
        "lane",
        "protocol",
        "from_port",
        "to_port",
        "open",
        "why",
        "detail",
    ];
    let mut paths = Vec::new();
    rows(run, &derived, "reachability", &columns, |row| {
        let end = |name: &str| {
            row.text(name).map(|arn| {
                facts
                    .find(arn)
                    .map_or_else(|| End::Outside(arn.to_owned()), End::Known)
            })
        };
        let (Some(from), Some(to)) = (end("from_arn"), end("to_arn")) else {
            return;
        };
        let open = row.bool("open") == Some(true);
        let mut links = row
            .text("path_id")
            .and_then(|path| hops.remove(path))
            .unwrap_or_default();
        links.sort();
        paths.push(Path {
            step: row
                .int("step")
                .and_then(|step| u64::try_from(step).ok())
                .unwrap_or(u64::MAX),
            from,
            to,
            lane: match row.text("lane") {
                Some("entry") => Lane::Entry,
                Some("data") => Lane::Data,
                _ => Lane::Compute,
            },
            open,
            ports: ports(row),
            words: row.string(if open { "detail" } else { "why" }),
            hops: links.into_iter().map(|(_, hop)| hop).collect(),
        });
    })?;
    paths.sort();
    paths.dedup();
    Ok(Some(paths))
}

/// `security-group web: tcp/443 from 0.0.0.0/0`, with a question mark where it is not known.
fn hop(facts: &Facts, row: Row<'_>) -> String {
    let arn = row.text("to_arn").unwrap_or_default();
    let name = facts.find(arn).map_or_else(
        || arn.rsplit(['/', ':']).next().unwrap_or(arn),
        |index| facts.resource(index).title(),
    );
    let mut words = format!("{} {name}", row.text("kind").unwrap_or("by"));
    if let Some(detail) = row.text("detail").filter(|detail| !detail.is_empty()) {
        words.push_str(": ");
        words.push_str(detail);
    }
    if row.bool("open") != Some(true) {
        words.push_str(" ?");
    }
    words
}

/// `443`, `8000-8080`, `udp 53`.
fn ports(row: Row<'_>) -> String {
    let ports = match (row.int("from_port"), row.int("to_port")) {
        (Some(0), Some(65_535)) => "all ports".to_owned(),
        (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
        (Some(port), _) => port.to_string(),
        _ => return String::new(),
    };
    match row.text("protocol") {
        None | Some("tcp") => ports,
        Some(protocol) => format!("{protocol} {ports}"),
    }
}
