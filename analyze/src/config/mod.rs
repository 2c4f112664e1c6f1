//! Settings: the default, what the user's file replaces in it, and their tables in SQL.

mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff::shell::{self, Exit, Hinted};
use ipnet::IpNet;
use serde::Deserialize;
use toml::{Table, Value};

use crate::iam::Action;

const DEFAULT: &str = include_str!("../../config/default.toml");

/// Tables whose keys the user chooses.
const FREE: [&str; 4] = [
    "tags.values.environment",
    "tags.values.dr",
    "importance.rpo",
    "importance.rto",
];

/// How an action can be dangerous.
const KINDS: [&str; 6] = [
    "destroy", "policy", "recovery", "logging", "escalate", "expose",
];

/// All settings.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    tags: Tags,
    owners: Owners,
    importance: Importance,
    accounts: Accounts,
    permissions: Permissions,
    cloudtrail: CloudTrail,
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

#[derive(Clone, Debug, Deserialize)]
struct Permissions {
    dangerous: Vec<Dangerous>,
    special_roles: Vec<String>,
}

/// An action that the user calls dangerous.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dangerous {
    action: String,
    resource_type: String,
    kind: String,
}

#[derive(Clone, Debug, Deserialize)]
struct CloudTrail {
    automation: Vec<String>,
    networks: Vec<String>,
    countries: Vec<String>,
    geoip: Vec<PathBuf>,
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

    /// Networks that people and applications of the account work from.
    pub(crate) fn networks(&self) -> Vec<IpNet> {
        let parsed = self.cloudtrail.networks.iter().map(|text| text.parse());
        parsed.filter_map(Result::ok).collect()
    }

    /// GeoIP files, as the user named them.
    pub(crate) fn geoip(&self) -> &[PathBuf] {
        &self.cloudtrail.geoip
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
        for one in &self.permissions.dangerous {
            if Action::parse(&one.action).is_err() || !KINDS.contains(&one.kind.as_str()) {
                return Err(invalid(
                    origin,
                    &format!(
                        "permissions.dangerous: {:?} of kind {:?}: expected service:Action, and one of {}",
                        one.action,
                        one.kind,
                        KINDS.join(", ")
                    ),
                ));
            }
        }
        let is_network = |text: &&String| text.parse::<IpNet>().is_ok();
        if let Some(text) = self
            .cloudtrail
            .networks
            .iter()
            .find(|text| !is_network(text))
        {
            return Err(invalid(
                origin,
                &format!(
                    "cloudtrail.networks: {text:?} is no network: expected a block such as 203.0.113.0/24"
                ),
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
        assert!(error("[cloudtrail]\nnetworks = [\"office\"]").contains("203.0.113.0/24"));
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
