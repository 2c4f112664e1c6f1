//! The seven rules at a glance, and the ten greatest risks.

use std::fmt::Write as _;

use super::{bar, findings, linked, resource, severity, value, without_stop};
use crate::chapters::risks::{RISKS, risks as by_check};
use crate::chapters::{RULES, Rule, rules};
use crate::content::Evaluation;
use crate::content::finding::Finding;
use crate::markdown::words::{change, number, some_of};

/// Writes the chapter of the rules.
pub fn write(out: &mut String, evaluation: &Evaluation) {
    out.push_str("<section id=\"rules\">\n<h2>Seven rules</h2>\n<ol class=\"rules\">\n");
    for rule in RULES {
        let verdicts = evaluation.tally.rule(rule.number);
        let outcome = rules::outcome(evaluation, rule.number);
        let (class, sign) = match outcome {
            "fail" => ("fail", "✕"),
            "pass" => ("pass", "✓"),
            "partial" => ("partial", "◐"),
            _ => ("none", "○"),
        };
        let since = evaluation
            .history
            .last()
            .map(|last| last.rules[usize::from(rule.number) - 1].failed)
            .map(|before| since(evaluation, rule, before))
            .unwrap_or_default();
        let accepted = match verdicts.waived {
            0 => String::new(),
            waived => format!(", {} accepted", number(waived)),
        };
        let _ = writeln!(
            out,
            "<li class=\"{class}\" title=\"{}\"><a href=\"#findings\" data-rule=\"{}\"><span class=\"soft\">Rule {}</span> <b>{}</b></a>\
             <p class=\"outcome\"><span aria-hidden=\"true\">{sign}</span> {outcome}</p>{}\
             <p><b>{}</b> of {} failed{since}</p><p class=\"soft\">{} unknown{accepted}, <a class=\"more\" href=\"#{}\">in detail</a></p></li>",
            value(rule.asks),
            rule.number,
            rule.number,
            rule.name,
            bar(&[
                ("failed", verdicts.failed),
                ("unknown", verdicts.unknown),
                ("waived", verdicts.waived),
                ("passed", verdicts.passed),
            ]),
            number(verdicts.failed),
            number(verdicts.decided()),
            number(verdicts.unknown),
            rule.anchor(),
        );
    }
    out.push_str("</ol>\n</section>\n");
}

/// How a rule's failures changed. Fewer of them because nobody looked are no progress.
fn since(evaluation: &Evaluation, rule: Rule, before: u64) -> String {
    let failed = evaluation.tally.rule(rule.number).failed;
    let not_judged = rules::not_judged(evaluation, rule.number);
    let known = change(failed, before.saturating_sub(not_judged));
    match not_judged {
        0 => format!(", {known} since the last run"),
        many => format!(
            ", {known} since the last run, {} not judged again",
            number(many)
        ),
    }
}

/// Writes the chapter of the risks.
pub fn risks(out: &mut String, evaluation: &Evaluation, list: &findings::List<'_>) {
    out.push_str("<section id=\"risks\">\n<h2>Top risks</h2>\n");
    let groups = by_check(evaluation);
    if groups.is_empty() {
        out.push_str("<p>None: no check failed.</p>\n");
    } else {
        out.push_str("<ol class=\"risks\">\n");
        for group in groups.iter().take(RISKS) {
            if let Some((worst, others)) = group.split_first() {
                risk(out, worst, others, list);
            }
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</section>\n");
}

fn risk(out: &mut String, worst: &Finding, others: &[&Finding], list: &findings::List<'_>) {
    let tags: Vec<String> = [
        ("", &worst.environment),
        ("system ", &worst.system),
        ("importance ", &worst.importance),
    ]
    .into_iter()
    .filter_map(|(what, tag)| Some(format!("{what}{}", value(tag.as_deref()?))))
    .collect();
    let tags = match tags.is_empty() {
        true => String::new(),
        false => format!(" <span class=\"soft\">({})</span>", tags.join(", ")),
    };
    let exposed = match (worst.exposed, &worst.exposure) {
        (Some(true), Some(how)) => format!(" is reachable from the internet ({})", value(how)),
        (Some(true), None) => " is reachable from the internet".to_owned(),
        _ => String::new(),
    };
    let others: Vec<String> = others.iter().map(|finding| resource(finding)).collect();
    let also = match others.is_empty() {
        true => String::new(),
        false => format!(" Also {}.", some_of(&others, 3)),
    };
    let owner = match &worst.owner {
        Some(owner) => format!("owner {}, ", value(owner)),
        None if worst.is_account() => String::new(),
        None => "no owner, ".to_owned(),
    };
    let _ = writeln!(
        out,
        "<li>{} <b>{}</b>{tags}{exposed}: {}.{also} <span class=\"soft\">{owner}risk {:.0}, <code>{}</code></span></li>",
        severity(worst.severity),
        linked(worst, list),
        without_stop(&value(&worst.reason)),
        worst.risk,
        value(&worst.check_id),
    );
}
