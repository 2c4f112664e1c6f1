//! What is known of a run, as the views need it: resources in a total order and the links between them by index.
//!
//! Invariant: resources are sorted by account, region, type and ARN, and links by their ends, so that nothing
//! that follows depends on the order of rows in the lake.

pub mod access;
mod author;
pub mod change;
pub mod reach;
mod read;
pub mod recovery;

use std::collections::{BTreeSet, HashMap};

pub use read::{ReadError, as_of, read};

/// Index of a resource in [`Facts::resources`].
pub type Index = u32;

/// Failed and undecided verdicts on a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Findings {
    /// Failed checks of severity critical.
    pub critical: u64,
    /// Failed checks of severity high.
    pub high: u64,
    /// Failed checks of severity medium.
    pub medium: u64,
    /// Failed checks of severity low or info.
    pub low: u64,
    /// Checks that could not be decided.
    pub unknown: u64,
    /// Checks that passed, or would fail and were accepted.
    pub settled: u64,
}

impl Findings {
    /// Adds the verdicts on another resource.
    pub fn add(&mut self, other: Self) {
        self.critical += other.critical;
        self.high += other.high;
        self.medium += other.medium;
        self.low += other.low;
        self.unknown += other.unknown;
        self.settled += other.settled;
    }

    /// Whether something was judged, and nothing found: the absence of findings alone is no verdict.
    pub fn is_clean(self) -> bool {
        self.settled > 0
            && self
                == Self {
                    settled: self.settled,
                    ..Self::default()
                }
    }
}

/// A resource with its place in the business.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// Account that owns it.
    pub account_id: String,
    /// Region, `global` for services that have none.
    pub region: String,
    /// Its ARN.
    pub arn: String,
    /// Type, such as `ec2:instance`.
    pub resource_type: String,
    /// Its name, empty when it has none.
    pub name: String,
    /// A few words on what it is.
    pub summary: String,
    /// Availability zone.
    pub zone: String,
    /// System, empty when no tag tells.
    pub system: String,
    /// Whether the system is not its own but that of what it belongs to.
    pub adopted: bool,
    /// Environment, empty when no tag tells.
    pub environment: String,
    /// Owner, empty when no tag tells.
    pub owner: String,
    /// Importance level, empty when no tag tells.
    pub importance: String,
    /// 0 for the lowest level upwards.
    pub importance_rank: Option<i64>,
    /// Whether that counts as critical; absent without an importance, and before `analyze`.
    pub critical: Option<bool>,
    /// What its DR tag demands.
    pub dr: Vec<String>,
    /// How many of those demands are met.
    pub dr_met: u64,
    /// Required tags it has, and how many there are; absent when it can't carry tags or they could not be read.
    pub tags: Option<(u64, u64)>,
    /// Reachable from the internet; absent when nobody decided it.
    pub exposed: Option<bool>,
    /// How it is reachable, such as `tcp/22 from 0.0.0.0/0`.
    pub exposure: String,
    /// Verdicts on it.
    pub findings: Findings,
}

impl Resource {
    fn order(&self) -> (&str, &str, &str, &str) {
        (
            &self.account_id,
            &self.region,
            &self.resource_type,
            &self.arn,
        )
    }

    /// What a reader calls it: the name, else the ARN's last part.
    pub fn title(&self) -> &str {
        if self.name.is_empty() {
            self.arn.rsplit(['/', ':']).next().unwrap_or(&self.arn)
        } else {
            &self.name
        }
    }

    /// Its function: the middle of a name `uid_function_system`; empty when the name is the service's own id, else the name.
    pub fn function(&self) -> &str {
        if let [_, function, _] = self.name.split('_').collect::<Vec<_>>()[..] {
            return function;
        }
        let id = self.arn.rsplit(['/', ':']).next().unwrap_or_default();
        let made_up = id.rsplit('-').next().is_some_and(|tail| {
            tail.len() >= 8 && tail.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if self.name.is_empty() || (self.name == id && made_up) {
            ""
        } else {
            &self.name
        }
    }
}

/// One reference between two resources, or between a resource and an identifier outside the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Kind of the reference, as in the table `relationships`.
    pub kind: String,
    /// The resource that refers.
    pub from: Option<Index>,
    /// The resource it refers to.
    pub to: Option<Index>,
    /// Identifier of the first, when it is outside the run.
    pub from_id: String,
    /// Identifier of the second, when it is outside the run.
    pub to_id: String,
    /// Port, destination or name.
    pub detail: String,
}

/// A call that failed or was not made.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedCall {
    /// Account of the call.
    pub account_id: String,
    /// Region of the call.
    pub region: String,
    /// The one resource it was about; `None` when it was about a whole table, or about a resource outside the run.
    pub resource: Option<Index>,
    /// Whether it would have told tags, and with them which system the resource is of.
    pub tells_tags: bool,
}

/// A run, as far as pictures need it.
#[derive(Debug, Default)]
pub struct Facts {
    /// When the facts were collected, such as `2026-11-16 06:00 UTC`.
    pub as_of: String,
    /// Whether `analyze` has said what is exposed, important and wrong.
    pub analyzed: bool,
    /// All resources, sorted.
    pub resources: Vec<Resource>,
    /// All links, sorted, without repetitions.
    pub links: Vec<Link>,
    /// Route tables that serve a VPC's subnets which have none of their own.
    pub main_route_tables: BTreeSet<Index>,
    /// Whether it is known which route table is which VPC's main one.
    pub main_route_tables_known: bool,
    /// Calls that failed or were not made.
    pub errors: Vec<FailedCall>,
    /// Index of each ARN.
    positions: HashMap<String, Index>,
    /// The highest importance rank; every card asks for it.
    highest_rank: Option<i64>,
}

impl Facts {
    /// The resource with this ARN.
    pub fn find(&self, arn: &str) -> Option<Index> {
        self.positions.get(arn).copied()
    }

    /// Sorts resources, drops repetitions, notes the highest rank, and lets `links` be made with the index of ARNs.
    pub(crate) fn index(&mut self) -> HashMap<String, Index> {
        self.resources.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut index = HashMap::with_capacity(self.resources.len());
        // One ARN is one resource, even where two rows claim it.
        self.resources.retain(|resource| {
            let next = Index::try_from(index.len()).unwrap_or(Index::MAX);
            match index.entry(resource.arn.clone()) {
                std::collections::hash_map::Entry::Occupied(_) => false,
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(next);
                    true
                }
            }
        });
        let ranks = self.resources.iter();
        self.highest_rank = ranks.filter_map(|resource| resource.importance_rank).max();
        index
    }

    /// The resource of an index that this run gave out.
    pub fn resource(&self, index: Index) -> &Resource {
        &self.resources[index as usize]
    }

    /// Indexes of all resources, in order.
    pub fn indexes(&self) -> impl Iterator<Item = Index> + use<> {
        0..Index::try_from(self.resources.len()).unwrap_or(Index::MAX)
    }

    /// The highest importance rank that any resource carries.
    pub fn highest_rank(&self) -> Option<i64> {
        self.highest_rank
    }
}
