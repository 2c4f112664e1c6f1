//! From facts to something that can be drawn: where resources are, what they are part of, which of them are shown
//! as one, and which connections remain between what is shown.

pub mod belong;
pub mod fold;
pub mod lift;
pub mod parts;
pub mod place;

use crate::facts::{Facts, Index, Resource};

/// What the user wants to see. An empty list admits everything.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Filter {
    /// Systems, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<String>,
    /// Environments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Owners.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Accounts, 12 digits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Importance levels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub importances: Vec<String>,
}

/// A condition of a filter: its option, the values asked for, and where a resource keeps its own.
pub type Condition<'a> = (&'static str, &'a [String], fn(&Resource) -> &str);

impl Filter {
    /// The conditions, in the order of the options' help.
    pub fn conditions(&self) -> [Condition<'_>; 6] {
        [
            ("--system", &self.systems, |resource| &resource.system),
            ("--env", &self.environments, |resource| {
                &resource.environment
            }),
            ("--owner", &self.owners, |resource| &resource.owner),
            ("--account", &self.accounts, |resource| &resource.account_id),
            ("--region", &self.regions, |resource| &resource.region),
            ("--importance", &self.importances, |resource| {
                &resource.importance
            }),
        ]
    }

    /// Whether a resource is to be shown.
    pub fn admits(&self, resource: &Resource) -> bool {
        self.conditions().iter().all(|(_, wanted, value)| {
            wanted.is_empty() || wanted.iter().any(|want| want == value(resource))
        })
    }

    /// The resources to be shown, in order.
    pub fn select(&self, facts: &Facts) -> Vec<Index> {
        facts
            .indexes()
            .filter(|&index| self.admits(facts.resource(index)))
            .collect()
    }
}
