//! What nobody in an organization should do: a service control policy.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;
use serde_json::{Value, json};

use super::document::{self, SERVICE_CONTROL};
use super::outcome::{Keep, Plan};
use super::scene::Scene;
use super::uses::Uses;

/// Actions that end what watches and guards an account, by what they take away.
const GUARDED: [(&str, &[&str]); 4] = [
    (
        "Organization",
        &["account:CloseAccount", "organizations:LeaveOrganization"],
    ),
    (
        "Watch",
        &[
            "access-analyzer:DeleteAnalyzer",
            "cloudtrail:DeleteEventDataStore",
            "cloudtrail:DeleteTrail",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:StopEventDataStoreIngestion",
            "cloudtrail:StopLogging",
            "cloudtrail:UpdateTrail",
            "config:DeleteConfigurationRecorder",
            "config:DeleteDeliveryChannel",
            "config:StopConfigurationRecorder",
            "guardduty:DeleteDetector",
            "guardduty:DisassociateFromAdministratorAccount",
            "guardduty:UpdateDetector",
            "securityhub:DisableSecurityHub",
            "securityhub:DisassociateFromAdministratorAccount",
        ],
    ),
    (
        "Defaults",
        &[
            "ec2:DisableEbsEncryptionByDefault",
            "ec2:DisableImageBlockPublicAccess",
            "ec2:DisableSnapshotBlockPublicAccess",
            "s3:PutAccountPublicAccessBlock",
        ],
    ),
    (
        "Backups",
        &[
            "backup:DeleteBackupVaultLockConfiguration",
            "s3:BypassGovernanceRetention",
        ],
    ),
];

/// What would remove or open the logs in a bucket.
const OF_LOG_BUCKETS: [&str; 8] = [
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
];

/// What would let somebody into a role that the policy spares.
const OF_SPECIAL_ROLES: [&str; 8] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
];

/// The policy of an organization, and what is not in it though it belongs there.
pub(super) struct Guardrail {
    /// Id of the organization; empty where the run shows none.
    pub(super) organization: String,
    /// Its accounts, and those of which it is not known whether they are.
    pub(super) accounts: BTreeSet<String>,
    pub(super) documents: Vec<Value>,
    /// ARNs of the buckets whose logs it keeps.
    pub(super) buckets: Vec<String>,
    /// Actions that somebody without a second factor uses.
    pub(super) left_out: BTreeSet<&'static str>,
    /// Accounts that it does not reach, since they manage the organization.
    pub(super) spared: BTreeSet<String>,
    /// Whether the run tells the place of some account in it.
    pub(super) applies: bool,
}

/// Makes one for each organization.
pub(super) fn make(
    scene: &Scene,
    uses: &Uses,
    plan: &Plan,
    connection: &Connection,
) -> anyhow::Result<Vec<Guardrail>> {
    let buckets: Vec<(String, String)> = pairs(
        connection,
        "select distinct account_id, arn from trail_buckets where account_id is not null and arn is not null order by all",
    )?;
    let managing: Vec<(String, String)> = pairs(
        connection,
        "select distinct coalesce(organization_id, ''), management_account_id from aws_organizations_organization where management_account_id is not null order by all",
    )?;
    let guardrails = organizations(scene, connection)?.into_iter();
    let guardrails = guardrails.map(|(organization, accounts)| {
        let buckets = buckets
            .iter()
            .filter(|(account, _)| accounts.contains(account))
            .map(|(_, bucket)| bucket.clone())
            .collect();
        let spared = managing
            .iter()
            .filter(|(of, _)| of.is_empty() || *of == organization || organization.is_empty())
            .map(|(_, account)| account.clone())
            .collect();
        let used = used_in_the_open(scene, uses, plan, &accounts);
        guardrail(scene, organization, accounts, buckets, spared, &used)
    });
    Ok(guardrails.collect())
}

fn pairs(connection: &Connection, sql: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The accounts of each organization. One of which it is not known is taken for a member of all: what it uses must go on.
fn organizations(
    scene: &Scene,
    connection: &Connection,
) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let told = pairs(
        connection,
        "select distinct account_id, organization_id from aws_organizations_organization where account_id is not null and organization_id is not null order by all",
    )?;
    let mut of_account: BTreeMap<String, String> = told.into_iter().collect();
    for (account, limits) in &scene.world.limits {
        if let Some(id) = limits
            .organization
            .as_deref()
            .and_then(|path| path.split('/').next())
        {
            of_account.insert(account.to_string(), id.to_owned());
        }
    }
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for container in &scene.containers {
        match of_account.get(&*container.account) {
            Some(id) => members
                .entry(id.clone())
                .or_default()
                .insert(container.account.to_string()),
            None => unknown.insert(container.account.to_string()),
        };
    }
    if members.is_empty() {
        members.insert(String::new(), BTreeSet::new());
    }
    for accounts in members.values_mut() {
        accounts.extend(unknown.iter().cloned());
    }
    Ok(members)
}

fn guardrail(
    scene: &Scene,
    organization: String,
    accounts: BTreeSet<String>,
    buckets: Vec<String>,
    spared: BTreeSet<String>,
    used: &BTreeSet<&'static str>,
) -> Guardrail {
    let mut left_out = BTreeSet::new();
    let mut wanted = |actions: &[&'static str]| -> Vec<&'static str> {
        let (out, within): (Vec<&'static str>, Vec<&'static str>) =
            actions.iter().partition(|action| used.contains(*action));
        left_out.extend(out);
        within
    };
    let partition = scene
        .containers
        .iter()
        .find(|container| accounts.contains(&*container.account))
        .and_then(|container| container.arn.split(':').nth(1))
        .unwrap_or("aws");
    let special = format!("arn:{partition}:iam::*:role/danger-*");
    let condition = json!({ "ArnNotLike": { "aws:PrincipalArn": special } });
    // A role of such a name would be spared, so that only these roles may make one.
    let mut statements = vec![
        json!({ "Sid": "SpecialRoles", "Effect": "Deny", "Action": OF_SPECIAL_ROLES, "Resource": special, "Condition": condition }),
    ];
    for (sid, actions) in GUARDED {
        let actions = wanted(actions);
        if !actions.is_empty() {
            statements.push(json!({ "Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition }));
        }
    }
    let actions = wanted(&OF_LOG_BUCKETS);
    let resources: Vec<String> = buckets
        .iter()
        .flat_map(|bucket| [bucket.clone(), format!("{bucket}/*")])
        .collect();
    if !actions.is_empty() && !resources.is_empty() {
        for (number, resources) in resources.chunks(40).enumerate() {
            let sid = format!("LogBuckets{}", number + 1);
            statements.push(json!({ "Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources, "Condition": condition }));
        }
    }
    let mut documents: Vec<Vec<Value>> = Vec::new();
    for statement in statements {
        if let Some(last) = documents.last_mut() {
            last.push(statement.clone());
            if document::document(last.clone()).to_string().chars().count() <= SERVICE_CONTROL {
                continue;
            }
            last.pop();
        }
        documents.push(vec![statement]);
    }
    let limits = &scene.world.limits;
    Guardrail {
        documents: documents.into_iter().map(document::document).collect(),
        applies: limits.iter().any(|(account, limits)| {
            accounts.contains(&**account) && limits.organization.is_some()
        }),
        organization,
        accounts,
        buckets,
        left_out,
        spared,
    }
}

/// Actions that somebody in the accounts uses who is not sent to a special role for them.
fn used_in_the_open(
    scene: &Scene,
    uses: &Uses,
    plan: &Plan,
    accounts: &BTreeSet<String>,
) -> BTreeSet<&'static str> {
    let mut behind: BTreeMap<usize, BTreeSet<&'static str>> = BTreeMap::new();
    for (container, outcome) in scene.containers.iter().zip(&plan.outcomes) {
        for member in &container.members {
            behind
                .entry(*member)
                .or_default()
                .extend(outcome.behind.keys());
        }
    }
    let open = |used: &&super::uses::Use| {
        accounts.contains(&*scene.world.holders[used.holder].account)
            && behind
                .get(&used.holder)
                .is_none_or(|actions| !actions.contains(used.action.name))
    };
    let mut actions: BTreeSet<&'static str> = uses
        .all
        .iter()
        .filter(open)
        .map(|used| used.action.name)
        .collect();
    let machines = scene
        .containers
        .iter()
        .zip(&plan.outcomes)
        .filter(|(container, _)| accounts.contains(&*container.account))
        .flat_map(|(_, outcome)| &outcome.kept)
        .filter(|(_, keep)| **keep == Keep::Machine);
    actions.extend(
        machines
            .filter_map(|(action, _)| crate::actions::Catalogue::embedded().find(action))
            .map(|facts| facts.name),
    );
    actions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Catalogue;

    #[test]
    fn what_is_guarded_exists() {
        for action in GUARDED
            .iter()
            .flat_map(|(_, actions)| *actions)
            .chain(&OF_LOG_BUCKETS)
            .chain(&OF_SPECIAL_ROLES)
        {
            assert_eq!(
                Catalogue::embedded().find(action).map(|facts| facts.name),
                Some(*action)
            );
        }
    }
}
