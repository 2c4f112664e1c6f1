//! DOT through Graphviz, hostile names, stable bytes, and what happens when `dot` is not there.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::tempdir;

use crate::lake::{Lake, diagram, shop, stderr, stdout};

pub fn svg(dot: &str) -> String {
    let mut child = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(dot.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && complaint.is_empty(),
        "{complaint}\n{dot}"
    );
    String::from_utf8(output.stdout).unwrap()
}

pub const HOSTILE: [&str; 9] = [
    "\"><script>alert(1)</script>",
    "\\N\\G\\E",
    "a&b;&amp;&#60;",
    "]]> --> <B>",
    "\u{202e}txt.exe\u{0}\u{1b}[2J",
    "quote\" ; x [URL=\"javascript:alert(1)\"]; \"",
    "back\\",
    "\u{fffe}\u{7f}\u{9b}",
    "   ",
];

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for (number, name) in HOSTILE.iter().enumerate() {
        let more = json!({ "name": name, "owner": name, "summary": name, "environment": name, "exposed": true, "exposure": name });
        let from = lake.add("ec2:instance", &format!("i-{number}"), name, more.clone());
        let to = lake.add("s3:bucket", &format!("b-{number}"), "target", more);
        lake.link("uses", &from, &to, name);
        lake.link("alias_of", &from, name, name);
    }
    lake.commit(folder.path(), true);
    let landscape = stdout(&diagram(folder.path(), &["landscape"]));
    let drawn = svg(&landscape);
    assert!(
        !drawn.contains("<script") && !drawn.contains("href=\"javascript"),
        "{drawn}"
    );
    assert!(
        drawn.contains("&lt;script&gt;"),
        "the name is shown, as text"
    );
    for name in ["target", HOSTILE[0], HOSTILE[1], HOSTILE[5], HOSTILE[6]] {
        let output = diagram(folder.path(), &["system", "--system", name]);
        let dot = stdout(&output);
        assert!(output.status.success(), "{}", stderr(&output));
        let drawn = svg(&dot);
        assert!(
            !drawn.contains("<script") && !drawn.contains("javascript:alert(1)\"]"),
            "{drawn}"
        );
        assert!(
            !dot.chars()
                .any(|c| handoff::text::is_unprintable(c) && c != '\n'),
            "{dot}"
        );
    }
}

#[test]
fn escapes_of_graphviz_do_not_expand() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    lake.add("ec2:instance", "i-1", "\\N\\G", json!({ "name": "\\N\\G" }));
    lake.commit(folder.path(), true);
    let drawn = svg(&stdout(&diagram(
        folder.path(),
        &["system", "--system", "\\N\\G"],
    )));
    // One backslash or two, as versions of Graphviz go, but never the node's id and the graph's name in their place.
    assert!(drawn.replace("\\\\", "\\").contains("\\N\\G"), "{drawn}");
}

#[test]
fn the_order_of_rows_changes_no_byte() {
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    let mut lake = shop();
    lake.commit(first.path(), true);
    lake.context.reverse();
    lake.relationships.rotate_left(7);
    lake.relationships.reverse();
    lake.findings.reverse();
    lake.commit(second.path(), true);
    for view in [
        ["landscape"].as_slice(),
        &["system", "--system", "checkout"],
        &["system", "--system", "platform", "--format", "json"],
    ] {
        let (one, other) = (diagram(first.path(), view), diagram(second.path(), view));
        assert!(
            one.status.success() && !one.stdout.is_empty(),
            "{}",
            stderr(&one)
        );
        assert_eq!(stdout(&one), stdout(&other));
    }
}

#[test]
fn every_picture_of_the_shop_goes_through_dot() {
    let folder = tempdir().unwrap();
    let out = tempdir().unwrap();
    shop().commit(folder.path(), true);
    for view in ["landscape", "system"] {
        let output = diagram(
            folder.path(),
            &[
                view,
                "--out",
                out.path().to_str().unwrap(),
                "--render",
                "svg",
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    for stem in [
        "landscape",
        "system-checkout",
        "system-notify",
        "system-platform",
    ] {
        for ending in ["dot", "json", "svg"] {
            assert!(
                out.path().join(format!("{stem}.{ending}")).is_file(),
                "{stem}.{ending}"
            );
        }
        let dot = std::fs::read_to_string(out.path().join(format!("{stem}.dot"))).unwrap();
        assert!(!dot.contains('\r') && !dot.contains(folder.path().to_str().unwrap()));
        svg(&dot);
    }
    let index = std::fs::read_to_string(out.path().join("index.md")).unwrap();
    assert!(index.contains("[svg](system-checkout.svg)"), "{index}");
}

#[test]
fn a_rendering_stays_beside_the_dot_that_it_shows_and_no_other() {
    let (folder, out) = (tempdir().unwrap(), tempdir().unwrap());
    shop().commit(folder.path(), true);
    let into = |more: &[&str]| {
        let out = ["landscape", "--out", out.path().to_str().unwrap()];
        assert_eq!(
            diagram(folder.path(), &[&out, more].concat()).status.code(),
            Some(0)
        );
    };
    let lies = |ending: &str| out.path().join(format!("landscape.{ending}")).exists();
    into(&["--render", "svg"]);
    into(&["--render", "png"]);
    into(&[]);
    assert!(lies("svg") && lies("png"), "the same run");
    into(&["--env", "prod"]);
    assert!(lies("dot") && !lies("svg") && !lies("png"));
    let index = std::fs::read_to_string(out.path().join("index.md")).unwrap();
    assert!(!index.contains("svg") && !index.contains("png"), "{index}");
}

#[test]
fn without_graphviz_the_dot_is_kept_and_the_exit_code_tells() {
    let folder = tempdir().unwrap();
    let out = tempdir().unwrap();
    shop().commit(folder.path(), true);
    let output = Command::new(env!("CARGO_BIN_EXE_diagram"))
        .args([
            "landscape",
            folder.path().to_str().unwrap(),
            "--render",
            "svg",
            "--out",
            out.path().to_str().unwrap(),
        ])
        .env("PATH", out.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("there is no `dot` on the PATH; install Graphviz"),
        "{}",
        stderr(&output)
    );
    assert!(out.path().join("landscape.dot").is_file());
    assert!(!out.path().join("landscape.svg").exists());
}
