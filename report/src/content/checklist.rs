//! The checklist of disaster recovery: what has a backup, and what fails over, component by component.
//!
//! A component is as good as the worst that its checks say. Where no call to AWS could tell, an attestation speaks; where
//! nothing speaks, the component is not evaluated.

use serde::Serialize;

use super::attest::Standing;
use super::finding::{CheckStatus, Verdicts};
use super::{Content, Evaluation};

/// What a line of the checklist is about.
#[derive(Debug)]
pub struct Component {
    /// Its name.
    pub name: &'static str,
    /// Checks that speak to it.
    pub checks: &'static [&'static str],
    /// What can be attested of it.
    pub attested: Option<&'static str>,
}

const fn component(name: &'static str, checks: &'static [&'static str]) -> Component {
    Component {
        name,
        checks,
        attested: None,
    }
}

const fn attested(
    name: &'static str,
    checks: &'static [&'static str],
    what: &'static str,
) -> Component {
    Component {
        name,
        checks,
        attested: Some(what),
    }
}

/// What has to be kept to build everything again.
pub const BACKUPS: [Component; 5] = [
    component(
        "Infrastructure as code",
        &["iac-uncovered", "iac-drift", "stack-termination"],
    ),
    component(
        "Snapshots and images",
        &[
            "ebs-snapshot-rpo",
            "ami-missing",
            "backup-job-failed",
            "backup-same-blast-radius",
            "backup-vault-unlocked",
            "backup-encrypted",
        ],
    ),
    component(
        "Databases and file storage",
        &[
            "db-backup-off",
            "db-rpo-unmet",
            "db-replica-not-backup",
            "ddb-pitr",
            "docdb-neptune-backup",
            "redis-backup-off",
            "redshift-snapshots",
            "efs-backup",
            "s3-versioning",
            "restore-never-tested",
        ],
    ),
    attested(
        "Application and service configuration",
        &["config-off"],
        "configuration-backup",
    ),
    attested("Codebase", &[], "codebase-backup"),
];

/// What has to go on when a part of it fails.
pub const HIGH_AVAILABILITY: [Component; 7] = [
    component("Addresses", &["nat-single-az", "vpn-tunnel-down"]),
    component(
        "Internal and external DNS",
        &["dns-zone-backup", "dns-ttl-long", "domain-lock"],
    ),
    attested(
        "Addressing in applications",
        &["dns-to-instance"],
        "application-addressing",
    ),
    component(
        "Caches and indexes",
        &[
            "cache-holds-critical",
            "redis-no-failover",
            "search-single-node",
        ],
    ),
    component("Database failover", &["db-single-az", "db-rto-unmet"]),
    component(
        "DNS-based routing and health checks",
        &["dns-no-health-check", "cloudfront-failover"],
    ),
    component(
        "Load balancer routing and health checks",
        &[
            "elb-single-az",
            "elb-targets",
            "elb-deletion-protection",
            "asg-single-az",
            "asg-health-check",
        ],
    ),
];

/// How a component came out.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its name.
    pub component: &'static str,
    /// `fail`, `unknown`, `pass`, `attested`, `partial` or `not evaluated`.
    pub status: &'static str,
    /// Checks that spoke to it.
    pub checks: Vec<Spoken>,
    /// What can be attested of it.
    pub attested: Option<&'static str>,
}

/// What a check said.
#[derive(Debug, Serialize)]
pub struct Spoken {
    /// The check.
    pub check_id: &'static str,
    /// Its verdicts.
    #[serde(flatten)]
    pub verdicts: Verdicts,
}

/// The lines of a list, in its order.
pub fn lines(content: &Content, evaluation: &Evaluation, list: &[Component]) -> Vec<Line> {
    list.iter()
        .map(|component| line(content, evaluation, component))
        .collect()
}

fn line(content: &Content, evaluation: &Evaluation, component: &Component) -> Line {
    let mut verdicts = Verdicts::default();
    let mut broken = false;
    let mut spoken = Vec::new();
    for &check_id in component.checks {
        let Some(check) = evaluation
            .checks
            .iter()
            .find(|check| check.check_id == check_id)
        else {
            continue;
        };
        broken |= check.status != CheckStatus::Evaluated;
        verdicts.add(check.verdicts);
        if check.verdicts.total() > 0 {
            spoken.push(Spoken {
                check_id,
                verdicts: check.verdicts,
            });
        }
    }
    let standing = component
        .attested
        .map(|what| content.attestations.standing(what, content));
    Line {
        component: component.name,
        status: status(verdicts, broken, standing.as_ref()),
        checks: spoken,
        attested: component.attested,
    }
}

fn status(verdicts: Verdicts, broken: bool, standing: Option<&Standing<'_>>) -> &'static str {
    let judged = verdicts.passed + verdicts.waived > 0;
    match standing {
        _ if verdicts.failed > 0 => "fail",
        Some(Standing::Expired(_)) => "fail",
        _ if verdicts.unknown > 0 || broken => "unknown",
        None if judged => "pass",
        None | Some(Standing::NotEvaluated) if !judged => "not evaluated",
        // The checks see a part of it only, and nobody spoke for the rest.
        None | Some(Standing::NotEvaluated | Standing::Partly(_)) => "partial",
        Some(Standing::Attested) => "attested",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(passed: u64, failed: u64, unknown: u64) -> Verdicts {
        Verdicts {
            passed,
            failed,
            unknown,
            waived: 0,
        }
    }

    #[test]
    fn nothing_passes_that_nobody_spoke_for() {
        let status =
            |counted, standing: Option<Standing<'_>>| status(counted, false, standing.as_ref());
        assert_eq!(status(verdicts(0, 0, 0), None), "not evaluated");
        assert_eq!(status(verdicts(3, 0, 0), None), "pass");
        assert_eq!(status(verdicts(3, 0, 1), None), "unknown");
        assert_eq!(status(verdicts(3, 1, 1), Some(Standing::Attested)), "fail");
        assert_eq!(
            status(verdicts(3, 0, 0), Some(Standing::NotEvaluated)),
            "partial"
        );
        assert_eq!(
            status(verdicts(0, 0, 0), Some(Standing::NotEvaluated)),
            "not evaluated"
        );
        assert_eq!(
            status(verdicts(0, 0, 0), Some(Standing::Partly(vec!["a"]))),
            "partial"
        );
        assert_eq!(
            status(verdicts(3, 0, 0), Some(Standing::Attested)),
            "attested"
        );
        assert_eq!(
            status(verdicts(3, 0, 0), Some(Standing::Expired(Vec::new()))),
            "fail"
        );
        assert_eq!(super::status(verdicts(3, 0, 0), true, None), "unknown");
    }

    #[test]
    fn every_check_of_the_lists_exists() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../analyze/checks");
        let known: std::collections::BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .flat_map(|rule| std::fs::read_dir(rule.unwrap().path()).unwrap())
            .filter_map(|file| {
                file.unwrap()
                    .file_name()
                    .to_str()?
                    .strip_suffix(".sql")
                    .map(str::to_owned)
            })
            .collect();
        for component in BACKUPS.iter().chain(&HIGH_AVAILABILITY) {
            for check in component.checks {
                assert!(known.contains(*check), "{check}");
            }
        }
    }
}
