//! The tables in which `analyze` writes who may do what: classes of principals and resources, and what is decided between
//! them. Two principals are of one class when no policy of the run can tell them apart, so that 10^9 pairs fit a few
//! million rows.

use crate::contract::ColumnType::{Bool, Int, Json, List, String as Text, Timestamp};
use crate::contract::TableSchema;

const VERDICT: &str = "`allowed`; `conditional`: it depends on the keys in `conditions`, which the request decides; `unknown`: a policy could not be read";
const MFA: &str = "`required`: only after signing in with a second factor; `spared`: asked of temporary credentials, but long-term access keys slip through; `not_required`";
const CONDITIONS: &str =
    "context keys, in lower case, that a `conditional` or `unknown` verdict depends on";
const STATEMENTS: &str = "the deciding statements, as in `statements`";

/// `principal_classes`: the users and roles, and the class of each.
pub fn principal_classes() -> TableSchema {
    TableSchema::new(
        "principal_classes",
        "one user or role",
        &[
            ("account_id", Text, "its account"),
            ("principal_arn", Text, "its ARN"),
            ("kind", Text, "`user` or `role`"),
            ("name", Text, "its name"),
            (
                "principal_class",
                Int,
                "class: what one of the class may do, each of them may",
            ),
            (
                "is_admin",
                Bool,
                "whether it may do everything, whatever the account's services are; null when that could not be decided",
            ),
            (
                "boundary_arn",
                Text,
                "policy that is its permissions boundary",
            ),
            (
                "service_linked",
                Bool,
                "a role that belongs to an AWS service",
            ),
            (
                "reserved",
                Bool,
                "a role that single sign-on keeps, which nobody else can edit",
            ),
            (
                "special",
                Bool,
                "a role that is there for dangerous work, by the setting `special_roles`",
            ),
            ("unread", List, "its policies that could not be read"),
        ],
    )
}

/// `resource_classes`: the resources for which there are dangerous actions, and the class of each.
pub fn resource_classes() -> TableSchema {
    TableSchema::new(
        "resource_classes",
        "one resource for whose type dangerous actions are known, or an account",
        &[
            ("account_id", Text, "its account"),
            (
                "resource_arn",
                Text,
                "its ARN; for actions that concern the account as a whole the ARN of its root user",
            ),
            (
                "resource_type",
                Text,
                "type, as in `resources`, or `account`",
            ),
            (
                "resource_class",
                Int,
                "class: who may do something to one of the class may do it to each of them",
            ),
            (
                "policy_unread",
                Bool,
                "it has a resource policy that could not be read, or may have",
            ),
        ],
    )
}

/// `grants`: the dangerous actions that a class of principals may do to a class of resources.
pub fn grants() -> TableSchema {
    TableSchema::new(
        "grants",
        "one dangerous action that a class of principals may do to a class of resources by itself, without assuming a role; what is denied has no row, and who may become a role is in `assume_edges`",
        &[
            ("principal_class", Int, "as in `principal_classes`"),
            ("action", Text, "action, as in `dangerous_actions`"),
            ("resource_class", Int, "as in `resource_classes`"),
            ("verdict", Text, VERDICT),
            ("mfa", Text, MFA),
            ("conditions", List, CONDITIONS),
            ("statements", List, STATEMENTS),
        ],
    )
}

/// `statements`: the statements of all policies that were judged.
pub fn statements() -> TableSchema {
    TableSchema::new(
        "statements",
        "one statement of a policy that has a say in who may do what",
        &[
            (
                "statement",
                Text,
                "the policy and, after `#`, the position of the statement in it, from 0",
            ),
            (
                "policy",
                Text,
                "ARN of a managed policy; `<holder>/<name>` of an inline one; the ARN of the resource or role whose policy it is",
            ),
            (
                "layer",
                Text,
                "`identityPolicies`, `resourcePolicy`, `serviceControlPolicies` or `resourceControlPolicies`; boundaries are identity policies too",
            ),
            ("position", Int, "position in the policy, from 0"),
            ("sid", Text, "its Sid"),
            ("effect", Text, "`Allow` or `Deny`"),
            ("actions", List, "its actions"),
            ("not_actions", List, "the actions it spares"),
            ("resources", List, "its resources"),
            ("not_resources", List, "the resources it spares"),
            ("condition", Json, "its conditions"),
        ],
    )
}

/// `assume_edges`: who may become which role.
pub fn assume_edges() -> TableSchema {
    TableSchema::new(
        "assume_edges",
        "one principal that may assume a role: the role's trust policy and, where it counts, the principal's own policies let it",
        &[
            ("account_id", Text, "account of the role"),
            (
                "from_arn",
                Text,
                "user or role of the run; else the service, identity provider, foreign ARN or account, or `*`, that the trust policy names",
            ),
            (
                "from_kind",
                Text,
                "`user`, `role`, `service`, `federated`, `foreign` or `anyone`",
            ),
            ("to_arn", Text, "the role"),
            ("verdict", Text, VERDICT),
            ("mfa", Text, MFA),
            ("conditions", List, CONDITIONS),
            ("statements", List, STATEMENTS),
        ],
    )
}

/// `usage`: what principals really did, as actions.
pub fn usage() -> TableSchema {
    TableSchema::new(
        "usage",
        "one action, or else service, that a principal used, and what it is known by",
        &[
            ("account_id", Text, "account in which it was called"),
            ("principal_arn", Text, "user, role or service that called"),
            (
                "action",
                Text,
                "IAM action that the event needs; null for events that need none and those that are not understood",
            ),
            (
                "service",
                Text,
                "prefix of the action; of the service where no more than that is known",
            ),
            (
                "event_source",
                Text,
                "as in `activity`; null where no event tells of the use",
            ),
            ("event_name", Text, "likewise"),
            (
                "mapping",
                Text,
                "`mapped`; `none`: the event needs no permission; `unmapped`: no action is known for it",
            ),
            (
                "calls",
                Int,
                "calls, but for those that were denied; null where no event tells of the use",
            ),
            ("denied", Int, "calls that were denied: they are no use"),
            (
                "last_used",
                Timestamp,
                "the latest call that was not denied; null when all were",
            ),
            (
                "source",
                Text,
                "`cloudtrail`: the events of the lake. For accounts of which it has none: `service_last_accessed`: when IAM saw a service or an action asked for in the past 400 days, also in vain; `role_last_used`: when IAM saw the role used, for whatever action",
            ),
        ],
    )
}

/// `dangerous_actions`: what is called dangerous.
pub fn dangerous_actions() -> TableSchema {
    TableSchema::new(
        "dangerous_actions",
        "one action that is dangerous to a type of resource",
        &[
            ("action", Text, "the action"),
            ("resource_type", Text, "type, as in `resource_classes`"),
            (
                "kind",
                Text,
                "`destroy`, `policy`, `recovery`, `logging`, `escalate` or `expose`",
            ),
            (
                "tag_condition",
                Bool,
                "whether a condition on the resource's tags can limit it; null when the action is not in the catalogue",
            ),
            (
                "resource_level",
                Bool,
                "whether a policy can name the resource; else it takes `*` only",
            ),
            (
                "logged",
                Text,
                "CloudTrail class of its events: `management`, `data`, `never`",
            ),
        ],
    )
}

/// `escalations`: how principals get more than they were given.
pub fn escalations() -> TableSchema {
    TableSchema::new(
        "escalations",
        "one known way in which a principal gets the permissions of another one, or all of them",
        &[
            ("account_id", Text, "account of the principal"),
            (
                "principal_arn",
                Text,
                "user or role that isn't an administrator",
            ),
            ("path_id", Text, "the way, such as `iam-001`"),
            ("title", Text, "what is done, in words"),
            ("actions", List, "the permissions it takes"),
            (
                "target_arn",
                Text,
                "user, role or group whose permissions are gained; the principal's own ARN when it can give itself all of them",
            ),
            (
                "via_arn",
                Text,
                "the existing resource or policy that is used for it, if there is one",
            ),
            (
                "to_admin",
                Bool,
                "whether that makes it an administrator at once",
            ),
            ("verdict", Text, VERDICT),
            ("mfa", Text, MFA),
            ("conditions", List, CONDITIONS),
        ],
    )
}

/// `outside_access`: what resources leave open to those from elsewhere.
pub fn outside_access() -> TableSchema {
    TableSchema::new(
        "outside_access",
        "what the policy of one resource, with the resource control policies above it, lets everyone do who has nothing to do with the accounts; what is denied to all of them has no row",
        &[
            ("account_id", Text, "its account"),
            ("resource_arn", Text, "its ARN, as in `resource_classes`"),
            ("resource_type", Text, "type, as in `resource_classes`"),
            (
                "from_arn",
                Text,
                "`*`, or the service that anybody's resources may send there",
            ),
            (
                "from_kind",
                Text,
                "`anyone`: whoever has an account of AWS; `anonymous`: requests that nobody signed; `service`",
            ),
            (
                "actions",
                List,
                "what may be done, with this verdict; none when the policy could not be read",
            ),
            ("verdict", Text, VERDICT),
            ("conditions", List, CONDITIONS),
            ("statements", List, STATEMENTS),
        ],
    )
}

/// `critical_grants`: the grants that checks of dangerous permissions are about.
pub fn critical_grants() -> TableSchema {
    TableSchema::new(
        "critical_grants",
        "one row of `grants` on critical resources, on what they would be restored from, or on a trail, with the kind of danger",
        &[
            ("resource_class", Int, "as in `resource_classes`"),
            ("resource_type", Text, "as in `resource_classes`"),
            ("principal_class", Int, "as in `principal_classes`"),
            ("action", Text, "action, as in `dangerous_actions`"),
            ("kind", Text, "kind, as in `dangerous_actions`"),
            ("verdict", Text, VERDICT),
            ("mfa", Text, MFA),
            ("conditions", List, CONDITIONS),
            ("statements", List, STATEMENTS),
        ],
    )
}

/// `access_paths`: whose permissions somebody can use.
pub fn access_paths() -> TableSchema {
    TableSchema::new(
        "access_paths",
        "one way by which somebody gets to permissions for something dangerous: that of one degree of MFA that is most certain, then shortest",
        &[
            ("account_id", Text, "account of the holder"),
            (
                "actor_arn",
                Text,
                "a user, a role that nobody can be named for, or whom a trust policy lets in, as in `assume_edges`",
            ),
            (
                "actor_kind",
                Text,
                "`user`, `role`, `service`, `federated`, `foreign` or `anyone`",
            ),
            (
                "holder_arn",
                Text,
                "the user or role that the permissions were given to; no role that is linked to a service",
            ),
            (
                "principal_class",
                Int,
                "class of the holder, as in `grants`",
            ),
            (
                "is_admin",
                Bool,
                "whether the holder may do everything; null when that could not be decided",
            ),
            (
                "path",
                List,
                "the roles that are assumed one after the other, the holder last; empty when the actor is the holder",
            ),
            ("verdict", Text, VERDICT),
            ("mfa", Text, MFA),
            ("conditions", List, CONDITIONS),
            ("statements", List, STATEMENTS),
        ],
    )
}

/// All tables that are computed together.
pub fn tables() -> [TableSchema; 10] {
    [
        principal_classes(),
        resource_classes(),
        grants(),
        critical_grants(),
        statements(),
        assume_edges(),
        usage(),
        dangerous_actions(),
        escalations(),
        outside_access(),
    ]
}
