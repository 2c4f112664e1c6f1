//! The tables of the lake: names, columns, types and what they mean.
//!
//! Inventory tables are declared by the files in `collect/tables`; the tables below have the same columns for
//! every service and are the ones that stages build on. [`markdown`] prints any of them for the data dictionary.

use std::fmt::Write as _;

pub use crate::derived::{
    reachability, reachability_hops, resource_context, scan_coverage, zone_backups,
};

/// Version of the contract, `major.minor`, in every run record and in every Parquet file's metadata.
///
/// A new column or table raises the minor number, everything else the major one; readers refuse a newer major.
pub const VERSION: &str = "1.0";

/// Key of the Parquet key-value metadata under which [`crate::table::FileLabel`] is stored as JSON.
pub const METADATA_KEY: &str = "sevenwalls";

/// What a column holds, and how it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// 64-bit signed integer.
    Int,
    /// 64-bit float.
    Float,
    /// True, false or null; null is "not known".
    Bool,
    /// Microseconds since 1970 in UTC, stored without a time zone (DuckDB without its ICU extension can't work with zones).
    Timestamp,
    /// List of text.
    List,
    /// Map from text to text.
    Map,
    /// JSON as text.
    Json,
}

impl ColumnType {
    /// The type's name in DuckDB, for the dictionary and for `create table`.
    pub fn sql(self) -> &'static str {
        match self {
            Self::String => "VARCHAR",
            Self::Int => "BIGINT",
            Self::Float => "DOUBLE",
            Self::Bool => "BOOLEAN",
            Self::Timestamp => "TIMESTAMP",
            Self::List => "VARCHAR[]",
            Self::Map => "MAP(VARCHAR, VARCHAR)",
            Self::Json => "JSON",
        }
    }
}

/// A column of a table. Every column is nullable: what was not answered is null, never a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in `snake_case`, units included (`retention_days`).
    pub name: String,
    /// What it holds.
    pub kind: ColumnType,
    /// One line for the dictionary.
    pub doc: String,
}

/// A table: its name, what a row is, its columns in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Name in SQL and in the lake's paths.
    pub name: String,
    /// What a row is, in one line.
    pub title: String,
    /// The columns, in the order they are stored.
    pub columns: Vec<Column>,
}

impl TableSchema {
    /// Builds a schema from `(name, type, doc)` triples.
    pub fn new(name: &str, title: &str, columns: &[(&str, ColumnType, &str)]) -> Self {
        let columns = columns
            .iter()
            .map(|&(name, kind, doc)| Column {
                name: name.to_owned(),
                kind,
                doc: doc.to_owned(),
            })
            .collect();
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            columns,
        }
    }
}

use ColumnType::{Bool, Float, Int, Json, List, Map, String as Text, Timestamp};

/// Columns that every inventory table starts with, whatever its service.
pub fn inventory_columns() -> Vec<Column> {
    TableSchema::new(
        "",
        "",
        &[
            ("account_id", Text, "account the row was collected from, 12 digits"),
            ("region", Text, "region it was collected from, `global` for services that have none"),
            ("arn", Text, "ARN of the resource, or of the resource the fact belongs to"),
            ("name", Text, "its name: the Name tag, else what the service calls it"),
            ("tags", Map, "its tags; null where the service did not tell"),
            ("config", Json, "the row as the AWS CLI prints it, answers of follow-up calls merged, secrets replaced by fingerprints"),
            ("incomplete", List, "operations that failed for this row: what they tell is unknown, not absent"),
        ],
    )
    .columns
}

/// `resources`: every resource of every service, from the inventory tables and from the tag sweep.
pub fn resources() -> TableSchema {
    TableSchema::new(
        "resources",
        "one resource of any service",
        &[
            ("account_id", Text, "account that owns it"),
            (
                "region",
                Text,
                "region, `global` for services that have none",
            ),
            ("arn", Text, "its ARN; unique in a run"),
            ("service", Text, "service part of its type, such as `ec2`"),
            ("resource_type", Text, "type, such as `ec2:instance`"),
            ("name", Text, "the Name tag, else what the service calls it"),
            (
                "tags",
                Map,
                "tags; empty when it has none, null when they could not be read",
            ),
            (
                "created_at",
                Timestamp,
                "when it was created, where the service tells",
            ),
            ("zone", Text, "availability zone, where it has one"),
            (
                "summary",
                Text,
                "a few words on what it is, such as `t3.micro · running`",
            ),
            (
                "source_table",
                Text,
                "inventory table it came from; `tags` when only the tag sweep knows it",
            ),
        ],
    )
}

/// `relationships`: what resources refer to, resolved to ARNs over the whole run.
pub fn relationships() -> TableSchema {
    TableSchema::new(
        "relationships",
        "one reference from a resource to another",
        &[
            (
                "account_id",
                Text,
                "account in which the reference was found",
            ),
            ("region", Text, "region in which it was found"),
            (
                "kind",
                Text,
                "what the reference means, such as `in_vpc`; the vocabulary is in collect/tables/README.md",
            ),
            (
                "from_arn",
                Text,
                "the resource that refers; null when it is outside the run",
            ),
            (
                "from_id",
                Text,
                "the identifier as it stands in the configuration",
            ),
            (
                "to_arn",
                Text,
                "the resource it refers to; null when nothing in the run has that identifier",
            ),
            (
                "to_id",
                Text,
                "the identifier as it stands in the configuration",
            ),
            (
                "detail",
                Text,
                "port, destination or name the reference carries, if any",
            ),
            (
                "source_table",
                Text,
                "inventory table whose file declares it",
            ),
        ],
    )
}

/// `collect_errors`: every call that was denied, failed or not made, and every value that could not be read.
pub fn collect_errors() -> TableSchema {
    TableSchema::new(
        "collect_errors",
        "one thing that could not be collected",
        &[
            ("account_id", Text, "account of the call"),
            (
                "region",
                Text,
                "region of the call, `global` for services that have none",
            ),
            ("service", Text, "service, such as `s3`"),
            ("operation", Text, "operation, such as `GetBucketPolicy`"),
            (
                "table_name",
                Text,
                "inventory table that lacks rows or values because of it",
            ),
            (
                "resource_arn",
                Text,
                "the one row concerned; null when the whole table is, in that account and region",
            ),
            (
                "resource_id",
                Text,
                "the parameter of the call, such as the bucket's name",
            ),
            (
                "kind",
                Text,
                "denied, throttled, timeout, credentials, not_found, not_offered, malformed, not_recorded, other",
            ),
            ("code", Text, "error code as the service gave it"),
            (
                "message",
                Text,
                "message as the service gave it, control characters removed",
            ),
        ],
    )
}

/// `secrets_found`: where values were replaced by fingerprints before anything was written.
pub fn secrets_found() -> TableSchema {
    TableSchema::new(
        "secrets_found",
        "one value that was replaced because it is, or may be, a secret",
        &[
            ("account_id", Text, "account of the resource"),
            (
                "region",
                Text,
                "region of the resource, `global` for services that have none",
            ),
            ("arn", Text, "the resource that carries it"),
            (
                "source_table",
                Text,
                "inventory table in whose row it stood",
            ),
            (
                "place",
                Text,
                "JSON path in the row's config, such as `$.Environment.Variables.DB_PASSWORD`",
            ),
            (
                "kind",
                Text,
                "access_key, private_key, password (recognised by pattern), named (the member's name says so), \
                 declared (hidden because such places often hold secrets; nothing else speaks for it)",
            ),
            (
                "fingerprint",
                Text,
                "what stands in its place; equal for equal secrets",
            ),
        ],
    )
}

/// `findings`: every verdict of every check on every resource it judged.
pub fn findings() -> TableSchema {
    TableSchema::new(
        "findings",
        "one verdict of a check on a resource",
        &[
            ("check_id", Text, "check, such as `sg-admin-open`"),
            ("rule", Int, "step of hardening, 1 to 7"),
            ("kind", Text, "config or detection"),
            ("title", Text, "what the check asks for, in one line"),
            (
                "severity",
                Text,
                "critical, high, medium, low or info, as the check says",
            ),
            (
                "status",
                Text,
                "pass, fail, unknown, or waived (would fail, accepted until waiver_expires)",
            ),
            ("account_id", Text, "account of the resource"),
            (
                "region",
                Text,
                "region of the resource, `global` for services that have none",
            ),
            (
                "resource_arn",
                Text,
                "what was judged; the account's root ARN when it is the account",
            ),
            ("resource_type", Text, "type, such as `ec2:security-group`"),
            ("resource_name", Text, "name, as in `resources`"),
            (
                "discriminator",
                Text,
                "tells findings of one check on one resource apart; mostly null",
            ),
            ("owner", Text, "owner, from the tags"),
            ("environment", Text, "environment, from the tags"),
            ("system", Text, "system, from the tags"),
            ("importance", Text, "importance level, from the tags"),
            ("exposed", Bool, "reachable from the internet"),
            (
                "risk",
                Float,
                "0 to 100: severity weighted by importance and exposure; the formula is in analyze/README.md",
            ),
            ("reason", Text, "why, in one sentence"),
            ("evidence", Json, "the facts the verdict rests on"),
            ("remediation", Text, "what to do"),
            (
                "remediation_command",
                Text,
                "AWS CLI command that does it, with this resource's names filled in",
            ),
            (
                "fingerprint",
                Text,
                "hash of check, ARN and discriminator: the same finding in every run",
            ),
            (
                "first_seen",
                Timestamp,
                "time of the first run of the lake in which it failed without a pass since",
            ),
            (
                "change",
                Text,
                "new, open or reopened against the run before; null for a pass",
            ),
            ("waiver_owner", Text, "who accepted it"),
            ("waiver_reason", Text, "why it was accepted"),
            ("waiver_expires", Timestamp, "until when"),
        ],
    )
}

/// `checks`: what was run, with its metadata and how it came out.
pub fn checks() -> TableSchema {
    TableSchema::new(
        "checks",
        "one check that was run",
        &[
            ("check_id", Text, "id: the stem of the check's file"),
            ("rule", Int, "step of hardening, 1 to 7"),
            ("kind", Text, "config or detection"),
            ("title", Text, "what it asks for, in one line"),
            ("severity", Text, "critical, high, medium, low or info"),
            ("tables", List, "inventory tables it reads"),
            (
                "frameworks",
                Map,
                "control ids by framework: cis_v3.0, cis_v5.0, fsbp",
            ),
            ("remediation", Text, "what to do"),
            (
                "remediation_command",
                Text,
                "AWS CLI command, with placeholders",
            ),
            ("links", List, "documentation"),
            (
                "status",
                Text,
                "evaluated; error when its SQL failed; not_evaluated when what it looks at was never given, such as CloudTrail events",
            ),
            ("error", Text, "why its SQL failed, or it was not evaluated"),
            ("passed", Int, "verdicts pass"),
            ("failed", Int, "verdicts fail"),
            ("unknown", Int, "verdicts unknown"),
            ("waived", Int, "verdicts waived"),
        ],
    )
}

/// The tables that are the same for every service, in the order of the pipeline.
pub fn fixed_tables() -> Vec<TableSchema> {
    let mut tables = vec![
        resources(),
        relationships(),
        collect_errors(),
        reachability(),
        reachability_hops(),
        resource_context(),
        zone_backups(),
        scan_coverage(),
        crate::trail::activity(),
        crate::trail::trail_days(),
        checks(),
        findings(),
        crate::trail::cloudtrail_events(),
        crate::trail::cloudtrail_ledger(),
        crate::verification::cloudtrail_verification(),
    ];
    let before_checks = tables
        .iter()
        .position(|table| table.name == "checks")
        .unwrap_or(0);
    let access = crate::access::tables()
        .into_iter()
        .chain([crate::access::access_paths()]);
    tables.splice(before_checks..before_checks, access);
    tables
}

/// One table as markdown, for the data dictionary.
pub fn markdown(schema: &TableSchema) -> String {
    let mut out = format!(
        "### {}\n\n{}.\n\n| column | type | meaning |\n| --- | --- | --- |\n",
        schema.name, schema.title
    );
    for column in &schema.columns {
        // Writing to a String can't fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            column.name,
            column.kind.sql(),
            column.doc.replace('|', "\\|")
        );
    }
    out
}
