//! The markdown as a folder: everything is in it, links lead somewhere, no file is too large.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};

use crate::lake::{report, small};
use crate::limits::{FINDINGS, large};

const NOW: &str = "2026-11-16T06:00:00Z";

/// Writes the folder and returns its markdown files by name.
pub fn written(lake: &Path, out: &Path, more: &[&str]) -> BTreeMap<String, String> {
    let mut arguments = vec![
        lake.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--format",
        "markdown",
    ];
    arguments.extend(more);
    let output = report(&arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut files = BTreeMap::new();
    for below in ["", "rules/", "evidence/"] {
        for entry in std::fs::read_dir(out.join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

fn links(text: &str) -> Vec<String> {
    let mut options = Options::default();
    options.extension.table = true;
    let arena = Arena::new();
    parse_document(&arena, text, &options)
        .descendants()
        .filter_map(|node| match &node.data.borrow().value {
            NodeValue::Link(link) | NodeValue::Image(link) => Some(link.url.clone()),
            _ => None,
        })
        .collect()
}

/// Anchors of a file: those it sets, and those that GitHub makes of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let set = text
        .split("<a id=\"")
        .skip(1)
        .filter_map(|rest| Some(rest.split('"').next()?.to_owned()));
    let headings = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter_map(|c| match c {
                    ' ' => Some('-'),
                    c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                    _ => None,
                })
                .collect()
        });
    set.chain(headings).collect()
}

fn assert_links_lead_somewhere(files: &BTreeMap<String, String>) {
    let known: BTreeMap<&String, BTreeSet<String>> = files
        .iter()
        .map(|(name, text)| (name, anchors(text)))
        .collect();
    let mut followed = 0;
    for (name, text) in files {
        for link in links(text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => name.clone(),
                file if name.contains('/') => file
                    .strip_prefix("../")
                    .unwrap_or_else(|| panic!("{name}: {link}"))
                    .to_owned(),
                file => file.to_owned(),
            };
            if target.starts_with("pictures/") {
                continue;
            }
            let anchors = known
                .get(&target)
                .unwrap_or_else(|| panic!("{name}: {link} leads nowhere"));
            assert!(
                anchor.is_empty() || anchors.contains(anchor),
                "{name}: {link}"
            );
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed}");
}

#[test]
fn every_link_of_a_small_report_leads_somewhere() {
    let (lake, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small().commit(lake.path(), NOW);
    let files = written(lake.path(), out.path(), &[]);
    assert_links_lead_somewhere(&files);
    assert!(files["report.md"].contains("(rules/6-databases.md#rule-6-databases)"));
    for (name, text) in &files {
        assert!(text.starts_with("# "), "{name} begins with its title");
    }
}

#[test]
fn a_large_report_has_the_evidence_of_everything_in_files_that_github_shows() {
    let (lake, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    large(FINDINGS).commit(lake.path(), NOW);
    let files = written(lake.path(), out.path(), &[]);
    assert_links_lead_somewhere(&files);
    let mut evidence = 0;
    for (name, text) in &files {
        assert!(text.len() < 300_000, "{name}: {}", text.len());
        let mut rows = 0;
        for line in text.lines() {
            rows = if line.starts_with('|') { rows + 1 } else { 0 };
            assert!(rows <= 201, "{name} has a table of more than 200 rows");
        }
        evidence += text
            .lines()
            .filter(|line| line.starts_with("<a id=\"f-"))
            .count();
    }
    assert_eq!(evidence, FINDINGS);
    assert!(files["rules/1-tags.md"].contains("more findings are left out to keep the report readable: all of them, with their evidence, stand in"));
}

#[test]
fn parts_of_an_earlier_report_go_and_other_files_stay() {
    let (lake, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small().commit(lake.path(), NOW);
    std::fs::create_dir_all(out.path().join("evidence")).unwrap();
    for name in [
        "evidence/1-tags-part-9.md",
        "evidence/mine.md",
        "owners-part-7.md",
    ] {
        std::fs::write(out.path().join(name), "# of before\n").unwrap();
    }
    let files = written(lake.path(), out.path(), &[]);
    assert!(files.contains_key("evidence/mine.md"));
    assert!(!files.contains_key("evidence/1-tags-part-9.md"));
    assert!(!files.contains_key("owners-part-7.md"));
}

#[test]
fn pictures_are_taken_along_and_shown() {
    let lake = tempfile::tempdir().unwrap();
    let (out, pictures) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small().commit(lake.path(), NOW);
    for name in ["landscape.svg", "dr.svg", "graph.json"] {
        std::fs::write(pictures.path().join(name), "<svg/>").unwrap();
    }
    let folder = pictures.path().to_str().unwrap();
    let files = written(lake.path(), out.path(), &["--pictures", folder]);
    assert!(files["report.md"].contains("![landscape](pictures/landscape.svg)"));
    assert!(files["rules/7-disaster-recovery.md"].contains("![dr](../pictures/dr.svg)"));
    assert!(out.path().join("pictures/dr.svg").is_file());
    assert!(!out.path().join("pictures/graph.json").exists());
}
