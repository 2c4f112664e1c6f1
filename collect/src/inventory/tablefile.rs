//! Table files: one inventory table each, compiled from `collect/tables/<service>/<table>.toml`.
//!
//! The format is described in `collect/tables/README.md`. Files are embedded at build time; what they name
//! (operations, parameters, members of answers) is held against the API models by the tests of this crate.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use handoff::contract::{self, Column, ColumnType, TableSchema};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::expression::{Expression, Path};
use super::secrets::SecretPath;
use super::written::Written;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// Why a table file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table {table}: {reason}")]
pub struct TableFileError {
    table: String,
    reason: String,
}

/// Where a table is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Once, in the partition's main region.
    Global,
    /// In every region.
    Regional,
}

/// One inventory table.
#[derive(Debug)]
pub struct TableFile {
    /// Name: the file's stem.
    pub name: String,
    /// What a row is, in one line.
    pub title: String,
    /// Service, as in `collect/models`.
    pub service: String,
    /// Where it is collected.
    pub scope: Scope,
    /// Type of the resources, such as `ec2:instance`; `None` when rows are facts about others.
    pub resource_type: Option<String>,
    /// The call that lists the rows.
    pub list: List,
    /// Calls per row, in order.
    pub details: Vec<Detail>,
    /// How a row is named.
    pub identity: Identity,
    /// What a row refers to.
    pub relations: Vec<Relation>,
    /// Typed columns, in order, without those that every table has.
    pub columns: Vec<TableColumn>,
    /// Places that may hold secrets.
    pub secrets: Vec<SecretPath>,
}

/// The call that lists the rows of a table.
#[derive(Debug)]
pub struct List {
    /// Operation.
    pub operation: String,
    /// Constant parameters.
    pub params: Map<String, Value>,
    /// Table whose rows it is called for.
    pub parent: Option<String>,
    /// Parameters that depend on account, region or the parent's row; the first names the file in a recording.
    pub bind: Vec<(String, Expression)>,
    /// Where the rows are in the answer.
    pub rows: Path,
    /// Rows that are meant: those where each expression has the value beside it.
    pub only: Vec<(Path, Expression)>,
    /// Errors that are an answer.
    pub absent: Option<Absent>,
}

/// A call per row, or for a batch of rows.
#[derive(Debug)]
pub struct Detail {
    /// Operation.
    pub operation: String,
    /// Member of the row that takes the answer.
    pub into: String,
    /// Constant parameters.
    pub params: Map<String, Value>,
    /// Parameters that depend on the row; the first names the file in a recording.
    pub bind: Vec<(String, Expression)>,
    /// Rows it is called for.
    pub when: Option<Expression>,
    /// Errors that are an answer.
    pub absent: Option<Absent>,
    /// Region to send it to; null is the partition's main region.
    pub region: Option<Expression>,
    /// How one call serves many rows.
    pub batch: Option<Batch>,
}

/// Error codes that say "there is none", and the answer they stand for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// The codes.
    pub codes: Vec<String>,
    /// Words the message must contain, where the code alone says too little.
    pub message: Option<String>,
    /// The answer.
    pub answer: Value,
}

/// A call that takes values of many rows.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Parameter that takes the list of values.
    pub param: String,
    /// Values per call.
    pub size: usize,
    /// Where the answer has one element per row.
    pub each: Path,
    /// Member of such an element that equals the row's value.
    pub key: String,
}

/// How a row is named and what `resources` says of it.
#[derive(Debug)]
pub struct Identity {
    /// Its ARN; where the file gives none, that of the account, which the fact is about.
    pub arn: Expression,
    /// The file gives no ARN.
    pub of_account: bool,
    /// Its name; without one, the Name tag, then the ARN's last part.
    pub name: Option<Expression>,
    /// Its tags: a list of pairs or an object.
    pub tags: Option<Expression>,
    /// When it was created.
    pub created_at: Option<Expression>,
    /// Its availability zone.
    pub zone: Option<Expression>,
    /// A few words on what it is.
    pub summary: Option<Expression>,
    /// Other identifiers by which it is referred to.
    pub ids: Vec<Expression>,
}

/// A reference to other resources.
#[derive(Debug)]
pub struct Relation {
    /// What it means.
    pub kind: String,
    /// Elements that the other expressions are evaluated for.
    pub each: Option<Expression>,
    /// Identifiers of the others.
    pub to: Expression,
    /// Port, destination or name.
    pub detail: Option<Expression>,
    /// The others refer to this row.
    pub reverse: bool,
    /// Type that a bare identifier must have.
    pub target: Option<Target>,
}

/// The type of what is referred to.
#[derive(Debug)]
pub enum Target {
    /// Always the same.
    Type(String),
    /// What the value of an expression stands for; any type where it is not among these.
    By(Expression, HashMap<String, String>),
}

/// A typed column.
#[derive(Debug)]
pub struct TableColumn {
    /// Name.
    pub name: String,
    /// Where the value is.
    pub path: Expression,
    /// Type it is stored as.
    pub kind: ColumnType,
    /// One line for the dictionary.
    pub doc: String,
}

impl Absent {
    /// The answer that an error stands for, if it is one of these.
    pub fn answer(&self, error: &crate::aws::CallError) -> Option<&Value> {
        let said = |words: &String| error.message.contains(words);
        let meant = self.codes.contains(&error.code) && self.message.as_ref().is_none_or(said);
        meant.then_some(&self.answer)
    }
}

impl TableFile {
    /// Reads the text of a table file.
    ///
    /// # Errors
    ///
    /// When the text is not in the format.
    pub fn parse(name: &str, text: &str) -> Result<Self, TableFileError> {
        let fail = |reason: String| TableFileError {
            table: name.to_owned(),
            reason,
        };
        let written: Written =
            toml::from_str(text).map_err(|error| fail(error.message().to_owned()))?;
        written
            .compile(name)
            .map_err(|error| fail(error.to_string()))
    }

    /// Schema of the Parquet file.
    pub fn schema(&self) -> TableSchema {
        let mut columns = contract::inventory_columns();
        columns.extend(self.columns.iter().map(|column| Column {
            name: column.name.clone(),
            kind: column.kind,
            doc: column.doc.clone(),
        }));
        TableSchema {
            name: self.name.clone(),
            title: self.title.clone(),
            columns,
        }
    }

    /// Operations that the table's rows are made of: that of the list, then the details'.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        let details = self.details.iter().map(|detail| detail.operation.as_str());
        std::iter::once(self.list.operation.as_str()).chain(details)
    }
}

/// All tables, sorted by name.
///
/// # Errors
///
/// When an embedded file is not in the format; only a damaged build has one.
pub fn tables() -> Result<&'static [TableFile], TableFileError> {
    static PARSED: OnceLock<Result<Vec<TableFile>, TableFileError>> = OnceLock::new();
    let parsed = PARSED.get_or_init(|| {
        let parse = |(name, text): &(&str, &str)| TableFile::parse(name, text);
        let tables: Vec<TableFile> = TABLES.iter().map(parse).collect::<Result<_, _>>()?;
        let mut seen = HashSet::new();
        for table in &tables {
            let fail = |reason: String| TableFileError {
                table: table.name.clone(),
                reason,
            };
            if !seen.insert(&table.name) {
                return Err(fail("there are two files of this name".to_owned()));
            }
            if let Some(parent) = &table.list.parent {
                let known = tables.iter().find(|known| known.name == *parent);
                if known.is_none_or(|known| known.scope != table.scope) {
                    return Err(fail(format!(
                        "no table {parent} of the same scope to hang below"
                    )));
                }
            }
        }
        Ok(tables)
    });
    parsed.as_deref().map_err(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{ServiceModel, model};

    fn has_params<'a>(
        model: &ServiceModel,
        operation: &str,
        names: impl Iterator<Item = &'a String>,
        table: &str,
    ) {
        let members = model.input_members(operation).unwrap();
        for name in names {
            assert!(
                members.iter().any(|(known, _)| known == name),
                "{table}: {operation} takes no {name}"
            );
        }
    }

    #[test]
    fn every_table_asks_what_the_models_know() {
        for table in tables().unwrap() {
            let model = model(&table.service).unwrap();
            let list = &table.list;
            has_params(
                model,
                &list.operation,
                list.params
                    .keys()
                    .chain(list.bind.iter().map(|(name, _)| name)),
                &table.name,
            );
            for detail in &table.details {
                let bound = detail.bind.iter().map(|(name, _)| name);
                has_params(
                    model,
                    &detail.operation,
                    detail.params.keys().chain(bound),
                    &table.name,
                );
            }
        }
    }

    #[test]
    fn every_row_path_starts_in_the_answer() {
        for table in tables().unwrap() {
            let model = model(&table.service).unwrap();
            let output = model
                .output_structure(&table.list.operation)
                .unwrap()
                .unwrap();
            let members: Vec<&str> = output
                .members
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            let of_answer = members
                .iter()
                .any(|member| table.list.rows.mentions(member));
            let made_here =
                table.list.operation == "GetCredentialReport" || table.list.rows.is_identity();
            assert!(of_answer || made_here, "{}: {members:?}", table.name);
        }
    }

    #[test]
    fn every_table_and_column_says_what_it_is() {
        for table in tables().unwrap() {
            assert!(
                !table.title.is_empty() && !table.columns.is_empty(),
                "{}",
                table.name
            );
            let mut names: Vec<&str> = table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
            for column in &table.columns {
                assert!(!column.doc.is_empty(), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn what_is_wrong_in_a_file_is_named() {
        let fail = |text: &str| TableFile::parse("aws_x", text).unwrap_err().to_string();
        let head = "title = 't'\nservice = 's'\nscope = 'global'\n[list]\noperation = 'O'\n";
        assert!(fail(&format!("{head}rows = 'a['\n[columns]\n")).contains("expression `a[`"));
        assert!(
            fail(&format!(
                "{head}rows = 'a'\n[columns]\narn = {{ path = 'x', type = 'string', doc = 'd' }}\n"
            ))
            .contains("column arn")
        );
        assert!(
            fail(&format!("{head}rows = 'a'\nrow = 1\n[columns]\n"))
                .contains("unknown field `row`")
        );
    }
}
