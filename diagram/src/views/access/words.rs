//! Words of the `access` view: on arrows, in the caption, and why something is not in the picture.

use std::collections::BTreeSet;

use super::who::{Place, Step};
use super::{Measure, Scene, is_critical};
use crate::facts::Index;
use crate::facts::access::{Dangers, Freedom, Party};
use crate::look::Look;
use crate::picture::{Account, count, grouped};

/// How an arrow is drawn.
pub(super) fn look(freedom: Option<Freedom>, is_hot: bool) -> Look {
    match freedom {
        _ if is_hot => Look::Hot,
        Some(Freedom::Unknown) | None => Look::Unknown,
        Some(_) => Look::Plain,
    }
}

/// What stands between, in a word.
fn guard(freedom: Freedom) -> &'static str {
    match freedom {
        Freedom::Unknown => "?",
        Freedom::Guarded => "MFA",
        Freedom::Conditional => "if",
        Freedom::Spared => "MFA*",
        Freedom::Free => "",
    }
}

/// The same, in words.
fn guard_in_words(freedom: Freedom) -> &'static str {
    match freedom {
        Freedom::Unknown => "not known",
        Freedom::Guarded => "with a second factor",
        Freedom::Conditional => "if the request meets the conditions",
        Freedom::Spared => "with a second factor, which access keys slip through",
        Freedom::Free => "without a second factor",
    }
}

/// `destroy, policy +2 · MFA`.
pub(super) fn threat(dangers: &Dangers) -> String {
    const NAMED: usize = 2;
    let kinds: Vec<&str> = dangers.kinds.keys().map(|kind| kind.name()).collect();
    let mut label = kinds[..kinds.len().min(NAMED)].join(", ");
    if kinds.len() > NAMED {
        label.push_str(&format!(" +{}", kinds.len() - NAMED));
    }
    match guard(super::cards::freest(dangers)) {
        "" => label,
        guard => format!("{label} · {guard}"),
    }
}

/// `destroy +4: 81 of 89 · MFA`.
pub(super) fn threat_to_many(dangers: &Dangers, part: usize, whole: usize) -> String {
    let mut label = dangers
        .kinds
        .keys()
        .next()
        .map_or("", |kind| kind.name())
        .to_owned();
    if dangers.kinds.len() > 1 {
        label.push_str(&format!(" +{}", dangers.kinds.len() - 1));
    }
    label.push_str(&format!(
        ": {} of {}",
        grouped(part as u64),
        grouped(whole as u64)
    ));
    match guard(super::cards::freest(dangers)) {
        "" => label,
        guard => format!("{label} · {guard}"),
    }
}

/// Every kind of danger and how freely, then the actions.
pub(super) fn dangers(scene: &Scene<'_>, dangers: &Dangers) -> Vec<String> {
    const LISTED: usize = 10;
    let kinds = dangers.kinds.iter();
    let mut words: Vec<String> = kinds
        .map(|(kind, freedom)| format!("{}: {}", kind.name(), guard_in_words(*freedom)))
        .collect();
    let actions = dangers
        .actions
        .iter()
        .filter_map(|&action| scene.access.actions.get(action as usize));
    words.extend(actions.take(LISTED).cloned());
    if dangers.actions.len() > LISTED {
        words.push(format!("{} more", dangers.actions.len() - LISTED));
    }
    words
}

/// What stands between somebody and who he becomes: `MFA`, `if sub, aud`; `escalates`.
pub(super) fn way(steps: &[&Step<'_>]) -> String {
    let freest = steps.iter().map(|step| step.freedom).max();
    let freedom = freest.unwrap_or(Freedom::Unknown);
    let mut words = Vec::new();
    if steps.iter().any(|step| step.escalation.is_some()) {
        words.push("escalates".to_owned());
    }
    let conditions: BTreeSet<&str> = steps
        .iter()
        .filter(|step| step.freedom == Freedom::Conditional)
        .flat_map(|step| step.conditions)
        .map(|key| key.rsplit([':', '/']).next().unwrap_or(key))
        .filter(|key| *key != "federatedprovider")
        .collect();
    // What services are asked for keeps other accounts out, which is as it should be.
    let of_service = steps
        .iter()
        .all(|step| matches!(step.from, Party::Service(_)));
    match (freedom, conditions.iter().next()) {
        (Freedom::Conditional, _) if of_service => {}
        (Freedom::Conditional, Some(first)) if conditions.len() == 1 => {
            words.push(format!("if {first}"))
        }
        (Freedom::Conditional, Some(_)) => {
            let all: Vec<&str> = conditions.into_iter().take(3).collect();
            words.push(format!("if {}", all.join(", ")));
        }
        _ => words.push(guard(freedom).to_owned()),
    }
    words.retain(|word| !word.is_empty());
    words.join(" · ")
}

/// Each way behind an arrow.
pub(super) fn steps(scene: &Scene<'_>, steps: &[&Step<'_>]) -> Vec<String> {
    const LISTED: usize = 10;
    let mut words: Vec<String> = steps
        .iter()
        .take(LISTED)
        .map(|step| {
            let what = step.escalation.unwrap_or("assumes the role");
            let to = match step.to {
                Place::Principal(number) => scene.access.principals[number].name.as_str(),
                Place::Admins => "an administrator",
            };
            format!("{what} ({to}), {}", guard_in_words(step.freedom))
        })
        .collect();
    if steps.len() > LISTED {
        words.push(format!("{} more", steps.len() - LISTED));
    }
    words
}

pub(super) fn caption(scene: &Scene<'_>, measure: Measure, account: &Account) -> Vec<String> {
    let who = &scene.who;
    let targets = scene.important.len() as u64;
    let mut parts = vec![match measure {
        Measure::Asked => count(targets, "resource"),
        Measure::Critical => format!(
            "{} that count{} as critical",
            count(targets, "resource"),
            if targets == 1 { "s" } else { "" }
        ),
        Measure::Data => format!(
            "nothing is tagged as critical: {}",
            count(targets, "data store")
        ),
    }];
    let users = who
        .principals
        .iter()
        .filter(|&&number| scene.access.principals[number].is_user)
        .count();
    let roles = who.principals.len() - users;
    let outside = who
        .parties
        .iter()
        .filter(|party| !matches!(party, Party::Service(_)))
        .count();
    parts.push(format!(
        "endangered by {}, {} and {}, beside {}",
        count(users as u64, "user"),
        count(roles as u64, "role"),
        count(outside as u64, "outsider"),
        count(who.admins.len() as u64, "administrator")
    ));
    let destroyers = who
        .hot
        .iter()
        .filter(|&&number| scene.access.principals[number].is_user);
    parts.push(format!(
        "{} may destroy without a second factor",
        grouped(destroyers.count() as u64)
    ));
    let unread = who
        .principals
        .iter()
        .filter(|&&number| scene.access.principals[number].is_admin.is_none());
    let unread = unread.count() as u64;
    if unread > 0 {
        parts.push(format!(
            "{} perhaps administrators, not known",
            grouped(unread)
        ));
    }
    parts.push(account.sentence());
    parts.push(format!("as of {}", scene.facts.as_of));
    parts
}

/// Why a resource that the filter admits is not in the picture.
pub(super) fn why_omitted(scene: &Scene<'_>, index: Index) -> &'static str {
    if scene.important.binary_search(&index).is_ok() {
        return if scene.access.classes.contains_key(&index) {
            "nobody but administrators may endanger it"
        } else {
            "no dangerous action is known for its type"
        };
    }
    let resource = scene.facts.resource(index);
    match resource.resource_type.as_str() {
        "iam:user" | "iam:role" => "may endanger nothing of what matters here",
        _ if resource.importance_rank.is_some() && !is_critical(scene.facts, index) => {
            "does not count as critical"
        }
        _ => "has no importance",
    }
}
