//! What the answers of calls mean to the tables that asked for them: rows, or that there are none.

use std::sync::Arc;

use jmespath::{Rcvar, Variable};

use super::expression::{ExpressionError, Place, variable};
use super::tablefile::{Absent, TableFile};
use crate::aws::{CallError, ErrorKind};

/// The rows in the answer of a table's list.
pub(super) fn rows_of(
    table: &TableFile,
    place: &Place,
    answer: Result<Rcvar, CallError>,
) -> Result<Vec<Rcvar>, CallError> {
    let malformed = |code: &str, reason: &str| CallError::new(ErrorKind::Malformed, code, reason);
    let invalid = |error: ExpressionError| malformed("InvalidExpression", &error.to_string());
    let found = table.list.rows.search(&answer?).map_err(invalid)?;
    match &*found {
        Variable::Array(rows) => {
            let mut meant = Vec::with_capacity(rows.len());
            for row in rows {
                if is_meant(table, place, row).map_err(invalid)? {
                    meant.push(Arc::clone(row));
                }
            }
            Ok(meant)
        }
        Variable::Null => Ok(Vec::new()),
        _ => Err(malformed(
            "MalformedResponse",
            "the answer has no list where the rows should be",
        )),
    }
}

/// Whether the row is one of those that the table is about.
fn is_meant(table: &TableFile, place: &Place, row: &Rcvar) -> Result<bool, ExpressionError> {
    for (member, value) in &table.list.only {
        if member.search(row)? != value.search(row, place)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The answer that an error stands for, or the error.
pub(super) fn absent(absent: Option<&Absent>, error: &CallError) -> Result<Rcvar, CallError> {
    let answer = absent.and_then(|absent| absent.answer(error));
    answer
        .map(|answer| variable(answer.clone()))
        .ok_or_else(|| error.clone())
}
