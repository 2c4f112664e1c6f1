//! The ten greatest risks, as sentences: what, where, how it is reached, whose it is.

use std::collections::BTreeMap;

use crate::content::finding::{Finding, Status};
use crate::content::{Content, Evaluation};
use crate::markdown::page::resource;
use crate::markdown::words::some_of;
use crate::markdown::{Page, code, text};

/// Risks shown.
pub const RISKS: usize = 10;

/// Writes the chapter. `diagram` is where the picture of the account is, relative to the report, or a URL.
pub fn write(page: &mut Page<'_>, content: &Content, diagram: Option<&str>) {
    let open = content.evaluation.as_ref().map(risks).unwrap_or_default();
    if open.is_empty() && diagram.is_none() {
        return;
    }
    page.heading(2, "Top risks");
    if !open.is_empty() {
        let lines: Vec<String> = open
            .iter()
            .take(RISKS)
            .enumerate()
            .map(|(index, group)| format!("{}. {}", index + 1, sentence(page, group)))
            .collect();
        page.list(&lines, RISKS, "risk");
    }
    if let Some(diagram) = diagram {
        page.paragraph(&format!("![The account's landscape]({diagram})"));
    }
}

/// Open findings by check, since ten times the same fault is one thing to understand and one to do; highest risk first.
pub fn risks(evaluation: &Evaluation) -> Vec<Vec<&Finding>> {
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in evaluation.of(Status::Fail) {
        let next = groups.len();
        let index = *place.entry(&finding.check_id).or_insert(next);
        match groups.get_mut(index) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn sentence(page: &Page<'_>, group: &[&Finding]) -> String {
    let Some((worst, others)) = group.split_first() else {
        return String::new();
    };
    let owner = worst
        .owner
        .as_deref()
        .map_or_else(|| "nobody, it has no owner".to_owned(), code);
    let owner = if worst.is_account() && worst.owner.is_none() {
        String::new()
    } else {
        format!(" Owner: {owner}.")
    };
    let others: Vec<String> = others.iter().map(|finding| resource(finding)).collect();
    let also = if others.is_empty() {
        String::new()
    } else {
        format!(" Also {}.", some_of(&others, 3))
    };
    let evidence = page.evidence(worst);
    let evidence = if evidence.is_empty() {
        String::new()
    } else {
        format!(" {}", evidence.replace("[evidence]", "[Evidence]"))
    };
    let what = format!("**{}**{}", capitalised(&resource(worst)), place(worst));
    format!(
        "{what}: {}{owner}{also} Risk {:.0}, {}.{evidence}",
        full_stop(&text(&worst.reason)),
        worst.risk,
        code(&worst.check_id)
    )
}

/// What the resource is to the business, and how it is reached.
fn place(finding: &Finding) -> String {
    let tags = [
        ("", &finding.environment),
        ("system ", &finding.system),
        ("importance ", &finding.importance),
    ];
    let tags: Vec<String> = tags
        .into_iter()
        .filter_map(|(what, value)| Some(format!("{what}{}", text(value.as_deref()?))))
        .collect();
    let tags = if tags.is_empty() {
        String::new()
    } else {
        format!(" ({})", tags.join(", "))
    };
    if finding.exposed != Some(true) {
        return tags;
    }
    let how = finding
        .exposure
        .as_deref()
        .map(|how| format!(" ({})", text(how)))
        .unwrap_or_default();
    format!("{tags} is reachable from the internet{how}")
}

fn capitalised(words: &str) -> String {
    words
        .strip_prefix("account")
        .map_or_else(|| words.to_owned(), |rest| format!("Account{rest}"))
}

fn full_stop(sentence: &str) -> String {
    if sentence.is_empty() || sentence.ends_with(['.', '…']) {
        sentence.to_owned()
    } else {
        format!("{sentence}.")
    }
}
