//! What a type of resource looks like in a picture: its badge, its category, its plural.

/// What a resource does, which decides the colour of its badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Carries traffic.
    Network,
    /// Runs code.
    Compute,
    /// Keeps data.
    Data,
    /// Carries messages and events.
    Messaging,
    /// Keeps copies.
    Backup,
    /// Identities, keys, watching; and every type that this table doesn't know.
    Security,
    /// Outside the picture: the internet, other systems, other accounts.
    External,
}

impl Category {
    /// The categories of AWS resources, in the order of the legend.
    pub const ALL: [Self; 6] = [
        Self::Network,
        Self::Compute,
        Self::Data,
        Self::Messaging,
        Self::Backup,
        Self::Security,
    ];

    /// Name in the legend.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Compute => "compute",
            Self::Data => "data",
            Self::Messaging => "messaging",
            Self::Backup => "backup",
            Self::Security => "security, other",
            Self::External => "outside",
        }
    }
}

/// How a type is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Text badge, at most four characters.
    pub badge: String,
    /// Category.
    pub category: Category,
    /// Plural, for cards that stand for many.
    pub plural: String,
}

use Category::{Backup, Compute, Data, Messaging, Network, Security};

const KINDS: &[(&str, &str, Category, &str)] = &[
    ("access-analyzer:analyzer", "AA", Security, "analyzers"),
    ("acm:certificate", "ACM", Security, "certificates"),
    ("apigateway:apis", "API", Network, "HTTP APIs"),
    ("apigateway:restapis", "API", Network, "REST APIs"),
    ("apigateway:stages", "API", Network, "API stages"),
    (
        "autoscaling:autoScalingGroup",
        "ASG",
        Compute,
        "Auto Scaling groups",
    ),
    ("backup:backup-plan", "BKP", Backup, "backup plans"),
    ("backup:backup-vault", "BKP", Backup, "vaults"),
    ("backup:recovery-point", "RP", Backup, "recovery points"),
    (
        "backup:restore-testing-plan",
        "BKP",
        Backup,
        "restore testing plans",
    ),
    ("cloudformation:stack", "CFN", Compute, "stacks"),
    ("cloudfront:distribution", "CF", Network, "distributions"),
    ("cloudtrail:trail", "CT", Security, "trails"),
    ("cloudwatch:alarm", "CW", Security, "alarms"),
    ("codebuild:project", "CB", Compute, "build projects"),
    ("dms:endpoint", "DMS", Data, "DMS endpoints"),
    ("dms:rep", "DMS", Data, "replication instances"),
    ("dms:task", "DMS", Data, "replication tasks"),
    ("dynamodb:table", "DDB", Data, "tables"),
    ("ec2:elastic-ip", "EIP", Network, "addresses"),
    ("ec2:flow-logs", "FLOW", Security, "flow logs"),
    ("ec2:image", "AMI", Backup, "images"),
    ("ec2:instance", "EC2", Compute, "instances"),
    ("ec2:internet-gateway", "IGW", Network, "internet gateways"),
    ("ec2:launch-template", "LT", Compute, "launch templates"),
    ("ec2:natgateway", "NAT", Network, "NAT gateways"),
    ("ec2:network-acl", "ACL", Network, "network ACLs"),
    ("ec2:network-interface", "ENI", Network, "interfaces"),
    ("ec2:prefix-list", "PL", Network, "prefix lists"),
    ("ec2:route-table", "RT", Network, "route tables"),
    ("ec2:security-group", "SG", Network, "security groups"),
    ("ec2:snapshot", "SNAP", Backup, "snapshots"),
    ("ec2:subnet", "NET", Network, "subnets"),
    ("ec2:volume", "EBS", Data, "volumes"),
    ("ec2:vpc", "VPC", Network, "VPCs"),
    ("ec2:vpc-endpoint", "VPCE", Network, "endpoints"),
    ("ec2:vpc-flow-log", "FLOW", Security, "flow logs"),
    ("ec2:vpc-peering-connection", "PEER", Network, "peerings"),
    ("ec2:vpn-connection", "VPN", Network, "VPN connections"),
    ("ecr:repository", "ECR", Compute, "image repositories"),
    ("ecs:cluster", "ECS", Compute, "ECS clusters"),
    ("ecs:service", "ECS", Compute, "ECS services"),
    ("ecs:task-definition", "ECS", Compute, "task definitions"),
    ("eks:cluster", "EKS", Compute, "EKS clusters"),
    ("eks:nodegroup", "EKS", Compute, "node groups"),
    ("elasticache:cluster", "EC", Data, "caches"),
    ("elasticache:replicationgroup", "EC", Data, "cache groups"),
    ("elasticache:subnetgroup", "EC", Network, "subnet groups"),
    ("elasticfilesystem:file-system", "EFS", Data, "file systems"),
    ("elasticloadbalancing:listener", "LB", Network, "listeners"),
    (
        "elasticloadbalancing:loadbalancer",
        "LB",
        Network,
        "load balancers",
    ),
    (
        "elasticloadbalancing:targetgroup",
        "TG",
        Network,
        "target groups",
    ),
    ("es:domain", "OS", Data, "search domains"),
    ("events:rule", "EVB", Messaging, "rules"),
    (
        "firehose:deliverystream",
        "FH",
        Messaging,
        "delivery streams",
    ),
    ("glue:connection", "GLUE", Network, "Glue connections"),
    ("glue:job", "GLUE", Compute, "Glue jobs"),
    ("guardduty:detector", "GD", Security, "detectors"),
    ("iam:group", "IAM", Security, "groups"),
    ("iam:instance-profile", "IAM", Security, "instance profiles"),
    ("iam:mfa", "MFA", Security, "MFA devices"),
    ("iam:oidc-provider", "IAM", Security, "identity providers"),
    ("iam:policy", "IAM", Security, "policies"),
    ("iam:role", "ROLE", Security, "roles"),
    ("iam:saml-provider", "IAM", Security, "identity providers"),
    (
        "iam:server-certificate",
        "CERT",
        Security,
        "server certificates",
    ),
    ("iam:user", "USER", Security, "users"),
    ("kinesis:stream", "KIN", Messaging, "streams"),
    ("kms:alias", "KMS", Security, "key aliases"),
    ("kms:key", "KMS", Security, "keys"),
    (
        "lambda:event-source-mapping",
        "MAP",
        Messaging,
        "event source mappings",
    ),
    ("lambda:function", "λ", Compute, "functions"),
    ("logs:log-group", "LOGS", Security, "log groups"),
    ("rds:auto-backup", "RDS", Backup, "automated backups"),
    ("rds:cluster", "RDS", Data, "clusters"),
    ("rds:cluster-pg", "PG", Data, "parameter groups"),
    ("rds:cluster-snapshot", "SNAP", Backup, "cluster snapshots"),
    ("rds:db", "RDS", Data, "databases"),
    ("rds:es", "RDS", Messaging, "event subscriptions"),
    ("rds:pg", "PG", Data, "parameter groups"),
    ("rds:snapshot", "SNAP", Backup, "database snapshots"),
    ("rds:subgrp", "RDS", Network, "subnet groups"),
    ("redshift:cluster", "RS", Data, "warehouses"),
    ("redshift:snapshot", "SNAP", Backup, "warehouse snapshots"),
    ("route53:healthcheck", "R53", Network, "health checks"),
    ("route53:hostedzone", "R53", Network, "hosted zones"),
    ("route53domains:domain", "DOM", Network, "domains"),
    ("s3:bucket", "S3", Data, "buckets"),
    ("secretsmanager:secret", "SM", Security, "secrets"),
    ("sns:topic", "SNS", Messaging, "topics"),
    ("sqs:queue", "SQS", Messaging, "queues"),
    ("ssm:parameter", "SSM", Security, "parameters"),
    ("states:stateMachine", "SFN", Compute, "state machines"),
    ("wafv2:webacl", "WAF", Security, "web ACLs"),
];

impl Kind {
    /// What one of them is called.
    pub fn singular(&self) -> String {
        let plural = self.plural.as_str();
        if let Some(stem) = plural.strip_suffix("ies") {
            format!("{stem}y")
        } else {
            let ending = if plural.ends_with("sses") || plural.ends_with("iases") {
                "es"
            } else {
                "s"
            };
            plural.strip_suffix(ending).unwrap_or(plural).to_owned()
        }
    }
}

/// How a type is shown; a type that the table lacks gets a badge from its service.
pub fn kind(resource_type: &str) -> Kind {
    if let Ok(found) = KINDS.binary_search_by(|(name, ..)| (*name).cmp(resource_type)) {
        let (_, badge, category, plural) = KINDS[found];
        return Kind {
            badge: badge.to_owned(),
            category,
            plural: plural.to_owned(),
        };
    }
    let (service, noun) = resource_type.split_once(':').unwrap_or((resource_type, ""));
    let badge: String = service
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(4)
        .collect();
    let badge = if badge.is_empty() {
        "?".to_owned()
    } else {
        badge.to_ascii_uppercase()
    };
    let plural = if noun.is_empty() {
        "resources".to_owned()
    } else {
        format!("{noun} resources")
    };
    Kind {
        badge,
        category: Security,
        plural,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_badges_fit() {
        assert!(KINDS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(
            KINDS
                .iter()
                .all(|(_, badge, ..)| (1..=4).contains(&badge.chars().count()))
        );
    }

    #[test]
    fn one_of_them_has_a_name_too() {
        for (plural, singular) in [
            ("kms:alias", "key alias"),
            ("iam:policy", "policy"),
            ("ec2:elastic-ip", "address"),
            ("rds:db", "database"),
            ("sqs:queue", "queue"),
            ("elasticache:cluster", "cache"),
            ("braket:quantum-task", "quantum-task resource"),
        ] {
            assert_eq!(kind(plural).singular(), singular);
        }
        assert!(
            KINDS
                .iter()
                .all(|(name, ..)| !kind(name).singular().ends_with(['s', 'x'])
                    || matches!(*name, "kms:alias" | "ec2:elastic-ip"))
        );
    }

    #[test]
    fn a_type_nobody_listed_still_has_a_badge() {
        assert_eq!(kind("braket:quantum-task").badge, "BRAK");
        assert_eq!(kind("").badge, "?");
        assert_eq!(kind("ec2:instance").badge, "EC2");
    }
}
