//! The markdown as a folder: a first file to begin with, one per rule, and the evidence of everything that failed.
//!
//! Every file stays below the size that GitHub shows, and what a table leaves out is in the evidence of its rule.

use crate::chapters::{
    RULES, appendix, changes, evidence, frameworks, owners, risks, rule, rules, scope, scoreboard,
};
use crate::content::Content;
use crate::markdown::links::INDEX;
use crate::markdown::words::counted;
use crate::markdown::{Align, Links, Page, Place, Table};
use crate::pictures::{Pictures, Shown};

use super::markdown::LIMIT;

/// What lists and tables of a file may take; the rest is for the paragraphs between them.
const ROOM: usize = LIMIT - 20_000;

/// A file of the folder: its name and its text.
pub type File = (String, String);

/// Writes the files. `diagram` is where the picture of the account is; without it, that of `pictures` is shown.
pub fn render(content: &Content, diagram: Option<&str>, pictures: &Pictures) -> Vec<File> {
    let mut links = Links {
        is_folder: true,
        ..Links::default()
    };
    let mut files: Vec<File> = Vec::new();
    for each in RULES {
        for (index, part) in evidence::split(content, each, ROOM).into_iter().enumerate() {
            let name = rule::evidence_file(each, index + 1);
            for anchor in part.anchors {
                links.evidence.insert(anchor, name.clone());
            }
            files.push((name, part.text));
        }
    }
    let mut chapter = |place: Place, write: &dyn Fn(&mut Page<'_>)| {
        let name = place.file();
        let mut page = Page::of(&name, ROOM, &links);
        write(&mut page);
        files.push((name, page.into_text()));
    };
    if content.evaluation.is_some() {
        for each in RULES {
            chapter(Place::Rule(each), &|page| {
                rule::write(page, content, each);
                show(page, pictures, Shown::Rule(each.number), "../");
            });
        }
        chapter(Place::Changes, &|page| {
            changes::write(page, content);
            show(page, pictures, Shown::Changes, "");
        });
        chapter(Place::Frameworks, &|page| frameworks::write(page, content));
    }
    chapter(Place::Method, &|page| appendix::write(page, content));
    if content.evaluation.is_some() {
        files.extend(owners::split(content, &links, ROOM));
    }
    let mut page = Page::new(ROOM, &links);
    index(&mut page, content, diagram, pictures);
    files.push((INDEX.to_owned(), page.into_text()));
    files
}

fn index(page: &mut Page<'_>, content: &Content, diagram: Option<&str>, pictures: &Pictures) {
    scope::write(page, content);
    scoreboard::write(page, content);
    rules::write(page, content);
    risks::write(page, content, diagram);
    if diagram.is_none() {
        show(page, pictures, Shown::Risks, "");
    }
    changes::summary(page, content);
    owners::summary(page, content);
    contents(page, content);
}

/// Pictures that belong to a chapter; `up` leads from its file to the folder.
fn show(page: &mut Page<'_>, pictures: &Pictures, chapter: Shown, up: &str) {
    for picture in pictures.of(chapter) {
        page.paragraph(&format!("![{}]({up}{})", picture.title(), picture.path()));
    }
}

/// What the folder holds.
fn contents(page: &mut Page<'_>, content: &Content) {
    page.heading(2, "Contents");
    let mut table = Table::new(&[("File", Align::Left), ("What it holds", Align::Left)]);
    let mut row = |page: &Page<'_>, place: Place, what: String| {
        let file = place.file();
        table.row(&[format!("[{file}]({})", page.chapter(place)), what]);
    };
    if let Some(evaluation) = &content.evaluation {
        for each in RULES {
            let failed = evaluation.tally.rule(each.number).failed;
            let what = format!(
                "rule {}, {}: {}",
                each.number,
                each.name,
                counted(failed, "open finding")
            );
            row(page, Place::Rule(each), what);
        }
        row(
            page,
            Place::Owners,
            "what to do, by owner, and how long it has been open".to_owned(),
        );
        row(
            page,
            Place::Changes,
            "what is new, reopened, fixed, accepted since the last run".to_owned(),
        );
        row(
            page,
            Place::Frameworks,
            "controls of CIS and FSBP".to_owned(),
        );
    }
    row(
        page,
        Place::Method,
        "checks, calls that brought nothing, method, glossary".to_owned(),
    );
    page.table(&table, usize::MAX, "file");
    page.paragraph("The folder `evidence` holds the facts behind every open finding, by rule, highest risk first.");
}
