//! The tables that `analyze` derives from a run.

use crate::contract::ColumnType::{Bool, Int, Json, List, String as Text, Timestamp};
use crate::contract::TableSchema;

/// `resource_context`: what the tags and the configuration say about a resource's place in the business.
pub fn resource_context() -> TableSchema {
    TableSchema::new(
        "resource_context",
        "one resource with what is derived from its tags and its reach",
        &[
            ("account_id", Text, "account that owns it"),
            (
                "region",
                Text,
                "region, `global` for services that have none",
            ),
            ("arn", Text, "its ARN"),
            ("service", Text, "service part of its type"),
            ("resource_type", Text, "type, such as `rds:db`"),
            ("name", Text, "name, as in `resources`"),
            ("summary", Text, "a few words on what it is"),
            ("zone", Text, "availability zone, where it has one"),
            (
                "system",
                Text,
                "system, from the tag or from the name's last part",
            ),
            (
                "environment",
                Text,
                "environment, spelled as in the configuration",
            ),
            ("owner", Text, "owner"),
            ("importance", Text, "importance level"),
            (
                "importance_rank",
                Int,
                "0 for the lowest level upwards; null when it has none",
            ),
            (
                "critical",
                Bool,
                "whether that counts as critical, by the setting `critical_from`; null when it has none",
            ),
            (
                "dr",
                List,
                "what its DR tag demands: backup, multi-az, replication, autoscaling",
            ),
            (
                "rpo_seconds",
                Int,
                "recovery point objective: the tag, else the default of its importance",
            ),
            (
                "rto_seconds",
                Int,
                "recovery time objective: the tag, else the default of its importance",
            ),
            ("required_tags", Int, "number of required tag keys"),
            (
                "missing_tags",
                List,
                "required tag keys it lacks; null when its tags could not be read",
            ),
            ("taggable", Bool, "whether the service lets it carry tags"),
            ("data_store", Bool, "holds data that would be lost with it"),
            (
                "exposed",
                Bool,
                "reachable from the internet; null when that could not be decided",
            ),
            ("exposure", Text, "how: `tcp/22 from 0.0.0.0/0`"),
            (
                "dr_met",
                Int,
                "demands of its DR tag that the configuration meets",
            ),
            (
                "dr_unmet",
                List,
                "demands of its DR tag that it does not meet",
            ),
        ],
    )
}

/// `reachability`: every path by which the internet, or another account, reaches something, from one thing to the next.
pub fn reachability() -> TableSchema {
    TableSchema::new(
        "reachability",
        "one path from one thing to the next, on the way from the internet to data; what is closed has no row",
        &[
            (
                "path_id",
                Text,
                "hash of where it leads from and to, family, protocol and ports: the same path in every run",
            ),
            ("account_id", Text, "account of what is reached"),
            (
                "region",
                Text,
                "region of what is reached, `global` for services that have none",
            ),
            (
                "step",
                Int,
                "1 where it starts outside, else one more than that of the nearest path to from_arn",
            ),
            (
                "from_arn",
                Text,
                "`internet`, the root of another account, an identity provider, or what was reached by another path",
            ),
            (
                "to_arn",
                Text,
                "what is reached; the account's root where a role reads more of it than is listed",
            ),
            ("from_lane", Text, "internet, entry or compute"),
            (
                "lane",
                Text,
                "entry (reached from outside), compute (what runs, and roles) or data",
            ),
            (
                "sources",
                Int,
                "how many things of the security groups of from_arn, the first of them, have this path",
            ),
            (
                "ip_family",
                Text,
                "ipv4 or ipv6, where it is a path through a network",
            ),
            (
                "protocol",
                Text,
                "tcp or udp; null where calls are answered, or where it is not known",
            ),
            ("from_port", Int, "first port"),
            ("to_port", Int, "last port"),
            (
                "open",
                Bool,
                "true: open from the internet to its end; null: not known, never false",
            ),
            ("why", Text, "what is not known"),
            ("detail", Text, "what opens it: `tcp/22 from 0.0.0.0/0`"),
            ("hops", Int, "its rows in reachability_hops"),
        ],
    )
}

/// `reachability_hops`: the links of the paths of `reachability`.
pub fn reachability_hops() -> TableSchema {
    TableSchema::new(
        "reachability_hops",
        "one link of a path of reachability",
        &[
            ("path_id", Text, "its path"),
            ("hop", Int, "1 for the first link of the path"),
            ("account_id", Text, "account of what the path reaches"),
            ("region", Text, "region of what the path reaches"),
            (
                "from_arn",
                Text,
                "where the path starts, then the end of the hop before",
            ),
            (
                "to_arn",
                Text,
                "what lets it on; of the last hop, what is reached",
            ),
            (
                "kind",
                Text,
                "gateway, route, nacl, security-group, listener, target, address, policy, role or data",
            ),
            ("ip_family", Text, "ipv4 or ipv6"),
            ("protocol", Text, "tcp or udp"),
            ("from_port", Int, "first port"),
            ("to_port", Int, "last port"),
            (
                "detail",
                Text,
                "address, destination, ports, or what a policy says",
            ),
            ("target_arn", Text, "what the path reaches"),
            ("lane", Text, "lane of what the path reaches"),
            (
                "open",
                Bool,
                "whether this link lets it through; null: not known",
            ),
            ("why", Text, "what is not known of the path"),
        ],
    )
}

/// `zone_backups`: the change batch that rebuilds a hosted zone.
pub fn zone_backups() -> TableSchema {
    TableSchema::new(
        "zone_backups",
        "one hosted zone, ready to be restored",
        &[
            ("account_id", Text, "account of the zone"),
            ("arn", Text, "ARN of the zone"),
            ("zone_id", Text, "id, such as Z0123456789"),
            ("name", Text, "domain, with its final dot"),
            ("records", Int, "record sets in the batch"),
            (
                "left_out",
                Int,
                "record sets that Route 53 makes itself: the apex NS and SOA",
            ),
            (
                "concealed",
                List,
                "record sets whose value was taken for a secret: the lake does not hold it, so they are not in the batch",
            ),
            (
                "change_batch",
                Json,
                "for aws route53 change-resource-record-sets",
            ),
        ],
    )
}

/// `scan_coverage`: what the scanners look at.
pub fn scan_coverage() -> TableSchema {
    TableSchema::new(
        "scan_coverage",
        "one scanner and one kind of resource in an account and region",
        &[
            ("account_id", Text, "account of the resources"),
            ("region", Text, "region of the resources"),
            ("scanner", Text, "Inspector, or Systems Manager for patches"),
            ("kind", Text, "instances, repositories or functions"),
            ("resources", Int, "resources of the kind"),
            ("covered", Int, "those that the scanner looks at"),
            ("undecided", Int, "those of which that is not known"),
            (
                "oldest_scan_at",
                Timestamp,
                "when the one that was not looked at for longest was scanned last",
            ),
            (
                "newest_scan_at",
                Timestamp,
                "the latest scan of any of them",
            ),
        ],
    )
}
