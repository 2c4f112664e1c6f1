//! A folder of pictures: one per system beside that of everything, and a page that lists them.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::access::threatened;
use crate::account::check;
use crate::diff::runs;
use crate::dr::stores;
use crate::lake::{Lake, diagram, diagram_of, stderr};
use crate::rendering::HOSTILE;

/// Stems of the pictures in a folder.
fn stems(folder: &Path) -> Vec<String> {
    let mut stems: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".dot").map(str::to_owned))
        .collect();
    stems.sort();
    stems
}

fn drawn(folder: &Path, stem: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(format!("{stem}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn page(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("index.md")).unwrap()
}

/// Data stores of two systems and of none, one of them open, and a system that has neither.
fn account() -> Lake {
    let (mut lake, _) = stores();
    let open = json!({ "exposed": true, "exposure": "tcp/443 from 0.0.0.0/0", "data_store": true });
    for (id, system) in [("files", "media"), ("lost", "")] {
        let bucket = lake.add("s3:bucket", id, system, open.clone());
        lake.path("internet", &bucket, 1, "data", None, Some(true));
    }
    lake.add("kms:key", "key", "quiet", json!({}));
    lake
}

#[test]
fn every_view_draws_each_system_that_has_something_to_show() {
    let (folder, out) = (tempdir().unwrap(), tempdir().unwrap());
    account().commit(folder.path(), true);
    let to = out.path().to_str().unwrap();
    for view in ["landscape", "system", "dr", "exposure"] {
        let output = diagram(folder.path(), &[view, "--out", to]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let expected = [
        "dr",
        "dr-media",
        "dr-platform",
        "dr-shop",
        "exposure",
        "exposure-media",
        "landscape",
        "no-system",
        "no-system-dr",
        "no-system-exposure",
        "system-media",
        "system-platform",
        "system-quiet",
        "system-shop",
    ];
    assert_eq!(stems(out.path()), expected);
    check(&drawn(out.path(), "exposure"), 8);
    check(&drawn(out.path(), "exposure-media"), 1);
    let page = page(out.path());
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.contains("[json]"))
        .collect();
    assert_eq!(rows.len(), expected.len());
    assert!(page.contains("14 pictures."), "{page}");
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(at("## Landscape") < at("## Systems") && at("## Systems") < at("## Exposure"));
    assert!(
        at("(exposure.json)") < at("(exposure-media.json)")
            && at("(exposure-media.json)") < at("(no-system-exposure.json)"),
        "everything comes first, what has no system last: {page}"
    );
    assert!(page.contains("| media: internet to data | 1 | 1 | 0 | 0 | [dot](exposure-media.dot) [json](exposure-media.json) |"));
}

#[test]
fn all_are_the_pictures_of_each_view() {
    let (folder, one, other) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let (mut lake, _) = threatened();
    let bucket = lake.add("s3:bucket", "files", "media", json!({ "data_store": true }));
    lake.path("internet", &bucket, 1, "data", None, Some(true));
    lake.commit(folder.path(), true);
    for view in ["landscape", "system", "dr", "exposure", "access"] {
        let to = one.path().to_str().unwrap();
        let output = diagram(folder.path(), &[view, "--out", to]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let to = other.path().to_str().unwrap();
    let output = diagram(folder.path(), &["all", "--out", to]);
    assert!(
        output.status.success() && stderr(&output).is_empty(),
        "{}",
        stderr(&output)
    );
    assert!(stems(one.path()).contains(&"access-shop".to_owned()));
    let files = |folder: &Path| {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| {
                (
                    path.file_name().unwrap().to_owned(),
                    std::fs::read(path).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    };
    assert!(files(one.path()) == files(other.path()));
    let output = diagram(folder.path(), &["all"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("add --out DIR"));
}

#[test]
fn all_leave_out_what_the_run_was_not_asked_for() {
    let (folder, out) = (tempdir().unwrap(), tempdir().unwrap());
    let mut lake = account();
    lake.asked.clear();
    lake.commit(folder.path(), true);
    let to = out.path().to_str().unwrap();
    let output = diagram(folder.path(), &["all", "--out", to]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.starts_with("note: ") && said.contains("aws_iam_role were not collected"),
        "{said}"
    );
    let stems = stems(out.path());
    assert!(
        stems.contains(&"exposure".to_owned()) && !stems.iter().any(|stem| stem.contains("access")),
        "{stems:?}"
    );
}

#[test]
fn one_system_is_one_picture() {
    let (folder, out) = (tempdir().unwrap(), tempdir().unwrap());
    account().commit(folder.path(), true);
    let to = out.path().to_str().unwrap();
    for system in ["media", ""] {
        let output = diagram(folder.path(), &["dr", "--system", system, "--out", to]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!(stems(out.path()), ["dr-media", "no-system-dr"]);
}

#[test]
fn two_runs_are_a_picture_of_each_system_that_changed() {
    let (folder, out) = (tempdir().unwrap(), tempdir().unwrap());
    let (before, mut after) = (account(), account());
    after.add("sqs:queue", "q1_new_shop", "shop", json!({}));
    before.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
    after.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
    let to = out.path().to_str().unwrap();
    // The page is about the later run, whichever view was asked for first.
    let output = diagram(folder.path(), &["landscape", "--out", to]);
    assert!(output.status.success(), "{}", stderr(&output));
    let [earlier, later] = runs(folder.path());
    let output = diagram_of(&["diff", &earlier, &later, "--out", to]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stems(out.path()), ["diff", "diff-shop", "landscape"]);
    let page = page(out.path());
    assert!(
        page.contains("## Landscape") && page.contains("(diff-shop.json)"),
        "{page}"
    );
}

#[test]
fn the_page_leaves_out_what_is_of_another_run_or_no_picture() {
    let (folder, out) = (tempdir().unwrap(), tempdir().unwrap());
    let to = out.path().to_str().unwrap();
    for time in ["2026-11-09T06:00:00Z", "2026-11-16T06:00:00Z"] {
        account().commit_at(folder.path(), true, time);
        let view = if time.starts_with("2026-11-09") {
            "system"
        } else {
            "dr"
        };
        let output = diagram(folder.path(), &[view, "--out", to]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    std::fs::write(out.path().join("package.json"), "{\"view\": 1}").unwrap();
    let odd = out.path().join("x](javascript:alert(1)).json");
    std::fs::copy(out.path().join("dr.json"), odd).unwrap();
    let page = page(out.path());
    let output = diagram(folder.path(), &["dr", "--out", to]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(crate::folder::page(out.path()), page, "the same again");
    assert!(
        !page.contains("## Systems") && page.contains("dr-shop"),
        "{page}"
    );
}

#[test]
fn hostile_names_of_systems_are_neither_paths_nor_markup() {
    let (folder, out) = (tempdir().unwrap(), tempdir().unwrap());
    let mut lake = Lake::default();
    for (number, name) in HOSTILE
        .iter()
        .chain(&["../../etc/passwd", "a|b"])
        .enumerate()
    {
        lake.add(
            "s3:bucket",
            &format!("b-{number}"),
            name,
            json!({ "data_store": true }),
        );
    }
    lake.commit(folder.path(), true);
    let to = out.path().join("pictures");
    let output = diagram(folder.path(), &["dr", "--out", to.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let entries = std::fs::read_dir(out.path()).unwrap().count();
    assert_eq!(entries, 1, "nothing beside the folder");
    let plain = |stem: &String| stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    assert!(stems(&to).iter().all(plain) && stems(&to).len() > 8);
    let page = page(&to);
    let rows = page.lines().filter(|line| line.contains("[json]"));
    for row in rows {
        assert_eq!(row.matches('|').count(), 7, "{row}");
        assert!(!row.contains(['<', '`', '\\', '*']), "{row}");
        assert_eq!(row.matches("](").count(), 2, "{row}");
    }
    assert!(
        !page
            .chars()
            .any(|c| handoff::text::is_unprintable(c) && c != '\n')
    );
}
