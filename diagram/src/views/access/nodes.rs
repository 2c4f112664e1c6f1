//! Nodes of the `access` view, and what is said on them.

use std::collections::BTreeSet;

use super::Scene;
use super::cards::{Card, Cards};
use crate::facts::Index;
use crate::facts::access::{Danger, Freedom, Party, Positions, PrincipalNumber};
use crate::kinds::{Category, kind};
use crate::look::{Phrase, Verdict};
use crate::picture::{Node, Shape, count, grouped, hashed_id};
use crate::views::words::{in_words, stars};
use crate::views::{commonest_text, findings};

pub(super) fn node(scene: &Scene<'_>, cards: &Cards, card: &Card, position: usize) -> Node {
    match card {
        Card::Who(parties) => match &parties[0] {
            Party::Principal(_) => principals(scene, cards, parties, position),
            first => outside(parties, first),
        },
        Card::Admins => admins(scene),
        Card::Targets(members) => targets(scene, cards, members, position),
        Card::Account(id) => {
            let node = Node::card(
                hashed_id("o", id),
                format!("account {id}"),
                "ACC",
                Category::External,
                "settings of all of it".to_owned(),
            );
            node.with_lines(destroyed(scene, cards, position))
        }
    }
}

/// As many names as fit a title, else how many there are.
fn title(names: &[&str], singular: &str, plural: &str) -> String {
    const ROOM: usize = 28;
    let all = names.join(", ");
    match names.len() {
        0 => singular.to_owned(),
        1 => names[0].to_owned(),
        _ if all.chars().count() <= ROOM => all,
        number => format!("{} {plural}", grouped(number as u64)),
    }
}

/// The names that a title has no room for.
fn names_line(names: &[&str]) -> Option<Vec<Phrase>> {
    const NAMED: usize = 3;
    if names.len() < 2 || names.join(", ").chars().count() <= 28 {
        return None;
    }
    let mut line: Vec<Phrase> = vec![Phrase::plain(names[..names.len().min(NAMED)].join(", "))];
    if names.len() > NAMED {
        line.push(Phrase::plain(format!("+{}", names.len() - NAMED)));
    }
    Some(line)
}

fn principals(scene: &Scene<'_>, cards: &Cards, parties: &[Party], position: usize) -> Node {
    let numbers: Vec<PrincipalNumber> = parties
        .iter()
        .filter_map(|party| match party {
            Party::Principal(number) => Some(*number),
            _ => None,
        })
        .collect();
    let all: Vec<_> = numbers
        .iter()
        .map(|&number| &scene.access.principals[number])
        .collect();
    let first = all[0];
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let (badge, noun, plural) = if first.is_user {
        ("USER", "user", "users")
    } else {
        ("ROLE", "role", "roles")
    };
    let known: Vec<Index> = all.iter().filter_map(|one| one.resource).collect();
    let systems = known
        .iter()
        .map(|&index| scene.facts.resource(index).system.as_str());
    let subtitle = match commonest_text(systems, "") {
        of if of.is_empty() => noun.to_owned(),
        of => format!("{noun} of {of}"),
    };
    let id = hashed_id("p", &format!("{}\u{1f}{}", first.arn, all.len()));
    let mut node = Node::card(
        id,
        title(&names, noun, plural),
        badge,
        Category::Security,
        subtitle,
    );
    let mine: Vec<Index> = known
        .into_iter()
        .filter(|&index| scene.is_selected(index))
        .collect();
    node.findings = findings(scene.facts, mine.iter().copied());
    node.dashed = mine.is_empty();
    node.members = arns(scene, &mine);
    let mut lines: Vec<Vec<Phrase>> = names_line(&names).into_iter().collect();
    if all.iter().any(|one| one.special) {
        lines.push(vec![Phrase::judged(Verdict::Met, "for dangerous work")]);
    }
    if all
        .iter()
        .any(|one| one.is_admin.is_none() || one.unread > 0)
    {
        lines.push(vec![Phrase::judged(
            Verdict::Unknown,
            "a policy could not be read",
        )]);
    }
    lines.extend(assumed_by_admins(scene, &numbers));
    lines.extend(usage(scene, cards, &numbers, position));
    node.with_lines(lines)
}

/// That no arrow leads to a role.
fn assumed_by_admins(scene: &Scene<'_>, numbers: &[PrincipalNumber]) -> Option<Vec<Phrase>> {
    let is_left_alone = |number: &PrincipalNumber| {
        !scene.access.principals[*number].is_user && !scene.who.led_to.contains(number)
    };
    if !numbers.iter().all(is_left_alone) {
        return None;
    }
    let is_assumed = numbers
        .iter()
        .any(|number| scene.who.assumed.contains(number));
    Some(vec![Phrase::plain(if is_assumed {
        "assumed by administrators"
    } else {
        "nobody may assume it"
    })])
}

/// How many of the dangerous actions were used, and when last.
fn usage(
    scene: &Scene<'_>,
    cards: &Cards,
    numbers: &[PrincipalNumber],
    position: usize,
) -> Option<Vec<Phrase>> {
    let used = scene.access.used.as_ref()?;
    let threats = cards.threats.range((position, 0)..(position + 1, 0));
    let mut actions = Positions::default();
    for (_, threat) in threats {
        actions.extend(&threat.dangers.actions);
    }
    if actions.is_empty() {
        return None;
    }
    let days: Vec<(usize, u64)> = numbers
        .iter()
        .filter_map(|number| used.get(number))
        .flatten()
        .map(|(action, days)| (*action, *days))
        .filter(|(action, _)| actions.contains(*action))
        .collect();
    let distinct: BTreeSet<usize> = days.iter().map(|(action, _)| *action).collect();
    let may = count(actions.len() as u64, "action");
    let words = match days.iter().map(|(_, days)| days).min() {
        None => format!("{may}, none seen used"),
        Some(0) => format!("{may}, {} used, today", distinct.len()),
        Some(days) => format!("{may}, {} used, {days}d ago", distinct.len()),
    };
    Some(vec![Phrase::plain(words)])
}

/// Who is not a user or role of the run.
fn outside(parties: &[Party], first: &Party) -> Node {
    let tail = |text: &str| text.rsplit(['/', ':']).next().unwrap_or(text).to_owned();
    let account = |arn: &str| arn.split(':').nth(4).unwrap_or_default().to_owned();
    let names: Vec<String> = parties
        .iter()
        .map(|party| match party {
            Party::Service(name) => name.split('.').next().unwrap_or(name).to_owned(),
            Party::Federated(arn) => tail(arn),
            Party::Foreign(arn) if tail(arn) == "root" => account(arn),
            Party::Foreign(arn) => tail(arn),
            Party::Anyone | Party::Principal(_) => "anyone".to_owned(),
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (badge, noun, plural) = match first {
        Party::Service(_) => ("AWS", "by what runs as the role", "services"),
        Party::Federated(_) => ("IDP", "identity provider", "identity providers"),
        Party::Foreign(arn) if tail(arn) == "root" => ("ACC", "another account", "accounts"),
        Party::Foreign(_) => ("OUT", "of another account", "outsiders"),
        Party::Anyone | Party::Principal(_) => ("WWW", "any AWS account", "anyone"),
    };
    let id = hashed_id("o", &format!("{first:?}\u{1f}{}", parties.len()));
    let mut node = Node::card(
        id,
        title(&names, noun, plural),
        badge,
        Category::External,
        noun.to_owned(),
    );
    node.dashed = !matches!(first, Party::Service(_));
    node.with_lines(names_line(&names).into_iter().collect())
}

fn admins(scene: &Scene<'_>) -> Node {
    let all: Vec<_> = scene
        .who
        .admins
        .iter()
        .map(|&number| &scene.access.principals[number])
        .collect();
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let users = all.iter().filter(|one| one.is_user).count() as u64;
    let roles = all.len() as u64 - users;
    let subtitle = format!("{}, {}", count(users, "user"), count(roles, "role"));
    let name = match names[..] {
        [one] => one.to_owned(),
        _ => format!("administrators ×{}", grouped(all.len() as u64)),
    };
    let arns_of_all: Vec<&str> = all.iter().map(|one| one.arn.as_str()).collect();
    let id = hashed_id("a", &arns_of_all.join(" "));
    let mut node = Node::card(id, name, "ADM", Category::Security, subtitle);
    let known = all.iter().filter_map(|one| one.resource);
    let mine: Vec<Index> = known.filter(|&index| scene.is_selected(index)).collect();
    node.findings = findings(scene.facts, mine.iter().copied());
    node.dashed = mine.is_empty();
    node.members = arns(scene, &mine);
    let mut lines = vec![vec![Phrase::judged(
        Verdict::Missed,
        "may do everything to all of it",
    )]];
    lines.extend(
        names_line(&names)
            .or_else(|| (names.len() > 1).then(|| vec![Phrase::plain(names.join(", "))])),
    );
    node.with_lines(lines)
}

fn targets(scene: &Scene<'_>, cards: &Cards, members: &[Index], position: usize) -> Node {
    let facts = scene.facts;
    let first = facts.resource(members[0]);
    let same = |value: &dyn Fn(Index) -> String| {
        members.iter().all(|&one| value(one) == value(members[0]))
    };
    let types = members
        .iter()
        .map(|&one| facts.resource(one).resource_type.clone());
    let types: BTreeSet<String> = types.collect();
    let categories: BTreeSet<Category> = types.iter().map(|name| kind(name).category).collect();
    let one_kind = kind(&first.resource_type);
    let number = grouped(members.len() as u64);
    let title = match members.len() {
        _ if cards.by_system && first.system.is_empty() => "no system tag".to_owned(),
        _ if cards.by_system => first.system.clone(),
        1 => first.title().to_owned(),
        _ if types.len() == 1
            && same(&|one| facts.resource(one).function().to_owned())
            && !first.function().is_empty() =>
        {
            format!("{} ×{number}", first.function())
        }
        _ if types.len() == 1 => format!("{number} {}", one_kind.plural),
        _ => format!("{number} resources"),
    };
    let subtitle = if cards.by_system && members.len() == 1 {
        first.title().to_owned()
    } else if members.len() == 1
        || (types.len() == 1 && same(&|one| facts.resource(one).summary.clone()))
    {
        in_words(&one_kind, &first.summary, members.len())
    } else {
        kinds_of(scene, members)
    };
    let (badge, category) = match (types.len(), categories.len()) {
        (1, _) => (one_kind.badge.clone(), one_kind.category),
        (_, 1) => ("ALL".to_owned(), one_kind.category),
        _ => ("ALL".to_owned(), Category::External),
    };
    let id = hashed_id("n", &format!("{}\u{1f}{}", first.arn, members.len()));
    let mut node = Node::card(id, title, &badge, category, subtitle);
    if let Shape::Card { stars: on_card, .. } = &mut node.shape {
        *on_card = members
            .iter()
            .filter_map(|&one| stars(facts, facts.resource(one)))
            .max();
    }
    node.findings = findings(facts, members.iter().copied());
    node.exposed = members
        .iter()
        .any(|&one| facts.resource(one).exposed == Some(true));
    // A role that is drawn as somebody is counted there.
    let acting = |index: &Index| {
        let arn = facts.resource(*index).arn.as_str();
        let shown = scene
            .access
            .principals
            .binary_search_by(|one| one.arn.as_str().cmp(arn));
        shown.is_ok_and(|number| {
            let party = Party::Principal(number);
            cards.of_party.contains_key(&party) || scene.who.admins.contains(&number)
        })
    };
    let mine: Vec<Index> = members
        .iter()
        .copied()
        .filter(|index| !acting(index))
        .collect();
    node.members = arns(scene, &mine);
    node.with_lines(destroyed(scene, cards, position))
}

/// `3 instances, 2 keys +5`.
fn kinds_of(scene: &Scene<'_>, members: &[Index]) -> String {
    const NAMED: usize = 2;
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for &member in members {
        *counts
            .entry(&scene.facts.resource(member).resource_type)
            .or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut words: Vec<String> = counts
        .iter()
        .take(NAMED)
        .map(|(name, number)| {
            let kind = kind(name);
            let noun = if *number == 1 {
                kind.singular()
            } else {
                kind.plural
            };
            format!("{number} {noun}")
        })
        .collect();
    let rest: usize = counts.iter().skip(NAMED).map(|(_, number)| number).sum();
    if rest > 0 {
        words.push(format!("+{rest}"));
    }
    words.join(", ")
}

/// Who may destroy it: how many people and outsiders without a second factor, and how many roles of services.
fn destroyed(scene: &Scene<'_>, cards: &Cards, position: usize) -> Vec<Vec<Phrase>> {
    let mut holders: Vec<(PrincipalNumber, Freedom)> = Vec::new();
    for &from in &cards.endangered_by[position] {
        let kinds = cards.threats[&(from, position)].dangers.kinds;
        if let (Some(freedom), Card::Who(parties)) =
            (kinds.get(Danger::Destroy), &cards.cards[from])
        {
            holders.extend(parties.iter().filter_map(|party| match party {
                Party::Principal(number) => Some((*number, freedom)),
                _ => None,
            }));
        }
    }
    if holders.is_empty() {
        return Vec::new();
    }
    let is_user = |number: PrincipalNumber| scene.access.principals[number].is_user;
    let words = |holders: &[(PrincipalNumber, Freedom)]| {
        let users = holders
            .iter()
            .filter(|(number, _)| is_user(*number))
            .count();
        let numbers = [(users, "user"), (holders.len() - users, "role")];
        let some = numbers.into_iter().filter(|(number, _)| *number > 0);
        let words: Vec<String> = some
            .map(|(number, noun)| count(number as u64, noun))
            .collect();
        format!("destroyed by {}", words.join(", "))
    };
    let (unguarded, others): (Vec<_>, Vec<_>) = holders
        .into_iter()
        .partition(|(_, freedom)| freedom.is_unguarded());
    let is_entered =
        |(number, _): &(PrincipalNumber, Freedom)| scene.who.is_entered(&Party::Principal(*number));
    let phrase = if unguarded.iter().any(is_entered) {
        Phrase::judged(Verdict::Missed, words(&unguarded))
    } else if !unguarded.is_empty() {
        Phrase::plain(words(&unguarded))
    } else if others.iter().all(|(_, freedom)| freedom.is_guarded()) {
        Phrase::judged(Verdict::Met, "destroyed with MFA only")
    } else {
        Phrase::judged(Verdict::Unknown, "perhaps destroyed without MFA")
    };
    vec![vec![phrase]]
}

fn arns(scene: &Scene<'_>, members: &[Index]) -> Vec<String> {
    members
        .iter()
        .map(|&member| scene.facts.resource(member).arn.clone())
        .collect()
}
