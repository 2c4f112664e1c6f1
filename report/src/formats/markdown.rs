//! The markdown file: chapters in their order, below a size that GitHub shows.
//!
//! Every chapter has its room, and evidence gets what the others leave. Which findings have evidence must be known before
//! anything links to it, so the chapters are written twice: first with every link, to learn how much room is left, then
//! with the links that have a target.

use crate::chapters::{
    RULES, appendix, changes, evidence, frameworks, owners, risks, rule, rules, scope, scoreboard,
};
use crate::content::Content;
use crate::content::finding::Status;
use crate::markdown::links::INDEX;
use crate::markdown::{Links, Page};

/// Size the file stays below, in bytes; GitHub shows larger ones as raw text.
pub const LIMIT: usize = 300_000;

const SUMMARY_ROOM: usize = 40_000;
const OWNERS_ROOM: usize = 45_000;
const RULE_ROOM: usize = 18_000;
const FRAMEWORKS_ROOM: usize = 20_000;
const APPENDIX_ROOM: usize = 30_000;
/// Kept free for the paragraphs and headings that chapters write whether or not there is room.
const RESERVE: usize = 12_000;

/// Writes the report.
pub fn render(content: &Content, diagram: Option<&str>) -> String {
    let place = |anchor| (anchor, INDEX.to_owned());
    let every = Links {
        is_folder: false,
        evidence: content
            .evaluation
            .iter()
            .flat_map(|evaluation| evaluation.of(Status::Fail))
            .map(|finding| place(finding.anchor.as_str()))
            .collect(),
    };
    let (before, after) = chapters(content, diagram, &every);
    let room = LIMIT.saturating_sub(before.len() + after.len() + 2);
    let evidence = evidence::write(content, room);
    let there = Links {
        is_folder: false,
        evidence: evidence.anchors.iter().copied().map(place).collect(),
    };
    let (before, after) = chapters(content, diagram, &there);
    let parts = [before, evidence.text, after];
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The chapters before and after the evidence.
fn chapters(content: &Content, diagram: Option<&str>, links: &Links<'_>) -> (String, String) {
    let page = |room: usize| Page::new(room, links);
    let mut summary = page(SUMMARY_ROOM);
    scope::write(&mut summary, content);
    scoreboard::write(&mut summary, content);
    rules::write(&mut summary, content);
    risks::write(&mut summary, content, diagram);
    changes::write(&mut summary, content);
    let mut to_do = page(OWNERS_ROOM);
    owners::write(&mut to_do, content);
    let mut texts = vec![summary.into_text(), to_do.into_text()];
    for each in RULES {
        let mut chapter = page(RULE_ROOM);
        rule::write(&mut chapter, content, each);
        texts.push(chapter.into_text());
    }
    let mut controls = page(FRAMEWORKS_ROOM);
    frameworks::write(&mut controls, content);
    texts.push(controls.into_text());
    texts.retain(|text| !text.is_empty());
    let mut last = page(APPENDIX_ROOM);
    appendix::write(&mut last, content);
    (texts.join("\n"), last.into_text())
}

// What the chapters may take together leaves room for evidence.
const _: () = assert!(
    SUMMARY_ROOM + OWNERS_ROOM + 7 * RULE_ROOM + FRAMEWORKS_ROOM + APPENDIX_ROOM + RESERVE < LIMIT
);
