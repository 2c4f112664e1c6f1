//! The page to open in a browser: one file, readable without its script, which searches, filters and pages the findings.
//!
//! Nothing is loaded from anywhere: the policy in the head allows the one style sheet and the one script by their hash, so
//! that even markup that got past the escaping could neither run nor call home. The page stays below [`LIMIT`]: it has every
//! finding while there is room, highest risk first, then the findings get their evidence in the same order while there is
//! room for that; the page says what it left out.

mod chapters;
mod data;
mod findings;
mod line;
mod owners;
mod rules;
mod scope;
mod scoreboard;
mod status;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff::text::{elide_middle, printable};
use sha2::{Digest as _, Sha256};

use super::markup::escaped;
use crate::content::Content;
use crate::content::finding::{Finding, Severity};
use crate::markdown::words::day;

/// Size the page stays below, in bytes: what a browser shows within a second or two.
pub const LIMIT: usize = 12_000_000;
/// What the list of findings may take of it; the chapters before and after it have bounds of their own.
const FINDINGS_ROOM: usize = LIMIT - 3_000_000;
/// Characters shown of a value; its beginning and its end.
const VALUE_CHARS: usize = 400;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page.
pub fn render(content: &Content) -> String {
    let list = findings::list(content, FINDINGS_ROOM);
    let mut out = head(content);
    out.push_str("<body>\n<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n");
    scope::write(&mut out, content);
    out.push_str("<main>\n");
    scope::not_evaluated(&mut out, content);
    if let Some(evaluation) = &content.evaluation {
        scoreboard::write(&mut out, content, evaluation);
        rules::write(&mut out, evaluation);
        rules::risks(&mut out, evaluation, &list);
    }
    findings::write(&mut out, content, &list);
    owners::write(&mut out, content, &list);
    chapters::write(&mut out, content, &list);
    out.push_str("</main>\n");
    let _ = write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

fn head(content: &Content) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>AWS security report, {}, {}</title>\n<style>{STYLE}</style>\n</head>\n",
        value(
            content
                .accounts
                .first()
                .map_or("no account", String::as_str)
        ),
        day(content.as_of),
    )
}

/// A value from the lake, bounded, as text of an element or an attribute.
fn value(text: &str) -> String {
    escaped(&bounded(text))
}

/// A value from the lake, bounded and on one line, as plain text.
fn bounded(text: &str) -> String {
    bounded_by(text, VALUE_CHARS)
}

fn bounded_by(text: &str, characters: usize) -> String {
    elide_middle(&printable(text), characters).into_owned()
}

/// A severity as a label; the word says it, the colour repeats it.
fn severity(severity: Severity) -> String {
    let name = severity.name();
    format!("<b class=\"sev {name}\">{name}</b>")
}

/// The resource, linked to its finding where the page lists it.
fn linked(finding: &Finding, list: &findings::List<'_>) -> String {
    let name = resource(finding);
    if list.has(finding) {
        format!("<a href=\"#{}\">{name}</a>", escaped(&finding.anchor))
    } else {
        name
    }
}

/// What a finding is about.
fn resource(finding: &Finding) -> String {
    escaped(&label(finding))
}

/// What a finding is about, as plain text.
fn label(finding: &Finding) -> String {
    if finding.is_account() {
        format!("account {}", bounded(&finding.account_id))
    } else {
        bounded(finding.resource_label())
    }
}

/// Shares as a bar. It repeats what the text beside it says, so it is hidden from screen readers.
fn bar(parts: &[(&str, u64)]) -> String {
    let total: u64 = parts.iter().map(|(_, count)| count).sum();
    let mut svg = String::from(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
    );
    let mut before = 0;
    for (class, count) in parts.iter().filter(|(_, count)| *count > 0) {
        let (from, to) = (before * 1000 / total, (before + count) * 1000 / total);
        // A share too small to see is still there.
        let width = (to - from).max(6);
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{from}\" width=\"{width}\" height=\"10\"/>"
        );
        before += count;
    }
    svg.push_str("</svg>");
    svg
}

/// Text without its full stops at the end.
fn without_stop(text: &str) -> &str {
    text.trim_end_matches('.')
}
