//! Runs over several accounts.

use fixtures::Moto;
use serde_json::Value;
use tempfile::TempDir;

use super::tool::{Ran, collect, record, rows, run};
use fixtures::gate::{Gate, Refusal};

const OWN: &str = "123456789012";
const SHUT: &str = "222222222222";
const OTHER: &str = "333333333333";

/// A queue named after the account, made in each account through the role that the run assumes too.
const QUEUES: &str = "
import boto3
def queue(account_id):
    sts = boto3.client('sts')
    role = f'arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole'
    keys = sts.assume_role(RoleArn=role, RoleSessionName='test')['Credentials']
    sqs = boto3.client('sqs', aws_access_key_id=keys['AccessKeyId'], aws_secret_access_key=keys['SecretAccessKey'],
                       aws_session_token=keys['SessionToken'])
    sqs.create_queue(QueueName=f'of-{account_id}')
";

fn inventory(moto: &Moto, lake: &TempDir, arguments: &[&str], endpoint: &str) -> Ran {
    let mut command = collect();
    command
        .args(["inventory", "--region", "eu-west-1"])
        .args(["--table", "aws_sqs_queue", "--table", "aws_iam_user"])
        .args(arguments)
        .arg("--lake")
        .arg(lake.path())
        .envs(moto.environment())
        .env("AWS_ENDPOINT_URL", endpoint);
    run(&mut command)
}

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn an_account_whose_role_cannot_be_assumed_is_named_and_the_others_go_on() {
    let moto = Moto::start_with_accounts();
    moto.python(&format!(
        "{QUEUES}\nfor a in ('{OWN}', '{OTHER}'): queue(a)\n"
    ));
    let lake = TempDir::new().unwrap();
    let endpoint = Gate::refusing(&moto, Refusal::of_roles(&[SHUT])).url();
    let asked = ["--account", OWN, "--account", SHUT, "--account", OTHER];
    let ran = inventory(&moto, &lake, &asked, &endpoint);
    assert_eq!(ran.code, 3, "{}", ran.err);

    let queues = rows(&ran, lake.path(), "aws_sqs_queue", &["account_id", "name"]);
    let queue = |account: &str| vec![owned(account), owned(&format!("of-{account}"))];
    assert_eq!(queues, [queue(OWN), queue(OTHER)]);

    let columns = ["account_id", "region", "table_name", "operation"];
    let errors = rows(&ran, lake.path(), "collect_errors", &columns);
    let denied =
        |region: &str, table: &str| [SHUT, region, table, "AssumeRole"].map(owned).to_vec();
    for (region, table) in [("global", "aws_iam_user"), ("eu-west-1", "aws_sqs_queue")] {
        assert!(errors.contains(&denied(region, table)), "{errors:?}");
    }
    assert!(
        errors.iter().all(|error| error[0].as_deref() == Some(SHUT)),
        "{errors:?}"
    );
    assert!(
        ran.err.contains("sts:AssumeRole") && ran.err.contains(SHUT),
        "{}",
        ran.err
    );

    let record = record(&ran);
    let outcomes: Vec<&Value> = record["tables"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|outcome| outcome["account_id"] == SHUT)
        .collect();
    assert!(!outcomes.is_empty());
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome["errors"].as_u64() > Some(0)),
        "{outcomes:?}"
    );
}

#[test]
fn the_accounts_of_an_organization_are_collected() {
    let moto = Moto::start_with_accounts();
    let made = moto.python(&format!(
        "{QUEUES}
orgs = boto3.client('organizations')
orgs.create_organization(FeatureSet='ALL')
for n in range(3):
    status = orgs.create_account(Email=f'm{{n}}@example.com', AccountName=f'm{{n}}')['CreateAccountStatus']
    queue(status['AccountId'])
    print(status['AccountId'])
"
    ));
    let mut members: Vec<&str> = made.split_whitespace().collect();
    members.sort_unstable();
    assert_eq!(members.len(), 3);
    let lake = TempDir::new().unwrap();
    let ran = inventory(&moto, &lake, &["--organization"], &moto.url());
    assert_eq!(ran.code, 0, "{}", ran.err);

    let mut queues = rows(&ran, lake.path(), "aws_sqs_queue", &["account_id", "name"]);
    queues.sort();
    let expected: Vec<_> = members
        .iter()
        .map(|account| vec![owned(account), owned(&format!("of-{account}"))])
        .collect();
    assert_eq!(queues, expected);
    let record = record(&ran);
    let outcomes = record["tables"].as_array().unwrap();
    let asked = |account: &str| {
        outcomes
            .iter()
            .any(|outcome| outcome["account_id"] == account)
    };
    assert!(
        asked(OWN) && members.iter().all(|member| asked(member)),
        "{outcomes:?}"
    );
}

/// The accounts of an organization of twenty: the tests' own account and those it made.
fn organization_of_twenty(moto: &Moto) -> Vec<String> {
    let made = moto.python(&format!(
        "{QUEUES}
orgs = boto3.client('organizations')
orgs.create_organization(FeatureSet='ALL')
for n in range(19):
    status = orgs.create_account(Email=f'm{{n}}@example.com', AccountName=f'm{{n}}')['CreateAccountStatus']
    queue(status['AccountId'])
    print(status['AccountId'])
queue('{OWN}')
"
    ));
    let mut accounts: Vec<String> = made.split_whitespace().map(str::to_owned).collect();
    accounts.push(OWN.to_owned());
    accounts.sort();
    assert_eq!(accounts.len(), 20);
    accounts
}

#[test]
fn of_twenty_accounts_those_without_the_role_fail_alone() {
    let moto = Moto::start_with_accounts();
    let accounts = organization_of_twenty(&moto);
    let members: Vec<&str> = accounts
        .iter()
        .map(String::as_str)
        .filter(|account| *account != OWN)
        .collect();
    let shut = [members[0], members[9], members[18]];
    let endpoint = Gate::refusing(&moto, Refusal::of_roles(&shut)).url();
    let lake = TempDir::new().unwrap();
    let ran = inventory(&moto, &lake, &["--organization"], &endpoint);
    assert_eq!(ran.code, 3, "{}", ran.err);

    let mut queues = rows(&ran, lake.path(), "aws_sqs_queue", &["account_id", "name"]);
    queues.sort();
    let open = accounts
        .iter()
        .filter(|account| !shut.contains(&account.as_str()));
    let expected: Vec<_> = open
        .map(|account| vec![owned(account), owned(&format!("of-{account}"))])
        .collect();
    assert_eq!((expected.len(), queues), (17, expected));

    let columns = ["account_id", "table_name", "operation"];
    let errors = rows(&ran, lake.path(), "collect_errors", &columns);
    let expected: Vec<_> = shut
        .iter()
        .flat_map(|account| {
            let failed = |table: &str| [*account, table, "AssumeRole"].map(owned).to_vec();
            ["aws_sqs_queue", "aws_iam_user"].map(failed)
        })
        .collect();
    assert_eq!(errors.len(), expected.len(), "{errors:?}");
    assert!(
        expected.iter().all(|error| errors.contains(error)),
        "{errors:?}"
    );
    // Every account has a file of every table, so that no reader takes a failed one for an empty one.
    let record = record(&ran);
    let files = record["files"].as_array().unwrap();
    let of_queues = files.iter().filter(|file| file["table"] == "aws_sqs_queue");
    assert_eq!(of_queues.count(), 20);
}

#[test]
fn a_region_that_some_accounts_have_not_enabled_is_left_out_there() {
    let moto = Moto::start_with_accounts();
    moto.python(&format!(
        "{QUEUES}\nfor a in ('{OWN}', '{OTHER}'): queue(a)\n"
    ));
    let lake = TempDir::new().unwrap();
    // moto has enabled Ireland in every account and Hong Kong in none.
    let both = [
        "--account",
        OWN,
        "--account",
        OTHER,
        "--region",
        "ap-east-1",
    ];
    let ran = inventory(&moto, &lake, &both, &moto.url());
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err
            .contains("error: \"ap-east-1\" is not an enabled region of any account"),
        "{}",
        ran.err
    );
}
