//! What the report rests on: checks, calls that brought nothing, the method, the words.

use super::frameworks::name;
use super::scope::outcome;
use crate::content::Content;
use crate::content::finding::{Check, CheckStatus, Severity};
use crate::markdown::words::{and, number, some_of};
use crate::markdown::{Align, Page, Table, code, text};

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    page.heading(2, "Appendix");
    checks(page, content);
    calls(page, content);
    method(page);
    glossary(page);
}

fn checks(page: &mut Page<'_>, content: &Content) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(3, "Checks run");
    let mut table = Table::new(&[
        ("Rule", Align::Right),
        ("Check", Align::Left),
        ("Severity", Align::Left),
        ("Verdicts", Align::Right),
        ("Frameworks", Align::Left),
    ]);
    for check in &evaluation.checks {
        table.row(&[
            check.rule.to_string(),
            code(&check.check_id),
            check.severity.name().to_owned(),
            match check.status {
                CheckStatus::Evaluated => number(check.verdicts.total()),
                CheckStatus::Error => "failed".to_owned(),
                CheckStatus::NotEvaluated => "not run".to_owned(),
            },
            frameworks(check),
        ]);
    }
    if table.is_empty() {
        page.paragraph("None.");
    }
    page.table(&table, usize::MAX, "check");
}

fn frameworks(check: &Check) -> String {
    let controls: Vec<String> = check
        .frameworks
        .iter()
        .map(|(framework, controls)| text(&format!("{} {controls}", name(framework))))
        .collect();
    controls.join("; ")
}

fn calls(page: &mut Page<'_>, content: &Content) {
    page.heading(3, "Calls that brought nothing");
    if content.gaps.is_empty() {
        page.paragraph("None: every call to AWS was answered.");
        return;
    }
    page.paragraph(
        "`collect policy` prints the IAM policy that allows every call that `collect` makes.",
    );
    let mut table = Table::new(&[
        ("Call", Align::Left),
        ("Result", Align::Left),
        ("Calls", Align::Right),
        ("Accounts", Align::Left),
        ("Regions", Align::Left),
        ("Tables that lack it", Align::Left),
        ("Message", Align::Left),
    ]);
    for gap in &content.gaps {
        let some = |names: &std::collections::BTreeSet<String>| {
            some_of(&names.iter().map(|name| code(name)).collect::<Vec<_>>(), 4)
        };
        table.row(&[
            code(&format!("{}:{}", gap.service, gap.operation)),
            outcome(&gap.kind, &gap.code),
            number(gap.calls),
            some(&gap.accounts),
            some(&gap.regions),
            some(&gap.tables),
            text(&handoff::text::clip(&gap.message, 160)),
        ]);
    }
    page.table(&table, usize::MAX, "call");
}

fn method(page: &mut Page<'_>) {
    page.heading(3, "Method");
    page.paragraph(
        "Checks are SQL over what the AWS API answered, at the time given at the top. A check gives each resource it judges a verdict: pass, fail, or unknown when a \
         call it rests on was denied, failed or was not made. A waiver turns a fail into accepted until it expires.",
    );
    let severities =
        Severity::ALL.map(|severity| format!("{} {:.0}", severity.name(), severity.weight()));
    page.paragraph(&format!(
        "**Score.** A check's share is the weight of its passed verdicts over the weight of all its verdicts but accepted ones. A verdict weighs 1 for a resource of the lowest \
         importance, 2 for the next level, and so on; 2 without an importance. The score is 100 times the average of the shares over all checks that judged anything, weighted by \
         severity ({}), rounded down. Unknown is not passed, so what can't be seen costs points; 100 means that everything was judged and passed.",
        and(&severities),
    ));
    page.paragraph(
        "**Rules.** A rule fails when a verdict of it fails; it is partial when none fails and some are unknown, or failed in the last run and were not judged again, and it fails when something attested for it is over; it is not evaluated when none was decided; else it passes. Accepted \
         findings count as checked, not as failed.",
    );
    page.paragraph(
        "**Risk.** Severity weighted by the importance of the resource and by whether the internet reaches it, 0 to 100, as `analyze` computes it. A top risk stands for all findings of its check.",
    );
    page.paragraph(
        "**Fixed.** A finding of the last run counts as fixed when its resource passes now, or when what it was about is gone and its check judged the account without an unknown verdict. What is left is listed as not evaluated.",
    );
}

fn glossary(page: &mut Page<'_>) {
    page.heading(3, "Glossary");
    let words = [
        (
            "Accepted",
            "somebody signed for a finding until a date, in the file of waivers",
        ),
        (
            "Attested",
            "said by somebody, with evidence and a last day, in the file of attestations",
        ),
        (
            "CIS, FSBP",
            "CIS AWS Foundations Benchmark; AWS Foundational Security Best Practices",
        ),
        (
            "DR",
            "disaster recovery: what a resource's tag promises, such as backup or multi-az",
        ),
        (
            "Finding",
            "one check's verdict on one resource, when it is not a pass",
        ),
        (
            "Importance",
            "how much the business depends on a resource, from its tag",
        ),
        (
            "RPO",
            "recovery point objective: how much work may be lost, as a time span",
        ),
        (
            "RTO",
            "recovery time objective: how long bringing it back may take",
        ),
        (
            "Run",
            "one collection of the account and everything derived from it",
        ),
        (
            "Unknown",
            "nobody could tell: a call was denied, failed, or not made",
        ),
    ];
    let mut table = Table::new(&[("Word", Align::Left), ("Meaning", Align::Left)]);
    for (word, meaning) in words {
        table.row(&[word.to_owned(), meaning.to_owned()]);
    }
    page.table(&table, usize::MAX, "word");
}
