//! `access`: who can destroy what matters, by which roles, and whether a second factor stands in between.

mod arrows;
mod cards;
mod join;
mod nodes;
mod threats;
mod who;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::{AIM_EDGES, Request, missing, named};
use crate::facts::access::{Access, Danger, Dangers, Party};
use crate::facts::{Facts, Index};
use crate::graph::Filter;
use crate::graph::fold::MOST_NODES;
use crate::graph::lift::{NodeIndex, Relation};
use crate::kinds::{Category, kind};
use crate::picture::{Account, Edge, Frame, FrameStyle, Picture, Sign, count, grouped, hashed_id};
use arrows::system_of;
use cards::{Card, Cards};
use who::{Step, Who};

/// What the making of the picture knows.
struct Scene<'a> {
    facts: &'a Facts,
    access: &'a Access,
    /// Resources that the filter admits, sorted.
    selected: Vec<Index>,
    /// Those of them that matter.
    important: Vec<Index>,
    /// Those that matter and that somebody, who is no administrator, may endanger.
    targets: Vec<Index>,
    /// Accounts that somebody may endanger as a whole.
    accounts: Vec<String>,
    who: Who<'a>,
}

impl Scene<'_> {
    fn is_selected(&self, index: Index) -> bool {
        self.selected.binary_search(&index).is_ok()
    }
}

/// What makes a resource important enough for the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    /// The filter asks for levels of importance.
    Asked,
    /// It counts as critical.
    Critical,
    /// Nothing of the run does: data is taken instead.
    Data,
}

fn measure(facts: &Facts, filter: &Filter) -> Measure {
    if !filter.importances.is_empty() {
        Measure::Asked
    } else if facts.indexes().any(|index| is_critical(facts, index)) {
        Measure::Critical
    } else {
        Measure::Data
    }
}

/// Whether it counts as critical; where `analyze` has not said so, whether nothing is more important.
fn is_critical(facts: &Facts, index: Index) -> bool {
    let resource = facts.resource(index);
    resource.critical.unwrap_or_else(|| {
        resource.importance_rank.is_some() && resource.importance_rank == facts.highest_rank()
    })
}

/// Resources that the filter admits and that matter.
pub fn important(facts: &Facts, filter: &Filter) -> Vec<Index> {
    let measure = measure(facts, filter);
    let matters = |index: &Index| match measure {
        Measure::Asked => true,
        Measure::Critical => is_critical(facts, *index),
        Measure::Data => kind(&facts.resource(*index).resource_type).category == Category::Data,
    };
    filter.select(facts).into_iter().filter(matters).collect()
}

/// Draws who may endanger what matters of what the filter admits.
pub fn draw(facts: &Facts, access: &Access, request: &Request) -> Picture {
    let (title, stem) = named(
        "access",
        "who may endanger it",
        "access: who may endanger what matters",
        &request.filter,
    );
    let parties: Vec<Party> = (0..access.principals.len()).map(Party::Principal).collect();
    let scene = scene(facts, access, &parties, request);
    let mut picture = Picture {
        view: "access",
        stem,
        run: request.run.clone(),
        filter: request.filter.clone(),
        title,
        wide: true,
        ..Picture::default()
    };
    let cards = cards::cards(&scene, request.max_nodes);
    let frames = frames(&scene, &cards, &mut picture);
    for (card, frame) in cards.cards.iter().zip(&frames) {
        let mut node = nodes::node(&scene, &cards, card, picture.nodes.len());
        node.frame = *frame;
        picture.nodes.push(node);
    }
    picture.edges = ways(&scene, &cards);
    threats::draw(&scene, &cards, &mut picture);
    arrange(&scene, &cards, &mut picture);
    picture.account = account(&scene, &picture);
    picture.caption = words::caption(&scene, measure(facts, &request.filter), &picture.account);
    if cards.forced {
        picture.warnings.push(format!(
            "too many who may endanger too much: joined beyond {} nodes whatever they are; narrow the filter",
            grouped(MOST_NODES as u64)
        ));
        picture.partial = true;
    } else if picture.edges.len() > 2 * AIM_EDGES || picture.nodes.len() > 2 * request.max_nodes {
        picture.warnings.push(format!(
            "crowded: {} and {}; narrow the filter",
            count(picture.nodes.len() as u64, "node"),
            count(picture.edges.len() as u64, "edge")
        ));
    }
    picture.note_missing(not_asked(&scene));
    picture.note_missing(missing(facts, &scene.important));
    picture.legend = legend(picture.nodes.len() > cards.cards.len());
    picture
}

/// Accounts of the picture of whose users and roles nothing is known.
fn not_asked(scene: &Scene<'_>) -> Option<String> {
    let accounts = scene.selected.iter();
    let accounts: BTreeSet<&String> = accounts
        .map(|&index| &scene.facts.resource(index).account_id)
        .filter(|account| scene.access.not_asked.contains(*account))
        .collect();
    (!accounts.is_empty()).then(|| {
        format!(
            "users and roles of {} were not collected: they are missing here",
            count(accounts.len() as u64, "account")
        )
    })
}

fn scene<'a>(
    facts: &'a Facts,
    access: &'a Access,
    parties: &'a [Party],
    request: &Request,
) -> Scene<'a> {
    let important = important(facts, &request.filter);
    let class_of = |index: &Index| access.classes.get(index).copied();
    let classes: BTreeSet<i64> = important.iter().filter_map(class_of).collect();
    let accounts = accounts(access, &request.filter);
    let whole: BTreeSet<i64> = accounts
        .iter()
        .filter_map(|id| access.accounts.get(id))
        .copied()
        .collect();
    // What each class of principals may do to anything of the picture.
    let mut sums: BTreeMap<i64, Dangers> = BTreeMap::new();
    for (&principals, by_class) in &access.dangers {
        for (class, dangers) in by_class {
            if classes.contains(class) || whole.contains(class) {
                sums.entry(principals).or_default().add(dangers);
            }
        }
    }
    let who = Who::new(access, parties, &sums);
    let endangered: BTreeSet<i64> = who
        .principals
        .iter()
        .filter_map(|&number| access.dangers.get(&access.principals[number].class))
        .flat_map(|by_class| by_class.keys().copied())
        .collect();
    let targets = important.iter().copied();
    let is_endangered =
        |index: &Index| class_of(index).is_some_and(|class| endangered.contains(&class));
    Scene {
        selected: request.filter.select(facts),
        targets: targets.filter(is_endangered).collect(),
        accounts: accounts
            .into_iter()
            .filter(|id| {
                access
                    .accounts
                    .get(id)
                    .is_some_and(|class| endangered.contains(class))
            })
            .collect(),
        important,
        who,
        facts,
        access,
    }
}

/// Accounts of the picture, unless it is about something smaller.
fn accounts(access: &Access, filter: &Filter) -> Vec<String> {
    let is_whole = filter
        .conditions()
        .iter()
        .all(|(option, wanted, _)| wanted.is_empty() || *option == "--account");
    let admitted = |id: &&String| filter.accounts.is_empty() || filter.accounts.contains(*id);
    let all = access.accounts.keys().filter(|_| is_whole);
    all.filter(admitted).cloned().collect()
}

/// Frames of the picture: a lane for each sort of actor, and one for each system. Gives the frame of each card.
fn frames(scene: &Scene<'_>, cards: &Cards, picture: &mut Picture) -> Vec<Option<usize>> {
    let keys: Vec<(u8, String)> = cards.cards.iter().map(|card| lane(scene, card)).collect();
    let titles: BTreeSet<&(u8, String)> = keys.iter().collect();
    let systems = titles.iter().filter(|(lane, _)| *lane == SYSTEMS).count();
    let mut known: BTreeMap<&(u8, String), usize> = BTreeMap::new();
    let mut around = None;
    for key in titles {
        let (lane, title) = key;
        let style = match *lane {
            0 | 2 => FrameStyle::Outline,
            1 => FrameStyle::Entry,
            3 | 4 => FrameStyle::Pale,
            5 => FrameStyle::Solid,
            _ => FrameStyle::Data,
        };
        if *lane == SYSTEMS && systems > 1 && around.is_none() {
            let id = hashed_id("l", "what matters");
            around = Some(picture.frames.len());
            picture.frames.push(Frame::plain(
                id,
                "what matters, by system",
                "",
                FrameStyle::Outline,
            ));
        }
        if let Some(around) = around.filter(|_| *lane == SYSTEMS && cards.by_system) {
            known.insert(key, around);
            continue;
        }
        let id = hashed_id("l", &format!("{lane}{title}"));
        let shown = if *lane == SYSTEMS && title.is_empty() {
            "no system tag"
        } else {
            title
        };
        let mut frame = Frame::plain(id, shown, "", style);
        frame.parent = around.filter(|_| *lane == SYSTEMS);
        known.insert(key, picture.frames.len());
        picture.frames.push(frame);
    }
    keys.iter().map(|key| known.get(key).copied()).collect()
}

/// The lane of what matters.
const SYSTEMS: u8 = 6;

/// Where a card stands, from left to right, and the title of its frame: who comes in, who holds permissions, what matters.
fn lane(scene: &Scene<'_>, card: &Card) -> (u8, String) {
    let (lane, title) = match card {
        Card::Who(parties) => match &parties[0] {
            Party::Principal(number) => {
                let holds = scene.who.holders.contains(number);
                match (scene.access.principals[*number].is_user, holds) {
                    (true, false) => (0, "users, by roles only"),
                    (true, true) => (3, "users, by themselves"),
                    (false, _) => (4, "roles"),
                }
            }
            Party::Foreign(_) | Party::Federated(_) | Party::Anyone => (1, "from outside"),
            Party::Service(_) => (2, "services"),
        },
        Card::Admins => (5, "administrators"),
        Card::Targets(_) => (SYSTEMS, system_of(scene, card).unwrap_or("systems")),
        Card::Account(_) => (7, "the account as a whole"),
    };
    (lane, title.to_owned())
}

/// Edges of those who become somebody.
fn ways(scene: &Scene<'_>, cards: &Cards) -> Vec<Edge> {
    let mut bundles: BTreeMap<(NodeIndex, NodeIndex, bool), Vec<&Step<'_>>> = BTreeMap::new();
    for step in &scene.who.steps {
        let ends = (cards.of_party.get(step.from), cards.at(step.to));
        if let (Some(&from), Some(to)) = ends
            && from != to
        {
            let key = (from, to, step.escalation.is_some());
            bundles.entry(key).or_default().push(step);
        }
    }
    let draw = |((from, to, gains), steps): ((NodeIndex, NodeIndex, bool), Vec<&Step<'_>>)| {
        let is_hot = steps.iter().any(|step| scene.who.is_hot(step));
        let freedom = steps.iter().map(|step| step.freedom).max();
        Edge {
            from,
            to,
            to_frame: None,
            relation: if gains {
                Relation::Network
            } else {
                Relation::Iam
            },
            label: words::way(&steps),
            links: steps.len() as u64,
            both: false,
            look: words::look(freedom, is_hot),
            loose: lane(scene, &cards.cards[from]).0 >= lane(scene, &cards.cards[to]).0,
            hops: words::steps(scene, &steps),
        }
    };
    bundles.into_iter().map(draw).collect()
}

/// Actors in the first column, roles in the next, what is endangered in the last; long columns are several.
fn arrange(scene: &Scene<'_>, cards: &Cards, picture: &mut Picture) {
    const HEIGHT: usize = 30;
    let of = |lanes: RangeInclusive<u8>| {
        let nodes = 0..cards.cards.len();
        nodes
            .filter(|&node| lanes.contains(&lane(scene, &cards.cards[node]).0))
            .collect()
    };
    picture.stand([0..=2, 3..=4, 5..=7].map(of), HEIGHT);
}

fn account(scene: &Scene<'_>, picture: &Picture) -> Account {
    let selected = scene.selected.iter().map(|&index| {
        let arn = scene.facts.resource(index).arn.as_str();
        (arn, words::why_omitted(scene, index))
    });
    Account::of_members(&picture.nodes, selected)
}

fn legend(has_dots: bool) -> Vec<Sign> {
    let text = |text: &str| Sign::Text(text.to_owned());
    let kinds: Vec<&str> = Danger::ALL.iter().map(|danger| danger.name()).collect();
    let mut signs = vec![
        text("orange, thick: somebody may destroy by it, and no second factor is asked for"),
        text("··· becomes"),
        text(&format!("— may: {}", kinds.join(", "))),
    ];
    if has_dots {
        signs.push(text("through a dot: the same cards, alike"));
    }
    signs.extend([
        text(
            "MFA: only with a second factor (MFA*: access keys slip through)   if: it depends on the request   - - ?: a policy could not be read",
        ),
        text("dashed card: outside"),
        Sign::Exposed,
        Sign::Findings,
        Sign::Stars,
    ]);
    signs
}
