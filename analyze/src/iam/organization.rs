//! Policies of the organization: the levels they hang at, and what they spare.

use std::sync::Arc;

use super::policy::Policy;
use super::request::{Principal, Request};

/// One node between an organization's root and an account, with the policies attached to it.
///
/// The management account is spared: callers leave its levels out.
#[derive(Clone, Debug)]
pub struct OrganizationLevel {
    /// Id of the root, of the organizational unit or of the account.
    pub org_identifier: String,
    pub policies: Vec<Arc<Policy>>,
}

/// Prefixes of the services that resource control policies reach, sorted.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>, September 2026
const RESOURCE_CONTROLLED: [&str; 62] = [
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

/// Whether service control policies reach `principal`: they are about principals of member accounts, so not about
/// services, identity providers and unsigned requests, and they spare service-linked roles.
pub(super) fn service_controlled(principal: &Principal) -> bool {
    principal.account().is_some() && !principal.is_service_linked_role()
}

/// Whether resource control policies reach the request: whoever makes it, but not for every service. They spare
/// service-linked roles, both as principals and as what AWS's services assume.
pub(super) fn resource_controlled(request: &Request<'_>) -> bool {
    let action = request.action;
    RESOURCE_CONTROLLED
        .binary_search(&action.service())
        .is_ok()
        // Grants are retired by whom the grant names, whatever the policies say.
        && action.text() != "kms:retiregrant"
        && !request.principal.is_service_linked_role()
        && !request.resource.is_service_linked_role()
}
