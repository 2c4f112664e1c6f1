//! The dangerous actions that are judged: those of the catalogue and those that the user adds.

use std::collections::BTreeMap;

use anyhow::Context as _;

use crate::actions::{Catalogue, Logged, dangerous};
use crate::iam::Action;

/// An action that is dangerous to a type of resource.
#[derive(Clone, Debug)]
pub(super) struct Danger {
    pub(super) action: Action,
    /// The action as the catalogue writes it.
    pub(super) name: String,
    pub(super) resource_type: String,
    pub(super) kind: String,
    /// What makes the ARN that is judged of the resource's: the action is about a part of it.
    pub(super) part: &'static str,
    /// A policy can name the resource; else the action takes `*` only.
    pub(super) resource_level: bool,
    pub(super) tag_condition: Option<bool>,
    pub(super) logged: Option<&'static str>,
}

/// The type under which actions are listed that concern an account as a whole.
pub(super) const ACCOUNT: &str = "account";

/// All of them, sorted by type and action.
pub(super) struct Dangers {
    all: Vec<Danger>,
    by_type: BTreeMap<String, Vec<usize>>,
}

impl Dangers {
    /// `added` are the user's: action, type and kind.
    pub(super) fn new(added: &[(String, String, String)]) -> Self {
        let embedded = dangerous().iter().filter_map(|danger| {
            Danger::new(
                danger.action,
                danger.resource_type,
                danger.kind.name(),
                danger.part,
            )
        });
        let added = added.iter().filter_map(|(action, resource_type, kind)| {
            Danger::new(action, resource_type, kind, "")
        });
        let mut all: Vec<Danger> = embedded.chain(added).collect();
        all.sort_by(|a, b| {
            (&a.resource_type, &a.name, a.part).cmp(&(&b.resource_type, &b.name, b.part))
        });
        all.dedup_by(|a, b| a.resource_type == b.resource_type && a.name == b.name);
        let mut by_type: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, danger) in all.iter().enumerate() {
            by_type
                .entry(danger.resource_type.clone())
                .or_default()
                .push(index);
        }
        Self { all, by_type }
    }

    pub(super) fn all(&self) -> &[Danger] {
        &self.all
    }

    /// Those of a type, with their positions.
    pub(super) fn of_type(&self, resource_type: &str) -> impl Iterator<Item = (usize, &Danger)> {
        let indexes = self.by_type.get(resource_type);
        indexes
            .into_iter()
            .flatten()
            .map(|index| (*index, &self.all[*index]))
    }

    /// The suffixes under which parts of a type are judged.
    pub(super) fn parts(&self, resource_type: &str) -> Vec<&'static str> {
        let mut parts: Vec<&str> = self
            .of_type(resource_type)
            .map(|(_, danger)| danger.part)
            .filter(|part| !part.is_empty())
            .collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }
}

impl Danger {
    /// What lets one become a role.
    pub(super) fn assuming() -> anyhow::Result<Self> {
        Self::new("sts:AssumeRole", "iam:role", "escalate", "")
            .context("sts:AssumeRole is no action")
    }

    /// None if `action` is none.
    fn new(action: &str, resource_type: &str, kind: &str, part: &'static str) -> Option<Self> {
        let facts = Catalogue::embedded().find(action);
        Some(Self {
            action: Action::parse(action).ok()?,
            name: facts.map_or(action, |facts| facts.name).to_owned(),
            resource_type: resource_type.to_owned(),
            kind: kind.to_owned(),
            part,
            resource_level: facts
                .is_none_or(|facts| facts.resources.iter().any(|resource| !resource.is_none())),
            tag_condition: facts.map(|facts| {
                facts
                    .resources
                    .iter()
                    .any(|resource| resource.tag_condition)
            }),
            logged: facts.map(|facts| match facts.logged {
                Logged::Management => "management",
                Logged::Data => "data",
                Logged::Never => "never",
            }),
        })
    }
}
