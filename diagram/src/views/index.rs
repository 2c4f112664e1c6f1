//! The page that lists the pictures of a folder.

use handoff::storage::{Storage, StorageError};
use serde::Deserialize;

use crate::picture::{count, grouped};

/// Name of its file.
pub const FILE: &str = "index.md";

/// Headings, by view.
const VIEWS: [(&str, &str); 5] = [
    ("landscape", "Landscape"),
    ("system", "Systems"),
    ("dr", "Disaster recovery"),
    ("exposure", "Exposure"),
    ("diff", "Changes"),
];

/// What a picture's JSON says of it.
#[derive(Deserialize)]
struct Listed {
    view: String,
    run: String,
    title: String,
    caption: Vec<String>,
    resources: Counts,
    #[serde(default)]
    filter: Restriction,
    #[serde(skip)]
    files: Vec<String>,
}

#[derive(Deserialize)]
struct Counts {
    total: u64,
    drawn: u64,
    folded: u64,
    omitted: u64,
}

#[derive(Default, Deserialize)]
struct Restriction {
    #[serde(default)]
    systems: Vec<String>,
}

/// The page about all pictures of a run that lie in a folder, whichever command drew them.
///
/// # Errors
/// When the folder can't be read.
pub fn page(folder: &Storage, run: &str) -> Result<String, StorageError> {
    let keys: Vec<String> = folder
        .level("")?
        .objects
        .into_iter()
        .map(|object| object.key)
        .collect();
    let mut pictures = Vec::new();
    for stem in keys.iter().filter_map(|key| key.strip_suffix(".json")) {
        let Some(bytes) = folder.get(&format!("{stem}.json"))? else {
            continue;
        };
        // Other files may lie there; what an earlier run left is not this one's.
        let Ok(mut picture) = serde_json::from_slice::<Listed>(&bytes) else {
            continue;
        };
        if picture.run.split(' ').next_back() != Some(run) {
            continue;
        }
        let endings = ["svg", "png", "dot", "json"];
        let there = endings.map(|ending| (ending, format!("{stem}.{ending}")));
        picture.files = there
            .into_iter()
            .filter(|(_, key)| keys.contains(key))
            .map(|(ending, key)| format!("[{ending}]({key})"))
            .collect();
        pictures.push(picture);
    }
    Ok(written(&mut pictures))
}

fn written(pictures: &mut [Listed]) -> String {
    // What shows everything comes first, what has no system last.
    pictures.sort_by(|a, b| {
        let place = |picture: &Listed| {
            let systems = &picture.filter.systems;
            (!systems.is_empty(), systems == &[""], picture.title.clone())
        };
        place(a).cmp(&place(b))
    });
    let as_of = pictures
        .iter()
        .filter_map(|picture| picture.caption.last())
        .find(|part| part.starts_with("as of "));
    let mut page = "# Pictures\n".to_owned();
    if let Some(as_of) = as_of {
        page.push_str(&format!("\nThe account {}.\n", escaped(as_of)));
    }
    for (view, heading) in VIEWS {
        let of_view: Vec<&Listed> = pictures
            .iter()
            .filter(|picture| picture.view == view)
            .collect();
        if of_view.is_empty() {
            continue;
        }
        page.push_str(&format!(
            "\n## {heading}\n\n| picture | resources | drawn | folded | omitted | files |\n| --- | --: | --: | --: | --: | --- |\n"
        ));
        for picture in of_view {
            let counts = &picture.resources;
            page.push_str(&format!(
                "| {} | {} | {} | {} | {} | {} |\n",
                escaped(&picture.title),
                grouped(counts.total),
                grouped(counts.drawn),
                grouped(counts.folded),
                grouped(counts.omitted),
                picture.files.join(" ")
            ));
        }
    }
    page.push_str(&format!("\n{}.\n", count(pictures.len() as u64, "picture")));
    page
}

/// A name in a cell of a table: as it is, and neither markup nor the cell's end.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for c in handoff::text::printable(name).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '.' | ',' | ':') {
            text.push_str(&format!("&#{};", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}
