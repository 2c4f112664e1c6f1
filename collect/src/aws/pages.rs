//! Pages of an operation merged into one answer, as the AWS CLI merges them.
//!
//! Of a paged operation's answer remain what the model lists: result keys, concatenated over the pages, and what
//! is the same on each page, from the first. Invariant: a token never comes twice, so that a service that repeats
//! itself ends in an error instead of a loop.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::model::Pagination;

/// No operation has as many pages; a service that sends ever new tokens must end somewhere.
const MAX_PAGES: usize = 200_000;

/// The way from page to page.
#[derive(Debug)]
pub struct Tokens<'a> {
    pagination: &'a Pagination,
    seen: HashSet<String>,
    count: usize,
}

/// Pages read so far.
#[derive(Debug)]
pub struct Pages<'a> {
    tokens: Tokens<'a>,
    merged: Value,
    others: Vec<(&'a str, Value)>,
}

/// Pages that do not follow each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Following the tokens would not end.
    #[error("page {0}: the service repeated a page token")]
    RepeatedToken(usize),
    /// Following the tokens has not ended.
    #[error("more than {MAX_PAGES} pages")]
    TooMany,
    /// The parts of a result do not go together.
    #[error("page {page}: `{key}` is of another type than on the pages before")]
    Type {
        /// Number of the page, from 1.
        page: usize,
        /// Path of the result.
        key: String,
    },
}

impl<'a> Tokens<'a> {
    /// Before the first page.
    pub fn new(pagination: &'a Pagination) -> Self {
        Self {
            pagination,
            seen: HashSet::new(),
            count: 0,
        }
    }

    /// The input members that lead from this page to the next one, with null for those to leave out; `None` after
    /// the last page.
    pub fn next(&mut self, page: &Value) -> Result<Option<Vec<(&'a str, Value)>>, PageError> {
        self.count += 1;
        let Some(tokens) = self.of(page) else {
            return Ok(None);
        };
        if self.count >= MAX_PAGES {
            return Err(PageError::TooMany);
        }
        let text = tokens
            .iter()
            .map(|(_, token)| token.to_string())
            .collect::<Vec<_>>();
        if self.seen.insert(text.join("\n")) {
            Ok(Some(tokens))
        } else {
            Err(PageError::RepeatedToken(self.count))
        }
    }

    fn of(&self, page: &Value) -> Option<Vec<(&'a str, Value)>> {
        for flag in &self.pagination.more_results {
            if !get(page, flag).is_some_and(is_set) {
                return None;
            }
        }
        let pairs = self
            .pagination
            .input_tokens
            .iter()
            .zip(&self.pagination.output_tokens);
        let tokens: Vec<(&str, Value)> = pairs
            .map(|(input, output)| {
                let token = get(page, output).filter(|token| is_set(token) && *token != "None");
                (input.as_str(), token.cloned().unwrap_or_default())
            })
            .collect();
        tokens
            .iter()
            .any(|(_, token)| !token.is_null())
            .then_some(tokens)
    }
}

impl<'a> Pages<'a> {
    /// No pages yet.
    pub fn new(pagination: &'a Pagination) -> Self {
        Self {
            tokens: Tokens::new(pagination),
            merged: Value::Object(Map::new()),
            others: Vec::new(),
        }
    }

    /// Takes a page in. Answers what leads to the next one, as [`Tokens::next`].
    pub fn add(&mut self, mut page: Value) -> Result<Option<Vec<(&'a str, Value)>>, PageError> {
        let next = self.tokens.next(&page);
        let (pagination, count) = (self.tokens.pagination, self.tokens.count);
        if count == 1 {
            let others = pagination.other_keys.iter();
            self.others = others
                .map(|path| (path.as_str(), get(&page, path).cloned().unwrap_or_default()))
                .collect();
        }
        for path in &pagination.result_keys {
            let Some(found) = get_mut(&mut page, path)
                .map(Value::take)
                .filter(|found| !found.is_null())
            else {
                continue;
            };
            match get_mut(&mut self.merged, path) {
                Some(known) => join(known, found).map_err(|()| PageError::Type {
                    page: count,
                    key: path.clone(),
                })?,
                None => set(&mut self.merged, path, found),
            }
        }
        next
    }

    /// The answer.
    pub fn finish(mut self) -> Value {
        for (path, value) in self.others {
            set(&mut self.merged, path, value);
        }
        self.merged
    }
}

/// What Python takes for true: an empty token is none.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

fn get_mut<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get_mut(name))
}

/// Sets a dotted path in an object, making the objects on the way.
fn set(value: &mut Value, path: &str, new: Value) {
    let mut place = value;
    for name in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[name];
    }
    *place = new;
}

/// Lists and strings are concatenated, numbers added; of structures the first stays.
fn join(known: &mut Value, found: Value) -> Result<(), ()> {
    match (known, found) {
        (Value::Array(known), Value::Array(found)) => known.extend(found),
        (Value::String(known), Value::String(found)) => known.push_str(&found),
        (Value::Number(known), Value::Number(found)) => {
            let whole = known
                .as_i64()
                .zip(found.as_i64())
                .and_then(|(known, found)| known.checked_add(found));
            let sum = whole
                .map(Number::from)
                .or_else(|| Number::from_f64(known.as_f64()? + found.as_f64()?));
            *known = sum.ok_or(())?;
        }
        (Value::Object(_), Value::Object(_)) | (Value::Bool(_), Value::Bool(_)) => {}
        _ => return Err(()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::model::model;
    use serde_json::json;

    fn pagination(service: &str, operation: &str) -> &'static Pagination {
        model(service)
            .unwrap()
            .operation(operation)
            .unwrap()
            .pagination
            .as_ref()
            .unwrap()
    }

    #[test]
    fn results_are_concatenated_and_the_rest_dropped() {
        let mut pages = Pages::new(pagination("ec2", "DescribeInstances"));
        let next = pages
            .add(json!({"Reservations": [1, 2], "NextToken": "a"}))
            .unwrap();
        assert_eq!(next, Some(vec![("NextToken", json!("a"))]));
        assert_eq!(
            pages
                .add(json!({"Reservations": [3], "NextToken": ""}))
                .unwrap(),
            None
        );
        assert_eq!(pages.finish(), json!({"Reservations": [1, 2, 3]}));
    }

    #[test]
    fn nested_results_and_first_page_members() {
        let mut pages = Pages::new(pagination("cloudfront", "ListDistributions"));
        let first = json!({"DistributionList": {"Items": [1], "IsTruncated": true, "NextMarker": "m", "Marker": ""}});
        assert_eq!(
            pages.add(first).unwrap(),
            Some(vec![("Marker", json!("m"))])
        );
        let last =
            json!({"DistributionList": {"Items": [2], "IsTruncated": false, "NextMarker": "n"}});
        assert_eq!(pages.add(last).unwrap(), None);
        assert_eq!(
            pages.finish(),
            json!({"DistributionList": {"Items": [1, 2]}})
        );
    }

    #[test]
    fn several_tokens_go_together() {
        let mut pages = Pages::new(pagination("route53", "ListResourceRecordSets"));
        let page = json!({"ResourceRecordSets": [1], "IsTruncated": true, "NextRecordName": "a.", "NextRecordType": "A"});
        let next = pages.add(page).unwrap().unwrap();
        assert_eq!(next[0], ("StartRecordName", json!("a.")));
        assert_eq!(next[2], ("StartRecordIdentifier", Value::Null));
    }

    #[test]
    fn repeated_tokens_end_the_call() {
        let mut pages = Pages::new(pagination("ec2", "DescribeInstances"));
        for token in ["a", "b"] {
            assert!(pages.add(json!({"NextToken": token})).unwrap().is_some());
        }
        assert_eq!(
            pages.add(json!({"NextToken": "a"})),
            Err(PageError::RepeatedToken(3))
        );
    }

    #[test]
    fn what_does_not_go_together_is_an_error() {
        let mut pages = Pages::new(pagination("ec2", "DescribeInstances"));
        pages
            .add(json!({"Reservations": [1], "NextToken": "a"}))
            .unwrap();
        let wrong = pages.add(json!({"Reservations": "x"})).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "page 2: `Reservations` is of another type than on the pages before"
        );
    }
}
