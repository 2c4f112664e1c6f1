//! The page in a browser: headless Chromium loads it, runs its script and hands back what a reader would see.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::NOW;
use crate::hostile::{HOSTILE, lake_of};
use crate::lake::{Analyzed, Run, checks, finding, rendered, report, small};
use crate::limits::{FINDINGS, large};

/// The document as it stands after its script ran, opened at a place.
fn browse(page: &Path, place: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--disable-dev-shm-usage",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}{place}", page.display()))
        .stderr(Stdio::null())
        .output()
        .expect("chromium, which scripts/test installs");
    assert!(
        output.status.success(),
        "chromium ended with {}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of the list, by anchor.
fn shown(dom: &str) -> Vec<&str> {
    dom.split("<li id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

/// The list of findings, as markup.
fn list(dom: &str) -> &str {
    let (_, rest) = dom.split_once("<ol class=\"list\" id=\"list\">").unwrap();
    rest.split_once("</ol>").unwrap().0
}

/// The page without its scripts, in a file of its own.
fn unscripted(page: &Path) -> std::path::PathBuf {
    let path = page.with_file_name("unscripted.html");
    let text = std::fs::read_to_string(page).unwrap();
    let (head, _) = text.rsplit_once("<script>").unwrap();
    std::fs::write(&path, head).unwrap();
    path
}

fn page(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("report.html");
    std::fs::write(&path, rendered(folder, "html")).unwrap();
    path
}

/// A server that counts who calls, and hangs up.
struct Home {
    address: String,
    calls: Arc<AtomicUsize>,
}

impl Home {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        std::thread::spawn(move || {
            for caller in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                drop(caller);
            }
        });
        Self { address, calls }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// How often something is in a document.
fn times(document: &str, what: &str) -> usize {
    document.matches(what).count()
}

#[test]
fn the_page_tells_what_the_report_tells_without_its_script() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let page = rendered(folder.path(), "html");
    for wanted in [
        "Account <b>111122223333</b>",
        "<b>This report is partial:</b> 1 of 7 checks could not decide everywhere",
        "inspector2:BatchGetAccountStatus was denied in eu-west-1",
        "<code>inspector2:BatchGetAccountStatus</code><td>denied (<code>AccessDeniedException</code>)",
        "<b>3</b> open, 1 unknown, 1 accepted, 3 passed",
        "backup retention is 0 days",
        "<dt><code>backup_retention_days</code></dt><dd>0</dd>",
        "<dt><code>zones</code></dt><dd>eu-west-1a, eu-west-1b</dd>",
        "<dt>Accepted by</dt><dd>team-checkout until 2027-01-01: can be made again",
        "--db-instance-identifier d01_orders_checkout \\\n  --backup-retention-period 7</pre>",
        "<summary><b>team-checkout</b> <span class=\"soft\">1 high</span></summary>",
        "<form id=\"filters\" role=\"search\" aria-label=\"Filter the findings\" hidden>",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert_eq!(
        shown(&page).len(),
        5,
        "everything is there before the script runs"
    );
    assert_eq!(times(&page, "<li id=\"f-"), 5);
}

#[test]
fn filters_and_search_hide_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let path = page(folder.path());
    let cases = [
        ("", 5),
        ("#severity=critical", 1),
        ("#status=waived", 1),
        ("#rule=6&status=fail", 1),
        ("#owner=0", 4),
        ("#q=Second%20FACTOR", 1),
        // What a line opens to is searched, too.
        ("#owner=1&q=eu-west-1b", 1),
        ("#q=nothing-of-this-name", 0),
    ];
    for (place, count) in cases {
        let dom = browse(&path, place);
        assert_eq!(shown(&dom).len(), count, "{place}");
        assert!(
            dom.contains(&format!(
                "<output id=\"count\" aria-live=\"polite\">{count} of 5</output>"
            )),
            "{place}"
        );
        assert!(
            !dom.contains("aria-label=\"Filter the findings\" hidden"),
            "the form is there: {place}"
        );
    }
}

#[test]
fn a_link_to_a_finding_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let path = page(folder.path());
    let anchor = shown(&std::fs::read_to_string(&path).unwrap())[1].to_owned();
    let dom = browse(&path, &format!("#{anchor}"));
    assert_eq!(
        times(&dom, "<details open=\"\"><summary class=\"line\">"),
        1
    );
    assert_eq!(shown(&dom).len(), 5, "beside the others");
    let line = dom.split(&format!("<li id=\"{anchor}\"")).nth(1).unwrap();
    assert!(
        line.split_once("<details").unwrap().1.starts_with(" open"),
        "{line}"
    );
}

#[test]
fn hostile_names_neither_run_nor_call_home() {
    let server = Home::open();
    let home = &server.address;
    let mark = "document.documentElement.id='taken'";
    let attacks = [
        format!("<script>{mark}</script><script src={home}/s></script>"),
        format!("</script><script>{mark}</script>"),
        format!("<img src={home}/i onerror=\"{mark}\">"),
        format!("\" autofocus onfocus=\"{mark}\" x=\""),
        format!("' onmouseover='{mark}' '"),
        format!(
            "</summary></details></li></ol><svg onload=\"{mark}\"><image href=\"{home}/x\"/></svg>"
        ),
        format!("</style><style>@import '{home}/c'; * {{ background: url({home}/b) }}</style>"),
        format!("</title><iframe srcdoc=\"<script>{mark}</script>\" src={home}></iframe>"),
        format!(
            "</pre></dl><link rel=stylesheet href={home}/l><meta http-equiv=refresh content=\"0;url={home}\"><base href={home}>"
        ),
        format!(
            "<a href=\"javascript:{mark}\" ping={home}>x</a><form action={home}><button autofocus>y</button></form>"
        ),
    ];
    let mut texts: Vec<&str> = attacks.iter().map(String::as_str).collect();
    texts.extend(HOSTILE);
    let folder = tempfile::tempdir().unwrap();
    lake_of(folder.path(), &texts);
    let path = page(folder.path());
    let dom = browse(&path, "#severity=critical");
    assert!(
        shown(&dom).len() == texts.len(),
        "the page's own script ran"
    );
    assert!(!dom.contains("<html lang=\"en\" id="), "nothing else ran");
    for (element, count) in [
        ("<script", 2),
        ("<style", 1),
        ("<form", 1),
        ("<meta", 5),
        ("<button", 3),
    ] {
        assert_eq!(times(&dom, element), count, "{element}");
    }
    for element in ["<img", "<iframe", "<link", "<base", "<image", "<svg onload"] {
        assert!(!dom.contains(element), "{element}");
    }
    assert_eq!(
        times(&dom, " href=\"#"),
        times(&dom, "<a "),
        "links lead into the page"
    );
    assert_eq!(server.calls(), 0, "no request was made");

    // The same attack, unescaped and without a policy, succeeds: what was asserted could have failed.
    let naive = folder.path().join("naive.html");
    std::fs::write(
        &naive,
        format!("<html lang=\"en\"><body>{}{}", attacks[0], attacks[2]),
    )
    .unwrap();
    let dom = browse(&naive, "");
    assert!(dom.contains("id=\"taken\""), "{dom}");
    assert!(server.calls() > 0, "the request was seen");
}

#[test]
fn markup_that_got_past_the_escaping_would_meet_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let path = page(folder.path());
    let server = Home::open();
    let injected = format!(
        "<main><script>document.documentElement.id='taken'</script><img src=\"{}/i\" onerror=\"document.documentElement.id='taken'\">",
        server.address
    );
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replacen("<main>", &injected, 1);
    std::fs::write(&path, text).unwrap();
    let dom = browse(&path, "");
    assert!(
        dom.contains("<script>document.documentElement") && dom.contains("5 of 5"),
        "it is in the page"
    );
    assert!(!dom.contains("id=\"taken\""), "it did not run");
    assert_eq!(server.calls(), 0, "no request was made");
}

#[test]
fn before_analyze_the_page_says_that_nothing_was_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    Run {
        resources: 3,
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    let output = report(&[folder.path().to_str().unwrap(), "--format", "html"]);
    assert_eq!(output.status.code(), Some(3));
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        page.contains("<b>Nothing was evaluated:</b>") && page.contains("None were looked for."),
        "{page}"
    );
    for absent in [
        "id=\"scoreboard\"",
        "id=\"rules\"",
        "None: every verdict is a pass.",
    ] {
        assert!(!page.contains(absent), "{absent}");
    }
}

#[test]
fn the_script_shows_what_the_markup_shows() {
    let folder = tempfile::tempdir().unwrap();
    lake_of(folder.path(), &HOSTILE);
    let path = page(folder.path());
    let with = browse(&path, "");
    let without = browse(&unscripted(&path), "");
    assert_eq!(shown(&with).len(), 5 * HOSTILE.len());
    let lines = |dom: &str| list(dom).replace("</li>\n", "</li>").trim().to_owned();
    assert_eq!(lines(&with), lines(&without));
}

#[test]
fn a_large_account_is_shown_page_by_page_and_searched_as_a_whole() {
    const LIMIT: usize = 12_000_000;
    let folder = tempfile::tempdir().unwrap();
    large(FINDINGS).commit(folder.path(), NOW);
    let path = page(folder.path());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.len() < LIMIT, "{}", text.len());
    assert!(
        !text.contains("To keep the page quick"),
        "there is room for everything"
    );

    let without = browse(&unscripted(&path), "");
    assert_eq!(shown(&without).len(), 200);
    assert!(
        without.contains(
            "id=\"unscripted\">Here are the <b>200 of highest risk</b>. The other 19,800"
        ),
        "it says that there are more"
    );

    let first = browse(&path, "");
    assert_eq!(shown(&first), shown(&without));
    assert!(
        first.contains(">20,000 of 20,000</output>")
            && first.contains("<span>Page 1 of 100</span>")
    );
    assert!(
        first.contains("id=\"unscripted\" hidden=\"\""),
        "the script can"
    );
    let last = browse(&path, "#page=100");
    assert_eq!(shown(&last).len(), 200);
    assert!(last.contains("<span>Page 100 of 100</span>"));
    assert!(!shown(&first).contains(&shown(&last)[199]));

    // What is on no page that was shown yet is found all the same, with its evidence.
    let found = browse(&path, "#q=a00301_web_shop%20port&status=fail");
    assert!(found.contains(">1 of 20,000</output>"), "{}", list(&found));
    assert!(list(&found).contains("<dt><code>port</code></dt><dd>22</dd>"));
    let opened = browse(&path, &format!("#{}", shown(&last)[199]));
    assert!(opened.contains("<span>Page 100 of 100</span>"));
    assert!(opened.contains(&format!(
        "<li id=\"{}\" class=\"aim\"><details open=\"\">",
        shown(&last)[199]
    )));
}

#[test]
fn links_lead_to_what_is_there_and_nothing_is_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    lake_of(folder.path(), &HOSTILE);
    let page = rendered(folder.path(), "html");
    let between = |start: &str| -> Vec<String> {
        let rests = page.split(start).skip(1);
        rests
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect()
    };
    let ids = between(" id=\"");
    let unique: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an id is there twice");
    let links = between(" href=\"#");
    assert!(links.len() > 100);
    for link in links {
        assert!(unique.contains(&link), "{link} leads nowhere");
    }
}

fn thousands(count: usize) -> String {
    format!("{},{:03}", count / 1000, count % 1000)
}

/// The page of so many findings with long texts, none of them twice.
fn long(count: u32, over: impl Fn(String) -> serde_json::Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let findings = (0..count).map(|number| {
        let mut over = over(format!("{number} {}", "x".repeat(3_000)));
        over["risk"] = json!(f64::from(count - number) / 200.0);
        finding("root-mfa", "fail", &format!("arn:aws:s3:::{number}"), over)
    });
    let analyzed = Analyzed {
        findings: findings.collect(),
        checks: checks(),
        ..Analyzed::default()
    };
    Run {
        resources: 1,
        analyzed: Some(analyzed),
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    let text = rendered(folder.path(), "html");
    assert!(text.len() < 12_000_000, "{}", text.len());
    text
}

/// The findings in the data of a page, and those of them that have evidence.
fn data(page: &str) -> (usize, usize) {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    let data: Value = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
    let findings = data["findings"].as_array().unwrap();
    let evidenced = findings
        .iter()
        .filter(|row| row.as_array().unwrap().len() > 12);
    (findings.len(), evidenced.count())
}

#[test]
fn evidence_that_does_not_fit_is_left_out_from_the_end_and_counted() {
    let page = long(
        20_000,
        |text| json!({"evidence": {"a": text, "b": format!("b{text}")}}),
    );
    let (lines, evidenced) = data(&page);
    assert_eq!(lines, 20_000, "every finding is there");
    assert!(evidenced > 1_000 && evidenced < lines, "{evidenced}");
    let said = format!(
        "the {} of highest risk have their evidence",
        thousands(evidenced)
    );
    assert!(page.contains(&said), "{said}");
}

#[test]
fn what_does_not_fit_is_left_out_from_the_end_and_counted() {
    let page = long(12_000, |text| {
        let other = |name: &str| format!("{name}{text}");
        json!({"resource_name": other("n"), "reason": other("w"), "owner": other("o"), "region": other("r")})
    });
    let (lines, _) = data(&page);
    assert!(lines > 1_000 && lines < 12_000, "{lines}");
    let said = format!("{} of lower risk are left out", thousands(12_000 - lines));
    assert!(page.contains(&said), "{said}");
}
