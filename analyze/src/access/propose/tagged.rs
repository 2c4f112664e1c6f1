//! Conditions of special roles: a tag in the place of a list of resources, so that a role reaches what its system gets later
//! as well; and nothing about a second factor, which the trust policy asks for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::arns::{self, Place};
use super::document::Element;
use super::narrow::Granting;
use super::scene::Scene;
use crate::actions::ActionFacts;

/// A tag that a resource has to have.
pub(super) struct Tag {
    key: String,
    value: String,
}

/// Resources by tag, and those that are named besides.
pub(super) struct Tagged {
    pub(super) element: Element,
    pub(super) tag: Tag,
    pub(super) rest: Option<Element>,
}

/// All resources of the types of those that `element` names one by one, with the tag that they all have. None where the action
/// knows no condition on tags, where tags differ or are missing, and where today's statement does not reach that far.
pub(super) fn tagged(
    scene: &Scene,
    keys: &[String],
    granting: &Granting<'_>,
    action: &ActionFacts,
    element: &Element,
) -> Option<Tagged> {
    let mut wide = BTreeSet::new();
    let mut common: Option<(&str, &str)> = None;
    let (named, rest): (Vec<&String>, Vec<&String>) = element
        .patterns
        .iter()
        .partition(|pattern| arns::is_plain(pattern));
    for arn in named {
        let target = scene.target(arn).filter(|target| target.arn == *arn)?;
        let resource = &action.resources[arns::type_of(action, arn)?];
        let tags = target.tags.as_ref()?;
        let key = keys.iter().find(|key| tags.contains_key(*key))?;
        let tag = (key.as_str(), tags.get(key)?.as_str());
        if !resource.tag_condition || !is_plain(tag.1) || common.is_some_and(|common| common != tag)
        {
            return None;
        }
        common = Some(tag);
        let mut parts = arn.splitn(6, ':').skip(1);
        let (partition, _, region, account) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        wide.insert(arns::wide(
            resource,
            Place {
                partition,
                account,
                region,
            },
        ));
    }
    let whole = granting.element();
    let reaches = |pattern: &String| {
        !whole.negated
            && whole
                .patterns
                .iter()
                .any(|granted| arns::covers(granted, pattern))
    };
    let (key, value) = common.filter(|_| !element.negated && wide.iter().all(reaches))?;
    let rest = (!rest.is_empty()).then(|| Element::of(rest.into_iter().cloned()));
    Some(Tagged {
        element: Element::of(wide),
        tag: Tag {
            key: key.to_owned(),
            value: value.to_owned(),
        },
        rest,
    })
}

/// A condition and the tag besides; none if it asks for that tag already.
pub(super) fn with(condition: &Value, tag: &Tag) -> Option<Value> {
    let mut both = if condition.is_object() {
        condition.clone()
    } else {
        json!({})
    };
    let key = format!("aws:ResourceTag/{}", tag.key);
    let asked = both
        .as_object()?
        .values()
        .filter_map(Value::as_object)
        .flat_map(|keys| keys.keys());
    if asked
        .into_iter()
        .any(|asked| asked.eq_ignore_ascii_case(&key))
    {
        return None;
    }
    both["StringEquals"][key] = json!(tag.value);
    Some(both)
}

/// The condition without what it asks of a second factor: the trust policy of the special role asks it, and the sessions of
/// a role do not tell of one.
pub(super) fn without_mfa(condition: &Value) -> Value {
    let Value::Object(operators) = condition else {
        return Value::Null;
    };
    let mut kept = serde_json::Map::new();
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else { continue };
        let others: serde_json::Map<String, Value> = keys
            .iter()
            .filter(|(key, _)| !key.to_ascii_lowercase().starts_with("aws:multifactorauth"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !others.is_empty() {
            kept.insert(operator.clone(), Value::Object(others));
        }
    }
    if kept.is_empty() {
        Value::Null
    } else {
        json!(kept)
    }
}

/// Whether a value is no variable and within IAM's characters.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && !value.contains("${") && value.chars().all(|c| matches!(c, ' '..='~'))
}
