//! The proposal as files: documents, templates, commands.
//!
//! Names come from AWS and may be anything. File names and identifiers are made of them, not taken; within JSON they are
//! escaped as the reader of the file needs it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::containers::{Container, Kind};
use super::foreign::Foreign;
use super::guardrail::Guardrail;
use super::outcome::Plan;
use super::scene::Scene;

/// Contents by path.
pub(super) type Files = BTreeMap<String, String>;

/// Resources and characters of a template of CloudFormation, with room to spare.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const TEMPLATE_RESOURCES: usize = 450;
const TEMPLATE_SIZE: usize = 900_000;

/// Characters of a name of a managed policy.
const NAME: usize = 128;

/// A managed policy to be made, and what it is attached to.
struct Managed<'a> {
    name: String,
    description: String,
    document: &'a Value,
    to: (Kind, &'a str),
    /// Attached to a role that is part of the proposal.
    special: bool,
}

/// All files but the README and the proof.
pub(super) fn files(
    scene: &Scene,
    plan: &Plan,
    foreign: &[Foreign],
    guardrails: &[Guardrail],
) -> Files {
    let mut files = Files::new();
    let mut accounts: Vec<&str> = scene
        .containers
        .iter()
        .map(|container| &*container.account)
        .collect();
    accounts.dedup();
    for account in accounts {
        let folder = safe(account);
        let managed = managed(scene, plan, account);
        for policy in &managed {
            files.insert(
                format!("{folder}/policies/{}.json", policy.name),
                pretty(policy.document),
            );
        }
        let specials = || {
            plan.specials
                .iter()
                .filter(|((of, _), _)| of == account)
                .map(|(_, special)| special)
        };
        for special in specials() {
            files.insert(
                format!("{folder}/trust/{}.json", safe(&special.name)),
                pretty(&special.trust),
            );
        }
        let roles: Vec<(&str, Value)> = specials()
            .map(|special| (special.name.as_str(), special.trust.clone()))
            .collect();
        if !managed.is_empty() {
            for (number, template) in templates(&roles, &managed).iter().enumerate() {
                let name = if number == 0 {
                    String::new()
                } else {
                    format!("-{}", number + 1)
                };
                files.insert(
                    format!("{folder}/cloudformation{name}.json"),
                    pretty(template),
                );
            }
            files.insert(
                format!("{folder}/main.tf.json"),
                pretty(&terraform(&roles, &managed)),
            );
        }
        if let Some(script) = script(scene, plan, account) {
            files.insert(format!("{folder}/detach.sh"), script);
        }
    }
    for one in foreign {
        let container = &scene.containers[one.role];
        files.insert(
            format!(
                "{}/trust/{}.json",
                safe(&container.account),
                trust_name(container)
            ),
            pretty(&one.document),
        );
    }
    for (key, roles) in &plan.sets {
        let documents = roles.first().map(|role| &plan.outcomes[*role].documents);
        for document in documents.into_iter().flatten() {
            files.insert(set_path(plan, key), pretty(document));
        }
    }
    for guardrail in guardrails {
        organization(
            guardrail,
            &organization_folder(guardrails, guardrail),
            &mut files,
        );
    }
    files
}

/// Where the inline policy of a permission set is.
pub(super) fn set_path(plan: &Plan, key: &(String, String)) -> String {
    let (organization, name) = key;
    let several = plan.sets.keys().any(|(other, _)| other != organization);
    let folder = match several {
        true => format!("identity-center/{}", safe(organization)),
        false => "identity-center".to_owned(),
    };
    format!("{folder}/{}.json", safe(name))
}

/// Where the policies of an organization are.
pub(super) fn organization_folder(guardrails: &[Guardrail], one: &Guardrail) -> String {
    match guardrails.len() {
        1 => "organization".to_owned(),
        _ => format!("organization/{}", safe(&one.organization)),
    }
}

/// The name of the trust policy of a role that is there.
pub(super) fn trust_name(container: &Container) -> String {
    format!("role-{}", safe(&container.name))
}

/// The policies of an account, those of special roles first.
fn managed<'a>(scene: &'a Scene, plan: &'a Plan, account: &str) -> Vec<Managed<'a>> {
    let mut all = Vec::new();
    for (_, special) in plan.specials.iter().filter(|((of, _), _)| of == account) {
        for (number, document) in special.documents.iter().enumerate() {
            all.push(Managed {
                name: format!("sevenwalls-{}-{}", special.name, number + 1),
                description: format!("Dangerous work of kind {} that was done", special.kind),
                document,
                to: (Kind::Role, &special.name),
                special: true,
            });
        }
    }
    for (container, outcome) in scene
        .containers
        .iter()
        .zip(&plan.outcomes)
        .filter(|(container, outcome)| *container.account == *account && outcome.is_applied_here())
    {
        for (number, document) in outcome.documents.iter().enumerate() {
            all.push(Managed {
                name: policy_name(container, number + 1),
                description: "What was used, and what no event could show".to_owned(),
                document,
                to: (container.kind, &container.name),
                special: false,
            });
        }
    }
    all
}

/// The name of a policy: it tells what it is attached to, is unique, and is a name for files as well.
pub(super) fn policy_name(container: &Container, number: usize) -> String {
    format!(
        "sevenwalls-{}-{}-{number}",
        container.kind.name(),
        safe(&container.name)
    )
}

/// A name of letters, digits and hyphens. One that had others, or is long, ends with what tells it from those like it; so
/// does one with capitals, since some file systems don't.
pub(super) fn safe(name: &str) -> String {
    let most = NAME - 40;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.len() <= most && name.chars().all(plain) {
        return name.to_owned();
    }
    let kept: String = name
        .chars()
        .map(|c| {
            if plain(c.to_ascii_lowercase()) {
                c
            } else {
                '-'
            }
        })
        .take(most - 9)
        .collect();
    format!("{kept}-{}", fingerprint(name))
}

fn fingerprint(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(4).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An identifier of a template: letters and digits.
fn logical(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut id: String = words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect();
    // `a-b` and `ab` would be one.
    id.push_str(&fingerprint(name));
    id
}

fn templates(roles: &[(&str, Value)], managed: &[Managed<'_>]) -> Vec<Value> {
    let mut resources = Vec::new();
    for (name, trust) in roles {
        let role = json!({
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": name, "Description": "Dangerous work, after signing in with a second factor",
                "AssumeRolePolicyDocument": trust, "MaxSessionDuration": 3600,
            },
        });
        resources.push((logical(name), role));
    }
    for policy in managed {
        let (kind, name) = policy.to;
        let list = match kind {
            Kind::User => "Users",
            Kind::Group => "Groups",
            Kind::Role => "Roles",
        };
        let to = if policy.special {
            json!({ "Ref": logical(name) })
        } else {
            json!(name)
        };
        let value = json!({
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": policy.name, "Description": policy.description, "PolicyDocument": policy.document, list: [to],
            },
        });
        resources.push((logical(&policy.name), value));
    }
    let mut parts: Vec<(Map<String, Value>, usize)> = Vec::new();
    for (id, resource) in resources {
        let size = resource.to_string().len();
        let fits = |(part, so_far): &&mut (Map<String, Value>, usize)| {
            part.len() < TEMPLATE_RESOURCES && *so_far + size < TEMPLATE_SIZE
        };
        match parts.last_mut().filter(fits) {
            Some((part, so_far)) => {
                part.insert(id, resource);
                *so_far += size;
            }
            None => parts.push((Map::from_iter([(id, resource)]), size)),
        }
    }
    let template = |(resources, _)| json!({ "AWSTemplateFormatVersion": "2010-09-09", "Description": "Policies right-sized to what was used", "Resources": Value::Object(resources) });
    parts.into_iter().map(template).collect()
}

fn terraform(roles: &[(&str, Value)], managed: &[Managed<'_>]) -> Value {
    let mut resources: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (name, trust) in roles {
        let role = json!({
            "name": literal(name), "description": "Dangerous work, after signing in with a second factor",
            "assume_role_policy": literal(&trust.to_string()), "max_session_duration": 3600,
        });
        resources
            .entry("aws_iam_role")
            .or_default()
            .insert(logical(name), role);
    }
    for policy in managed {
        let id = logical(&policy.name);
        let value = json!({ "name": literal(&policy.name), "description": policy.description, "policy": literal(&policy.document.to_string()) });
        resources
            .entry("aws_iam_policy")
            .or_default()
            .insert(id.clone(), value);
        let (kind, name) = policy.to;
        let (table, column) = match kind {
            Kind::User => ("aws_iam_user_policy_attachment", "user"),
            Kind::Group => ("aws_iam_group_policy_attachment", "group"),
            Kind::Role => ("aws_iam_role_policy_attachment", "role"),
        };
        let to = if policy.special {
            format!("${{aws_iam_role.{}.name}}", logical(name))
        } else {
            literal(name)
        };
        let attachment =
            json!({ column: to, "policy_arn": format!("${{aws_iam_policy.{id}.arn}}") });
        resources.entry(table).or_default().insert(id, attachment);
    }
    json!({ "terraform": { "required_providers": { "aws": { "source": "hashicorp/aws" } } }, "resource": resources })
}

/// A text in which Terraform sees no template.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn organization(guardrail: &Guardrail, folder: &str, files: &mut Files) {
    let mut resources = Map::new();
    let mut terraform = Map::new();
    for (number, document) in guardrail.documents.iter().enumerate() {
        let name = format!("sevenwalls-guardrail-{}", number + 1);
        files.insert(format!("{folder}/{name}.json"), format!("{document}\n"));
        resources.insert(
            logical(&name),
            json!({
                "Type": "AWS::Organizations::Policy",
                "Properties": {
                    "Name": name, "Type": "SERVICE_CONTROL_POLICY", "Content": document,
                    "TargetIds": { "Ref": "TargetIds" },
                },
            }),
        );
        terraform.insert(
            logical(&name),
            json!({ "name": name, "type": "SERVICE_CONTROL_POLICY", "content": literal(&document.to_string()) }),
        );
    }
    if resources.is_empty() {
        return;
    }
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What nobody in the organization should do",
        "Parameters": { "TargetIds": { "Type": "CommaDelimitedList", "Description": "Ids of the root, units or accounts that it is attached to" } },
        "Resources": resources,
    });
    files.insert(format!("{folder}/cloudformation.json"), pretty(&template));
    let template = json!({
        "terraform": { "required_providers": { "aws": { "source": "hashicorp/aws" } } },
        "resource": { "aws_organizations_policy": terraform },
    });
    files.insert(format!("{folder}/main.tf.json"), pretty(&template));
}

/// Commands that take away what the new policies replace.
fn script(scene: &Scene, plan: &Plan, account: &str) -> Option<String> {
    let mut lines = String::new();
    for (container, outcome) in scene
        .containers
        .iter()
        .zip(&plan.outcomes)
        .filter(|(container, outcome)| *container.account == *account && outcome.is_applied_here())
    {
        let kind = container.kind.name();
        let name = quoted(&container.name);
        for position in &outcome.detached {
            let policy = &container.policies[*position];
            // Writing to a String can't fail. Joined, since a name may begin with a hyphen.
            let _ = match &policy.arn {
                Some(arn) => writeln!(
                    lines,
                    "aws iam detach-{kind}-policy --{kind}-name={name} --policy-arn={}",
                    quoted(arn)
                ),
                None => writeln!(
                    lines,
                    "aws iam delete-{kind}-policy --{kind}-name={name} --policy-name={}",
                    quoted(&policy.name)
                ),
            };
        }
    }
    (!lines.is_empty()).then(|| {
        format!(
            "#!/bin/sh\n# Takes away what the new policies replace. Run it when they are attached.\nset -eu\ntest \"$(aws sts get-caller-identity --query Account --output text)\" = {}\n{lines}",
            quoted(account)
        )
    })
}

/// A word of the shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_stay_apart() {
        assert_eq!(safe("api-payments"), "api-payments");
        let hostile = [
            "../../etc/passwd",
            "a b",
            "a/b",
            "A",
            "",
            "a\u{202e}b",
            "ä",
            &"x".repeat(300),
        ];
        let mut made: Vec<String> = hostile
            .iter()
            .map(|name| safe(name).to_lowercase())
            .collect();
        assert!(
            made.iter().all(|name| name.len() <= NAME - 40
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')),
            "{made:?}"
        );
        made.sort();
        made.dedup();
        assert_eq!(made.len(), hostile.len());
    }

    #[test]
    fn terraform_and_the_shell_see_text_only() {
        assert_eq!(literal("${aws:username} %{if}"), "$${aws:username} %%{if}");
        assert_eq!(quoted("a'; rm -rf ~ #"), r"'a'\''; rm -rf ~ #'");
    }
}
