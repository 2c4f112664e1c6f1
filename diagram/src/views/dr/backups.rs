//! Backups of the `dr` view: vaults, snapshots, what is copied into them, and ghosts of what is asked for and not there.

use std::collections::BTreeMap;

use super::{BACKUPS, Built, STANDBYS, Scene, copies};
use crate::facts::Index;
use crate::graph::lift::{NodeIndex, Relation};
use crate::kinds::Category;
use crate::look::{Look, Phrase};
use crate::picture::{FrameStyle, Node, Shape, hashed_id};

/// Arrows to one kind of snapshots beyond which the cards say it.
const MOST_ARROWS: usize = 4;

impl Built {
    /// Vaults and other backups, and what lies in them.
    pub(super) fn backups(&mut self, scene: &Scene<'_>) {
        let mut node_of: BTreeMap<&copies::Kept, NodeIndex> = BTreeMap::new();
        let drawn = scene.copies.kept.iter().filter(|(kept, copies)| {
            copies
                .of
                .keys()
                .any(|store| self.node_of.contains_key(store))
                || kept
                    .vault(scene.facts)
                    .is_some_and(|vault| scene.is_selected(vault))
        });
        let drawn: Vec<_> = drawn.collect();
        for (kept, copies) in &drawn {
            let mut node = kept.card(scene, copies);
            node.frame = Some(self.frame("backups", "backups", "", FrameStyle::Vault));
            let position = self.push(BACKUPS, node);
            node_of.insert(kept, position);
        }
        let mut edges: BTreeMap<(NodeIndex, NodeIndex), copies::Label> = BTreeMap::new();
        for (kept, copies) in &drawn {
            for (store, label) in &copies.of {
                let source = label
                    .copied_from
                    .as_ref()
                    .and_then(|vault| node_of.get(&copies::Kept::Vault(vault.clone())).copied());
                let Some(from) = source.or_else(|| self.node_of.get(store).copied()) else {
                    continue;
                };
                edges.entry((from, node_of[kept])).or_default().add(label);
            }
        }
        for (kept, _) in drawn {
            self.say_instead(kept, node_of[kept], &mut edges);
        }
        for ((from, to), label) in edges {
            let words = if self.columns[BACKUPS].contains(&from) {
                "copy".to_owned()
            } else {
                label.words()
            };
            self.connect(from, to, Relation::Backup, words, label.number);
        }
    }

    /// Snapshots and the like that many cards have are words on these; a vault is one place, of which arrows tell more.
    fn say_instead(
        &mut self,
        kept: &copies::Kept,
        to: NodeIndex,
        edges: &mut BTreeMap<(NodeIndex, NodeIndex), copies::Label>,
    ) {
        let copies::Kept::Service { region, .. } = kept else {
            return;
        };
        let into = |ends: &(NodeIndex, NodeIndex)| ends.1 == to;
        if edges.keys().filter(|ends| into(ends)).count() <= MOST_ARROWS {
            return;
        }
        let noun = kept.noun();
        for ((from, _), label) in edges.extract_if(.., |ends, _| into(ends)) {
            let node = &mut self.nodes[from];
            let at_home = node
                .frame
                .is_some_and(|frame| self.frames[frame].title == *region);
            let words = match (at_home, label.words()) {
                (true, words) => format!("{noun} {words}"),
                (false, words) => format!("{noun} in {region} {words}"),
            };
            if let Shape::Card { lines, .. } = &mut node.shape {
                lines.push(vec![Phrase::plain(words.trim_end())]);
            }
        }
    }

    /// A ghost for each backup and standby that a tag asks for and that is known not to be there.
    pub(super) fn ghosts(&mut self, scene: &Scene<'_>, groups: &[Vec<Index>]) {
        for (demand, title, column) in [
            ("backup", "no backup", BACKUPS),
            ("replication", "no replica", STANDBYS),
        ] {
            for group in groups {
                let first = scene.facts.resource(group[0]);
                let recovery = scene.recovery.stores.get(&group[0]);
                if !recovery
                    .is_some_and(|recovery| recovery.unmet.iter().any(|unmet| unmet == demand))
                {
                    continue;
                }
                let mut node = Node::card(
                    hashed_id("g", &format!("{demand}\u{1f}{}", first.arn)),
                    title.to_owned(),
                    "?",
                    Category::External,
                    format!("DR tag of {}", first.title()),
                );
                node.look = Look::Missing;
                node.frame = Some(if column == BACKUPS {
                    self.frame("backups", "backups", "", FrameStyle::Vault)
                } else {
                    self.frame("no standby", "no standby", "", FrameStyle::Outline)
                });
                let ghost = self.push(column, node);
                let from = self.node_of[&group[0]];
                self.connect(
                    from,
                    ghost,
                    Relation::Backup,
                    String::new(),
                    group.len() as u64,
                );
                if let Some(edge) = self.edges.last_mut() {
                    edge.look = Look::Missing;
                }
            }
        }
    }
}
