//! A filled moto server, asked by boto3 and by us.

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use collect::aws::{Call, Caller};
use serde_json::Value;

use crate::{call, caller, crate_path, difference, python};

/// Operations that moto does not offer, or whose resources it cannot make. `synthetic.rs` covers them, as it does
/// all others.
const NOT_IN_MOTO: &[&str] = &[
    "accessanalyzer ListAnalyzers",
    "accessanalyzer ListFindings",
    "accessanalyzer ListFindingsV2",
    "account ListRegions",
    "backup GetBackupSelection",
    "backup GetBackupVaultAccessPolicy",
    "backup ListBackupJobs",
    "backup ListBackupSelections",
    "backup ListCopyJobs",
    "backup ListProtectedResources",
    "backup ListRecoveryPointsByBackupVault",
    "backup ListRecoveryPointsByResource",
    "backup ListRestoreJobs",
    "backup ListRestoreTestingPlans",
    "efs DescribeReplicationConfigurations",
    "elasticache DescribeGlobalReplicationGroups",
    "guardduty GetFindings",
    "guardduty ListFindings",
    "iam GenerateServiceLastAccessedDetails",
    "iam GetServiceLastAccessedDetails",
    "iam ListInstanceProfileTags",
    "iam ListMFADeviceTags",
    "iam ListSAMLProviderTags",
    "iam ListServerCertificateTags",
    "inspector2 ListCoverage",
    "lambda ListFunctionUrlConfigs",
    "rds DescribeDBEngineVersions",
    "rds DescribeDBMajorEngineVersions",
    "route53domains ListTagsForDomain",
    // boto3 puts the account into the host name, which a local address cannot take.
    "s3control GetAccessPointPolicy",
    "s3control GetAccessPointPolicyStatus",
    "s3control GetPublicAccessBlock",
    "s3control ListAccessPoints",
    "securityhub GetEnabledStandards",
    "ssm DescribeInstanceInformation",
    "ssm DescribeInstancePatchStates",
    "ssm ListResourceComplianceSummaries",
    "wafv2 ListResourcesForWebACL",
];

/// Members that moto fills with the time of the request: of these only the presence is compared.
const TIMES_OF_THE_REQUEST: &[(&str, &str)] = &[
    ("DescribeDBClusters", "LatestRestorableTime"),
    ("DescribeDBInstances", "LatestRestorableTime"),
    ("DescribeFileSystems", "Timestamp"),
    ("GetTrailStatus", "LatestDeliveryAttemptTime"),
    ("GetTrailStatus", "LatestDeliveryTime"),
];

struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let main = "import sys; from moto.server import main; main(['-H', '127.0.0.1', '-p', sys.argv[1]])";
        let child = python()
            .args(["-c", main, &address.port().to_string()])
            // A certificate is issued so many seconds after it is asked for: not between boto3's call and ours.
            .env("MOTO_ACM_VALIDATION_WAIT", "86400")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self {
            child,
            url: format!("http://{address}"),
        };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "moto did not start"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        moto
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about a failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(script: &str, arguments: &[&std::ffi::OsStr]) {
    let done = python()
        .arg(crate_path(script))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test]
async fn a_filled_account_reads_like_boto3_reads_it() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    let (names, out) = (
        folder.path().join("names.json"),
        folder.path().join("cases.json"),
    );
    let (operations, models) = (crate_path("models/operations.txt"), crate_path("models"));
    run(
        "tests/fidelity/fill.py",
        &[moto.url.as_ref(), names.as_ref()],
    );
    run(
        "tests/fidelity/record.py",
        &[
            moto.url.as_ref(),
            operations.as_ref(),
            models.as_ref(),
            names.as_ref(),
            out.as_ref(),
        ],
    );
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let caller = caller(&moto.url).await;
    let mut problems = Vec::new();
    let mut answered = 0;
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let title = format!("{} {}", text("service"), text("operation"));
        let request = call(
            text("service"),
            text("operation"),
            case["params"].as_object().unwrap().clone(),
        );
        answered += usize::from(case.get("result").is_some());
        if !offered(case) {
            if !NOT_IN_MOTO.contains(&title.as_str()) {
                problems.push(format!(
                    "{title}: moto says {}; give record.py parameters or list it",
                    case["error"]
                ));
            }
        } else if let Some(problem) = compare(&caller, &request, case).await {
            problems.push(format!("{title}{problem}"));
        }
    }
    assert!(
        problems.is_empty(),
        "{} of {} operations:\n{}",
        problems.len(),
        cases.len(),
        problems.join("\n")
    );
    assert!(
        answered * 10 > cases.len() * 7,
        "only {answered} of {} operations were answered",
        cases.len()
    );
}

/// moto answers what it does not know with a bare status, or in a form that boto3 cannot read.
fn offered(case: &Value) -> bool {
    match case["error"].as_str() {
        None => true,
        Some(code) => case["status"] != 0 && code.parse::<u16>().is_err(),
    }
}

async fn compare(caller: &impl Caller, request: &Call, case: &Value) -> Option<String> {
    match (caller.call(request).await, &case["error"]) {
        (Ok(mut ours), Value::Null) => {
            let mut theirs = case["result"].clone();
            for (operation, member) in TIMES_OF_THE_REQUEST {
                if request.operation == *operation {
                    blank(&mut ours, member);
                    blank(&mut theirs, member);
                }
            }
            difference("", &ours, &theirs)
        }
        (Ok(_), code) => Some(format!(": boto3 failed with {code}, ours did not")),
        (Err(error), Value::Null) => Some(format!(": ours failed: {error}")),
        (Err(error), code) => {
            (error.code != *code).then(|| format!(": ours {}, boto3 {code}", error.code))
        }
    }
}

fn blank(value: &mut Value, member: &str) {
    match value {
        Value::Object(members) => {
            members
                .iter_mut()
                .for_each(|(name, value)| match name == member {
                    true => *value = Value::Null,
                    false => blank(value, member),
                })
        }
        Value::Array(values) => values.iter_mut().for_each(|value| blank(value, member)),
        _ => {}
    }
}
