//! Checks: their files, their metadata, and which of them to run.
//!
//! A check is `<id>.sql`, one SELECT under a block comment that holds its metadata in TOML, in a folder whose name
//! starts with the number of its rule; `<id>.toml` beside it holds its test cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::Context as _;
use globset::{Glob, GlobSetBuilder};
use handoff::shell::Hinted;
use serde::{Deserialize, Serialize};

use crate::embedded;

/// How bad a failure is, worst last.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// A fact worth knowing.
    Info,
    /// Hygiene.
    Low,
    /// Weakens a defence.
    Medium,
    /// One step from an incident.
    High,
    /// An incident waiting to be noticed.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub(crate) const WORST_FIRST: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// The name used in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a check judges the configuration or looks for something that happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// How resources are configured.
    #[default]
    Config,
    /// What somebody did.
    Detection,
}

impl Kind {
    /// The name used in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Detection => "detection",
        }
    }
}

/// What a check stands on beside the run and its events, if somebody gives it: without it there is nothing to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Input {
    /// GeoIP files, which the configuration names.
    Geoip,
    /// What `collect cloudtrail --verify` found.
    Verification,
}

impl Input {
    /// What is missing without it, and what to do.
    pub(crate) fn without(self) -> &'static str {
        match self {
            Self::Geoip => {
                "no GeoIP file tells the countries of addresses; name one under cloudtrail.geoip in the configuration"
            }
            Self::Verification => "nobody verified the trail; `collect cloudtrail --verify` does",
        }
    }
}

/// The block comment at the top of a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    /// What the check asks for, in one line.
    pub(crate) title: String,
    /// How bad a failure is; a row may say otherwise.
    pub(crate) severity: Severity,
    /// Config or detection.
    #[serde(default)]
    pub(crate) kind: Kind,
    /// Tables it reads, views resolved.
    pub(crate) tables: Vec<String>,
    /// Those of them that only add to what it says, such as who did it: without them it is no less sure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) optional: Vec<String>,
    /// What it stands on that not everybody gives; until somebody does, the check is not evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) needs: Option<Input>,
    /// It fails because something is missing, so what was not collected makes its failures unknown too.
    #[serde(default)]
    pub(crate) absence: bool,
    /// Operations per resource whose answers it reads; errors of other operations that concern a single resource
    /// don't touch it. Absent: all of them do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operations: Option<Vec<String>>,
    /// Control ids by framework.
    #[serde(default)]
    pub(crate) frameworks: BTreeMap<String, Vec<String>>,
    /// What to do.
    pub(crate) remediation: String,
    /// AWS CLI command with placeholders.
    #[serde(default)]
    pub(crate) command: Option<String>,
    /// Documentation.
    #[serde(default)]
    pub(crate) links: Vec<String>,
}

/// A check.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// Stem of its file.
    pub(crate) id: String,
    /// Step of hardening.
    pub(crate) rule: u8,
    /// Where it came from, for messages.
    pub(crate) origin: String,
    /// Its metadata.
    pub(crate) metadata: Metadata,
    /// Its SELECT, metadata and final semicolon removed.
    pub(crate) sql: String,
    /// Its test cases in TOML, when there are any.
    pub(crate) cases: Option<String>,
}

/// A check that can't be used, and why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// The file has no metadata.
    #[error("{0}: no metadata: start the file with /* title = \"...\" ... */")]
    NoMetadata(String),
    /// The metadata can't be read.
    #[error("{0}: metadata: {1}")]
    Metadata(String, String),
    /// The folder tells no rule.
    #[error(
        "{0}: the folder's name must start with the number of the rule, 1 to 7, such as 5-mitigation"
    )]
    NoRule(String),
    /// The id can't be used in file names and reports.
    #[error("{0}: an id consists of lowercase letters, digits, hyphens and underscores")]
    BadId(String),
    /// Two checks of one id.
    #[error("{0}: the id is taken by {1}: rename the file")]
    Duplicate(String, String),
}

impl Check {
    /// Reads a check; `path` ends with `<rule>-<name>/<id>.sql`.
    pub(crate) fn parse(path: &str, text: &str, cases: Option<String>) -> Result<Self, CheckError> {
        let origin = path.to_owned();
        let mut parts = path.rsplit('/');
        let id = parts
            .next()
            .unwrap_or_default()
            .trim_end_matches(".sql")
            .to_owned();
        let sound = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        if !sound {
            return Err(CheckError::BadId(origin));
        }
        let rule = parts
            .next()
            .and_then(|folder| folder.split_once('-'))
            .and_then(|(number, _)| number.parse().ok());
        let rule = rule
            .filter(|rule| (1..=7).contains(rule))
            .ok_or_else(|| CheckError::NoRule(origin.clone()))?;
        let comment = text
            .trim_start()
            .strip_prefix("/*")
            .and_then(|rest| rest.split_once("*/"));
        let (metadata, sql) = comment.ok_or_else(|| CheckError::NoMetadata(origin.clone()))?;
        let metadata = toml::from_str(metadata)
            .map_err(|error| CheckError::Metadata(origin.clone(), one_line(&error)))?;
        Ok(Self {
            id,
            rule,
            origin,
            metadata,
            sql: sql.trim().trim_end_matches(';').to_owned(),
            cases,
        })
    }
}

/// A TOML error on one line, without the excerpt it draws.
pub(crate) fn one_line(error: &toml::de::Error) -> String {
    error.message().lines().collect::<Vec<_>>().join(" ")
}

/// The checks of this build and those of `folders`, sorted by rule and id.
pub(crate) fn load(folders: &[PathBuf]) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    let text_of = |path: &str| {
        embedded::CHECKS
            .iter()
            .find(|(name, _)| *name == path)
            .map(|(_, text)| (*text).to_owned())
    };
    for (path, text) in embedded::CHECKS
        .iter()
        .filter(|(path, _)| path.ends_with(".sql"))
    {
        checks.push(Check::parse(
            path,
            text,
            text_of(&path.replace(".sql", ".toml")),
        )?);
    }
    for folder in folders {
        load_folder(folder, &mut checks)?;
    }
    checks.sort_by(|a, b| (a.rule, &a.id).cmp(&(b.rule, &b.id)));
    let mut seen = BTreeMap::new();
    for check in &checks {
        if let Some(other) = seen.insert(&check.id, &check.origin) {
            return Err(CheckError::Duplicate(check.origin.clone(), other.clone()).into());
        }
    }
    Ok(checks)
}

fn load_folder(folder: &Path, checks: &mut Vec<Check>) -> anyhow::Result<()> {
    let mut found = false;
    let entries = fs::read_dir(folder)
        .with_context(|| format!("can't read the folder of checks {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("can't read the folder of checks {}", folder.display()))?
            .path();
        if path.is_dir() {
            load_rule(&path, checks, &mut found)?;
        }
    }
    if !found {
        let message = format!("no check in {}", folder.display());
        return Err(Hinted::new(message, "a check is a file <rule>-<name>/<id>.sql in that folder, such as 5-mitigation/sg-open.sql").into());
    }
    Ok(())
}

fn load_rule(folder: &Path, checks: &mut Vec<Check>, found: &mut bool) -> anyhow::Result<()> {
    let context = || format!("can't read the folder of checks {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("can't read the check {}", path.display()))?;
            let cases = fs::read_to_string(path.with_extension("toml")).ok();
            checks.push(Check::parse(&path.display().to_string(), &text, cases)?);
            *found = true;
        }
    }
    Ok(())
}

/// The checks that the patterns, rules and the lowest severity leave; none of the patterns may match nothing.
pub(crate) fn select(
    checks: Vec<Check>,
    patterns: &[String],
    rules: &[u8],
    severity: Option<Severity>,
) -> anyhow::Result<Vec<Check>> {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern)
            .with_context(|| format!("{pattern:?} is not a pattern for checks"))?;
        if !checks
            .iter()
            .any(|check| glob.compile_matcher().is_match(&check.id))
        {
            return Err(unknown_check(pattern, &checks).into());
        }
        globs.add(glob);
    }
    let globs = globs.build()?;
    let chosen = |check: &Check| {
        (patterns.is_empty() || globs.is_match(&check.id))
            && (rules.is_empty() || rules.contains(&check.rule))
            && severity.is_none_or(|severity| check.metadata.severity >= severity)
    };
    Ok(checks.into_iter().filter(chosen).collect())
}

/// The error for an id that no check has, with the nearest one.
pub(crate) fn unknown_check(id: &str, checks: &[Check]) -> Hinted {
    let nearest = checks
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(&a.id, id).total_cmp(&strsim::jaro_winkler(&b.id, id)));
    let hint = nearest.map_or_else(String::new, |check| format!("did you mean {}? ", check.id));
    Hinted::new(
        format!("no check {id:?}"),
        format!("{hint}`analyze checks` lists them all"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "/*\ntitle = \"t\"\nseverity = \"high\"\ntables = [\"a\"]\nremediation = \"r\"\n*/\nselect 1;\n";

    #[test]
    fn a_check_is_read_from_its_file() {
        let check = Check::parse("5-mitigation/sg-open.sql", TEXT, None).unwrap();
        assert_eq!(
            (check.id.as_str(), check.rule, check.sql.as_str()),
            ("sg-open", 5, "select 1")
        );
    }

    #[test]
    fn what_is_wrong_with_a_check_is_said_with_its_path() {
        let error =
            |path: &str, text: &str| Check::parse(path, text, None).unwrap_err().to_string();
        assert!(error("mitigation/x.sql", TEXT).starts_with("mitigation/x.sql: the folder's name"));
        assert!(error("9-x/x.sql", TEXT).contains("1 to 7"));
        assert!(error("5-x/X y.sql", TEXT).contains("lowercase"));
        assert!(error("5-x/x.sql", "select 1").contains("no metadata"));
        assert!(error("5-x/x.sql", "/* title = 1 */ select 1").contains("metadata"));
        assert!(error("5-x/x.sql", &TEXT.replace("title", "titel")).contains("titel"));
    }
}
