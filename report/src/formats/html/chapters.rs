//! The chapters that page and markdown have in common: the same words, rendered here.
//!
//! The renderer lets no HTML of the markdown through, so that what the markdown's escaping missed would be text.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Mutex;

use comrak::adapters::{HeadingAdapter, HeadingMeta};
use comrak::nodes::Sourcepos;
use comrak::options::Plugins;
use comrak::{Anchorizer, Options};

use super::findings::List;
use crate::chapters::{RULES, ageing, appendix, changes, frameworks, rule, trend};
use crate::content::Content;
use crate::content::finding::Status;
use crate::markdown::links::INDEX;
use crate::markdown::{Links, Page, Place};

/// Markdown of a chapter stops growing here, in bytes. Rendered, it takes two to three times as much.
const ROOM: usize = 60_000;

/// Writes headings whose anchors no other heading of the page has.
#[derive(Default)]
struct Headings(Mutex<Anchorizer>);

impl HeadingAdapter for Headings {
    fn enter(
        &self,
        output: &mut dyn fmt::Write,
        heading: &HeadingMeta,
        _: Option<Sourcepos>,
    ) -> fmt::Result {
        let mut anchorizer = self.0.lock().map_err(|_| fmt::Error)?;
        let anchor = anchorizer.anchorize(&heading.content);
        let anchor = super::escaped(&anchor);
        write!(output, "<h{} id=\"{anchor}\">", heading.level)
    }

    fn exit(&self, output: &mut dyn fmt::Write, heading: &HeadingMeta) -> fmt::Result {
        write!(output, "</h{}>", heading.level)
    }
}

/// Writes the chapters, each folded.
pub fn write(out: &mut String, content: &Content, list: &List<'_>) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    let open = evaluation.of(Status::Fail);
    let links = Links {
        is_folder: false,
        evidence: open
            .filter(|finding| list.has(finding))
            .map(|finding| (finding.anchor.as_str(), INDEX.to_owned()))
            .collect(),
    };
    let headings = Headings::default();
    let mut chapter = |id: String, title: String, write: &dyn Fn(&mut Page<'_>)| {
        let mut page = Page::new(ROOM, &links);
        write(&mut page);
        let markdown = page.into_text();
        // The summary repeats the heading.
        let body = markdown.split_once('\n').map_or("", |(_, body)| body);
        // Writing to a String can't fail.
        let _ = writeln!(
            out,
            "<section class=\"chapter\" id=\"{id}\">\n<details><summary><h2>{title}</h2></summary>\n{}</details>\n</section>",
            rendered(body, &headings)
        );
    };
    chapter(Place::Changes.anchor(), "Changes".to_owned(), &|page| {
        changes::write(page, content);
        trend::table(page, evaluation);
        ageing::write(page, content, evaluation);
    });
    for each in RULES {
        let title = format!("Rule {}: {}", each.number, each.name);
        chapter(each.anchor(), title, &|page| {
            rule::overview(page, content, each);
        });
    }
    chapter(
        Place::Frameworks.anchor(),
        "Frameworks".to_owned(),
        &|page| {
            frameworks::write(page, content);
        },
    );
    chapter("appendix".to_owned(), "Appendix".to_owned(), &|page| {
        appendix::write(page, content);
    });
}

fn rendered(markdown: &str, headings: &Headings) -> String {
    let mut options = Options::default();
    options.extension.table = true;
    options.render.escape = true;
    let mut plugins = Plugins::default();
    plugins.render.heading_adapter = Some(headings);
    comrak::markdown_to_html_with_plugins(markdown, &options, &plugins)
}
