//! Follow-up calls: what AWS tells about each row only when asked for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{self, BoxFuture};
use jmespath::{Rcvar, Variable};
use serde_json::{Map, Value};

use super::answers::absent;
use super::engine::{Engine, Pending, context};
use super::expression::{Expression, Place, json, variable, with_member};
use super::tablefile::{Batch, Detail, TableFile};
use crate::aws::{CallError, ErrorKind};

/// Asks for all details of some rows, detail by detail: a later one may build on an earlier one's answer.
pub(super) async fn ask(
    engine: &Engine<'_>,
    table: &TableFile,
    place: &Place,
    parent: Option<&Rcvar>,
    mut rows: Vec<Pending>,
) -> Vec<Pending> {
    for detail in &table.details {
        match &detail.batch {
            Some(batch) => batches(engine, table, detail, batch, place, parent, &mut rows).await,
            None => {
                let each = rows
                    .iter_mut()
                    .map(|row| single(engine, table, detail, place, parent, row));
                future::join_all(each).await;
            }
        }
    }
    rows
}

/// The parameters of a call, and the value that names it: the first bound one.
///
/// # Errors
///
/// When the row has no value for a parameter.
pub(super) fn parameters(
    constant: &Map<String, Value>,
    bind: &[(String, Expression)],
    row: &Rcvar,
    place: &Place,
) -> Result<(Map<String, Value>, Option<String>), CallError> {
    let mut params = constant.clone();
    let mut first = None;
    for (name, expression) in bind {
        let value = expression
            .search(row, place)
            .map_err(|error| invalid(&error.to_string()))?;
        if value.is_null() {
            return Err(CallError::new(
                ErrorKind::Other,
                "MissingParameter",
                &format!("the row has no value for the parameter {name}"),
            ));
        }
        let value = json(&value);
        let shown = || {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        first.get_or_insert_with(shown);
        params.insert(name.clone(), value);
    }
    Ok((params, first))
}

fn invalid(reason: &str) -> CallError {
    CallError::new(ErrorKind::Malformed, "InvalidExpression", reason)
}

/// Whether the row is to be asked about. Rows for which that can't be known, because an earlier detail failed,
/// lack the answer without a call.
fn applies(detail: &Detail, place: &Place, row: &Rcvar, pending: &mut Pending) -> bool {
    let bound = detail.bind.iter().map(|(_, expression)| expression);
    let mut conditions = bound.chain(&detail.when).chain(&detail.region);
    if conditions.any(|expression| pending.missing.iter().any(|into| expression.mentions(into))) {
        pending.lacks(&detail.operation, &detail.into);
        return false;
    }
    let Some(when) = &detail.when else {
        return true;
    };
    match when.search(row, place) {
        Ok(value) => value.is_truthy(),
        Err(error) => {
            pending.lacks(&detail.operation, &detail.into);
            pending
                .failures
                .push((detail.operation.clone(), None, invalid(&error.to_string())));
            false
        }
    }
}

fn settle(
    detail: &Detail,
    pending: &mut Pending,
    parameter: Option<String>,
    answer: Result<Rcvar, CallError>,
) {
    match answer.or_else(|error| absent(detail.absent.as_ref(), &error)) {
        Ok(answer) => pending.row = with_member(&pending.row, &detail.into, answer),
        Err(error) => {
            pending.lacks(&detail.operation, &detail.into);
            pending
                .failures
                .push((detail.operation.clone(), parameter, error));
        }
    }
}

async fn single(
    engine: &Engine<'_>,
    table: &TableFile,
    detail: &Detail,
    place: &Place,
    parent: Option<&Rcvar>,
    pending: &mut Pending,
) {
    let row = context(&pending.row, parent);
    if !applies(detail, place, &row, pending) {
        return;
    }
    let (params, parameter) = match parameters(&detail.params, &detail.bind, &row, place) {
        Ok(params) => params,
        Err(error) => return settle(detail, pending, None, Err(error)),
    };
    let region = match region(engine, detail, place, &row) {
        Ok(region) => region,
        Err(error) => return settle(detail, pending, parameter, Err(error)),
    };
    engine.expect_call();
    let call = engine.call(&table.service, &detail.operation, &region, params);
    let answer = engine.ask(&call).await.map(variable);
    settle(detail, pending, parameter, answer);
}

/// Where to send the call.
fn region(
    engine: &Engine<'_>,
    detail: &Detail,
    place: &Place,
    row: &Rcvar,
) -> Result<String, CallError> {
    let Some(expression) = &detail.region else {
        return Ok(place.region.clone());
    };
    let region = expression
        .text(row, place)
        .map_err(|error| invalid(&error.to_string()))?;
    Ok(region.unwrap_or_else(|| engine.main_region().to_owned()))
}

/// Rows whose values travel together: equal in region and in all other parameters.
#[derive(Default)]
struct Together {
    params: Map<String, Value>,
    region: String,
    /// Value to the rows that have it.
    values: BTreeMap<String, Vec<usize>>,
}

async fn batches(
    engine: &Engine<'_>,
    table: &TableFile,
    detail: &Detail,
    batch: &Batch,
    place: &Place,
    parent: Option<&Rcvar>,
    rows: &mut [Pending],
) {
    let mut groups: BTreeMap<String, Together> = BTreeMap::new();
    for (index, pending) in rows.iter_mut().enumerate() {
        let row = context(&pending.row, parent);
        if !applies(detail, place, &row, pending) {
            continue;
        }
        let asked = parameters(&detail.params, &detail.bind, &row, place)
            .and_then(|(params, _)| Ok((params, region(engine, detail, place, &row)?)));
        let (mut params, region) = match asked {
            Ok(asked) => asked,
            Err(error) => {
                settle(detail, pending, None, Err(error));
                continue;
            }
        };
        let value = params.remove(&batch.param).unwrap_or_default();
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let key = format!("{region} {}", Value::Object(params.clone()));
        let group = groups.entry(key).or_insert_with(|| Together {
            params,
            region,
            values: BTreeMap::new(),
        });
        group.values.entry(value).or_default().push(index);
    }
    let mut asked = Vec::new();
    for (key, group) in &groups {
        let values: Vec<&String> = group.values.keys().collect();
        for chunk in values.chunks(batch.size) {
            let chunk = chunk.iter().map(|value| (*value).clone()).collect();
            let answers = chunk_answers(engine, table, detail, batch, group, chunk);
            asked.push(answers.map(move |answers| (key, answers)));
        }
    }
    let mut found: HashMap<(&String, String), Result<Rcvar, CallError>> = HashMap::new();
    for (key, answers) in future::join_all(asked).await {
        found.extend(
            answers
                .into_iter()
                .map(|(value, answer)| ((key, value), answer)),
        );
    }
    for (key, group) in &groups {
        for (value, indexes) in &group.values {
            let none = || {
                CallError::new(
                    ErrorKind::NotFound,
                    "NotInAnswer",
                    "the answer has no element for this row",
                )
            };
            let answer = found
                .get(&(key, value.clone()))
                .cloned()
                .unwrap_or_else(|| Err(none()));
            for &index in indexes {
                settle(
                    detail,
                    &mut rows[index],
                    Some(value.clone()),
                    answer.clone(),
                );
            }
        }
    }
}

/// Answers of one call by value. A call that fails because one of its resources is gone is repeated one by one.
fn chunk_answers<'s>(
    engine: &'s Engine<'_>,
    table: &'s TableFile,
    detail: &'s Detail,
    batch: &'s Batch,
    group: &'s Together,
    values: Vec<String>,
) -> BoxFuture<'s, ByValue> {
    async move {
        let mut params = group.params.clone();
        params.insert(
            batch.param.clone(),
            values.iter().cloned().map(Value::String).collect(),
        );
        engine.expect_call();
        let call = engine.call(&table.service, &detail.operation, &group.region, params);
        match engine
            .ask(&call)
            .await
            .map(variable)
            .and_then(|answer| elements(batch, &answer))
        {
            Ok(elements) => elements,
            Err(error) if error.kind == ErrorKind::NotFound && values.len() > 1 => {
                let alone = values
                    .into_iter()
                    .map(|value| chunk_answers(engine, table, detail, batch, group, vec![value]));
                future::join_all(alone)
                    .await
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Err(error) => values
                .into_iter()
                .map(|value| (value, Err(error.clone())))
                .collect(),
        }
    }
    .boxed()
}

/// What a batched call brought, by the value that was asked for.
type ByValue = Vec<(String, Result<Rcvar, CallError>)>;

fn elements(batch: &Batch, answer: &Rcvar) -> Result<ByValue, CallError> {
    let found = batch
        .each
        .search(answer)
        .map_err(|error| invalid(&error.to_string()))?;
    let Variable::Array(elements) = &*found else {
        return Ok(Vec::new());
    };
    let keyed = elements.iter().filter_map(|element| {
        let key = element.get_field(&batch.key);
        Some((key.as_string()?.clone(), Ok(Arc::clone(element))))
    });
    Ok(keyed.collect())
}
