//! The ladder by which many resources become few nodes.
//!
//! Rung 0 joins what is identical and is always applied; each further rung is coarser, and taken only while there are
//! more nodes than a reader can take in. What a reader must not miss is left alone on every rung, up to the number
//! of nodes that Graphviz can lay out at all.

use std::collections::BTreeMap;

use crate::facts::Index;

/// Nodes that a picture never exceeds.
pub const MOST_NODES: usize = 2_000;

/// What a rung joins: resources with the same text become one node.
pub type Rung<'a> = &'a dyn Fn(Index) -> String;

/// Resources joined into nodes.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    /// The resources of each node, in order; nodes are ordered by their first resource.
    pub groups: Vec<Vec<Index>>,
    /// The last rung taken.
    pub rung: usize,
    /// Whether even what a reader must not miss had to be joined.
    pub forced: bool,
}

/// Joins `resources` until at most `aim` nodes are left, or the rungs are used up. `keep` says what stays alone.
pub fn fold(
    resources: &[Index],
    rungs: &[Rung<'_>],
    keep: &dyn Fn(Index) -> bool,
    aim: usize,
) -> Folded {
    let last = rungs.len().saturating_sub(1);
    for (rung, same) in rungs.iter().enumerate() {
        let groups = join(resources, rung, same, keep);
        if groups.len() <= aim || (rung == last && groups.len() <= MOST_NODES) {
            return Folded {
                groups,
                rung,
                forced: false,
            };
        }
    }
    for (rung, same) in rungs.iter().enumerate() {
        let groups = join(resources, rung, same, &|_| false);
        if groups.len() <= MOST_NODES {
            return Folded {
                groups,
                rung,
                forced: true,
            };
        }
    }
    let mut groups = rungs
        .last()
        .map(|same| join(resources, last, same, &|_| false))
        .unwrap_or_default();
    // Whatever the rungs are made of, the bound holds: the rest is one node.
    let rest: Vec<Index> = groups
        .split_off(MOST_NODES.saturating_sub(1).min(groups.len()))
        .into_iter()
        .flatten()
        .collect();
    groups.extend((!rest.is_empty()).then_some(rest));
    Folded {
        groups,
        rung: last,
        forced: true,
    }
}

fn join(
    resources: &[Index],
    rung: usize,
    same: Rung<'_>,
    keep: &dyn Fn(Index) -> bool,
) -> Vec<Vec<Index>> {
    let mut groups: BTreeMap<(Option<Index>, String), Vec<Index>> = BTreeMap::new();
    for &resource in resources {
        let key = if keep(resource) {
            (Some(resource), String::new())
        } else {
            (None, format!("{rung}{}", same(resource)))
        };
        groups.entry(key).or_default().push(resource);
    }
    let mut groups: Vec<Vec<Index>> = groups.into_values().collect();
    groups.sort_by_key(|group| group.first().copied());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_taken_only_as_far_as_needed() {
        let resources: Vec<Index> = (0..100).collect();
        let rungs: [Rung<'_>; 3] = [
            &|index| index.to_string(),
            &|index| (index / 10).to_string(),
            &|_| String::new(),
        ];
        assert_eq!(fold(&resources, &rungs, &|_| false, 100).rung, 0);
        let folded = fold(&resources, &rungs, &|_| false, 50);
        assert_eq!((folded.rung, folded.groups.len()), (1, 10));
        let folded = fold(&resources, &rungs, &|index| index == 7, 5);
        assert_eq!((folded.rung, folded.groups.len()), (2, 2));
        assert!(folded.groups.contains(&vec![7]));
    }

    #[test]
    fn what_must_not_be_missed_is_joined_only_at_the_limit() {
        let resources: Vec<Index> = (0..5_000).collect();
        let rungs: [Rung<'_>; 2] = [&|index| index.to_string(), &|index| (index % 3).to_string()];
        let folded = fold(&resources, &rungs, &|_| true, 50);
        assert!(folded.forced);
        assert_eq!(folded.groups.len(), 3);
        let folded = fold(&resources, &[&|index| index.to_string()], &|_| true, 50);
        assert_eq!(folded.groups.len(), MOST_NODES);
        assert_eq!(folded.groups.iter().map(Vec::len).sum::<usize>(), 5_000);
    }
}
