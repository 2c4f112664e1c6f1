//! What principals did, as actions on resources.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use duckdb::Connection;

use super::arns::{self, Place};
use super::scene::Scene;
use crate::access::decide::Judge;
use crate::access::world::World;
use crate::actions::{ActionFacts, Catalogue, EventActions, of_event};
use crate::iam::Action;

/// What an action was done to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    /// The action takes no resource.
    Nothing,
    /// The event does not tell.
    Unknown,
    /// ARNs by the position of their type among the resources of the action.
    Known(BTreeMap<usize, BTreeSet<String>>),
}

/// An action that a principal used.
pub(super) struct Use {
    /// Position in [`World::holders`].
    pub(super) holder: usize,
    pub(super) action: &'static ActionFacts,
    pub(super) on: On,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) calls: i64,
}

impl Use {
    /// The ARNs that are known of it.
    pub(super) fn arns(&self) -> impl Iterator<Item = &String> {
        let known = match &self.on {
            On::Known(known) => Some(known),
            On::Nothing | On::Unknown => None,
        };
        known.into_iter().flat_map(BTreeMap::values).flatten()
    }
}

/// All that was done.
#[derive(Default)]
pub(super) struct Uses {
    pub(super) all: Vec<Use>,
    /// Holders with calls.
    pub(super) seen: BTreeSet<usize>,
    /// Positions in `all`, by holder.
    pub(super) by_holder: BTreeMap<usize, Vec<usize>>,
    /// Prefixes of services with calls of a holder whose actions are not known.
    pub(super) unmapped: BTreeSet<(usize, String)>,
    /// Prefixes of services that are used in an account: by anybody's calls, or since it has resources there.
    pub(super) services: BTreeMap<String, BTreeSet<String>>,
    /// Uses that today's policies deny: permissions changed since.
    pub(super) denied_today: Vec<Use>,
}

impl Uses {
    /// Sets apart what today's policies deny.
    pub(super) fn allowed(mut self, scene: &Scene) -> anyhow::Result<Self> {
        let judge = Judge::new(&scene.world, &scene.facts);
        let all = std::mem::take(&mut self.all);
        self.by_holder.clear();
        for used in all {
            let mut subject = judge.subject(&scene.world.holders[used.holder]);
            let action = Action::parse(used.action.name)?;
            let resources = scene.resources(&used, &action);
            if resources
                .iter()
                .any(|resource| scene.ask(&judge, &mut subject, &action, resource).is_some())
            {
                self.by_holder
                    .entry(used.holder)
                    .or_default()
                    .push(self.all.len());
                self.all.push(used);
            } else {
                self.denied_today.push(used);
            }
        }
        Ok(self)
    }
}

/// Reads them from the events.
pub(super) fn read(world: &World, connection: &Connection) -> anyhow::Result<Uses> {
    let holders: HashMap<&str, usize> = world
        .holders
        .iter()
        .enumerate()
        .map(|(index, holder)| (holder.arn.as_str(), index))
        .collect();
    let mut uses = Uses::default();
    for target in &world.targets {
        if let Some(service) = target.arn.split(':').nth(2) {
            uses.services
                .entry(target.account.to_string())
                .or_default()
                .insert(service.to_owned());
        }
    }
    let mut known: BTreeMap<(usize, &'static str, On, String, String), i64> = BTreeMap::new();
    let list = |text: Option<String>| -> Vec<String> {
        text.and_then(|text| {
            serde_json::from_str::<Option<Vec<Option<String>>>>(&text)
                .ok()
                .flatten()
        })
        .into_iter()
        .flatten()
        .flatten()
        .collect()
    };
    let mut statement = connection.prepare(include_str!("../../sql/access/propose/uses.sql"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (account, region, principal): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let (source, name): (String, String) = (row.get(3)?, row.get(4)?);
        let holder = holders.get(principal.as_str()).copied();
        let actions = match (of_event(&source, &name), holder) {
            (EventActions::Actions(actions), _) => actions,
            (EventActions::Unmapped, Some(holder)) => {
                uses.unmapped
                    .insert((holder, source.trim_end_matches(".amazonaws.com").to_owned()));
                continue;
            }
            _ => continue,
        };
        // It is used where it happened, and where whoever did it is at home.
        let own = holder.map(|holder| world.holders[holder].account.to_string());
        for of in std::iter::once(account.clone()).chain(own) {
            let services = uses.services.entry(of).or_default();
            services.extend(
                actions
                    .iter()
                    .filter_map(|action| action.split(':').next())
                    .map(str::to_owned),
            );
        }
        let (arns, names) = (list(row.get(5)?), list(row.get(6)?));
        let place = Place {
            partition: principal.split(':').nth(1).unwrap_or("aws"),
            account: &account,
            region: if region == "global" { "*" } else { &region },
        };
        for facts in actions
            .iter()
            .filter_map(|action| Catalogue::embedded().find(action))
        {
            let Some(holder) = holder else { continue };
            let on = if facts
                .resources
                .iter()
                .all(crate::actions::ResourceFacts::is_none)
            {
                On::Nothing
            } else {
                let named = arns::named(facts, place, &arns, &names);
                if named.is_empty() {
                    On::Unknown
                } else {
                    On::Known(named)
                }
            };
            *known
                .entry((
                    holder,
                    facts.name,
                    on,
                    account.clone(),
                    place.region.to_owned(),
                ))
                .or_default() += row.get::<_, i64>(7)?;
        }
    }
    for ((holder, action, on, account, region), calls) in known {
        let Some(action) = Catalogue::embedded().find(action) else {
            continue;
        };
        uses.seen.insert(holder);
        uses.all.push(Use {
            holder,
            action,
            on,
            account,
            region,
            calls,
        });
    }
    Ok(uses)
}
