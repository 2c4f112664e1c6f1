//! Which tables are collected and which calls list their rows.

use std::collections::HashSet;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde_json::{Map, Value};

use super::expression::{Place, json, variable};
use super::tablefile::{Scope, TableFile};
use crate::aws::Call;

/// Why there is nothing to collect.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A pattern is not well formed.
    #[error("{0:?} is not a pattern: {1}")]
    Pattern(String, String),
    /// A pattern matches no table.
    #[error("no table matches {0:?}; `collect tables` lists them")]
    NoTable(String),
    /// Everything was skipped.
    #[error("nothing to collect: --table and --skip leave no table; `collect tables` lists them")]
    Nothing,
}

/// The tables of a run.
#[derive(Debug)]
pub struct Plan {
    /// All tables.
    pub tables: &'static [TableFile],
    /// Per table: whether its rows are written.
    pub wanted: Vec<bool>,
    /// Per table: whether its rows are asked for, for itself or for those below it.
    pub needed: Vec<bool>,
    /// Per table: the needed tables that hang below it.
    pub children: Vec<Vec<usize>>,
}

/// One call whose answer holds the rows of one or more tables.
#[derive(Debug)]
pub struct Listing {
    /// The call.
    pub call: Call,
    /// Where its rows are.
    pub place: Place,
    /// Tables, by index.
    pub tables: Vec<usize>,
}

impl Plan {
    /// Tables that match one of `only` (all, when there is none) and none of `skip`.
    ///
    /// # Errors
    ///
    /// When a pattern matches nothing, or nothing is left.
    pub fn new(
        tables: &'static [TableFile],
        only: &[String],
        skip: &[String],
    ) -> Result<Self, PlanError> {
        let (chosen, skipped) = (patterns(tables, only)?, patterns(tables, skip)?);
        let wants = |table: &TableFile| {
            (only.is_empty() || chosen.is_match(&table.name)) && !skipped.is_match(&table.name)
        };
        let wanted: Vec<bool> = tables.iter().map(wants).collect();
        if !wanted.contains(&true) {
            return Err(PlanError::Nothing);
        }
        let parents: Vec<Option<usize>> = tables
            .iter()
            .map(|table| {
                let parent = table.list.parent.as_ref()?;
                tables.iter().position(|known| known.name == *parent)
            })
            .collect();
        let mut needed = wanted.clone();
        for index in 0..tables.len() {
            let mut above = parents[index].filter(|_| wanted[index]);
            // No table hangs below itself: depth ends with the number of tables.
            for _ in 0..tables.len() {
                let Some(parent) = above else { break };
                needed[parent] = true;
                above = parents[parent];
            }
        }
        let below = |index: usize| {
            (0..tables.len())
                .filter(|&child| needed[child] && parents[child] == Some(index))
                .collect()
        };
        let children = (0..tables.len()).map(below).collect();
        Ok(Self {
            tables,
            wanted,
            needed,
            children,
        })
    }

    /// The calls that list rows in one account: global tables once, regional ones in each region, each call once.
    pub fn listings(
        &self,
        partition: &str,
        main_region: &str,
        account_id: &str,
        regions: &[String],
    ) -> Vec<Listing> {
        let place = |region: &str, column_region: &str| Place {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account_id: account_id.to_owned(),
            column_region: column_region.to_owned(),
        };
        let mut places = vec![(Scope::Global, place(main_region, "global"))];
        places.extend(
            regions
                .iter()
                .map(|region| (Scope::Regional, place(region, region))),
        );
        let mut listings: Vec<Listing> = Vec::new();
        for (scope, place) in places {
            let first = listings.len();
            for (index, table) in self.tables.iter().enumerate() {
                if !self.needed[index] || table.scope != scope || table.list.parent.is_some() {
                    continue;
                }
                let call = list_call(table, &place);
                match listings[first..]
                    .iter_mut()
                    .find(|listing| listing.call == call)
                {
                    Some(listing) => listing.tables.push(index),
                    None => listings.push(Listing {
                        call,
                        place: place.clone(),
                        tables: vec![index],
                    }),
                }
            }
        }
        listings
    }

    /// A table and everything below it that is written.
    pub fn concerned(&self, table: usize) -> Vec<usize> {
        let mut concerned = vec![table];
        let mut next = 0;
        while let Some(&index) = concerned.get(next) {
            concerned.extend(&self.children[index]);
            next += 1;
        }
        concerned.retain(|&index| self.wanted[index]);
        concerned
    }
}

/// The call of a table that hangs below no other: its parameters depend on account and region only.
fn list_call(table: &TableFile, place: &Place) -> Call {
    let mut params = table.list.params.clone();
    let nothing = variable(Value::Object(Map::new()));
    for (name, expression) in &table.list.bind {
        // A parameter that can't be formed is left out, and the service says what it misses.
        if let Ok(value) = expression.search(&nothing, place) {
            params.insert(name.clone(), json(&value));
        }
    }
    Call {
        account_id: place.account_id.clone(),
        region: place.region.clone(),
        service: table.service.clone(),
        operation: table.list.operation.clone(),
        params,
    }
}

fn patterns(tables: &[TableFile], sources: &[String]) -> Result<GlobSet, PlanError> {
    let mut set = GlobSetBuilder::new();
    let names: HashSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    for source in sources {
        let glob = Glob::new(source)
            .map_err(|error| PlanError::Pattern(source.clone(), error.kind().to_string()))?;
        let matcher = glob.compile_matcher();
        if !names.iter().any(|name| matcher.is_match(name)) {
            return Err(PlanError::NoTable(source.clone()));
        }
        set.add(glob);
    }
    set.build()
        .map_err(|error| PlanError::Pattern(sources.join(" "), error.to_string()))
}
