//! What `resource_context` and `zone_backups` tell: tag coverage, databases, unmet demands, zones.

use std::collections::BTreeMap;
use std::path::PathBuf;

use handoff::table::{self, Row};
use serde::Serialize;

use super::ContentError;
use super::finding::{Status, short_arn};
use super::objectives::Observed;
use super::score::{Levels, percent};

/// Types whose rows the database chapter lists.
const DATABASE_TYPES: [&str; 10] = [
    "rds:db",
    "rds:cluster",
    "dynamodb:table",
    "elasticache:cluster",
    "elasticache:replicationgroup",
    "redshift:cluster",
    "es:domain",
    "docdb:cluster",
    "neptune:cluster",
    "memorydb:cluster",
];

/// Everything the report takes from `resource_context`.
#[derive(Debug, Default)]
pub struct Context {
    /// Importance levels with their rank.
    pub levels: Levels,
    /// Tag coverage.
    pub tags: TagCoverage,
    /// Databases, most important first.
    pub databases: Vec<Database>,
    /// Resources whose DR tag demands what the configuration does not give, most important first.
    pub unmet: Vec<Unmet>,
    /// How a resource is reachable, by ARN.
    pub exposure: BTreeMap<String, String>,
}

/// How many of the resources that can carry tags carry the required ones.
#[derive(Debug, Default, Serialize)]
pub struct TagCoverage {
    /// Resources that can carry tags and whose tags could be read.
    pub readable: u64,
    /// Those with every required tag.
    pub complete: u64,
    /// Resources that can carry tags whose tags could not be read.
    pub unreadable: u64,
    /// Number of required keys.
    pub required_keys: u64,
    /// Readable resources by environment; the empty name is for those without one.
    pub environments: BTreeMap<String, u64>,
    /// Resources lacking a key, by key and environment.
    pub missing: BTreeMap<String, BTreeMap<String, u64>>,
    /// The same by system; the empty name is for resources without one.
    pub systems: BTreeMap<String, Cover>,
    /// The same by owner.
    pub owners: BTreeMap<String, Cover>,
}

/// Tag coverage of some resources.
#[derive(Debug, Default, Serialize)]
pub struct Cover {
    /// Readable resources.
    pub readable: u64,
    /// Those with every required tag.
    pub complete: u64,
    /// Those lacking a key, by key.
    pub missing: BTreeMap<String, u64>,
}

impl Cover {
    fn add(&mut self, missing: &[String]) {
        self.readable += 1;
        self.complete += u64::from(missing.is_empty());
        for key in missing {
            *self.missing.entry(key.clone()).or_default() += 1;
        }
    }
}

impl TagCoverage {
    /// Percentage of readable resources with every required tag, rounded down.
    #[expect(clippy::cast_precision_loss, reason = "counts of resources")]
    pub fn percent(&self) -> Option<u32> {
        (self.readable > 0).then(|| percent(self.complete as f64, self.readable as f64))
    }

    fn add(&mut self, row: Row<'_>) {
        if row.bool("taggable") == Some(false) {
            return;
        }
        let Some(missing) = row.list("missing_tags") else {
            self.unreadable += 1;
            return;
        };
        self.readable += 1;
        self.complete += u64::from(missing.is_empty());
        self.required_keys = self.required_keys.max(
            row.int("required_tags")
                .and_then(|keys| keys.try_into().ok())
                .unwrap_or(0),
        );
        for (groups, column) in [(&mut self.systems, "system"), (&mut self.owners, "owner")] {
            groups.entry(row.string(column)).or_default().add(&missing);
        }
        let environment = row.string("environment");
        for key in missing {
            *self
                .missing
                .entry(key)
                .or_default()
                .entry(environment.clone())
                .or_default() += 1;
        }
        *self.environments.entry(environment).or_default() += 1;
    }
}

/// A database with what the business wants of it.
#[derive(Debug, Serialize)]
pub struct Database {
    /// ARN.
    pub arn: String,
    /// Name, else the end of the ARN.
    pub name: String,
    /// Type, such as `rds:db`.
    pub resource_type: String,
    /// A few words on what it is.
    pub summary: Option<String>,
    /// Environment.
    pub environment: Option<String>,
    /// Importance level.
    pub importance: Option<String>,
    /// Its rank.
    #[serde(skip)]
    pub rank: i64,
    /// Owner.
    pub owner: Option<String>,
    /// Recovery point objective wanted, in seconds.
    pub rpo_seconds: Option<i64>,
    /// Recovery time objective wanted, in seconds.
    pub rto_seconds: Option<i64>,
    /// What its DR tag demands.
    pub dr: Vec<String>,
    /// What of it is not met.
    pub dr_unmet: Vec<String>,
    /// What would be lost now; none when no check measured it.
    pub rpo_observed: Option<Observed>,
    /// How long bringing it back would take; none when no check measured it.
    pub rto_observed: Option<Observed>,
    /// Whether a restore of it was tried.
    pub restore_tested: Option<Status>,
}

/// A resource whose DR tag is not met.
#[derive(Debug, Serialize)]
pub struct Unmet {
    /// ARN.
    pub arn: String,
    /// Name, else the end of the ARN.
    pub name: String,
    /// Type.
    pub resource_type: String,
    /// Environment.
    pub environment: Option<String>,
    /// Importance level.
    pub importance: Option<String>,
    /// Its rank.
    #[serde(skip)]
    pub rank: i64,
    /// Owner.
    pub owner: Option<String>,
    /// What is demanded.
    pub dr: Vec<String>,
    /// What of it is missing.
    pub dr_unmet: Vec<String>,
}

/// Columns of `resource_context` that the report reads.
const COLUMNS: [&str; 19] = [
    "arn",
    "system",
    "resource_type",
    "name",
    "summary",
    "environment",
    "owner",
    "importance",
    "importance_rank",
    "dr",
    "rpo_seconds",
    "rto_seconds",
    "required_tags",
    "missing_tags",
    "taggable",
    "exposed",
    "exposure",
    "dr_unmet",
    "data_store",
];

impl Context {
    /// Reads the derived table.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn read(paths: &[PathBuf]) -> Result<Self, ContentError> {
        let mut context = Self::default();
        for path in paths {
            table::read("resource_context", path, &COLUMNS)?.for_each(|row| {
                context.add(row);
                Ok::<(), ContentError>(())
            })?;
        }
        context
            .databases
            .sort_by(|a, b| (b.rank, &a.name, &a.arn).cmp(&(a.rank, &b.name, &b.arn)));
        context
            .unmet
            .sort_by(|a, b| (b.rank, &a.name, &a.arn).cmp(&(a.rank, &b.name, &b.arn)));
        Ok(context)
    }

    fn add(&mut self, row: Row<'_>) {
        self.tags.add(row);
        let rank = row.int("importance_rank");
        if let (Some(rank), Some(level)) = (rank, row.text("importance"))
            && !self.levels.contains_key(level)
        {
            self.levels.insert(level.to_owned(), rank);
        }
        if row.bool("exposed") == Some(true) {
            self.exposure
                .insert(row.string("arn"), row.string("exposure"));
        }
        let resource_type = row.text("resource_type").unwrap_or_default();
        if DATABASE_TYPES.contains(&resource_type) {
            self.databases.push(Database {
                arn: row.string("arn"),
                name: name(row),
                resource_type: resource_type.to_owned(),
                summary: text(row, "summary"),
                environment: text(row, "environment"),
                importance: text(row, "importance"),
                rank: rank.unwrap_or(-1),
                owner: text(row, "owner"),
                rpo_seconds: row.int("rpo_seconds"),
                rto_seconds: row.int("rto_seconds"),
                dr: row.list("dr").unwrap_or_default(),
                dr_unmet: row.list("dr_unmet").unwrap_or_default(),
                rpo_observed: None,
                rto_observed: None,
                restore_tested: None,
            });
        }
        let dr_unmet = row.list("dr_unmet").unwrap_or_default();
        if !dr_unmet.is_empty() {
            self.unmet.push(Unmet {
                arn: row.string("arn"),
                name: name(row),
                resource_type: resource_type.to_owned(),
                environment: text(row, "environment"),
                importance: text(row, "importance"),
                rank: rank.unwrap_or(-1),
                owner: text(row, "owner"),
                dr: row.list("dr").unwrap_or_default(),
                dr_unmet,
            });
        }
    }
}

/// Percentage of completely tagged resources of a run, reading nothing else.
///
/// # Errors
/// When a file can't be read.
pub fn tagged_percent(paths: &[PathBuf]) -> Result<Option<u32>, ContentError> {
    let mut tags = TagCoverage::default();
    for path in paths {
        table::read("resource_context", path, &["missing_tags", "taggable"])?.for_each(|row| {
            if row.bool("taggable") != Some(false)
                && let Some(missing) = row.list("missing_tags")
            {
                tags.readable += 1;
                tags.complete += u64::from(missing.is_empty());
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(tags.percent())
}

fn text(row: Row<'_>, column: &str) -> Option<String> {
    row.text(column)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn name(row: Row<'_>) -> String {
    text(row, "name").unwrap_or_else(|| short_arn(row.text("arn").unwrap_or_default()).to_owned())
}

/// A hosted zone whose records this run holds, ready to be restored.
#[derive(Debug, Serialize)]
pub struct Zone {
    /// Domain.
    pub name: String,
    /// Id of the zone.
    pub zone_id: String,
    /// Account of the zone.
    pub account_id: String,
    /// Record sets in the backup.
    pub records: i64,
    /// Record sets left out because Route 53 makes them itself.
    pub left_out: i64,
}

/// Reads `zone_backups`, without the change batches themselves.
///
/// # Errors
/// When a file can't be read.
pub fn zones(paths: &[PathBuf]) -> Result<Vec<Zone>, ContentError> {
    let mut zones = Vec::new();
    for path in paths {
        table::read(
            "zone_backups",
            path,
            &["account_id", "zone_id", "name", "records", "left_out"],
        )?
        .for_each(|row| {
            zones.push(Zone {
                name: row.string("name"),
                zone_id: row.string("zone_id"),
                account_id: row.string("account_id"),
                records: row.int("records").unwrap_or(0),
                left_out: row.int("left_out").unwrap_or(0),
            });
            Ok::<(), ContentError>(())
        })?;
    }
    zones.sort_by(|a, b| (&a.name, &a.zone_id).cmp(&(&b.name, &b.zone_id)));
    Ok(zones)
}
