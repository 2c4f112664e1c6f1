//! The markdown as others see it: the rules of markdownlint, and GitHub's own renderer, cmark-gfm.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use comrak::Options;
use serde_json::Value;

use crate::NOW;
use crate::folder::written;
use crate::hostile::{HOSTILE, lake_of};
use crate::lake::{rendered, small};

/// Files by name on standard input, faults as lines on standard output. Lines may be long, commands stay as they are even
/// with a `$` in front, and these elements are ours.
const LINT: &str = "import json, sys
from pymarkdown.api import PyMarkdownApi
linter = PyMarkdownApi().disable_rule_by_identifier('md013').disable_rule_by_identifier('md014')
linter = linter.set_string_property('plugins.md033.allowed_elements', 'details,summary,a,b,br')
for name, text in json.load(sys.stdin).items():
    for fault in linter.scan_string(text).scan_failures:
        print(name, fault.line_number, fault.rule_id, fault.rule_name, fault.extra_error_information)";

/// Files by name on standard input, their HTML by name on standard output.
const GITHUB: &str = "import json, sys, cmarkgfm
from cmarkgfm.cmark import Options
options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
json.dump({name: cmarkgfm.github_flavored_markdown_to_html(text, options) for name, text in json.load(sys.stdin).items()}, sys.stdout)";

fn asked(program: &str, files: &BTreeMap<String, String>) -> String {
    let mut child = Command::new(fixtures::python())
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let documents = serde_json::to_vec(files).unwrap();
    child.stdin.take().unwrap().write_all(&documents).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The folder and the single file that a lake gives.
fn files(lake: &Path) -> BTreeMap<String, String> {
    let out = tempfile::tempdir().unwrap();
    let mut files = written(lake, out.path(), &[]);
    files.insert("standard output".to_owned(), rendered(lake, "markdown"));
    files
}

fn hostile_files() -> BTreeMap<String, String> {
    let lake = tempfile::tempdir().unwrap();
    lake_of(lake.path(), &HOSTILE);
    files(lake.path())
}

#[test]
fn markdownlint_has_nothing_to_say() {
    let lake = tempfile::tempdir().unwrap();
    small().commit(lake.path(), NOW);
    let mut hostile = hostile_files();
    // It says the same once more, and the linter is slow.
    hostile.remove("standard output");
    for files in [files(lake.path()), hostile] {
        assert!(files.len() >= 10, "{:?}", files.keys());
        assert_eq!(asked(LINT, &files), "");
    }
}

#[test]
fn the_linter_notices_what_is_wrong() {
    let wrong = "# Title\n\n#Title\n\n\n<script>alert(1)</script>  x \n- a\n- b";
    let said = asked(LINT, &BTreeMap::from([("x".to_owned(), wrong.to_owned())]));
    for rule in ["MD018", "MD012", "MD033", "MD009", "MD047"] {
        assert!(said.contains(rule), "{rule}: {said}");
    }
}

/// What the tests of hostile values judge is what GitHub shows: both renderers agree on every byte.
#[test]
fn github_renders_what_the_other_tests_judge() {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.strikethrough = true;
    options.extension.footnotes = true;
    options.render.r#unsafe = true;
    options.render.github_pre_lang = true;
    let lake = tempfile::tempdir().unwrap();
    small().commit(lake.path(), NOW);
    for files in [files(lake.path()), hostile_files()] {
        let html: Value = serde_json::from_str(&asked(GITHUB, &files)).unwrap();
        for (name, text) in &files {
            let ours = comrak::markdown_to_html(text, &options);
            let theirs = html[name].as_str().unwrap();
            for (ours, theirs) in ours.lines().zip(theirs.lines()) {
                assert_eq!(ours, theirs, "{name}");
            }
            assert_eq!(ours.lines().count(), theirs.lines().count(), "{name}");
        }
    }
}
