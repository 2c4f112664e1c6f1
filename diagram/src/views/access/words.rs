//! Words of the `access` view: on arrows, in the caption, and why something is not in the picture.

use std::collections::BTreeSet;

use super::who::{Place, Step};
use super::{Measure, Scene, is_critical};
use crate::facts::Index;
use crate::facts::access::{Certainty, Dangers, Factor, Freedom, Party, PrincipalNumber};
use crate::look::Look;
use crate::picture::{Account, count, grouped};

/// How an arrow is drawn.
pub(super) fn look(freedom: Option<Freedom>, is_hot: bool) -> Look {
    match freedom.map(|freedom| freedom.certainty) {
        _ if is_hot => Look::Hot,
        Some(Certainty::Unknown) | None => Look::Unknown,
        Some(_) => Look::Plain,
    }
}

/// What stands between, in a word or two: `MFA if`.
pub(super) fn guard(freedom: Freedom) -> String {
    let factor = match freedom.factor {
        Factor::Required => "MFA",
        Factor::Spared => "MFA*",
        Factor::NotRequired => "",
    };
    let certainty = match freedom.certainty {
        Certainty::Unknown => "?",
        Certainty::Conditional => "if",
        Certainty::Allowed => "",
    };
    format!("{factor} {certainty}").trim().to_owned()
}

/// The same, in words.
fn guard_in_words(freedom: Freedom) -> String {
    let factor = match freedom.factor {
        Factor::Required => "with a second factor",
        Factor::Spared => "with a second factor, which access keys slip through",
        Factor::NotRequired => "without a second factor",
    };
    match (freedom.certainty, freedom.factor) {
        (Certainty::Unknown, Factor::NotRequired) => "not known".to_owned(),
        (Certainty::Unknown, _) => format!("not known; if it is, {factor}"),
        (Certainty::Conditional, Factor::NotRequired) => {
            "if the request meets the conditions".to_owned()
        }
        (Certainty::Conditional, _) => format!("{factor}, if the request meets the conditions"),
        (Certainty::Allowed, _) => factor.to_owned(),
    }
}

/// A label, and what stands between.
fn guarded(label: String, dangers: &Dangers) -> String {
    match guard(dangers.kinds.freest()) {
        guard if guard.is_empty() => label,
        guard => format!("{label} · {guard}"),
    }
}

/// `destroy, policy +2`.
pub(super) fn kinds(dangers: &Dangers) -> String {
    const NAMED: usize = 2;
    let kinds: Vec<&str> = dangers.kinds.iter().map(|(kind, _)| kind.name()).collect();
    let mut label = kinds[..kinds.len().min(NAMED)].join(", ");
    if kinds.len() > NAMED {
        label.push_str(&format!(" +{}", kinds.len() - NAMED));
    }
    label
}

/// `destroy, policy +2 · MFA`.
pub(super) fn threat(dangers: &Dangers) -> String {
    guarded(kinds(dangers), dangers)
}

/// `destroy +4: 81 of 89 · MFA`.
pub(super) fn threat_to_many(dangers: &Dangers, part: usize, whole: usize) -> String {
    let mut kinds = dangers.kinds.iter().map(|(kind, _)| kind.name());
    let mut label = kinds.next().unwrap_or_default().to_owned();
    let others = kinds.count();
    if others > 0 {
        label.push_str(&format!(" +{others}"));
    }
    label.push_str(&format!(
        ": {} of {}",
        grouped(part as u64),
        grouped(whole as u64)
    ));
    guarded(label, dangers)
}

/// Every kind of danger and how freely, then the actions.
pub(super) fn dangers(scene: &Scene<'_>, dangers: &Dangers) -> Vec<String> {
    const LISTED: usize = 10;
    let kinds = dangers.kinds.iter();
    let mut words: Vec<String> = kinds
        .map(|(kind, freedom)| format!("{}: {}", kind.name(), guard_in_words(freedom)))
        .collect();
    let actions = dangers
        .actions
        .iter()
        .filter_map(|action| scene.access.actions.get(action));
    words.extend(actions.take(LISTED).cloned());
    if dangers.actions.len() > LISTED {
        words.push(format!("{} more", dangers.actions.len() - LISTED));
    }
    words
}

/// What stands between somebody and who he becomes: `MFA`, `if sub, aud`; `escalates`.
pub(super) fn way(steps: &[&Step<'_>]) -> String {
    let freest = steps.iter().map(|step| step.freedom).max();
    let freedom = freest.unwrap_or_default();
    let conditions: BTreeSet<&str> = steps
        .iter()
        .filter(|step| step.freedom.certainty == Certainty::Conditional)
        .flat_map(|step| step.conditions)
        .map(|key| key.rsplit([':', '/']).next().unwrap_or(key))
        .filter(|key| *key != "federatedprovider")
        .take(3)
        .collect();
    let conditions: Vec<&str> = conditions.into_iter().collect();
    // What services are asked for keeps other accounts out, which is as it should be.
    let of_service = steps
        .iter()
        .all(|step| matches!(step.from, Party::Service(_)));
    let guard = match freedom.certainty {
        Certainty::Conditional if of_service => String::new(),
        Certainty::Conditional if !conditions.is_empty() => {
            format!("{} {}", guard(freedom), conditions.join(", "))
        }
        _ => guard(freedom),
    };
    let is_escalation = steps.iter().any(|step| step.escalation.is_some());
    let words = [is_escalation.then(|| "escalates".to_owned()), Some(guard)];
    let words = words.into_iter().flatten().filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" · ")
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
    let users = |of: &BTreeSet<PrincipalNumber>| {
        of.iter()
            .filter(|&&number| scene.access.principals[number].is_user)
            .count() as u64
    };
    let roles = who.principals.len() as u64 - users(&who.principals);
    let outside = who
        .parties
        .iter()
        .filter(|party| !matches!(party, Party::Service(_)))
        .count();
    parts.push(format!(
        "endangered by {}, {} and {}, beside {}",
        count(users(&who.principals), "user"),
        count(roles, "role"),
        count(outside as u64, "outsider"),
        count(who.admins.len() as u64, "administrator")
    ));
    let [outsiders, perhaps_outsiders] = who.destroying_outsiders();
    let perhaps = users(&who.perhaps) + perhaps_outsiders;
    parts.push(format!(
        "{} and {} may destroy without a second factor{}",
        count(users(&who.hot), "user"),
        count(outsiders, "outsider"),
        if perhaps > 0 {
            format!(", {} perhaps, not known", grouped(perhaps))
        } else {
            String::new()
        }
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
