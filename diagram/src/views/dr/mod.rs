//! `dr`: data stores, what their tags ask for and what is there: standbys, vaults, copies; and ghosts for what is not.

mod backups;
mod copies;
mod stores;

use std::collections::BTreeMap;

use super::{Request, commonest_text, missing, named, not_analyzed};
use crate::facts::recovery::{Observed, Recovery, RecoveryFacts};
use crate::facts::{Facts, Index};
use crate::graph::fold::{self, MOST_NODES};
use crate::graph::lift::{NodeIndex, Relation};
use crate::kinds::Category;
use crate::look::{Look, Verdict};
use crate::picture::{
    Account, Edge, Frame, FrameStyle, Node, Picture, Sign, count, grouped, hashed_id,
};

/// What the making of the picture knows.
struct Scene<'a> {
    facts: &'a Facts,
    recovery: &'a RecoveryFacts,
    /// Resources that the filter admits, sorted.
    selected: Vec<Index>,
    /// Databases of a cluster and caches of a group, by what shows them.
    whole: BTreeMap<Index, Index>,
    copies: copies::Copies,
}

impl Scene<'_> {
    fn is_selected(&self, index: Index) -> bool {
        self.selected.binary_search(&index).is_ok()
    }

    /// Whether it is a copy of something in its own region, and no help when that is lost.
    fn is_local_replica(&self, store: Index) -> bool {
        let place = |index: Index| {
            let resource = self.facts.resource(index);
            (resource.account_id.as_str(), resource.region.as_str())
        };
        self.copies.replication.iter().any(|(source, standby)| {
            standby.known() == Some(store) && place(*source) == place(store)
        })
    }
}

/// Draws the recovery of what the filter admits.
pub fn draw(facts: &Facts, recovery: &RecoveryFacts, request: &Request) -> Picture {
    let whole = stores::wholes(facts, recovery);
    let scene = Scene {
        copies: copies::Copies::new(facts, recovery, &whole),
        selected: request.filter.select(facts),
        whole,
        facts,
        recovery,
    };
    let (title, stem) = named(
        "dr",
        "disaster recovery",
        "disaster recovery",
        &request.filter,
    );
    let mut picture = Picture {
        view: "dr",
        stem,
        run: request.run.clone(),
        filter: request.filter.clone(),
        title,
        wide: true,
        ..Picture::default()
    };
    let stores = stores::fold(&scene, request.max_nodes);
    let mut built = Built::default();
    built.stores(&scene, &stores.groups);
    built.replication(&scene);
    built.backups(&scene);
    built.ghosts(&scene, &stores.groups);
    picture.warnings.extend(not_analyzed(facts));
    if stores.forced {
        picture.warnings.push(format!(
            "too many data stores that must not be folded: folded all the same beyond {} nodes; narrow the filter",
            grouped(MOST_NODES as u64)
        ));
        picture.partial = true;
    }
    picture.note_missing(missing(facts, &scene.selected));
    built.into_picture(&scene, &mut picture);
    picture
}

/// Nodes and frames as they are needed.
#[derive(Default)]
struct Built {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    frames: Vec<Frame>,
    frame_of: BTreeMap<String, usize>,
    /// The node that shows a data store.
    node_of: BTreeMap<Index, NodeIndex>,
    /// Nodes of what is copied, of standbys, of backups: the columns.
    columns: [Vec<NodeIndex>; 3],
}

/// Columns, by what stands in them.
const STORES: usize = 0;
const STANDBYS: usize = 1;
const BACKUPS: usize = 2;

/// What a region is in the picture.
const PRIMARY: &str = "primary";
const STANDBY: &str = "standby";
const REPLICAS: &str = "replicas of its own";

fn role(scene: &Scene<'_>, store: Index, column: usize) -> &'static str {
    match column {
        STORES => PRIMARY,
        _ if scene.facts.resource(store).region != "global" && scene.is_local_replica(store) => {
            REPLICAS
        }
        _ => STANDBY,
    }
}

impl Built {
    fn frame(&mut self, key: &str, title: &str, subtitle: &str, style: FrameStyle) -> usize {
        if let Some(&known) = self.frame_of.get(key) {
            return known;
        }
        self.frames
            .push(Frame::plain(hashed_id("d", key), title, subtitle, style));
        self.frame_of.insert(key.to_owned(), self.frames.len() - 1);
        self.frames.len() - 1
    }

    /// The frame of an account's region on one side of the picture.
    fn region(&mut self, account_id: &str, region: &str, role: &'static str) -> usize {
        let style = match role {
            PRIMARY => FrameStyle::Pale,
            _ => FrameStyle::Public,
        };
        let title = match region {
            "global" => "buckets",
            "" => "outside this run",
            region => region,
        };
        let subtitle = if account_id.is_empty() {
            role.to_owned()
        } else {
            format!("{role} · {account_id}")
        };
        let key = format!("{role}\u{1f}{account_id}\u{1f}{region}");
        self.frame(&key, title, &subtitle, style)
    }

    fn push(&mut self, column: usize, node: Node) -> NodeIndex {
        self.nodes.push(node);
        self.columns[column].push(self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn connect(
        &mut self,
        from: NodeIndex,
        to: NodeIndex,
        relation: Relation,
        label: String,
        links: u64,
    ) {
        self.edges.push(Edge {
            from,
            to,
            to_frame: None,
            relation,
            label,
            links,
            both: false,
            look: Look::Plain,
            loose: false,
            hops: Vec::new(),
        });
    }

    /// A card per group of stores, on the side of what is copied or of what it is copied to.
    fn stores(&mut self, scene: &Scene<'_>, groups: &[Vec<Index>]) {
        for group in groups {
            let first = scene.facts.resource(group[0]);
            let column = if scene.copies.standbys.contains(&group[0]) {
                STANDBYS
            } else {
                STORES
            };
            let mut node = stores::card(scene, group);
            let role = role(scene, group[0], column);
            node.frame = Some(self.region(&first.account_id, &first.region, role));
            let position = self.push(column, node);
            for &store in group {
                self.node_of.insert(store, position);
            }
        }
    }

    /// An arrow from what is copied to its standby; what is at the other end and not selected gets a card of its own.
    fn replication(&mut self, scene: &Scene<'_>) {
        let mut pairs: BTreeMap<(NodeIndex, NodeIndex), u64> = BTreeMap::new();
        for (source, standby) in &scene.copies.replication {
            if !scene.is_selected(*source)
                && !standby
                    .known()
                    .is_some_and(|index| scene.is_selected(index))
            {
                continue;
            }
            let from = self.end(scene, *source, STORES);
            let to = match standby {
                copies::Standby::Known(index) => self.end(scene, *index, STANDBYS),
                copies::Standby::Outside(id) => self.outside(id),
            };
            if from != to {
                *pairs.entry((from, to)).or_default() += 1;
            }
        }
        for ((from, to), links) in pairs {
            let label = if links > 1 {
                format!("×{}", grouped(links))
            } else {
                String::new()
            };
            self.connect(from, to, Relation::Replication, label, links);
        }
    }

    fn end(&mut self, scene: &Scene<'_>, store: Index, column: usize) -> NodeIndex {
        if let Some(&known) = self.node_of.get(&store) {
            return known;
        }
        let resource = scene.facts.resource(store);
        let mut node = stores::card(scene, &[store]);
        node.dashed = true;
        node.members.clear();
        let role = role(scene, store, column);
        node.frame = Some(self.region(&resource.account_id, &resource.region, role));
        let position = self.push(column, node);
        self.node_of.insert(store, position);
        position
    }

    fn outside(&mut self, id: &str) -> NodeIndex {
        let key = hashed_id("o", id);
        if let Some(known) = self.nodes.iter().position(|node| node.id == key) {
            return known;
        }
        let name = id.rsplit([':', '/']).next().unwrap_or(id).to_owned();
        let mut node = Node::card(
            key,
            name,
            "OUT",
            Category::External,
            "not in the run".to_owned(),
        );
        node.dashed = true;
        node.frame = Some(self.region("", "", STANDBY));
        self.push(STANDBYS, node)
    }

    fn into_picture(mut self, scene: &Scene<'_>, picture: &mut Picture) {
        const HEIGHT: usize = 12;
        let selected = scene.selected.iter().map(|&index| {
            let arn = scene.facts.resource(index).arn.as_str();
            (arn, "no data store and no copy of one")
        });
        picture.account = Account::of_members(&self.nodes, selected);
        picture.stand(self.columns, HEIGHT);
        self.edges
            .sort_by_key(|edge| (edge.from, edge.to, edge.relation));
        picture.caption = caption(scene, &picture.account);
        (picture.nodes, picture.frames, picture.edges) = (self.nodes, self.frames, self.edges);
        picture.legend = legend();
    }
}

/// How a store stands with what its DR tag demands; `None` without such a tag, or when it demands nothing.
fn standing(recovery: &Recovery) -> Option<Verdict> {
    if recovery.demands.iter().all(|demand| demand == "none") {
        None
    } else if !recovery.unmet.is_empty() {
        Some(Verdict::Missed)
    } else if recovery.met >= recovery.demands.len() as u64 {
        Some(Verdict::Met)
    } else {
        Some(Verdict::Unknown)
    }
}

/// How an observation stands with an objective.
fn verdict(wanted: u64, observed: Observed) -> Verdict {
    match observed {
        Observed::Seconds(seconds) if seconds <= wanted => Verdict::Met,
        Observed::Seconds(_) | Observed::Never => Verdict::Missed,
        Observed::Unknown => Verdict::Unknown,
    }
}

fn caption(scene: &Scene<'_>, account: &Account) -> Vec<String> {
    let stores: Vec<Index> = scene
        .selected
        .iter()
        .copied()
        .filter(|store| {
            scene.recovery.stores.contains_key(store) && !scene.whole.contains_key(store)
        })
        .collect();
    let environments = scene
        .selected
        .iter()
        .map(|&index| scene.facts.resource(index).environment.as_str());
    let tally = |of: &dyn Fn(&Recovery) -> Option<Verdict>| {
        let mut tally: BTreeMap<Option<Verdict>, u64> = BTreeMap::new();
        for store in &stores {
            *tally.entry(of(&scene.recovery.stores[store])).or_default() += 1;
        }
        move |verdict: Option<Verdict>| tally.get(&verdict).copied().unwrap_or_default()
    };
    let dr = tally(&standing);
    let mut parts = vec![
        commonest_text(environments, "no environment tag"),
        format!(
            "{}: {} meet their DR tag, {} do not, {} not known, {} without demands",
            count(stores.len() as u64, "data store"),
            grouped(dr(Some(Verdict::Met))),
            grouped(dr(Some(Verdict::Missed))),
            grouped(dr(Some(Verdict::Unknown))),
            grouped(dr(None))
        ),
    ];
    let rpo = tally(&|recovery| Some(verdict(recovery.rpo_seconds?, recovery.behind)));
    let rto = tally(&|recovery| Some(verdict(recovery.rto_seconds?, recovery.recovery)));
    for (name, tally) in [
        ("RPO", &rpo as &dyn Fn(Option<Verdict>) -> u64),
        ("RTO", &rto),
    ] {
        parts.push(format!(
            "{name} {} met, {} missed, {} not known",
            grouped(tally(Some(Verdict::Met))),
            grouped(tally(Some(Verdict::Missed))),
            grouped(tally(Some(Verdict::Unknown)))
        ));
    }
    parts.push(account.sentence());
    parts.push(format!("as of {}", scene.facts.as_of));
    parts
}

fn legend() -> Vec<Sign> {
    let text = |text: &str| Sign::Text(text.to_owned());
    vec![
        text("thick: replication (copies mistakes, too)"),
        text("- - backup (as of a moment)"),
        Sign::Verdicts,
        text("dashed box ?: the tag asks for it, and it is not there"),
        text("dashed card: outside the filter or the run"),
        Sign::Exposed,
        Sign::Findings,
        Sign::Stars,
    ]
}

/// Joins stores for the picture.
fn joined(
    roots: &[Index],
    rungs: &[fold::Rung<'_>],
    keep: &dyn Fn(Index) -> bool,
    aim: usize,
) -> fold::Folded {
    fold::fold(roots, rungs, keep, aim)
}
