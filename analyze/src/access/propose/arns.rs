//! From what an event names to ARNs, by the catalogue's patterns: `arn:${Partition}:rds:${Region}:${Account}:db:${DbInstanceName}`
//! and `dBInstanceIdentifier` make the ARN of a database.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::actions::{ActionFacts, ResourceFacts};
use crate::iam::Pattern;

/// Where an event happened.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
}

/// The ARNs that an event names, by the position of their type among the resources of the action.
pub(super) fn named(
    facts: &ActionFacts,
    place: Place<'_>,
    arns: &[String],
    names: &[String],
) -> BTreeMap<usize, BTreeSet<String>> {
    let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let leaves = leaves(names);
    let in_request: Vec<String> = leaves
        .iter()
        .filter_map(|(_, value)| match value.starts_with("arn:") {
            true => Some(value.clone()),
            false => queue(value, place),
        })
        .collect();
    for arn in arns.iter().chain(&in_request) {
        if let Some(index) = type_of(facts, arn) {
            found.entry(index).or_default().insert(arn.clone());
        }
    }
    let typed = facts
        .resources
        .iter()
        .enumerate()
        .filter(|(_, resource)| !resource.is_none());
    let only = typed.clone().count() == 1;
    for (index, resource) in typed {
        if !found.contains_key(&index)
            && let Some(made) = fill(resource, place, &leaves, only)
        {
            found.insert(index, made);
        }
    }
    found
}

/// The ARN of a queue, which calls name by its URL: it tells the account, which may be another one.
fn queue(url: &str, place: Place<'_>) -> Option<String> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let (account, name) = path.split_once('/')?;
    let region = match host.split('.').collect::<Vec<_>>().as_slice() {
        ["sqs", region, "amazonaws", "com", ..] | [region, "queue", "amazonaws", "com", ..] => {
            region
        }
        ["queue", "amazonaws", "com"] => place.region,
        _ => return None,
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && !name.is_empty() && !name.contains('/'))
        .then(|| format!("arn:{}:sqs:{region}:{account}:{name}", place.partition))
}

/// Every resource of a type, where the event happened: wildcards for what the place does not tell.
pub(super) fn wide(resource: &ResourceFacts, place: Place<'_>) -> String {
    substitute(resource.arn, |name| match name {
        "Partition" => place.partition.to_owned(),
        "Account" => place.account.to_owned(),
        "Region" => place.region.to_owned(),
        _ => "*".to_owned(),
    })
}

/// Whether a pattern with wildcards covers all that another covers. A yes is certain, a no is not.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    // A `*` of `narrow` is matched as if it were a letter, which only a `*` of `wide` can take, and that takes anything.
    wide == narrow
        || !wide.contains('?') && !wide.contains("${") && Pattern::glob(wide).matches(narrow)
}

/// Whether an ARN can stand in a policy as it is: nothing in it is a wildcard, a variable, or no character of IAM's.
pub(super) fn is_plain(arn: &str) -> bool {
    arn.chars()
        .all(|c| matches!(c, ' '..='~') && !matches!(c, '*' | '?' | '"' | '\\'))
        && !arn.contains("${")
}

/// The type that an ARN is of: of those whose pattern matches, the one that says most.
pub(in crate::access) fn type_of(facts: &ActionFacts, arn: &str) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    for (index, resource) in facts
        .resources
        .iter()
        .enumerate()
        .filter(|(_, resource)| !resource.is_none())
    {
        let pattern = substitute(resource.arn, |_| "*".to_owned());
        let literal = pattern.len() - pattern.matches('*').count();
        // The name of a bucket has no slash, though the pattern would take one.
        let bucket = resource.arn == "arn:${Partition}:s3:::${BucketName}" && arn.contains('/');
        if !bucket
            && Pattern::glob(&pattern).matches(arn)
            && best.is_none_or(|(most, _)| literal > most)
        {
            best = Some((literal, index));
        }
    }
    best.map(|(_, index)| index)
}

/// The ARN that the names of a request make, of which each list gives several. None if one is missing.
fn fill(
    resource: &ResourceFacts,
    place: Place<'_>,
    leaves: &[(String, String)],
    only: bool,
) -> Option<BTreeSet<String>> {
    let kind = stem(resource.resource_type);
    let free: Vec<&str> = placeholders(resource.arn)
        .into_iter()
        .filter(|name| !matches!(*name, "Partition" | "Account" | "Region"))
        .collect();
    let alone = free.len() == 1;
    let mut made = vec![BTreeMap::new()];
    for name in &free {
        let wanted = stem(name);
        let fits = |key: &str| {
            key == wanted
                || alone
                    && (key == kind
                        || key.len() >= 4 && wanted.ends_with(key)
                        || kind.len() >= 4 && key.ends_with(&kind))
                || alone && only && key.is_empty()
        };
        // The exact name before the similar ones.
        let exact: Vec<&String> = leaves
            .iter()
            .filter(|(key, _)| *key == wanted)
            .map(|(_, value)| value)
            .collect();
        let values: Vec<&String> = if exact.is_empty() {
            leaves
                .iter()
                .filter(|(key, _)| fits(key))
                .map(|(_, value)| value)
                .collect()
        } else {
            exact
        };
        if values.is_empty() {
            return None;
        }
        made = made
            .into_iter()
            .flat_map(|so_far: BTreeMap<&str, &str>| {
                values.iter().map(move |value| {
                    let mut next = so_far.clone();
                    // A cluster may be given by its ARN where its name is meant.
                    let name_of = |value| {
                        if str::starts_with(value, "arn:") {
                            value.rsplit('/').next().unwrap_or(value)
                        } else {
                            value
                        }
                    };
                    next.insert(name, name_of(value.as_str()));
                    next
                })
            })
            .collect();
    }
    let arn = |values: BTreeMap<&str, &str>| {
        substitute(resource.arn, |name| match name {
            "Partition" => place.partition.to_owned(),
            "Account" => place.account.to_owned(),
            "Region" => place.region.to_owned(),
            name => values.get(name).copied().unwrap_or("*").to_owned(),
        })
    };
    let arns: BTreeSet<String> = made.into_iter().map(arn).collect();
    (!free.is_empty()).then_some(arns)
}

/// Keys, reduced to their stem, and texts of a request; those of objects and lists in it too.
fn leaves(names: &[String]) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    for pair in names {
        let Some((key, value)) = pair.split_once('=') else {
            continue;
        };
        match serde_json::from_str::<Value>(value) {
            Ok(nested @ (Value::Object(_) | Value::Array(_))) => collect(key, &nested, &mut leaves),
            _ => leaves.push((stem(key), value.to_owned())),
        }
    }
    leaves
}

fn collect(key: &str, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => leaves.push((stem(key), text.clone())),
        Value::Array(list) => list.iter().for_each(|one| collect(key, one, leaves)),
        Value::Object(members) => members
            .iter()
            .for_each(|(key, one)| collect(key, one, leaves)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a key is about: `dBInstanceIdentifier` and `DbInstanceName` are `dbinstance`.
fn stem(key: &str) -> String {
    let mut stem: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    stem.make_ascii_lowercase();
    for ending in ["withpath", "identifier", "arns", "arn", "name", "id", "url"] {
        if let Some(short) = stem.strip_suffix(ending) {
            return short.strip_suffix("name").unwrap_or(short).to_owned();
        }
    }
    stem.strip_suffix('s').unwrap_or(&stem).to_owned()
}

fn placeholders(template: &str) -> Vec<&str> {
    template
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect()
}

fn substitute(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = template.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        text.push_str(&value(name));
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Catalogue;

    fn made(action: &str, arns: &[&str], names: &[&str]) -> Vec<String> {
        let facts = Catalogue::embedded().find(action).unwrap();
        let place = Place {
            partition: "aws",
            account: "111122223333",
            region: "eu-west-1",
        };
        let own = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        named(facts, place, &own(arns), &own(names))
            .into_values()
            .flatten()
            .collect()
    }

    #[test]
    fn parameters_make_arns() {
        assert_eq!(
            made("rds:ModifyDBInstance", &[], &["dBInstanceIdentifier=d1"]),
            ["arn:aws:rds:eu-west-1:111122223333:db:d1"]
        );
        assert_eq!(
            made("route53:DeleteHostedZone", &[], &["id=Z1"]),
            ["arn:aws:route53:::hostedzone/Z1"]
        );
        assert_eq!(
            made("cloudtrail:StopLogging", &[], &["name=main"]),
            ["arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"]
        );
        assert_eq!(
            made(
                "ecs:UpdateService",
                &[],
                &[
                    "cluster=arn:aws:ecs:eu-west-1:111122223333:cluster/c",
                    "service=s"
                ]
            ),
            ["arn:aws:ecs:eu-west-1:111122223333:service/c/s"]
        );
        assert_eq!(
            made(
                "ec2:TerminateInstances",
                &[],
                &[r#"instancesSet={"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}"#]
            ),
            [
                "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
                "arn:aws:ec2:eu-west-1:111122223333:instance/i-2"
            ]
        );
        assert!(made("rds:ModifyDBInstance", &[], &["other=d1"]).is_empty());
        for url in [
            "https://sqs.us-east-1.amazonaws.com/444455556666/orders",
            "https://us-east-1.queue.amazonaws.com/444455556666/orders",
        ] {
            assert_eq!(
                made("sqs:DeleteQueue", &[], &[&format!("queueUrl={url}")]),
                ["arn:aws:sqs:us-east-1:444455556666:orders"],
                "a queue of another account"
            );
        }
    }

    #[test]
    fn an_object_is_no_bucket() {
        let arns = ["arn:aws:s3:::b/k", "arn:aws:s3:::b"];
        assert_eq!(made("s3:ListBucket", &arns, &[]), ["arn:aws:s3:::b"]);
        assert_eq!(made("s3:GetObject", &arns, &[]), ["arn:aws:s3:::b/k"]);
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (wide, narrow, expected) in [
            ("*", "arn:aws:s3:::b/*", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/*", true),
            ("arn:aws:s3:::b/k", "arn:aws:s3:::b/*", false),
            ("arn:aws:s3:::?/*", "arn:aws:s3:::*/*", false),
            ("arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::a/*", false),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }
}
