//! What nobody in the organization should do: a service control policy.

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

/// The policy, and what is not in it though it belongs there.
pub(super) struct Guardrail {
    pub(super) documents: Vec<Value>,
    /// ARNs of the buckets whose logs it keeps.
    pub(super) buckets: Vec<String>,
    /// Actions that somebody without a second factor uses.
    pub(super) left_out: BTreeSet<&'static str>,
    /// Accounts that it does not reach, since they manage the organization.
    pub(super) spared: BTreeSet<String>,
    /// Whether some account is in an organization.
    pub(super) applies: bool,
}

/// Makes it.
pub(super) fn make(
    scene: &Scene,
    uses: &Uses,
    plan: &Plan,
    connection: &Connection,
) -> anyhow::Result<Guardrail> {
    let mut statement = connection
        .prepare("select distinct arn from trail_buckets where arn is not null order by all")?;
    let buckets = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    let mut statement = connection.prepare(
        "select distinct management_account_id from aws_organizations_organization where management_account_id is not null order by all",
    )?;
    let spared = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<BTreeSet<String>, _>>()?;
    let used = used_in_the_open(scene, uses, plan);
    let mut left_out = BTreeSet::new();
    let mut wanted = |actions: &[&'static str]| -> Vec<&'static str> {
        let (out, within): (Vec<&'static str>, Vec<&'static str>) =
            actions.iter().partition(|action| used.contains(*action));
        left_out.extend(out);
        within
    };
    let partition = scene
        .containers
        .first()
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
    Ok(Guardrail {
        documents: documents.into_iter().map(document::document).collect(),
        buckets,
        left_out,
        applies: scene
            .world
            .limits
            .values()
            .any(|limits| limits.organization.is_some()),
        spared,
    })
}

/// Actions that somebody uses who is not sent to a special role for them.
fn used_in_the_open(scene: &Scene, uses: &Uses, plan: &Plan) -> BTreeSet<&'static str> {
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
        behind
            .get(&used.holder)
            .is_none_or(|actions| !actions.contains(used.action.name))
    };
    let mut actions: BTreeSet<&'static str> = uses
        .all
        .iter()
        .filter(open)
        .map(|used| used.action.name)
        .collect();
    let machines = plan
        .outcomes
        .iter()
        .flat_map(|outcome| &outcome.kept)
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
