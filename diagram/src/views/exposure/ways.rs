//! Which paths an exposure picture has: those to what the filter admits and what leads there, and which of them are hot.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::reach::{End, Lane, Path};
use crate::facts::{Facts, Index};
use crate::kinds::{Category, kind};

/// The paths of a picture.
#[derive(Debug, Default)]
pub(super) struct Ways<'a> {
    /// Paths to draw, in order, and whether each is on the way to critical data.
    pub paths: Vec<(&'a Path, bool)>,
    /// Steps from outside by open paths.
    pub steps: BTreeMap<&'a End, u64>,
    /// Where each end stands.
    pub lanes: BTreeMap<&'a End, Lane>,
}

impl<'a> Ways<'a> {
    /// The paths to what `is_selected` admits.
    pub(super) fn new(facts: &Facts, all: &'a [Path], is_selected: &dyn Fn(Index) -> bool) -> Self {
        let mut to: BTreeMap<&End, Vec<usize>> = BTreeMap::new();
        for (position, path) in all.iter().enumerate() {
            to.entry(&path.to).or_default().push(position);
        }
        let selected = |end: &End| matches!(end, End::Known(index) if is_selected(*index));
        let wanted = |path: &Path| {
            selected(&path.to) || (matches!(path.to, End::Outside(_)) && selected(&path.from))
        };
        let drawn = back(all, &to, &wanted, &|_| true);
        let is_critical =
            |path: &Path| path.open && wanted(path) && is_critical_data(facts, &path.to);
        let hot = back(all, &to, &is_critical, &|path| path.open);
        let mut ways = Self::default();
        for position in drawn {
            let path = &all[position];
            ways.paths.push((path, hot.contains(&position)));
            if path.open {
                let step = ways.steps.entry(&path.to).or_insert(path.step);
                *step = path.step.min(*step);
            }
            let lane = ways.lanes.entry(&path.to).or_insert(path.lane);
            *lane = path.lane.min(*lane);
        }
        for position in 0..ways.paths.len() {
            let path = ways.paths[position].0;
            let lane = if path.step <= 1 {
                Lane::Internet
            } else {
                Lane::Compute
            };
            ways.lanes.entry(&path.from).or_insert(lane);
        }
        ways
    }
}

/// The paths that `begin` admits, and the nearest ways back from them to the internet, by paths that `may` admits.
fn back(
    all: &[Path],
    to: &BTreeMap<&End, Vec<usize>>,
    begin: &dyn Fn(&Path) -> bool,
    may: &dyn Fn(&Path) -> bool,
) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = (0..all.len())
        .filter(|&position| begin(&all[position]))
        .collect();
    let mut seen: BTreeSet<&End> = BTreeSet::new();
    let mut open: Vec<&End> = found.iter().map(|&position| &all[position].from).collect();
    while let Some(end) = open.pop() {
        if !seen.insert(end) {
            continue;
        }
        let before = || {
            to.get(end)
                .into_iter()
                .flatten()
                .copied()
                .filter(|&position| may(&all[position]))
        };
        let Some(nearest) = before().map(|position| all[position].step).min() else {
            continue;
        };
        for position in before().filter(|&position| all[position].step == nearest) {
            found.insert(position);
            open.push(&all[position].from);
        }
    }
    found
}

/// Whether it keeps data and is of the highest importance that anything has.
pub(super) fn is_critical_data(facts: &Facts, end: &End) -> bool {
    let End::Known(index) = end else {
        return false;
    };
    let resource = facts.resource(*index);
    resource.importance_rank.is_some()
        && resource.importance_rank == facts.highest_rank()
        && kind(&resource.resource_type).category == Category::Data
}
