//! Reads policy documents, as strictly as AWS does when they are saved.
//!
//! Invariant: what isn't understood is an error. A member that is passed over could be the condition that makes the
//! statement harmless, or the denial that makes it matter.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::operator::Operator;
use super::principal::{PrincipalElement, PrincipalEntry, PrincipalError};
use super::statement::{ActionElement, Effect, ResourceElement, Statement};
use super::strict_json;
use super::text::Text;

/// What a policy is attached to; it decides which elements belong in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// Identity policies, permissions boundaries, session policies, service control policies: no `Principal`.
    Principal,
    /// Policies of resources, trust policies, policies of VPC endpoints: a `Principal` is needed.
    Resource,
    /// Resource control policies: `Principal` is `*`.
    ResourceControl,
}

/// Why a document is not a policy.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct PolicyError {
    place: String,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Json(serde_json::Error),
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("unknown element {0:?}")]
    Unknown(String),
    #[error("element {0} is missing")]
    Missing(&'static str),
    #[error("{0} and {1} exclude each other")]
    Both(&'static str, &'static str),
    #[error("version {0:?} is neither 2012-10-17 nor 2008-10-17")]
    Version(String),
    #[error("effect {0:?} is neither Allow nor Deny")]
    Effect(String),
    #[error("action {0:?} is neither * nor service:Name")]
    Action(String),
    #[error("resource {0:?} is neither * nor an ARN")]
    Resource(String),
    #[error("{0} has no place in a policy of this type")]
    Misplaced(&'static str),
    #[error("condition operator {0:?} is unknown")]
    Operator(String),
    #[error(transparent)]
    Principal(PrincipalError),
}

type Result<T> = std::result::Result<T, PolicyError>;

/// A policy document, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    statements: Vec<Statement>,
}

impl Policy {
    /// Reads a document from JSON text. `name` is what decisions call the policy.
    ///
    /// # Errors
    /// Fails on text that isn't JSON, on members given twice and on everything [`Policy::from_value`] fails on.
    pub fn from_json(name: &str, kind: PolicyKind, text: &str) -> Result<Self> {
        Ok(Self::with_document(name, kind, text)?.0)
    }

    /// As [`Policy::from_json`], with the document as it stands there.
    ///
    /// # Errors
    /// Those of [`Policy::from_json`].
    pub fn with_document(name: &str, kind: PolicyKind, text: &str) -> Result<(Self, Value)> {
        let document =
            strict_json::parse(text).map_err(|error| fail("policy", Problem::Json(error)))?;
        Ok((Self::from_value(name, kind, &document)?, document))
    }

    /// Reads a document from JSON.
    ///
    /// # Errors
    /// Fails on what AWS would refuse: unknown elements and condition operators, missing and contradicting elements,
    /// principals where none belong.
    pub fn from_value(name: &str, kind: PolicyKind, document: &Value) -> Result<Self> {
        let document = object("policy", document)?;
        known("policy", document, &["Version", "Id", "Statement"])?;
        let variables = match document.get("Version") {
            None => false,
            Some(version) => match string("Version", version)? {
                "2012-10-17" => true,
                "2008-10-17" => false,
                other => return Err(fail("policy", Problem::Version(other.to_owned()))),
            },
        };
        if let Some(id) = document.get("Id") {
            string("Id", id)?;
        }
        let reader = Reader { kind, variables };
        let statements = match document.get("Statement") {
            None => return Err(fail("policy", Problem::Missing("Statement"))),
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(index, one)| reader.statement(index, one))
                .collect::<Result<_>>()?,
            Some(one) => vec![reader.statement(0, one)?],
        };
        Ok(Self {
            name: name.to_owned(),
            statements,
        })
    }

    /// The name that was given when the policy was read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The statements in the document's order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

struct Reader {
    kind: PolicyKind,
    variables: bool,
}

impl Reader {
    fn statement(&self, index: usize, statement: &Value) -> Result<Statement> {
        let place = format!("statement {index}");
        let statement = object(&place, statement)?;
        let elements = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        known(&place, statement, &elements)?;
        let sid = statement
            .get("Sid")
            .map(|sid| string(&place, sid).map(str::to_owned))
            .transpose()?;
        let effect = match statement.get("Effect") {
            None => return Err(fail(&place, Problem::Missing("Effect"))),
            Some(effect) => match string(&place, effect)? {
                "Allow" => Effect::Allow,
                "Deny" => Effect::Deny,
                other => return Err(fail(&place, Problem::Effect(other.to_owned()))),
            },
        };
        Ok(Statement {
            sid,
            effect,
            actions: actions(&place, statement)?,
            resources: self.resources(&place, statement)?,
            principals: self.principals(&place, statement)?,
            conditions: self.conditions(&place, statement)?,
        })
    }

    fn resources(
        &self,
        place: &str,
        statement: &Map<String, Value>,
    ) -> Result<Option<ResourceElement>> {
        let Some((element, negated)) = either(place, statement, "Resource", "NotResource")? else {
            // Queues, topics, keys and roles may leave it out: their policy is about nothing else.
            return match self.kind {
                PolicyKind::Resource => Ok(None),
                PolicyKind::Principal | PolicyKind::ResourceControl => {
                    Err(fail(place, Problem::Missing("Resource")))
                }
            };
        };
        let sources = strings(place, element)?;
        if let Some(wrong) = sources
            .iter()
            .find(|source| !source.starts_with("arn:") && !source.starts_with('*'))
        {
            return Err(fail(place, Problem::Resource(wrong.clone())));
        }
        let texts = sources
            .iter()
            .map(|source| Text::resource(source, self.variables))
            .collect();
        Ok(Some(ResourceElement { texts, negated }))
    }

    fn principals(
        &self,
        place: &str,
        statement: &Map<String, Value>,
    ) -> Result<Option<PrincipalElement>> {
        let found = either(place, statement, "Principal", "NotPrincipal")?;
        let (element, negated) = match (self.kind, found) {
            (PolicyKind::Principal, None) => return Ok(None),
            (PolicyKind::Principal, Some(_)) => {
                return Err(fail(place, Problem::Misplaced("Principal")));
            }
            (PolicyKind::ResourceControl, Some((_, true))) => {
                return Err(fail(place, Problem::Misplaced("NotPrincipal")));
            }
            (_, None) => return Err(fail(place, Problem::Missing("Principal"))),
            (_, Some(found)) => found,
        };
        let mut entries = Vec::new();
        match element {
            Value::String(all) if all == "*" => entries.push(PrincipalEntry::Everyone),
            Value::Object(kinds) if !kinds.is_empty() => {
                for (kind, sources) in kinds {
                    for source in strings(place, sources)? {
                        let entry = PrincipalEntry::parse(kind, &source);
                        entries
                            .push(entry.map_err(|error| fail(place, Problem::Principal(error)))?);
                    }
                }
            }
            _ => {
                return Err(fail(
                    place,
                    Problem::Expected("* or an object of principal types"),
                ));
            }
        }
        if self.kind == PolicyKind::ResourceControl && entries != [PrincipalEntry::Everyone] {
            return Err(fail(place, Problem::Misplaced("a Principal other than *")));
        }
        Ok(Some(PrincipalElement {
            entries: entries.into(),
            negated,
        }))
    }

    fn conditions(&self, place: &str, statement: &Map<String, Value>) -> Result<Box<[Condition]>> {
        let Some(element) = statement.get("Condition") else {
            return Ok(Box::default());
        };
        let mut conditions = Vec::new();
        for (name, keys) in object(place, element)? {
            let operator = Operator::parse(name)
                .ok_or_else(|| fail(place, Problem::Operator(name.clone())))?;
            for (key, values) in object(place, keys)? {
                conditions.push(Condition::new(
                    operator,
                    key,
                    &scalars(place, values)?,
                    self.variables,
                ));
            }
        }
        Ok(conditions.into())
    }
}

fn actions(place: &str, statement: &Map<String, Value>) -> Result<ActionElement> {
    let Some((element, negated)) = either(place, statement, "Action", "NotAction")? else {
        return Err(fail(place, Problem::Missing("Action")));
    };
    let sources = strings(place, element)?;
    let wrong = sources.iter().find(|source| match source.split_once(':') {
        Some((service, name)) => service.is_empty() || name.is_empty(),
        None => source.is_empty() || source.bytes().any(|byte| byte != b'*'),
    });
    match wrong {
        Some(wrong) => Err(fail(place, Problem::Action(wrong.clone()))),
        None => Ok(ActionElement::new(&sources, negated)),
    }
}

/// The one of two elements that is there, and whether it is the negated one.
fn either<'a>(
    place: &str,
    statement: &'a Map<String, Value>,
    plain: &'static str,
    negated: &'static str,
) -> Result<Option<(&'a Value, bool)>> {
    match (statement.get(plain), statement.get(negated)) {
        (Some(_), Some(_)) => Err(fail(place, Problem::Both(plain, negated))),
        (Some(element), None) => Ok(Some((element, false))),
        (None, Some(element)) => Ok(Some((element, true))),
        (None, None) => Ok(None),
    }
}

fn fail(place: &str, problem: Problem) -> PolicyError {
    PolicyError {
        place: place.to_owned(),
        problem,
    }
}

fn known(place: &str, object: &Map<String, Value>, elements: &[&str]) -> Result<()> {
    match object.keys().find(|key| !elements.contains(&key.as_str())) {
        Some(unknown) => Err(fail(place, Problem::Unknown(unknown.clone()))),
        None => Ok(()),
    }
}

fn object<'a>(place: &str, value: &'a Value) -> Result<&'a Map<String, Value>> {
    value
        .as_object()
        .ok_or_else(|| fail(place, Problem::Expected("an object")))
}

fn string<'a>(place: &str, value: &'a Value) -> Result<&'a str> {
    value
        .as_str()
        .ok_or_else(|| fail(place, Problem::Expected("a string")))
}

/// A string or a list of at least one.
fn strings(place: &str, value: &Value) -> Result<Vec<String>> {
    match value {
        Value::Array(list) if list.is_empty() => Err(fail(
            place,
            Problem::Expected("at least one entry in a list"),
        )),
        Value::Array(list) => list
            .iter()
            .map(|one| string(place, one).map(str::to_owned))
            .collect(),
        one => Ok(vec![string(place, one)?.to_owned()]),
    }
}

/// Values of a condition: the quotation marks around numbers and booleans are optional.
fn scalars(place: &str, value: &Value) -> Result<Vec<String>> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(fail(
            place,
            Problem::Expected("a string, a number or a boolean as a condition's value"),
        )),
    };
    match value {
        Value::Array(list) => list.iter().map(scalar).collect(),
        one => Ok(vec![scalar(one)?]),
    }
}
