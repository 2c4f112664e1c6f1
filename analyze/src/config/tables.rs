//! The settings as SQL sees them: tables whose names start with `config_`, and macros.

use std::collections::BTreeMap;

use super::{Config, seconds};
use crate::sql::quote;

impl Config {
    /// Statements that create the tables and macros by which SQL sees the settings.
    pub(crate) fn sql(&self) -> String {
        let texts = self.definitions().into_iter().map(|(_, text)| text);
        texts.collect()
    }

    /// Those of [`Self::sql`] whose names occur in `texts`.
    pub(crate) fn sql_of(&self, texts: &[&str]) -> String {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let is_needed = |name: &str| texts.iter().any(|text| text.contains(name));
        let definitions = self.definitions().into_iter();
        definitions
            .filter_map(|(name, text)| is_needed(name).then_some(text))
            .collect()
    }

    /// Names and statements; the tables start with `config_`.
    fn definitions(&self) -> Vec<(&'static str, String)> {
        let mut tables = vec![
            rows(
                "config_limits",
                "name varchar, value bigint",
                self.limits
                    .iter()
                    .map(|(name, value)| format!("({}, {value})", quote(name))),
            ),
            rows(
                "config_owners",
                "owner varchar",
                self.owners
                    .known
                    .iter()
                    .map(|owner| format!("({})", quote(owner))),
            ),
            rows(
                "config_trusted_accounts",
                "account_id varchar",
                self.accounts
                    .trusted
                    .iter()
                    .map(|account| format!("({})", quote(account))),
            ),
            rows(
                "config_dangerous",
                "action varchar, resource_type varchar, kind varchar",
                self.permissions.dangerous.iter().map(|one| {
                    let [action, resource_type, kind] =
                        [&one.action, &one.resource_type, &one.kind].map(|text| quote(text));
                    format!("({action}, {resource_type}, {kind})")
                }),
            ),
            rows(
                "config_special_roles",
                "pattern varchar",
                self.permissions
                    .special_roles
                    .iter()
                    .map(|pattern| format!("({})", quote(pattern))),
            ),
            rows(
                "config_automation",
                "pattern varchar",
                self.cloudtrail
                    .automation
                    .iter()
                    .map(|pattern| format!("({})", quote(pattern))),
            ),
            rows(
                "config_countries",
                "country varchar",
                self.cloudtrail
                    .countries
                    .iter()
                    .map(|country| format!("({})", quote(&country.to_uppercase()))),
            ),
            rows(
                "config_required",
                "concept varchar, key varchar",
                self.required()
                    .map(|(concept, key)| format!("({}, {})", quote(concept), quote(key))),
            ),
            rows(
                "config_exempt_types",
                "resource_type varchar",
                self.tags
                    .exempt_types
                    .iter()
                    .map(|kind| format!("({})", quote(kind))),
            ),
        ];
        tables.extend(self.name_macros());
        let keys = self.tags.keys.iter().flat_map(|(concept, keys)| {
            keys.iter().enumerate().map(move |(rank, key)| {
                format!(
                    "({}, {}, {}, {rank})",
                    quote(concept),
                    quote(key),
                    quote(&keys[0])
                )
            })
        });
        tables.push(rows(
            "config_tag_keys",
            "concept varchar, key varchar, canonical varchar, rank integer",
            keys,
        ));
        let values = self.tags.values.iter().flat_map(|(concept, values)| {
            values.iter().flat_map(move |(canonical, variants)| {
                std::iter::once(canonical)
                    .chain(variants)
                    .map(move |variant| {
                        format!(
                            "({}, {}, {})",
                            quote(concept),
                            quote(canonical),
                            quote(variant)
                        )
                    })
            })
        });
        let levels = self
            .importance
            .levels
            .iter()
            .map(|level| format!("('importance', {0}, {0})", quote(level)));
        tables.push(rows(
            "config_tag_values",
            "concept varchar, canonical varchar, variant varchar",
            values.chain(levels),
        ));
        let critical = self
            .importance
            .levels
            .iter()
            .position(|level| *level == self.importance.critical_from)
            .unwrap_or_default();
        let levels = self
            .importance
            .levels
            .iter()
            .enumerate()
            .map(|(rank, level)| {
                let objective = |durations: &BTreeMap<String, String>| {
                    durations
                        .get(level)
                        .and_then(|text| seconds(text))
                        .map_or_else(|| "null".to_owned(), |s| s.to_string())
                };
                format!(
                    "({}, {rank}, {}, {}, {})",
                    quote(level),
                    rank >= critical,
                    objective(&self.importance.rpo),
                    objective(&self.importance.rto)
                )
            });
        tables.push(rows(
            "config_importance",
            "level varchar, rank integer, critical boolean, rpo_seconds bigint, rto_seconds bigint",
            levels,
        ));
        tables
    }

    /// DuckDB wants patterns as constants, so the pattern of names becomes macros.
    fn name_macros(&self) -> [(&'static str, String); 2] {
        let group = regex::Regex::new(&self.tags.name_pattern)
            .ok()
            .and_then(|pattern| {
                pattern
                    .capture_names()
                    .position(|name| name == Some("system"))
            })
            .unwrap_or_default();
        let pattern = quote(&self.tags.name_pattern);
        let fits = format!(
            "create or replace macro name_fits(resource_name) as regexp_matches(resource_name, {pattern});\n"
        );
        let system = format!(
            "create or replace macro name_system(resource_name) as nullif(regexp_extract(resource_name, {pattern}, {group}), '');\n"
        );
        [("name_fits", fits), ("name_system", system)]
    }

    fn required(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.required.iter().filter_map(|concept| {
            Some((
                concept.as_str(),
                self.tags.keys.get(concept)?.first()?.as_str(),
            ))
        })
    }
}

fn rows(
    table: &'static str,
    columns: &str,
    rows: impl Iterator<Item = String>,
) -> (&'static str, String) {
    let rows: Vec<String> = rows.collect();
    let insert = if rows.is_empty() {
        String::new()
    } else {
        format!("insert into {table} values {};\n", rows.join(", "))
    };
    let text = format!("create or replace table {table} ({columns});\n{insert}");
    (table, text)
}
