//! Functions that table files have besides JMESPath's own, for what AWS packs into texts.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, ErrorReason, JmespathError, Rcvar, Runtime, Variable};
use regex::Regex;

use super::expression::variable;

/// JMESPath's functions, and `parse_json(text)`, `split(text, separator)` and `capture(text, expression)`.
///
/// Null stays null in all three.
pub(super) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    register(&mut runtime, "parse_json", 0, |text, _, context| {
        let parsed = serde_json::from_str(text);
        parsed
            .map(variable)
            .map_err(|error| refused(context, &format!("not JSON: {error}")))
    });
    register(&mut runtime, "split", 1, |text, separator, _| {
        let pieces = text.split(separator).map(|piece| string(piece.trim()));
        Ok(Rcvar::new(Variable::Array(pieces.collect())))
    });
    register(&mut runtime, "capture", 1, |text, expression, context| {
        first_group(text, expression).map_err(|error| refused(context, &error.to_string()))
    });
    runtime
});

/// Registers a function of a text, which may be null, and of `more` further texts.
fn register(
    runtime: &mut Runtime,
    name: &str,
    more: usize,
    function: impl Fn(&str, &str, &Context<'_>) -> Result<Rcvar, JmespathError> + Send + Sync + 'static,
) {
    let text = ArgumentType::Union(vec![ArgumentType::String, ArgumentType::Null]);
    let mut arguments = vec![text];
    arguments.extend(std::iter::repeat_n(ArgumentType::String, more));
    let evaluate = move |given: &[Rcvar], context: &mut Context<'_>| {
        let at = |index: usize| given.get(index).and_then(|given| given.as_string());
        match at(0) {
            None => Ok(Rcvar::new(Variable::Null)),
            Some(text) => function(text, at(1).map_or("", String::as_str), context),
        }
    };
    let function = CustomFunction::new(Signature::new(arguments, None), Box::new(evaluate));
    runtime.register_function(name, Box::new(function));
}

fn refused(context: &Context<'_>, reason: &str) -> JmespathError {
    JmespathError::from_ctx(context, ErrorReason::Parse(reason.to_owned()))
}

fn string(text: &str) -> Rcvar {
    Rcvar::new(Variable::String(text.to_owned()))
}

/// What the expression's first group matched; null where it does not match.
fn first_group(text: &str, expression: &str) -> Result<Rcvar, regex::Error> {
    // Expressions are the table files' own, so there are few of them.
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = match compiled.get(expression) {
        Some(regex) => regex.clone(),
        None => {
            let regex = Regex::new(expression)?;
            compiled.insert(expression.to_owned(), regex.clone());
            regex
        }
    };
    drop(compiled);
    let group = regex.captures(text).and_then(|groups| groups.get(1));
    Ok(group.map_or_else(
        || Rcvar::new(Variable::Null),
        |group| string(group.as_str()),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::expression::{Path, json, variable};
    use serde_json::{Value, json};

    fn search(source: &str, row: Value) -> Result<Value, String> {
        let found = Path::new(source).unwrap().search(&variable(row));
        found
            .map(|found| json(&found))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn json_in_a_text_is_opened() {
        let row = json!({"Policy": r#"{"deadLetterTargetArn": "arn:q", "n": [1]}"#});
        assert_eq!(
            search("parse_json(Policy).deadLetterTargetArn", row.clone()),
            Ok(json!("arn:q"))
        );
        assert_eq!(
            search("parse_json(Missing).deadLetterTargetArn", row),
            Ok(Value::Null)
        );
        let error = search("parse_json(Policy)", json!({"Policy": "{"})).unwrap_err();
        assert!(error.contains("not JSON"), "{error}");
    }

    #[test]
    fn texts_are_split_and_matched() {
        let row = json!({"Subnets": "subnet-1, subnet-2", "Description": "ELB app/web/1"});
        assert_eq!(
            search("split(Subnets, ',')", row.clone()),
            Ok(json!(["subnet-1", "subnet-2"]))
        );
        assert_eq!(
            search("capture(Description, '^ELB (.+)$')", row.clone()),
            Ok(json!("app/web/1"))
        );
        for none in [
            "capture(Description, '^NAT (.+)$')",
            "capture(Missing, '(.)')",
            "split(Missing, ',')",
        ] {
            assert_eq!(search(none, row.clone()), Ok(Value::Null), "{none}");
        }
        assert!(search("capture(Description, '(')", row).is_err());
    }
}
