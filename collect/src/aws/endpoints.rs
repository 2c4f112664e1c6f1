//! Where services are: partitions, regions, host names and the region that requests are signed for.
//!
//! The facts are `collect/models/endpoints.json`, derived from botocore's endpoint rules. A region that is newer
//! than the facts is placed by its prefix and by the pattern that the service's other regions follow.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

static FACTS: OnceLock<Facts> = OnceLock::new();

/// A set of regions with accounts, credentials and ARNs of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Second field of its ARNs, e.g. `aws-cn`.
    pub name: &'static str,
    /// Region that stands for the partition's global services.
    pub main_region: &'static str,
    /// What its host names end in, e.g. `amazonaws.com.cn`.
    pub dns_suffix: &'static str,
    /// Known regions, sorted.
    pub regions: &'static [String],
}

/// Host and signing region of a service in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name without scheme.
    pub host: String,
    /// Region of the signature's credential scope.
    pub signing_region: String,
}

#[derive(Debug, Default, Deserialize)]
struct Facts {
    partitions: BTreeMap<String, PartitionFacts>,
    services: BTreeMap<String, ServiceFacts>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartitionFacts {
    main_region: String,
    dns_suffix: String,
    region_prefix: String,
    regions: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ServiceFacts {
    global: bool,
    regions: BTreeMap<String, Offered>,
    hosts: BTreeMap<String, BTreeMap<String, Hosts>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Offered {
    Everywhere(Everywhere),
    Regions(Vec<String>),
}

#[derive(Debug, Deserialize)]
enum Everywhere {
    /// Every region of the partition.
    #[serde(rename = "all")]
    All,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hosts {
    host: String,
    signing_region: String,
    #[serde(default, rename = "except")]
    exceptions: BTreeMap<String, (String, String)>,
}

fn facts() -> &'static Facts {
    // A damaged build has no endpoints, which shows as an error of every call; a test reads the file.
    FACTS.get_or_init(|| {
        serde_json::from_str(include_str!("../../models/endpoints.json")).unwrap_or_default()
    })
}

impl Partition {
    fn of(name: &'static str, facts: &'static PartitionFacts) -> Self {
        Self {
            name,
            main_region: &facts.main_region,
            dns_suffix: &facts.dns_suffix,
            regions: &facts.regions,
        }
    }
}

/// The partition of a region. A region that no partition claims by name or prefix belongs to the public one.
pub fn partition_of_region(region: &str) -> Partition {
    let claims = |facts: &PartitionFacts| {
        facts.regions.iter().any(|known| known == region)
            || (!facts.region_prefix.is_empty() && region.starts_with(&facts.region_prefix))
    };
    let all = &facts().partitions;
    let found = all.iter().find(|(_, facts)| claims(facts));
    match found.or_else(|| all.get_key_value("aws")) {
        Some((name, facts)) => Partition::of(name, facts),
        None => Partition {
            name: "aws",
            main_region: "us-east-1",
            dns_suffix: "amazonaws.com",
            regions: &[],
        },
    }
}

/// All partitions that the public can have accounts in, sorted by name.
pub fn partitions() -> Vec<Partition> {
    let all = facts().partitions.iter();
    all.map(|(name, facts)| Partition::of(name, facts))
        .collect()
}

/// Whether a service has one endpoint per partition.
pub(super) fn is_global(service: &str) -> bool {
    facts()
        .services
        .get(service)
        .is_some_and(|facts| facts.global)
}

/// Regions of a partition that offer a service.
pub(super) fn service_regions(service: &str, partition: &str) -> Vec<&'static str> {
    let offered = facts()
        .services
        .get(service)
        .and_then(|service| service.regions.get(partition));
    let regions: &'static [String] = match offered {
        Some(Offered::Regions(regions)) => regions,
        Some(Offered::Everywhere(Everywhere::All)) => facts()
            .partitions
            .get(partition)
            .map_or(&[], |partition| &partition.regions),
        None => &[],
    };
    regions.iter().map(String::as_str).collect()
}

/// The public endpoint of a service in a region; `None` when the variant does not exist there.
pub(super) fn endpoint(
    service: &str,
    region: &str,
    fips: bool,
    dualstack: bool,
) -> Option<Endpoint> {
    let variant = match (fips, dualstack) {
        (false, false) => "plain",
        (true, false) => "fips",
        (false, true) => "dualstack",
        (true, true) => "fipsDualstack",
    };
    let partition = partition_of_region(region);
    let hosts = facts()
        .services
        .get(service)?
        .hosts
        .get(partition.name)?
        .get(variant)?;
    let (host, signing_region) = match hosts.exceptions.get(region) {
        Some((host, signing_region)) => (host, signing_region),
        None => (&hosts.host, &hosts.signing_region),
    };
    Some(Endpoint {
        host: host.replace("{region}", region),
        signing_region: signing_region.replace("{region}", region),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_facts_are_readable() {
        let facts: Facts =
            serde_json::from_str(include_str!("../../models/endpoints.json")).unwrap();
        assert!(facts.services.len() > 40);
        for (service, facts) in &facts.services {
            assert!(facts.hosts.contains_key("aws"), "{service}");
        }
    }

    fn host(service: &str, region: &str) -> String {
        let endpoint = endpoint(service, region, false, false).unwrap();
        format!("{} {}", endpoint.host, endpoint.signing_region)
    }

    #[test]
    fn hosts_and_signing_regions_of_three_partitions() {
        assert_eq!(
            host("ec2", "eu-west-1"),
            "ec2.eu-west-1.amazonaws.com eu-west-1"
        );
        assert_eq!(
            host("ec2", "cn-north-1"),
            "ec2.cn-north-1.amazonaws.com.cn cn-north-1"
        );
        assert_eq!(host("iam", "eu-west-1"), "iam.amazonaws.com us-east-1");
        assert_eq!(
            host("iam", "us-gov-east-1"),
            "iam.us-gov.amazonaws.com us-gov-west-1"
        );
        assert_eq!(
            host("iam", "cn-northwest-1"),
            "iam.cn-north-1.amazonaws.com.cn cn-north-1"
        );
        assert_eq!(
            host("ecr", "us-east-2"),
            "api.ecr.us-east-2.amazonaws.com us-east-2"
        );
        assert_eq!(
            host("cloudwatch", "us-west-2"),
            "monitoring.us-west-2.amazonaws.com us-west-2"
        );
        let fips = endpoint("kms", "us-east-1", true, false).unwrap();
        assert_eq!(fips.host, "kms-fips.us-east-1.amazonaws.com");
    }

    #[test]
    fn regions_newer_than_the_facts_have_a_partition_and_a_host() {
        assert_eq!(partition_of_region("cn-south-9").name, "aws-cn");
        assert_eq!(partition_of_region("us-gov-north-1").name, "aws-us-gov");
        assert_eq!(partition_of_region("xx-north-1").name, "aws");
        assert_eq!(
            host("ec2", "eu-north-9"),
            "ec2.eu-north-9.amazonaws.com eu-north-9"
        );
    }

    #[test]
    fn services_are_offered_where_the_facts_say() {
        let main = partition_of_region("eu-west-1").main_region;
        assert_eq!(service_regions("iam", "aws"), [main]);
        assert_eq!(service_regions("route53domains", "aws"), ["us-east-1"]);
        assert!(is_global("route53domains") && is_global("iam") && !is_global("s3"));
        assert_eq!(
            service_regions("ec2", "aws-cn"),
            ["cn-north-1", "cn-northwest-1"]
        );
        assert!(service_regions("route53domains", "aws-cn").is_empty());
    }
}
