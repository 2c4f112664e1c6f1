//! One row of an inventory table, from the JSON of its calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use handoff::contract::ColumnType;
use jmespath::{Rcvar, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::expression::{Expression, ExpressionError, Place, json, variable, with_member};
use super::secrets::{Found, hide};
use super::tablefile::{Relation, TableFile, Target};

/// Position of `name` among the columns that every table has.
pub const NAME: usize = 3;
/// Position of `tags` among them.
pub const TAGS: usize = 4;

/// What the credential report writes where it has nothing to tell.
const REPORT_BLANKS: [&str; 3] = ["N/A", "not_supported", "no_information"];

/// Everything that follows from a row.
#[derive(Debug)]
pub struct Built {
    /// Its ARN; `None` when it could not be formed.
    pub arn: Option<String>,
    /// What waits for the end of the account.
    pub row: StoredRow,
    /// Names others may use for it.
    pub ids: Vec<String>,
    /// Its references.
    pub references: Vec<Reference>,
    /// Secrets that were replaced.
    pub secrets: Vec<Found>,
    /// Expressions that failed: the column or part of the table file, and why.
    pub faults: Vec<(String, String)>,
}

/// A row as it waits in the spool.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredRow {
    /// One value per column of the table.
    pub cells: Vec<Value>,
    /// The name is a default: a Name tag found later replaces it.
    pub default_name: bool,
    /// What `resources` says of it, if it is a resource.
    pub resource: Option<ResourceFacts>,
}

/// What only `resources` needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResourceFacts {
    /// When it was created.
    pub created_at: Value,
    /// Availability zone.
    pub zone: Value,
    /// A few words.
    pub summary: Value,
}

/// A reference as the row states it, not resolved yet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reference {
    /// Account of the row.
    pub account_id: String,
    /// Region of the row, or `global`.
    pub region: String,
    /// What it means.
    pub kind: String,
    /// ARN of the row.
    pub arn: String,
    /// Identifier of the other.
    pub identifier: String,
    /// The other refers to the row.
    pub reverse: bool,
    /// Type that a bare identifier must have.
    pub target: Option<String>,
    /// Port, destination or name.
    pub detail: Option<String>,
    /// Table that declares it.
    pub table: String,
}

/// Evaluates a table file's expressions over one row and keeps what fails.
struct Reading<'a> {
    row: &'a Rcvar,
    place: &'a Place,
    faults: Vec<(String, String)>,
}

impl Reading<'_> {
    fn take<T: Default>(&mut self, part: &str, result: Result<T, ExpressionError>) -> T {
        result.unwrap_or_else(|error| {
            self.faults.push((part.to_owned(), error.to_string()));
            T::default()
        })
    }

    fn value(&mut self, part: &str, expression: &Expression) -> Value {
        let found = expression
            .search(self.row, self.place)
            .map(|found| json(&found));
        self.take(part, found)
    }

    fn optional(&mut self, part: &str, expression: Option<&Expression>) -> Value {
        expression.map_or(Value::Null, |expression| self.value(part, expression))
    }

    fn text(&mut self, part: &str, expression: &Expression) -> Option<String> {
        let found = expression.text(self.row, self.place);
        self.take(part, found)
    }
}

/// Builds the row of a table. `parent` is visible to expressions as `Parent`, and has no secrets left.
pub fn build(
    table: &TableFile,
    place: &Place,
    row: &Rcvar,
    parent: Option<&Rcvar>,
    incomplete: &[String],
) -> Built {
    let mut config = json(row);
    let secrets = hide(&mut config, &table.secrets);
    let plain = variable(config.clone());
    let context = in_context(&plain, parent, None);
    let mut reading = Reading {
        row: &context,
        place,
        faults: Vec::new(),
    };

    // An answer that stands for "there is none" says so of the account.
    let none = matches!(&**row, Variable::Object(members) if members.is_empty());
    let stated_arn = reading.text("arn", &table.identity.arn);
    let arn = stated_arn.or_else(|| {
        none.then(|| format!("arn:{}:iam::{}:root", place.partition, place.account_id))
    });
    let tags = tags(&mut reading, table);
    let stated = table
        .identity
        .name
        .as_ref()
        .and_then(|name| reading.text("name", name));
    let named = !table.identity.of_account && !none;
    let name = stated
        .clone()
        .or_else(|| default_name(&tags, arn.as_deref()).filter(|_| named));
    let mut cells = vec![
        json!(place.account_id),
        json!(place.column_region),
        json!(arn),
        json!(name),
        tags,
        config,
        json!(incomplete),
    ];
    let report = table.list.operation == "GetCredentialReport";
    for column in &table.columns {
        let value = reading.value(&column.name, &column.path);
        let typed = matches!(column.kind, ColumnType::Bool | ColumnType::Timestamp);
        let blank = report
            && typed
            && value
                .as_str()
                .is_some_and(|text| REPORT_BLANKS.contains(&text));
        cells.push(if blank { Value::Null } else { value });
    }
    let is_resource = table.resource_type.is_some() && !none;
    let resource = is_resource.then(|| ResourceFacts {
        created_at: reading.optional("created_at", table.identity.created_at.as_ref()),
        zone: reading.optional("zone", table.identity.zone.as_ref()),
        summary: reading.optional("summary", table.identity.summary.as_ref()),
    });
    let mut ids = Vec::new();
    for id in &table.identity.ids {
        let found = id.texts(&context, place);
        ids.extend(reading.take("ids", found));
    }
    let references = arn
        .as_deref()
        .map(|arn| references(table, arn, &plain, parent, &mut reading));
    Built {
        row: StoredRow {
            cells,
            default_name: named && stated.is_none(),
            resource,
        },
        arn,
        ids,
        references: references.unwrap_or_default(),
        secrets,
        faults: reading.faults,
    }
}

/// The row as expressions see it.
fn in_context(row: &Rcvar, parent: Option<&Rcvar>, whole: Option<&Rcvar>) -> Rcvar {
    let mut context = Arc::clone(row);
    if let Some(parent) = parent {
        context = with_member(&context, "Parent", Arc::clone(parent));
    }
    if let Some(whole) = whole {
        context = with_member(&context, "Row", Arc::clone(whole));
    }
    context
}

/// The row with its parent, for parameters of calls.
pub fn with_parent(row: &Rcvar, parent: Option<&Rcvar>) -> Rcvar {
    in_context(row, parent, None)
}

fn references(
    table: &TableFile,
    arn: &str,
    row: &Rcvar,
    parent: Option<&Rcvar>,
    reading: &mut Reading,
) -> Vec<Reference> {
    let mut references = Vec::new();
    for relation in &table.relations {
        let part = format!("relation {}", relation.kind);
        let contexts = match &relation.each {
            None => vec![Arc::clone(reading.row)],
            Some(each) => {
                let found = each.search(reading.row, reading.place);
                let elements = match found.as_deref() {
                    Ok(Variable::Array(elements)) => elements.clone(),
                    Ok(Variable::Null) => Vec::new(),
                    _ => found
                        .as_ref()
                        .map(|element| vec![Arc::clone(element)])
                        .unwrap_or_default(),
                };
                if let Err(error) = found {
                    reading.faults.push((part.clone(), error.to_string()));
                }
                elements
                    .iter()
                    .map(|element| in_context(element, parent, Some(row)))
                    .collect()
            }
        };
        for context in contexts {
            let found = related(relation, &context, reading.place);
            let Some(found) = reading.take(&part, found.map(Some)) else {
                continue;
            };
            references.extend(found.identifiers.into_iter().map(|identifier| Reference {
                account_id: reading.place.account_id.clone(),
                region: reading.place.column_region.clone(),
                kind: relation.kind.clone(),
                arn: arn.to_owned(),
                identifier,
                reverse: relation.reverse,
                target: found.target.clone(),
                detail: found.detail.clone(),
                table: table.name.clone(),
            }));
        }
    }
    references
}

/// What one element refers to.
struct Related {
    identifiers: Vec<String>,
    target: Option<String>,
    detail: Option<String>,
}

/// Evaluates a relation over one element. Detail and type are asked only where there is somebody to refer to.
fn related(
    relation: &Relation,
    context: &Rcvar,
    place: &Place,
) -> Result<Related, ExpressionError> {
    let mut related = Related {
        identifiers: relation.to.texts(context, place)?,
        target: None,
        detail: None,
    };
    if related.identifiers.is_empty() {
        return Ok(related);
    }
    if let Some(detail) = &relation.detail {
        related.detail = detail.text(context, place)?;
    }
    related.target = match &relation.target {
        None => None,
        Some(Target::Type(name)) => Some(name.clone()),
        Some(Target::By(by, types)) => by
            .text(context, place)?
            .and_then(|by| types.get(&by).cloned()),
    };
    Ok(related)
}

/// The Name tag, else the ARN's last part.
pub fn default_name(tags: &Value, arn: Option<&str>) -> Option<String> {
    let tag = tags
        .get("Name")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    tag.or_else(|| arn?.rsplit(['/', ':']).next())
        .map(str::to_owned)
}

fn tags(reading: &mut Reading, table: &TableFile) -> Value {
    let value = reading.optional("tags", table.identity.tags.as_ref());
    match tag_map(&value) {
        Ok(tags) => tags,
        Err(reason) => {
            reading.faults.push(("tags".to_owned(), reason));
            Value::Null
        }
    }
}

/// Tags in any of AWS's forms as one object, sorted by key; null stays null.
pub fn tag_map(value: &Value) -> Result<Value, String> {
    let mut tags = BTreeMap::new();
    match value {
        Value::Null => return Ok(Value::Null),
        Value::Object(members) => {
            tags.extend(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
        Value::Array(pairs) => {
            for pair in pairs {
                let member = |names: [&str; 3]| names.into_iter().find_map(|name| pair.get(name));
                let key = member(["Key", "key", "TagKey"]).and_then(Value::as_str);
                let key = key.ok_or_else(|| "a tag without a key".to_owned())?;
                let value = member(["Value", "value", "TagValue"])
                    .cloned()
                    .unwrap_or_default();
                // A tag may have a key and no value; it is there all the same.
                let value = if value.is_null() { json!("") } else { value };
                tags.insert(key.to_owned(), value);
            }
        }
        _ => return Err("expected a list of tags or an object".to_owned()),
    }
    Ok(Value::Object(tags.into_iter().collect::<Map<_, _>>()))
}
