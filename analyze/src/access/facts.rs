//! What is known of a request before it is made: of its principal, of its resource, of every request that somebody makes
//! himself. What isn't known stays unknown, so that verdicts name the keys they depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::world::{Holder, Kind, Target, World};
use crate::iam::{Context, ContextValue};

/// How the request was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Signature {
    /// With temporary credentials, got after signing in with a second factor.
    WithMfa,
    /// With temporary credentials, got without one.
    WithoutMfa,
    /// With an access key of a user: the request has no key about a second factor.
    AccessKey,
}

impl Signature {
    /// Those a principal can have: sessions of roles are temporary.
    pub(super) fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::User => &[Self::WithMfa, Self::WithoutMfa, Self::AccessKey],
            Kind::Role => &[Self::WithMfa, Self::WithoutMfa],
        }
    }
}

/// Keys about the principal. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
const OF_PRINCIPAL: [&str; 8] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
    "aws:federatedprovider",
];

/// Keys about the resource and where it is.
const OF_RESOURCE: [&str; 4] = [
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
];

/// Keys that only requests by AWS services carry, or that a service adds.
const OF_SERVICES: [&str; 9] = [
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];

/// Whether `key`, in lower case, is about the principal.
pub(super) fn of_principal(key: &str) -> bool {
    key.starts_with("aws:principaltag/") || OF_PRINCIPAL.contains(&key)
}

/// Whether `key`, in lower case, is about the resource.
pub(super) fn of_resource(key: &str) -> bool {
    resource_tag(key).is_some() || OF_RESOURCE.contains(&key)
}

/// The tag that a condition key asks the resource for, such as `aws:ResourceTag/Owner` and `rds:db-tag/Owner`.
pub(super) fn resource_tag(key: &str) -> Option<&str> {
    let (name, tag) = key.split_once('/')?;
    let (service, name) = name.split_once(':')?;
    (name == "resourcetag" || service == "rds" && name.ends_with("-tag") && name != "req-tag")
        .then_some(tag)
}

/// What holds for every request that a person or program signs itself.
pub(super) fn common() -> Arc<Context> {
    let mut context = Context::closed();
    let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
    context.set("aws:securetransport", known("true"));
    context.set("aws:viaawsservice", known("false"));
    context.set("aws:principalisawsservice", known("false"));
    for key in OF_SERVICES {
        context.set(key, ContextValue::Absent);
    }
    Arc::new(context)
}

/// What holds for requests of whomever a trust policy names, services among them: they say for whom they act.
pub(super) fn common_to_all() -> Arc<Context> {
    let mut context = Context::closed();
    context.set(
        "aws:securetransport",
        ContextValue::Known(vec!["true".to_owned()]),
    );
    Arc::new(context)
}

/// What a signature tells.
pub(super) fn signature(signature: Signature) -> Arc<Context> {
    let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
    let (present, age) = match signature {
        Signature::WithMfa => (known("true"), known("0")),
        Signature::WithoutMfa => (known("false"), ContextValue::Absent),
        Signature::AccessKey => (ContextValue::Absent, ContextValue::Absent),
    };
    let mut context = Context::closed();
    context.set("aws:multifactorauthpresent", present);
    context.set("aws:multifactorauthage", age);
    Arc::new(context)
}

/// Facts about principals and resources of one world.
pub(super) struct Facts {
    /// Keys, in lower case, that some policy asks for.
    mentioned: BTreeSet<String>,
    /// Values that policies compare the ids of sessions with.
    session_ids: Vec<String>,
}

impl Facts {
    pub(super) fn new(world: &World) -> Self {
        let entries = world.library.entries();
        let statements = || entries.iter().flat_map(|entry| entry.policy.statements());
        let mentioned = statements()
            .flat_map(|statement| statement.keys().map(str::to_owned))
            .collect();
        let mut session_ids = Vec::new();
        for entry in entries {
            if let Some(document) = &entry.document {
                values_of(document, "aws:userid", &mut session_ids);
            }
        }
        Self {
            mentioned,
            session_ids,
        }
    }

    /// What is known of a principal.
    pub(super) fn principal(&self, world: &World, holder: &Holder) -> Arc<Context> {
        let mut context = Context::closed();
        let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
        context.set("aws:principalarn", known(&holder.arn));
        context.set("aws:principalaccount", known(&holder.account));
        match holder.kind {
            Kind::User => {
                context.set("aws:principaltype", known("User"));
                context.set("aws:username", known(&holder.name));
                context.set("aws:userid", known(&holder.unique_id));
                context.set("aws:federatedprovider", ContextValue::Absent);
            }
            Kind::Role => {
                context.set("aws:principaltype", known("AssumedRole"));
                context.set("aws:username", ContextValue::Absent);
                context.set("aws:userid", self.session_id(&holder.unique_id));
                context.set("aws:federatedprovider", ContextValue::Unknown);
            }
        }
        let paths = world
            .limits
            .get(&holder.account)
            .and_then(|limits| limits.organization.as_deref());
        organization(
            &mut context,
            "aws:principalorgid",
            "aws:principalorgpaths",
            paths,
        );
        for key in &self.mentioned {
            if let Some(tag) = key.strip_prefix("aws:principaltag/") {
                context.set(key, tagged(holder.tags.as_ref(), tag));
            }
        }
        Arc::new(context)
    }

    /// What is known of a resource.
    pub(super) fn resource(&self, world: &World, target: &Target) -> Arc<Context> {
        let mut context = Context::closed();
        let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
        // Services without regions are called in the region where they are at home.
        let region = match target.region.as_str() {
            "" => ContextValue::Unknown,
            "global" => known("us-east-1"),
            region => known(region),
        };
        context.set("aws:requestedregion", region);
        context.set("aws:resourceaccount", known(&target.account));
        let paths = world
            .limits
            .get(&target.account)
            .and_then(|limits| limits.organization.as_deref());
        organization(
            &mut context,
            "aws:resourceorgid",
            "aws:resourceorgpaths",
            paths,
        );
        for key in &self.mentioned {
            if let Some(tag) = resource_tag(key) {
                context.set(key, tagged(target.tags.as_ref(), tag));
            }
        }
        Arc::new(context)
    }

    /// `<id of the role>:<name of the session>`. Patterns for all sessions match; a pattern for one session leaves it open.
    fn session_id(&self, role_id: &str) -> ContextValue {
        let one = self.session_ids.iter().any(|id| {
            id.strip_prefix(role_id)
                .and_then(|rest| rest.strip_prefix(':'))
                .is_some_and(|session| session != "*")
        });
        if one || role_id.is_empty() {
            return ContextValue::Unknown;
        }
        ContextValue::Known(vec![format!("{role_id}:*")])
    }
}

fn organization(context: &mut Context, id: &str, paths: &str, path: Option<&str>) {
    let (Some(path), Some(organization)) = (path, path.and_then(|path| path.split('/').next()))
    else {
        return;
    };
    context.set(id, ContextValue::Known(vec![organization.to_owned()]));
    // The path ends at the unit that the account is in.
    let unit = path
        .trim_end_matches('/')
        .rsplit_once('/')
        .map_or(path, |(unit, _)| unit);
    context.set(paths, ContextValue::Known(vec![format!("{unit}/")]));
}

fn tagged(tags: Option<&BTreeMap<String, String>>, wanted: &str) -> ContextValue {
    match tags {
        None => ContextValue::Unknown,
        Some(tags) => tags
            .iter()
            .find(|(key, _)| key.to_lowercase() == wanted)
            .map_or(ContextValue::Absent, |(_, value)| {
                ContextValue::Known(vec![value.clone()])
            }),
    }
}

/// The values that conditions of a document compare `key` with.
fn values_of(document: &serde_json::Value, key: &str, found: &mut Vec<String>) {
    match document {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                match value {
                    serde_json::Value::String(text) if name.eq_ignore_ascii_case(key) => {
                        found.push(text.clone())
                    }
                    serde_json::Value::Array(list) if name.eq_ignore_ascii_case(key) => {
                        found.extend(
                            list.iter()
                                .filter_map(|one| one.as_str().map(str::to_owned)),
                        );
                    }
                    other => values_of(other, key, found),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|one| values_of(one, key, found)),
        _ => {}
    }
}
