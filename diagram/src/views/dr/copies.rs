//! Copies of data stores: what replicates where, and what is kept in which vault or as which kind of snapshot.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use crate::facts::recovery::RecoveryFacts;
use crate::facts::{Facts, Index};
use crate::kinds::{Category, kind};
use crate::picture::{Node, Phrase, count, grouped, hashed_id};
use crate::views::words::duration;

/// Where data is copied to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standby {
    /// A store of the run.
    Known(Index),
    /// An identifier that leads out of the run.
    Outside(String),
}

impl Standby {
    pub(super) fn known(&self) -> Option<Index> {
        match self {
            Self::Known(index) => Some(*index),
            Self::Outside(_) => None,
        }
    }
}

/// Where backups are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    /// In a vault, by its ARN.
    Vault(String),
    /// As snapshots, images or automated backups of one type, by account and region.
    Service {
        resource_type: String,
        account_id: String,
        region: String,
    },
}

/// Backups of one store in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Label {
    /// How many.
    pub number: u64,
    newest_seconds: Option<u64>,
    /// Vault they were copied from.
    pub copied_from: Option<String>,
}

impl Label {
    pub(super) fn add(&mut self, other: &Self) {
        self.number += other.number;
        // Of several stores on one card, the one that is furthest behind.
        self.newest_seconds = self.newest_seconds.max(other.newest_seconds);
    }

    /// `×3, last 4h`.
    pub(super) fn words(&self) -> String {
        let number = if self.number > 1 {
            format!("×{}", grouped(self.number))
        } else {
            String::new()
        };
        match self.newest_seconds {
            Some(seconds) if number.is_empty() => format!("last {}", duration(seconds)),
            Some(seconds) => format!("{number}, last {}", duration(seconds)),
            None => number,
        }
    }
}

/// What one place keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Backups {
    /// By store.
    pub of: BTreeMap<Index, Label>,
    /// Recovery points and snapshots as resources.
    pub copies: BTreeSet<Index>,
}

/// All copies of a run.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// From, to.
    pub replication: BTreeSet<(Index, Standby)>,
    /// Stores that others are copied to.
    pub standbys: BTreeSet<Index>,
    /// Backups.
    pub kept: BTreeMap<Kept, Backups>,
    places: BTreeMap<Index, BTreeSet<String>>,
}

impl Copies {
    pub(super) fn new(
        facts: &Facts,
        recovery: &RecoveryFacts,
        whole: &BTreeMap<Index, Index>,
    ) -> Self {
        let mut copies = Self::default();
        let root = |store: Index| whole.get(&store).copied().unwrap_or(store);
        let is_store = |index: Index| recovery.stores.contains_key(&index);
        for link in &facts.links {
            let pair = match (link.kind.as_str(), link.from, link.to) {
                ("replica_of", Some(replica), Some(source)) => {
                    Some((source, Standby::Known(root(replica))))
                }
                ("replicates_to", Some(source), Some(target)) => {
                    Some((source, Standby::Known(root(target))))
                }
                ("replicates_to", Some(source), None) if !link.to_id.is_empty() => {
                    Some((source, Standby::Outside(link.to_id.clone())))
                }
                _ => None,
            };
            if let Some((source, standby)) = pair
                && is_store(source)
                && standby
                    .known()
                    .is_none_or(|to| is_store(to) && to != root(source))
            {
                copies.replication.insert((root(source), standby));
            }
        }
        copies.find_standbys();
        copies.find_backups(facts, recovery, &root);
        for (source, standby) in &copies.replication {
            let place = format!("{standby:?}");
            copies.places.entry(*source).or_default().insert(place);
        }
        copies
    }

    /// Of two that copy to each other, the second in order is the standby.
    fn find_standbys(&mut self) {
        for (source, standby) in &self.replication {
            if let Standby::Known(to) = standby
                && !(to < source && self.replication.contains(&(*to, Standby::Known(*source))))
            {
                self.standbys.insert(*to);
            }
        }
    }

    fn find_backups(
        &mut self,
        facts: &Facts,
        recovery: &RecoveryFacts,
        root: &dyn Fn(Index) -> Index,
    ) {
        let mut in_vault: BTreeMap<Index, &str> = BTreeMap::new();
        for link in facts
            .links
            .iter()
            .filter(|link| link.kind == "backed_up_to")
        {
            if let (Some(point), Some(vault)) = (link.from, link.to) {
                in_vault.insert(point, &facts.resource(vault).arn);
            }
        }
        for ((store, vault), points) in &recovery.points {
            let label = Label {
                number: points.number,
                newest_seconds: points.newest_seconds,
                copied_from: points.copied_from.clone(),
            };
            if recovery.stores.contains_key(store) {
                let backups = self.kept.entry(Kept::Vault(vault.clone())).or_default();
                backups.of.insert(root(*store), label);
            }
        }
        for &vault in recovery.vaults.keys() {
            let arn = facts.resource(vault).arn.clone();
            self.kept.entry(Kept::Vault(arn)).or_default();
        }
        for link in facts.links.iter().filter(|link| link.kind == "backup_of") {
            let (Some(copy), Some(store)) = (link.from, link.to) else {
                continue;
            };
            if !recovery.stores.contains_key(&store) {
                continue;
            }
            let resource = facts.resource(copy);
            if let Some(vault) = in_vault.get(&copy) {
                let kept = self
                    .kept
                    .entry(Kept::Vault((*vault).to_owned()))
                    .or_default();
                kept.copies.insert(copy);
                continue;
            }
            let kept = Kept::Service {
                resource_type: resource.resource_type.clone(),
                account_id: resource.account_id.clone(),
                region: resource.region.clone(),
            };
            let backups = self.kept.entry(kept).or_default();
            backups.of.entry(root(store)).or_default().number += 1;
            backups.copies.insert(copy);
        }
        for (kept, backups) in &self.kept {
            for store in backups.of.keys() {
                let place = format!("{kept:?}");
                self.places.entry(*store).or_default().insert(place);
            }
        }
    }

    /// Where a store is copied to, for telling stores apart.
    pub(super) fn of(&self, store: Index) -> Option<&BTreeSet<String>> {
        self.places.get(&store)
    }
}

impl Kept {
    /// The vault, when it is in the run.
    pub(super) fn vault(&self, facts: &Facts) -> Option<Index> {
        match self {
            Self::Vault(arn) => facts.find(arn),
            Self::Service { .. } => None,
        }
    }

    /// What is kept.
    pub(super) fn noun(&self) -> String {
        match self {
            Self::Vault(_) => "recovery points".to_owned(),
            Self::Service { resource_type, .. } => kind(resource_type).plural,
        }
    }

    pub(super) fn card(&self, scene: &Scene<'_>, backups: &Backups) -> Node {
        let facts = scene.facts;
        let (id, vault) = (hashed_id("k", &format!("{self:?}")), self.vault(facts));
        let mut node = match (self, vault) {
            (Self::Vault(_), Some(vault)) => vault_card(scene, id, vault),
            (Self::Vault(arn), None) => {
                let name = arn.rsplit(':').next().unwrap_or(arn);
                let mut node = Node::card(
                    id,
                    format!("vault {name}"),
                    "OUT",
                    Category::External,
                    "not in the run".to_owned(),
                );
                node.dashed = true;
                node
            }
            (
                Self::Service {
                    resource_type,
                    account_id,
                    region,
                },
                _,
            ) => {
                let kind = kind(resource_type);
                let mut of = backups.of.clone();
                of.retain(|&store, _| scene.is_selected(store));
                let number = of.values().map(|label| label.number).sum::<u64>();
                let node = Node::card(
                    id,
                    kind.plural.clone(),
                    &kind.badge,
                    Category::Backup,
                    format!("{region} · {account_id}"),
                );
                let words = format!(
                    "×{} of {}",
                    grouped(number),
                    count(of.len() as u64, "data store")
                );
                node.with_lines(vec![vec![Phrase::plain(words)]])
            }
        };
        let own = vault.into_iter().chain(backups.copies.iter().copied());
        node.members = own
            .filter(|&index| scene.is_selected(index))
            .map(|index| facts.resource(index).arn.clone())
            .collect();
        node
    }
}

fn vault_card(scene: &Scene<'_>, id: String, vault: Index) -> Node {
    let resource = scene.facts.resource(vault);
    let state = scene.recovery.vaults.get(&vault);
    let locked = match state.and_then(|state| state.locked) {
        Some(true) => "locked",
        Some(false) => "not locked",
        None => "lock not known",
    };
    let mut node = Node::card(
        id,
        format!("vault {}", resource.title()),
        "BKP",
        Category::Backup,
        format!("{} · {locked}", resource.region),
    );
    node.findings = resource.findings;
    node.dashed = !scene.is_selected(vault);
    let points = state.and_then(|state| state.recovery_points).map_or_else(
        || "recovery points not known".to_owned(),
        |points| count(points, "recovery point"),
    );
    node.with_lines(vec![vec![Phrase::plain(points)]])
}
