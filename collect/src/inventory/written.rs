//! A table file as it is written in TOML, and its compilation.
//!
//! Invariant: a name that the format does not know is refused, so that a misspelt one is never ignored.

use std::collections::HashMap;

use handoff::contract::{self, ColumnType};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::expression::{Expression, ExpressionError, Path};
use super::secrets::SecretPath;
use super::tablefile::{
    Absent, Batch, Detail, Identity, List, Relation, Scope, TableColumn, TableFile, Target,
};

/// What stands for an account as a whole.
const ACCOUNT_ARN: &str = "arn:{partition}:iam::{account}:root";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    title: String,
    service: String,
    scope: Scope,
    resource_type: Option<String>,
    list: WrittenList,
    #[serde(default)]
    detail: Vec<WrittenDetail>,
    #[serde(default)]
    identity: WrittenIdentity,
    #[serde(default)]
    relation: Vec<WrittenRelation>,
    columns: Map<String, Value>,
    #[serde(default)]
    secrets: WrittenSecrets,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenList {
    operation: String,
    #[serde(default)]
    params: Map<String, Value>,
    parent: Option<String>,
    #[serde(default)]
    bind: Map<String, Value>,
    rows: String,
    #[serde(default)]
    only: Map<String, Value>,
    absent: Option<Absent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDetail {
    operation: String,
    into: String,
    #[serde(default)]
    params: Map<String, Value>,
    #[serde(default)]
    bind: Map<String, Value>,
    when: Option<String>,
    absent: Option<Absent>,
    region: Option<String>,
    batch: Option<WrittenBatch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBatch {
    param: String,
    size: usize,
    each: String,
    key: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIdentity {
    arn: Option<String>,
    name: Option<String>,
    tags: Option<String>,
    created_at: Option<String>,
    zone: Option<String>,
    summary: Option<String>,
    #[serde(default)]
    ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRelation {
    kind: String,
    each: Option<String>,
    to: String,
    detail: Option<String>,
    #[serde(default)]
    reverse: bool,
    target: Option<WrittenTarget>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenTarget {
    Type(String),
    By(HashMap<String, String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenColumn {
    path: String,
    #[serde(rename = "type")]
    kind: ColumnType,
    doc: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSecrets {
    paths: Vec<String>,
}

/// What is wrong in a file that is TOML.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    #[error("column {0}: {1}")]
    Column(String, serde_json::Error),
    #[error("column {0} is one that every table has")]
    Reserved(String),
    #[error("{0}: the bound parameter {1} is no text")]
    Bind(String, String),
    #[error("{0}: batch needs a size of at least 1 and a bound parameter {1}")]
    Batch(String, String),
    #[error("secrets: {0}")]
    Secret(String),
    #[error("relation {0}: its target has no `by`")]
    Target(String),
}

fn optional(source: Option<&String>) -> Result<Option<Expression>, ExpressionError> {
    source.map(|source| Expression::new(source)).transpose()
}

fn bindings(operation: &str, bind: Map<String, Value>) -> Result<Vec<(String, Expression)>, Wrong> {
    let compile = |(name, source): (String, Value)| match source {
        Value::String(source) => Ok((name, Expression::new(&source)?)),
        _ => Err(Wrong::Bind(operation.to_owned(), name)),
    };
    bind.into_iter().map(compile).collect()
}

impl Written {
    /// Compiles the expressions of a file that is named so.
    pub fn compile(self, name: &str) -> Result<TableFile, Wrong> {
        let list = List {
            bind: bindings(&self.list.operation, self.list.bind)?,
            rows: Path::new(&self.list.rows)?,
            only: bindings(&self.list.operation, self.list.only)?
                .into_iter()
                .map(|(member, value)| Ok((Path::new(&member)?, value)))
                .collect::<Result<_, Wrong>>()?,
            operation: self.list.operation,
            params: self.list.params,
            parent: self.list.parent,
            absent: self.list.absent,
        };
        let secret =
            |path: &String| SecretPath::new(path).ok_or_else(|| Wrong::Secret(path.clone()));
        let secrets = self
            .secrets
            .paths
            .iter()
            .map(secret)
            .collect::<Result<_, _>>()?;
        let details = self.detail.into_iter().map(WrittenDetail::compile);
        let relations = self.relation.into_iter().map(WrittenRelation::compile);
        let columns = self.columns.into_iter().map(column);
        Ok(TableFile {
            name: name.to_owned(),
            title: self.title,
            service: self.service,
            scope: self.scope,
            resource_type: self.resource_type,
            list,
            details: details.collect::<Result<_, _>>()?,
            identity: self.identity.compile()?,
            relations: relations.collect::<Result<_, _>>()?,
            columns: columns.collect::<Result<_, _>>()?,
            secrets,
        })
    }
}

impl WrittenDetail {
    fn compile(self) -> Result<Detail, Wrong> {
        let bind = bindings(&self.operation, self.bind)?;
        if let Some(batch) = &self.batch {
            let bound = bind.iter().any(|(name, _)| *name == batch.param);
            if !bound || batch.size == 0 {
                return Err(Wrong::Batch(self.operation, batch.param.clone()));
            }
        }
        let batch = self.batch.map(|batch| {
            Ok::<_, Wrong>(Batch {
                each: Path::new(&batch.each)?,
                param: batch.param,
                size: batch.size,
                key: batch.key,
            })
        });
        Ok(Detail {
            bind,
            when: optional(self.when.as_ref())?,
            region: optional(self.region.as_ref())?,
            batch: batch.transpose()?,
            operation: self.operation,
            into: self.into,
            params: self.params,
            absent: self.absent,
        })
    }
}

impl WrittenIdentity {
    fn compile(self) -> Result<Identity, Wrong> {
        let ids = self.ids.iter().map(|source| Expression::new(source));
        Ok(Identity {
            arn: Expression::new(self.arn.as_deref().unwrap_or(ACCOUNT_ARN))?,
            of_account: self.arn.is_none(),
            name: optional(self.name.as_ref())?,
            tags: optional(self.tags.as_ref())?,
            created_at: optional(self.created_at.as_ref())?,
            zone: optional(self.zone.as_ref())?,
            summary: optional(self.summary.as_ref())?,
            ids: ids.collect::<Result<_, _>>()?,
        })
    }
}

impl WrittenRelation {
    fn compile(self) -> Result<Relation, Wrong> {
        let target = match self.target {
            None => None,
            Some(WrittenTarget::Type(name)) => Some(Target::Type(name)),
            Some(WrittenTarget::By(mut types)) => {
                let by = types
                    .remove("by")
                    .ok_or_else(|| Wrong::Target(self.kind.clone()))?;
                Some(Target::By(Expression::new(&by)?, types))
            }
        };
        Ok(Relation {
            each: optional(self.each.as_ref())?,
            to: Expression::new(&self.to)?,
            detail: optional(self.detail.as_ref())?,
            kind: self.kind,
            reverse: self.reverse,
            target,
        })
    }
}

fn column((name, written): (String, Value)) -> Result<TableColumn, Wrong> {
    let written: WrittenColumn =
        serde_json::from_value(written).map_err(|error| Wrong::Column(name.clone(), error))?;
    let common = contract::inventory_columns();
    if common.iter().any(|column| column.name == name) {
        return Err(Wrong::Reserved(name));
    }
    Ok(TableColumn {
        path: Expression::new(&written.path)?,
        kind: written.kind,
        doc: written.doc,
        name,
    })
}
