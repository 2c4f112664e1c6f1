//! Expressions of table files: JMESPath, or text with `{expression}` placeholders.
//!
//! A text is a template only where it is no JMESPath, so that `Instances[].{id: InstanceId}` keeps its meaning.
//! A template with a placeholder that yields nothing yields nothing; one with a placeholder that yields a list
//! yields a text for each element.

use std::sync::Arc;

use jmespath::ast::Ast;
use jmespath::{Context, JmespathError, Rcvar, Variable, interpret};
use serde_json::Value;

use super::functions::RUNTIME;
use crate::aws::partition_of_region;

/// Why an expression of a table file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expression `{expression}`: {reason}")]
pub struct ExpressionError {
    expression: String,
    reason: String,
}

/// Where a row was found: what `{partition}`, `{region}` and `{account}` stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Second field of ARNs, e.g. `aws`.
    pub partition: String,
    /// Region that is asked; for global services the partition's main region.
    pub region: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// Value of the column `region`: the region, or `global`.
    pub column_region: String,
}

/// What a table file says about how to get a value from a row.
#[derive(Debug, Clone)]
pub enum Expression {
    /// JMESPath.
    Path(Path),
    /// Text and placeholders in turn.
    Template(Vec<Part>),
}

/// One compiled JMESPath expression.
#[derive(Debug, Clone)]
pub struct Path {
    source: String,
    ast: Ast,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// `{partition}`, `{region}`, `{account}` or `{dns_suffix}`.
    Known(Known),
    /// An expression over the row, with what is done to its value.
    Value(Path, Option<Filter>),
}

/// What is known of a row before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Its partition.
    Partition,
    /// Its region.
    Region,
    /// Its account.
    Account,
    /// What host names of its partition end in.
    DnsSuffix,
}

/// What may follow an expression in a placeholder after `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// What follows the last `/`.
    Basename,
    /// In lower case.
    Lower,
}

impl Path {
    /// Compiles JMESPath.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn new(source: &str) -> Result<Self, ExpressionError> {
        let ast = jmespath::parse(source).map_err(|error| refused(source, &reason(&error)))?;
        Ok(Self {
            source: source.to_owned(),
            ast,
        })
    }

    /// The value for a row; null where the row has none.
    ///
    /// # Errors
    ///
    /// When a function gets an argument of a type it does not take.
    pub fn search(&self, row: &Rcvar) -> Result<Rcvar, ExpressionError> {
        let mut context = Context::new(&self.source, &RUNTIME);
        interpret(row, &self.ast, &mut context)
            .map_err(|error| refused(&self.source, &reason(&error)))
    }

    /// Whether the expression, over an answer in parts, finds what it finds over the whole: it opens one list, or several
    /// as in `[Users, Roles][]`, and goes on with each element.
    pub fn is_by_element(&self) -> bool {
        let is_name =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '.');
        let opened = match self.source.strip_prefix('[') {
            Some(several) => several
                .split_once(']')
                .filter(|(names, _)| names.split(", ").all(is_name)),
            None => self
                .source
                .find('[')
                .map(|start| self.source.split_at(start))
                .filter(|(name, _)| is_name(name)),
        };
        opened.is_some_and(|(_, rest)| rest.starts_with("[]") && !rest.contains(['|', '(']))
    }

    /// Whether the expression is about the whole answer: `[@]`.
    pub fn is_identity(&self) -> bool {
        matches!(&self.ast, Ast::MultiList { elements, .. } if matches!(elements.as_slice(), [Ast::Identity { .. }]))
    }
}

fn refused(expression: &str, reason: &str) -> ExpressionError {
    ExpressionError {
        expression: expression.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The library's message spans lines and repeats the expression; what matters is in the first line.
fn reason(error: &JmespathError) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

impl Expression {
    /// Compiles JMESPath or a template.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn new(source: &str) -> Result<Self, ExpressionError> {
        match Path::new(source) {
            Ok(path) => Ok(Self::Path(path)),
            Err(_) if source.contains('{') => template(source).map(Self::Template),
            Err(error) => Err(error),
        }
    }

    /// The value for a row found in `place`.
    ///
    /// # Errors
    ///
    /// When a function gets an argument of a type it does not take.
    pub fn search(&self, row: &Rcvar, place: &Place) -> Result<Rcvar, ExpressionError> {
        let parts = match self {
            Self::Path(path) => return path.search(row),
            Self::Template(parts) => parts,
        };
        let mut texts = vec![String::new()];
        let mut is_list = false;
        for part in parts {
            let pieces = match part {
                Part::Text(piece) => vec![piece.clone()],
                Part::Known(Known::Partition) => vec![place.partition.clone()],
                Part::Known(Known::Region) => vec![place.region.clone()],
                Part::Known(Known::Account) => vec![place.account_id.clone()],
                Part::Known(Known::DnsSuffix) => {
                    vec![partition_of_region(&place.region).dns_suffix.to_owned()]
                }
                Part::Value(path, filter) => {
                    let value = path.search(row)?;
                    is_list |= value.is_array();
                    let mut pieces = Vec::new();
                    flatten(&value, &mut pieces);
                    pieces
                        .iter()
                        .map(|piece| filtered(piece, *filter))
                        .collect()
                }
            };
            let with = |text: &String| {
                let joined = pieces.iter().map(|piece| format!("{text}{piece}"));
                joined.collect::<Vec<_>>()
            };
            texts = texts.iter().flat_map(with).collect();
        }
        let mut texts = texts
            .into_iter()
            .map(|text| Arc::new(Variable::String(text)));
        Ok(match is_list {
            true => Arc::new(Variable::Array(texts.collect())),
            false => texts.next().unwrap_or_else(|| Arc::new(Variable::Null)),
        })
    }

    /// The value as text; `None` for null and for what is no scalar.
    ///
    /// # Errors
    ///
    /// As [`Expression::search`].
    pub fn text(&self, row: &Rcvar, place: &Place) -> Result<Option<String>, ExpressionError> {
        Ok(as_text(&*self.search(row, place)?))
    }

    /// All strings in the value, lists and lists of lists opened.
    ///
    /// # Errors
    ///
    /// As [`Expression::search`].
    pub fn texts(&self, row: &Rcvar, place: &Place) -> Result<Vec<String>, ExpressionError> {
        let mut found = Vec::new();
        flatten(&*self.search(row, place)?, &mut found);
        Ok(found)
    }

    /// Whether the expression reads the member `name` of the row, or may.
    pub fn mentions(&self, name: &str) -> bool {
        match self {
            Self::Path(path) => path.mentions(name),
            Self::Template(parts) => parts
                .iter()
                .any(|part| matches!(part, Part::Value(path, _) if path.mentions(name))),
        }
    }
}

impl Path {
    /// Whether the expression has a field of that name.
    pub fn mentions(&self, name: &str) -> bool {
        self.source
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == name)
    }
}

fn filtered(value: &str, filter: Option<Filter>) -> String {
    match filter {
        Some(Filter::Basename) => value.rsplit('/').next().unwrap_or(value).to_owned(),
        Some(Filter::Lower) => value.to_lowercase(),
        None => value.to_owned(),
    }
}

fn as_text(value: &Variable) -> Option<String> {
    match value {
        Variable::String(text) if !text.is_empty() => Some(text.clone()),
        Variable::Number(number) => Some(number.to_string()),
        Variable::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn flatten(value: &Variable, found: &mut Vec<String>) {
    match value {
        Variable::Array(elements) => elements.iter().for_each(|element| flatten(element, found)),
        scalar => found.extend(as_text(scalar)),
    }
}

fn template(source: &str) -> Result<Vec<Part>, ExpressionError> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some(open) = rest.find('{') {
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        let close = rest[open..]
            .find('}')
            .ok_or_else(|| refused(source, "a `{` without its `}`"))?;
        parts.push(placeholder(&rest[open + 1..open + close])?);
        rest = &rest[open + close + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn placeholder(inside: &str) -> Result<Part, ExpressionError> {
    let known = match inside {
        "partition" => Some(Known::Partition),
        "region" => Some(Known::Region),
        "account" => Some(Known::Account),
        "dns_suffix" => Some(Known::DnsSuffix),
        _ => None,
    };
    if let Some(known) = known {
        return Ok(Part::Known(known));
    }
    let filters = [("|basename", Filter::Basename), ("|lower", Filter::Lower)];
    for (suffix, filter) in filters {
        if let Some(path) = inside.strip_suffix(suffix) {
            return Ok(Part::Value(Path::new(path)?, Some(filter)));
        }
    }
    Ok(Part::Value(Path::new(inside)?, None))
}

/// JSON as the expressions see it.
pub fn variable(value: Value) -> Rcvar {
    let variable = match value {
        Value::Null => Variable::Null,
        Value::Bool(flag) => Variable::Bool(flag),
        Value::Number(number) => Variable::Number(number),
        Value::String(text) => Variable::String(text),
        Value::Array(elements) => Variable::Array(elements.into_iter().map(variable).collect()),
        Value::Object(members) => Variable::Object(
            members
                .into_iter()
                .map(|(name, member)| (name, variable(member)))
                .collect(),
        ),
    };
    Arc::new(variable)
}

/// What expressions see, as JSON with members sorted by name.
pub fn json(variable: &Variable) -> Value {
    match variable {
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(flag) => Value::Bool(*flag),
        Variable::Number(number) => Value::Number(number.clone()),
        Variable::String(text) => Value::String(text.clone()),
        Variable::Array(elements) => Value::Array(elements.iter().map(|e| json(e)).collect()),
        Variable::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), json(member)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// A row with one more member; what is no object stays as it is.
pub fn with_member(row: &Rcvar, name: &str, member: Rcvar) -> Rcvar {
    match &**row {
        Variable::Object(members) => {
            let mut members = members.clone();
            members.insert(name.to_owned(), member);
            Arc::new(Variable::Object(members))
        }
        _ => Arc::clone(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place() -> Place {
        Place {
            partition: "aws-cn".to_owned(),
            region: "cn-north-1".to_owned(),
            account_id: "111122223333".to_owned(),
            column_region: "cn-north-1".to_owned(),
        }
    }

    fn text(source: &str, row: Value) -> Option<String> {
        Expression::new(source)
            .unwrap()
            .text(&variable(row), &place())
            .unwrap()
    }

    #[test]
    fn templates_fill_in_what_is_known_and_what_the_row_says() {
        let row = json!({"Id": "/hostedzone/Z1", "Name": "Ab", "Location": null});
        assert_eq!(
            text(
                "arn:{partition}:x:{region}:{account}:z/{Id|basename}",
                row.clone()
            )
            .unwrap(),
            "arn:aws-cn:x:cn-north-1:111122223333:z/Z1"
        );
        assert_eq!(text("{Name|lower}", row.clone()).unwrap(), "ab");
        assert_eq!(
            text("{Name|lower}.s3.{dns_suffix}", row.clone()).unwrap(),
            "ab.s3.amazonaws.com.cn"
        );
        assert_eq!(
            text("{Name}.s3.{Location || 'us-east-1'}", row.clone()).unwrap(),
            "Ab.s3.us-east-1"
        );
        assert_eq!(text("x/{Missing}", row), None);
    }

    #[test]
    fn a_template_yields_a_text_for_each_element_of_a_list() {
        let row = json!({"Vpc": "vpc-1", "Ips": ["10.0.0.1", "10.0.0.2"], "None": []});
        let texts = |source: &str| {
            let expression = Expression::new(source).unwrap();
            expression.texts(&variable(row.clone()), &place()).unwrap()
        };
        assert_eq!(
            texts("{Vpc}/{Ips[]}/{region}"),
            ["vpc-1/10.0.0.1/cn-north-1", "vpc-1/10.0.0.2/cn-north-1"]
        );
        assert!(texts("{Vpc}/{None[]}").is_empty());
        assert!(texts("{Missing}/{Ips[]}").is_empty());
    }

    #[test]
    fn a_multiselect_hash_is_no_template() {
        let path = Expression::new("Names[].{Name: @}").unwrap();
        assert!(matches!(path, Expression::Path(_)));
        assert!(Expression::new("arn:{Id").is_err());
        assert!(Expression::new("arn:{Id[}").is_err());
    }

    #[test]
    fn lists_are_opened_element_by_element_or_not() {
        let is = |source: &str| Path::new(source).unwrap().is_by_element();
        assert!(is("Reservations[].Instances[]") && is("Names[].{Name: @}") && is("List.Items[]"));
        assert!(is("[Users, Roles][].{Arn: Arn}") && is("[Some.Users][]"));
        for whole in [
            "[@]",
            "[Users, sort(Roles)][]",
            "[Users, Roles]",
            "[Organization][?@]",
            "Items[] | [0]",
            "sort(Items[])",
            "Items",
        ] {
            assert!(!is(whole), "{whole}");
        }
    }

    #[test]
    fn a_function_on_the_wrong_type_is_an_error_and_no_panic() {
        let path = Expression::new("join('/', [Name])").unwrap();
        let error = path.text(&variable(json!({})), &place()).unwrap_err();
        assert!(error.to_string().contains("join("), "{error}");
    }
}
