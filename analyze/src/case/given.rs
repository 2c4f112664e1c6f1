//! What a case gives, in the tables of a session.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use handoff::trail;
use serde_json::{Map, Value};

use super::{ACCOUNT, AS_OF, Case, REGION, events};
use crate::cli::Limits;
use crate::config::Config;
use crate::events as trail_sql;
use crate::session::Session;
use crate::sql::{identifier, quote};

/// A session without rows, for one case after the other.
pub(super) struct Bench {
    pub(super) session: Session,
    /// Types of the columns by table: looked up once, since DuckDB binds every view to tell.
    types: BTreeMap<String, BTreeMap<String, String>>,
}

impl Bench {
    /// Every table empty, every view defined, and locked.
    pub(super) fn open() -> anyhow::Result<Self> {
        let limits = Limits {
            memory: "1GB".to_owned(),
            threads: Some(1),
        };
        let mut session = Session::open(&limits, &Config::load(None)?, AS_OF)?;
        let names: Vec<String> = session.tables.keys().cloned().collect();
        for name in names {
            session.register(&name, &[])?;
        }
        session.define_views()?;
        session.lock(&[])?;
        let mut statement = session
            .connection
            .prepare("select table_name, column_name, data_type from duckdb_columns()")?;
        let columns = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<(String, String, String)>, _>>()?;
        drop(statement);
        let mut types: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (table, column, kind) in columns {
            types.entry(table).or_default().insert(column, kind);
        }
        Ok(Self { session, types })
    }

    /// Fills the tables with what a case gives.
    pub(super) fn set_up<Row>(&self, case: &Case<Row>) -> anyhow::Result<()> {
        let session = &self.session;
        let config = Config::with("config", case.config.clone())?;
        if !case.config.is_empty() {
            session.connection.execute_batch(&config.sql())?;
        }
        let mut accounts = BTreeSet::from([ACCOUNT.to_owned()]);
        for (table, rows) in &case.given {
            let rows = if *table == trail::cloudtrail_events().name {
                &events::expand(rows)?
            } else {
                rows
            };
            for row in rows {
                self.give(table, row, &mut accounts)
                    .with_context(|| format!("given.{table}"))?;
            }
        }
        for row in &case.errors {
            let kind = toml::Table::from_iter([("kind".to_owned(), "denied".into())]);
            self.insert(
                "collect_errors",
                &with_defaults(kind.into_iter().chain(row.clone()).collect(), REGION),
            )?;
        }
        let text = |text: &str| Some(text.to_owned());
        session.fill(
            "known_accounts",
            accounts.iter().map(|account| vec![text(account)]),
        )?;
        session.fill(
            "missing",
            case.missing
                .iter()
                .map(|table| vec![text(ACCOUNT), text(table), text("not collected")]),
        )?;
        let everywhere = session.tables.iter().flat_map(|(name, table)| {
            let regions = if table.global {
                vec!["global".to_owned()]
            } else {
                case.regions.clone()
            };
            regions
                .into_iter()
                .map(move |region| vec![text(ACCOUNT), Some(region), text(name)])
        });
        session.fill("collected", everywhere)?;
        if case
            .given
            .keys()
            .any(|table| table.starts_with("cloudtrail_"))
        {
            trail_sql::judge_from(session, case.since.as_deref(), None)?;
            trail_sql::prepare(session, &config)?;
        }
        session.note_gaps()
    }

    /// Inserts a given row, and the resource it is.
    fn give(
        &self,
        table: &str,
        row: &toml::Table,
        accounts: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let known = self.session.tables.get(table);
        let region = if known.is_some_and(|table| table.global) {
            "global"
        } else {
            REGION
        };
        let mut row = with_defaults(row.clone(), region);
        accounts.extend(row["account_id"].as_str().map(str::to_owned));
        let resource_type = known.and_then(|table| table.resource_type.as_ref());
        if let (Some(resource_type), true) = (resource_type, row.contains_key("arn")) {
            row.entry("tags")
                .or_insert_with(|| toml::Table::new().into());
            row.entry("incomplete")
                .or_insert_with(|| Vec::<toml::Value>::new().into());
            let mut resource: toml::Table = row
                .clone()
                .into_iter()
                .filter(|(key, _)| {
                    matches!(
                        key.as_str(),
                        "account_id" | "region" | "arn" | "name" | "tags" | "created_at"
                    )
                })
                .collect();
            resource.insert("resource_type".to_owned(), resource_type.as_str().into());
            resource.insert(
                "service".to_owned(),
                resource_type.split(':').next().unwrap_or_default().into(),
            );
            resource.insert("source_table".to_owned(), table.into());
            self.insert("resources", &resource)?;
        }
        self.insert(table, &row)
    }

    fn insert(&self, table: &str, row: &toml::Table) -> anyhow::Result<()> {
        let types = self
            .types
            .get(table)
            .with_context(|| format!("no table {table}"))?;
        let (mut values, mut shape) = (Map::new(), Map::new());
        for (key, value) in row {
            // Facts of the run itself have no region or account of their own.
            let Some(kind) = types.get(key) else {
                if matches!(
                    key.as_str(),
                    "account_id" | "region" | "incomplete" | "created_at"
                ) {
                    continue;
                }
                bail!("{table} has no column {key}");
            };
            values.insert(key.clone(), json(value, kind == "JSON"));
            shape.insert(
                key.clone(),
                if kind.ends_with("[]") {
                    Value::from(vec!["VARCHAR"])
                } else {
                    kind.as_str().into()
                },
            );
        }
        let shape = quote(&Value::Array(vec![shape.into()]).to_string());
        let sql = format!(
            "insert into {} by name select r.* from (select unnest(json_transform_strict(?::json, {shape})) as r)",
            identifier(table)
        );
        self.session
            .connection
            .execute(&sql, [Value::Array(vec![values.into()]).to_string()])?;
        Ok(())
    }
}

fn with_defaults(mut row: toml::Table, region: &str) -> toml::Table {
    row.entry("account_id").or_insert_with(|| ACCOUNT.into());
    row.entry("region").or_insert_with(|| region.into());
    row
}

/// TOML as JSON; times as text; text in a JSON column may be JSON itself.
pub(super) fn json(value: &toml::Value, is_json: bool) -> Value {
    match value {
        toml::Value::String(text) if is_json => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(elements) => elements
            .iter()
            .map(|element| json(element, false))
            .collect(),
        toml::Value::Table(members) => Value::Object(
            members
                .iter()
                .map(|(key, member)| (key.clone(), json(member, false)))
                .collect(),
        ),
    }
}
