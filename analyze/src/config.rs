//! Settings: the default, what the user's file replaces in it, and their tables in SQL.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use handoff::shell::{self, Exit, Hinted};
use serde::Deserialize;
use toml::{Table, Value};

use crate::sql::quote;

const DEFAULT: &str = include_str!("../config/default.toml");

/// Tables whose keys the user chooses.
const FREE: [&str; 4] = [
    "tags.values.environment",
    "tags.values.dr",
    "importance.rpo",
    "importance.rto",
];

/// All settings.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    tags: Tags,
    owners: Owners,
    importance: Importance,
    accounts: Accounts,
    limits: BTreeMap<String, i64>,
}

#[derive(Clone, Debug, Deserialize)]
struct Tags {
    required: Vec<String>,
    exempt_types: Vec<String>,
    name_pattern: String,
    keys: BTreeMap<String, Vec<String>>,
    values: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Owners {
    known: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Importance {
    levels: Vec<String>,
    critical_from: String,
    rpo: BTreeMap<String, String>,
    rto: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Accounts {
    trusted: Vec<String>,
}

/// Settings that can't be used, and why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// A key that is no setting.
    #[error("{origin}: unknown setting {key:?}: did you mean {nearest:?}?")]
    UnknownKey {
        origin: String,
        key: String,
        nearest: String,
    },
    /// A value of the wrong type.
    #[error("{origin}: {key}: expected {expected}, got {found}")]
    WrongType {
        origin: String,
        key: String,
        expected: &'static str,
        found: &'static str,
    },
    /// No TOML, or values that can't be.
    #[error("{origin}: {message}")]
    Invalid { origin: String, message: String },
}

impl Config {
    /// The default with the settings of a file, if there is one.
    pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::merged("the default configuration", "")?);
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("can't read the configuration {}", path.display()))?;
        Ok(Self::merged(&path.display().to_string(), &text)?)
    }

    /// The default with the settings of `text`.
    pub(crate) fn merged(origin: &str, text: &str) -> Result<Self, ConfigError> {
        let own: Table = toml::from_str(text)
            .map_err(|error| invalid(origin, &crate::check::one_line(&error)))?;
        Self::with(origin, own)
    }

    /// The default with the settings of a table.
    pub(crate) fn with(origin: &str, own: Table) -> Result<Self, ConfigError> {
        let mut all: Table = toml::from_str(DEFAULT)
            .map_err(|error| invalid("the default configuration", &error.to_string()))?;
        merge(origin, "", &mut all, own)?;
        let config: Self = Value::Table(all)
            .try_into()
            .map_err(|error: toml::de::Error| invalid(origin, &crate::check::one_line(&error)))?;
        config.check(origin)?;
        Ok(config)
    }

    fn check(&self, origin: &str) -> Result<(), ConfigError> {
        for concept in &self.tags.required {
            if !self.tags.keys.contains_key(concept) {
                return Err(invalid(
                    origin,
                    &format!("tags.required: {concept:?} has no keys in tags.keys"),
                ));
            }
        }
        if let Some((concept, _)) = self.tags.keys.iter().find(|(_, keys)| keys.is_empty()) {
            return Err(invalid(
                origin,
                &format!("tags.keys.{concept}: name at least one key"),
            ));
        }
        for group in ["?P<uid>", "?P<function>", "?P<system>"] {
            if !self.tags.name_pattern.contains(group) {
                return Err(invalid(
                    origin,
                    &format!("tags.name_pattern: has no group ({group}...)"),
                ));
            }
        }
        regex::Regex::new(&self.tags.name_pattern).map_err(|error| {
            invalid(
                origin,
                &format!(
                    "tags.name_pattern: {}",
                    error.to_string().replace('\n', " ")
                ),
            )
        })?;
        if !self
            .importance
            .levels
            .contains(&self.importance.critical_from)
        {
            return Err(invalid(
                origin,
                &format!(
                    "importance.critical_from: {:?} is not one of importance.levels",
                    self.importance.critical_from
                ),
            ));
        }
        for (key, durations) in [
            ("importance.rpo", &self.importance.rpo),
            ("importance.rto", &self.importance.rto),
        ] {
            for (level, text) in durations {
                if !self.importance.levels.contains(level) {
                    return Err(invalid(
                        origin,
                        &format!("{key}: {level:?} is not one of importance.levels"),
                    ));
                }
                seconds(text).ok_or_else(|| {
                    invalid(
                        origin,
                        &format!(
                            "{key}.{level}: expected a duration such as 15m, 1h or 7d, got {text:?}"
                        ),
                    )
                })?;
            }
        }
        Ok(())
    }

    /// Statements that create the tables by which SQL sees the settings; all of them start with `config_`.
    pub(crate) fn sql(&self) -> String {
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
            self.name_macros(),
        ];
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
        tables.concat()
    }

    /// DuckDB wants patterns as constants, so the pattern of names becomes macros.
    fn name_macros(&self) -> String {
        let group = regex::Regex::new(&self.tags.name_pattern)
            .ok()
            .and_then(|pattern| {
                pattern
                    .capture_names()
                    .position(|name| name == Some("system"))
            })
            .unwrap_or_default();
        let pattern = quote(&self.tags.name_pattern);
        format!(
            "create or replace macro name_fits(resource_name) as regexp_matches(resource_name, {pattern});\n\
             create or replace macro name_system(resource_name) as nullif(regexp_extract(resource_name, {pattern}, {group}), '');\n"
        )
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

fn rows(table: &str, columns: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = rows.collect();
    let insert = if rows.is_empty() {
        String::new()
    } else {
        format!("insert into {table} values {};\n", rows.join(", "))
    };
    format!("create or replace table {table} ({columns});\n{insert}")
}

fn invalid(origin: &str, message: &str) -> ConfigError {
    ConfigError::Invalid {
        origin: origin.to_owned(),
        message: message.to_owned(),
    }
}

/// `15m`, `1h`, `24h`, `7d` in seconds.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let split = text
        .len()
        .checked_sub(1)
        .filter(|&at| text.is_char_boundary(at))?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number
        .parse::<u32>()
        .ok()
        .map(|number| i64::from(number) * factor)
}

fn merge(origin: &str, prefix: &str, base: &mut Table, own: Table) -> Result<(), ConfigError> {
    let free = FREE.contains(&prefix);
    for (key, value) in own {
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(own)) => merge(origin, &path, base, own)?,
            (Some(present), value)
                if std::mem::discriminant(present) == std::mem::discriminant(&value) =>
            {
                *present = value
            }
            (Some(present), value) => {
                return Err(ConfigError::WrongType {
                    origin: origin.to_owned(),
                    key: path,
                    expected: present.type_str(),
                    found: value.type_str(),
                });
            }
            (None, value) if free => {
                base.insert(key, value);
            }
            (None, _) => {
                let nearest = base.keys().max_by(|a, b| {
                    strsim::jaro_winkler(a, &key).total_cmp(&strsim::jaro_winkler(b, &key))
                });
                let nearest = nearest
                    .map(|near| {
                        if prefix.is_empty() {
                            near.clone()
                        } else {
                            format!("{prefix}.{near}")
                        }
                    })
                    .unwrap_or_default();
                return Err(ConfigError::UnknownKey {
                    origin: origin.to_owned(),
                    key: path,
                    nearest,
                });
            }
        }
    }
    Ok(())
}

/// Prints the default configuration.
pub(crate) fn print_default() -> anyhow::Result<Exit> {
    shell::answer(DEFAULT)?;
    Ok(Exit::Done)
}

/// The error of a setting with the way to see all of them.
pub(crate) fn hinted(error: &anyhow::Error) -> anyhow::Error {
    Hinted::new(
        format!("{error:#}"),
        "`analyze config` prints all settings with their defaults",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::merged("c.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_setting_replaces_its_default_and_the_others_stay() {
        let config = Config::merged(
            "c.toml",
            "[limits]\nkey_age_days = 30\n[tags.values.environment]\nlab = []",
        )
        .unwrap();
        assert_eq!(config.limits["key_age_days"], 30);
        assert_eq!(config.limits["password_length"], 14);
        assert!(config.tags.values["environment"].contains_key("lab"));
        assert!(config.tags.values["environment"].contains_key("prod"));
    }

    #[test]
    fn unknown_settings_are_refused_with_the_nearest_one() {
        assert_eq!(
            error("[limits]\nkey_age_day = 30"),
            r#"c.toml: unknown setting "limits.key_age_day": did you mean "limits.key_age_days"?"#
        );
        assert!(error("[limit]").contains(r#"did you mean "limits"?"#));
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        assert_eq!(
            error("[limits]\nkey_age_days = \"x\""),
            "c.toml: limits.key_age_days: expected integer, got string"
        );
        assert!(error("[importance.rpo]\nhigh = \"soon\"").contains("importance.rpo.high"));
        assert!(error("[importance]\nlevels = [\"a\"]").contains("critical_from"));
        assert!(error("[tags]\nname_pattern = '('").contains("name_pattern"));
        assert!(error("[tags]\nrequired = [\"costs\"]").contains("costs"));
        assert!(error("= 1").starts_with("c.toml: "));
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(
            ["15m", "1h", "24h", "7d"].map(seconds),
            [Some(900), Some(3_600), Some(86_400), Some(604_800)]
        );
        assert_eq!(
            ["", "h", "1", "-1h", "1é", "99999999999h"].map(seconds),
            [None; 6]
        );
    }
}
