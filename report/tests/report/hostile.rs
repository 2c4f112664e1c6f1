//! Names, tags, reasons and evidence written by an attacker stay text, for a CommonMark renderer with GitHub's extensions
//! and for a spreadsheet.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use serde_json::json;

use crate::lake::{ACCOUNT, Analyzed, Run, checks, finding, rendered};

pub const HOSTILE: [&str; 30] = [
    "[click](javascript:alert(1))",
    "![track](http://evil.example/pixel.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</summary></details><h1>gone</h1>",
    "https://evil.example/login",
    "www.evil.example",
    "ftp://evil.example",
    "mailto:ops@evil.example",
    "someone@evil.example",
    "@everyone",
    "<https://evil.example>",
    "[ref]: https://evil.example",
    "[^1] [ref][ref]",
    "`code` ``more`` ```fence```",
    "\\`<b>\\`[x](y)",
    "\\|\\\\|a|b|c",
    "| new | cells |\n| --- | --- |",
    "line\n# heading\n\n- list\n> quote",
    "line\r\n\r\n![x](y)",
    "**bold** __bold__ *em* _em_ ~~gone~~",
    "&lt;b&gt; &#x5b;x](y) &amp;",
    "$e^x$ $$x$$",
    "\u{202e}lmth.live\u{202c} \u{200b}zero",
    "\u{1b}[2J\u{7}",
    " `",
    "`",
    "\\",
    "<!-- comment",
    "--> <![CDATA[ <?php ?>",
];

/// A lake in which every text of a finding is hostile.
fn hostile_lake(folder: &std::path::Path) {
    lake_of(folder, &HOSTILE);
}

/// A lake in which every text of a finding is one of these.
pub fn lake_of(folder: &std::path::Path, texts: &[&str]) {
    let mut findings = Vec::new();
    let mut context = Vec::new();
    let mut zones = Vec::new();
    let (mut trail_days, mut scans, mut trails) = (Vec::new(), Vec::new(), Vec::new());
    for (number, text) in texts.iter().enumerate() {
        let arn = format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{number}-{text}");
        let mut evidence = serde_json::Map::new();
        evidence.insert((*text).to_owned(), json!([text, {"nested": text}]));
        evidence.insert("value".to_owned(), json!(text));
        let over = json!({"resource_name": text, "owner": text, "environment": text, "system": text, "importance": text, "reason": text,
            "evidence": evidence, "remediation": text, "remediation_command": text, "discriminator": text, "region": text, "exposed": true});
        findings.push(finding("tag-name-format", "fail", &arn, over.clone()));
        findings.push(finding("inspector-off", "unknown", &arn, over.clone()));
        let mut waived = finding("root-mfa", "waived", &arn, over);
        (waived["waiver_owner"], waived["waiver_reason"]) = (json!(text), json!(text));
        findings.push(waived);
        context.push(json!({"arn": arn, "resource_type": "rds:db", "name": text, "summary": text, "environment": text, "owner": text, "importance": text,
            "importance_rank": 1, "dr": [text], "dr_unmet": [text], "required_tags": 3, "missing_tags": [text], "taggable": true, "exposed": true, "exposure": text}));
        trail_days.push(json!({"account_id": ACCOUNT, "region": text, "day": "2026-11-15T00:00:00Z", "events": 1, "changes": 1}));
        scans.push(json!({"account_id": ACCOUNT, "region": text, "scanner": text, "kind": text, "resources": 2, "covered": 1, "undecided": 0}));
        trails.push(json!({"account_id": ACCOUNT, "region": text, "arn": arn, "trail_name": text, "home_region": text, "s3_bucket_name": text}));
        let trace = json!({"principals": [text], "addresses": [text], "first": "2026-11-15 09:00:00", "last": "2026-11-15 09:00:00", "calls": 1});
        let over = json!({"kind": "detection", "resource_name": text, "reason": text, "discriminator": text, "evidence": {"trace": trace}});
        findings.push(finding("dns-zone-backup", "fail", &arn, over));
        findings.push(finding(
            "cis-alarms",
            "fail",
            &arn,
            json!({"discriminator": text, "reason": text, "evidence": {"control": text}}),
        ));
        zones.push(json!({"account_id": ACCOUNT, "zone_id": text, "name": text, "records": 1, "left_out": 2}));
    }
    let errors = texts.iter().map(|text| json!({"account_id": ACCOUNT, "region": text, "service": text, "operation": text, "table_name": text, "kind": "denied", "code": text, "message": text}));
    Run {
        errors: errors.collect(),
        resources: 1,
        analyzed: Some(Analyzed {
            findings,
            checks: checks(),
            context,
            zones,
            trail_days,
            scans,
        }),
        trails,
    }
    .commit(folder, "2026-11-16T06:00:00Z");
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.autolink = true;
    extension.table = true;
    extension.tasklist = true;
    extension.strikethrough = true;
    extension.footnotes = true;
    extension.math_dollars = true;
    options
}

/// HTML that the report itself writes, line by line or element by element.
fn is_ours(html: &str) -> bool {
    html.lines().all(|line| {
        let owner = line
            .strip_prefix("<summary><b>")
            .and_then(|line| line.strip_suffix("</summary>"));
        match owner {
            Some(text) => {
                let text = text.replacen("</b>: ", "", 1).replace("<b></b>", "");
                !text.contains(['<', '>', '"'])
            }
            None => {
                let anchor = line
                    .strip_prefix("<a id=\"f-")
                    .and_then(|line| line.strip_suffix("\">"));
                let anchor = anchor.or_else(|| {
                    line.strip_prefix("<a id=\"f-")
                        .and_then(|line| line.strip_suffix("\"></a>"))
                });
                ["<details>", "</details>", "</a>", ""].contains(&line)
                    || anchor.is_some_and(|id| {
                        id.bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                    })
            }
        }
    })
}

fn problem<'a>(node: &'a AstNode<'a>) -> Option<String> {
    match &node.data.borrow().value {
        NodeValue::HtmlBlock(block) if !is_ours(&block.literal) => {
            Some(format!("HTML block {:?}", block.literal))
        }
        NodeValue::HtmlInline(html) if !is_ours(html) => Some(format!("HTML {html:?}")),
        NodeValue::Image(link) => Some(format!("image {:?}", link.url)),
        NodeValue::Link(link) if !link.url.starts_with('#') => Some(format!("link {:?}", link.url)),
        NodeValue::Emph
        | NodeValue::Strikethrough
        | NodeValue::BlockQuote
        | NodeValue::FootnoteReference(_)
        | NodeValue::FootnoteDefinition(_)
        | NodeValue::Math(_) => Some(format!("markup {:?}", node.data.borrow().value)),
        NodeValue::Text(text) if text.contains(['@', '\u{1b}', '\u{202e}']) => {
            Some(format!("text {text:?}"))
        }
        _ => None,
    }
}

#[test]
fn the_renderer_notices_what_is_not_escaped() {
    let noticed = HOSTILE.iter().filter(|text| {
        let arena = Arena::new();
        parse_document(&arena, text, &options())
            .descendants()
            .any(|node| problem(node).is_some())
    });
    assert!(
        noticed.count() >= 15,
        "the other tests here would pass whatever the report says"
    );
}

/// What in a report's markdown is markup that the report did not write.
pub fn problems(markdown: &str) -> Vec<String> {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    root.descendants().filter_map(problem).collect()
}

#[test]
fn nothing_hostile_becomes_markup() {
    let folder = tempfile::tempdir().unwrap();
    hostile_lake(folder.path());
    let markdown = rendered(folder.path(), "markdown");
    let problems = problems(&markdown);
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(
        !markdown.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\r']),
        "nothing that a terminal would obey"
    );
}

#[test]
fn hostile_values_add_no_cells_and_no_headings() {
    let folder = tempfile::tempdir().unwrap();
    hostile_lake(folder.path());
    let markdown = rendered(folder.path(), "markdown");
    let arena = Arena::new();
    let root = parse_document(&arena, &markdown, &options());
    for table in root
        .descendants()
        .filter(|node| matches!(node.data.borrow().value, NodeValue::Table(_)))
    {
        let cells: Vec<usize> = table.children().map(|row| row.children().count()).collect();
        assert!(cells.iter().all(|count| *count == cells[0]), "{cells:?}");
    }
    let headings = root
        .descendants()
        .filter(|node| matches!(node.data.borrow().value, NodeValue::Heading(_)))
        .count();
    assert_eq!(
        headings,
        markdown
            .lines()
            .filter(|line| line.starts_with('#') && !line.starts_with("# heading"))
            .count()
    );
    // Every finding that failed has its evidence; nothing was swallowed by the one before.
    let anchors = markdown
        .lines()
        .filter(|line| line.starts_with("<a id=\"f-"))
        .count();
    assert_eq!(anchors, 3 * HOSTILE.len());
}

#[test]
fn the_table_of_a_value_shows_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let arn = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    let findings = vec![finding(
        "tag-name-format",
        "fail",
        arn,
        json!({"resource_name": "a|b <i> `c`", "reason": "a|b <i> `c` [d](e)"}),
    )];
    Run {
        analyzed: Some(Analyzed {
            findings,
            ..Analyzed::default()
        }),
        ..Run::default()
    }
    .commit(folder.path(), "2026-11-16T06:00:00Z");
    let markdown = rendered(folder.path(), "markdown");
    let html = comrak::markdown_to_html(&markdown, &options());
    assert!(html.contains("<code>a|b &lt;i&gt; `c`</code>"), "{html}");
    assert!(html.contains("a|b &lt;i&gt; `c` [d](e)"), "{html}");
}

#[test]
fn spreadsheets_see_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    let formulas = [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=1",
        "\r=1",
        " =HYPERLINK(\"http://evil.example\")",
        "＝1",
    ];
    let findings = formulas.iter().enumerate().map(|(number, text)| {
        let trace = json!({"principals": [text], "addresses": [text], "last": "2026-11-15 09:00:00"});
        finding(
            "tag-name-format",
            "fail",
            &format!("arn:aws:s3:::{number}"),
            json!({"resource_name": text, "owner": text, "reason": text, "remediation": text, "discriminator": text, "evidence": {"trace": trace}}),
        )
    });
    let run = Run {
        analyzed: Some(Analyzed {
            findings: findings.collect(),
            ..Analyzed::default()
        }),
        ..Run::default()
    };
    run.commit(folder.path(), "2026-11-16T06:00:00Z");
    let text = rendered(folder.path(), "csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut cells = 0;
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(
                !cell.trim_start().starts_with(['=', '+', '-', '@', '＝']),
                "{cell:?}"
            );
            cells += usize::from(cell.starts_with('\''));
        }
    }
    assert!(
        cells >= 6 * formulas.len(),
        "every formula was met and neutralised: {cells}"
    );
}
