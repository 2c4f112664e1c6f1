//! Accepted tags as the AWS CLI's commands, in a shell script.
//!
//! Tags are given as JSON, which starts with `{` or `[`: the CLI neither splits it at commas nor takes it for the name
//! of a file. Every word that is not plainly safe is quoted for the shell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::review::{Accepted, ReviewError};

/// Resources in one call of the tagging API.
const RESOURCES: usize = 20;

/// A command of one account: its words, and the ARNs that stand on lines of their own.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    account: String,
    words: Vec<String>,
    arns: Vec<String>,
}

/// The commands that set the tags, by account, region and tags.
pub(super) fn calls(accepted: &[Accepted]) -> Result<Vec<Call>, ReviewError> {
    let mut resources: BTreeMap<&str, (&Accepted, BTreeMap<&str, &str>)> = BTreeMap::new();
    for tag in accepted {
        let (_, tags) = resources
            .entry(&tag.arn)
            .or_insert_with(|| (tag, BTreeMap::new()));
        tags.insert(&tag.key, &tag.value);
    }
    let mut calls = Vec::new();
    let mut together: BTreeMap<(&str, String, String), Vec<String>> = BTreeMap::new();
    for (arn, (tag, tags)) in &resources {
        if let Some(words) = own_command(arn, tag, tags)? {
            calls.push(Call {
                account: tag.account.clone(),
                words,
                arns: Vec::new(),
            });
        } else {
            let region = region_to_call(arn, tag)?;
            let place = (tag.account.as_str(), region, json!(tags).to_string());
            together
                .entry(place)
                .or_default()
                .push(with_account(arn, &tag.account));
        }
    }
    for ((account, region, tags), arns) in together {
        for arns in arns.chunks(RESOURCES) {
            let words = [
                "resourcegroupstaggingapi",
                "tag-resources",
                "--region",
                &region,
                "--tags",
                &tags,
                "--query",
                "FailedResourcesMap",
                "--output",
                "json",
                "--resource-arn-list",
            ];
            calls.push(Call {
                account: account.to_owned(),
                words: words.map(str::to_owned).to_vec(),
                arns: arns.to_vec(),
            });
        }
    }
    calls.sort();
    Ok(calls)
}

/// The command of a service that the tagging API does not tag (Organizations, domains), tags only in part (IAM), or for
/// whose tags it has no words: those of an Auto Scaling group say whether its instances get them, and here they do.
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html>
fn own_command(
    arn: &str,
    tag: &Accepted,
    tags: &BTreeMap<&str, &str>,
) -> Result<Option<Vec<String>>, ReviewError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (service, resource) = (
        parts.get(2).copied().unwrap_or_default(),
        parts.get(5).copied().unwrap_or_default(),
    );
    let kind = resource.split('/').next().unwrap_or_default();
    let last = resource.rsplit('/').next().unwrap_or_default();
    let words = match service {
        "iam" => {
            let (command, option, name) = match kind {
                "role" => ("tag-role", "--role-name", last),
                "user" => ("tag-user", "--user-name", last),
                "policy" => ("tag-policy", "--policy-arn", arn),
                "instance-profile" => ("tag-instance-profile", "--instance-profile-name", last),
                "server-certificate" => {
                    ("tag-server-certificate", "--server-certificate-name", last)
                }
                "oidc-provider" => (
                    "tag-open-id-connect-provider",
                    "--open-id-connect-provider-arn",
                    arn,
                ),
                "saml-provider" => ("tag-saml-provider", "--saml-provider-arn", arn),
                "mfa" => ("tag-mfa-device", "--serial-number", arn),
                _ => {
                    return Err(ReviewError::Row {
                        row: tag.row,
                        message: format!("arn: IAM tags no {kind:?}"),
                    });
                }
            };
            // Joined, since a name may begin with a hyphen.
            vec![
                "iam".to_owned(),
                command.to_owned(),
                format!("{option}={name}"),
                "--tags".to_owned(),
                pairs(tags).to_string(),
            ]
        }
        "autoscaling" => {
            let name = resource
                .split_once(":autoScalingGroupName/")
                .map_or(last, |(_, name)| name);
            let list: Vec<Value> = tags
                .iter()
                .map(|(key, value)| {
                    json!({"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": key, "Value": value, "PropagateAtLaunch": true})
                })
                .collect();
            [
                "autoscaling",
                "create-or-update-tags",
                "--region",
                &tag.region,
                "--tags",
                &json!(list).to_string(),
            ]
            .map(str::to_owned)
            .to_vec()
        }
        "organizations" => [
            "organizations",
            "tag-resource",
            "--region",
            main_region(arn),
            "--resource-id",
            last,
            "--tags",
            &pairs(tags).to_string(),
        ]
        .map(str::to_owned)
        .to_vec(),
        "route53domains" => [
            "route53domains",
            "update-tags-for-domain",
            "--region",
            main_region(arn),
            &format!("--domain-name={last}"),
            "--tags-to-update",
            &pairs(tags).to_string(),
        ]
        .map(str::to_owned)
        .to_vec(),
        _ => return Ok(None),
    };
    Ok(Some(words))
}

fn pairs(tags: &BTreeMap<&str, &str>) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

/// The region in which a partition's global services are called.
fn main_region(arn: &str) -> &'static str {
    match arn.split(':').nth(1) {
        Some("aws-cn") => "cn-northwest-1",
        Some("aws-us-gov") => "us-gov-west-1",
        _ => "us-east-1",
    }
}

fn region_to_call(arn: &str, tag: &Accepted) -> Result<String, ReviewError> {
    if tag.region != "global" {
        return Ok(tag.region.clone());
    }
    match arn.split(':').nth(2) {
        Some("s3") => Err(ReviewError::Row {
            row: tag.row,
            message: "scope: the bucket's region is not known: write it instead of global"
                .to_owned(),
        }),
        Some("globalaccelerator") => Ok("us-west-2".to_owned()),
        _ => Ok(main_region(arn).to_owned()),
    }
}

/// ARNs of snapshots and images name no account; the tagging API wants one.
fn with_account(arn: &str, account: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        [prefix, partition, "ec2", region, "", resource] => {
            format!("{prefix}:{partition}:ec2:{region}:{account}:{resource}")
        }
        _ => arn.to_owned(),
    }
}

/// The script: one for all accounts, of which each run does one.
pub(super) fn text(calls: &[Call]) -> String {
    let accounts: BTreeSet<&str> = calls.iter().map(|call| call.account.as_str()).collect();
    let mut script = String::from(HEAD);
    for account in &accounts {
        // Writing to a String can't fail.
        let _ = writeln!(script, "{account})");
        for call in calls.iter().filter(|call| call.account == *account) {
            let words: Vec<String> = call.words.iter().map(|text| word(text)).collect();
            let _ = write!(script, "run aws {}", words.join(" "));
            for arn in &call.arns {
                let _ = write!(script, " \\\n  {}", word(arn));
            }
            script.push('\n');
        }
        script.push_str(";;\n");
    }
    let names: Vec<&str> = accounts.into_iter().collect();
    let _ = write!(
        script,
        "*)\necho \"nothing to tag in account $account: these tags are of {}\" >&2\nexit 1\n;;\nesac\nexit \"$failed\"\n",
        if names.is_empty() {
            "no account".to_owned()
        } else {
            names.join(", ")
        }
    );
    script
}

const HEAD: &str = "#!/bin/sh
# Sets the accepted tags in the account of the AWS credentials in force; run it once for each account that it names.
# Nothing is removed, and running it again changes nothing.
failed=0
# The tagging API succeeds even where a resource could not be tagged: it answers with those.
run() {
  answer=$(\"$@\") || failed=1
  case $answer in
  '' | null | '{}') ;;
  *)
    printf '%s\\n' \"$answer\" >&2
    failed=1
    ;;
  esac
}
account=$(aws sts get-caller-identity --query Account --output text) || exit 1
case $account in
";

/// A word of a shell command.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@=+,-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(arn: &str, region: &str, key: &str, value: &str) -> Accepted {
        Accepted {
            row: 2,
            arn: arn.to_owned(),
            account: "111122223333".to_owned(),
            region: region.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    fn lines(accepted: &[Accepted]) -> Vec<String> {
        let script = text(&calls(accepted).unwrap());
        script
            .replace(" \\\n ", "")
            .lines()
            .filter_map(|line| line.strip_prefix("run aws ").map(str::to_owned))
            .collect()
    }

    #[test]
    fn resources_of_a_region_with_the_same_tags_are_tagged_together() {
        let queue = |n: usize| format!("arn:aws:sqs:eu-west-1:111122223333:q{n:02}");
        let mut accepted: Vec<Accepted> = (0..42)
            .map(|n| tag(&queue(n), "eu-west-1", "Owner", "a"))
            .collect();
        accepted.push(tag(&queue(0), "eu-west-1", "System", "s"));
        accepted.push(tag(
            "arn:aws:sqs:us-east-1:111122223333:q",
            "us-east-1",
            "Owner",
            "a",
        ));
        let lines = lines(&accepted);
        let arns: Vec<usize> = lines
            .iter()
            .map(|line| line.matches("arn:").count())
            .collect();
        assert_eq!(arns, [1, 20, 20, 1, 1], "{lines:?}");
        assert_eq!(
            lines[0],
            r#"resourcegroupstaggingapi tag-resources --region eu-west-1 --tags '{"Owner":"a","System":"s"}' --query FailedResourcesMap --output json --resource-arn-list arn:aws:sqs:eu-west-1:111122223333:q00"#
        );
    }

    #[test]
    fn services_with_commands_of_their_own_get_them() {
        let one = |arn: &str, region: &str| lines(&[tag(arn, region, "Owner", "a")]).remove(0);
        let pair = r#"--tags '[{"Key":"Owner","Value":"a"}]'"#;
        for (arn, region, expected) in [
            ("arn:aws:iam::111122223333:role/path/r", "global", format!("iam tag-role --role-name=r {pair}")),
            ("arn:aws:iam::111122223333:user/-u", "global", format!("iam tag-user --user-name=-u {pair}")),
            ("arn:aws:iam::111122223333:policy/p", "global", format!("iam tag-policy --policy-arn=arn:aws:iam::111122223333:policy/p {pair}")),
            ("arn:aws:iam::111122223333:instance-profile/i", "global", format!("iam tag-instance-profile --instance-profile-name=i {pair}")),
            ("arn:aws:iam::111122223333:server-certificate/s", "global", format!("iam tag-server-certificate --server-certificate-name=s {pair}")),
            ("arn:aws:iam::111122223333:oidc-provider/o/x", "global", format!("iam tag-open-id-connect-provider --open-id-connect-provider-arn=arn:aws:iam::111122223333:oidc-provider/o/x {pair}")),
            ("arn:aws:iam::111122223333:mfa/m", "global", format!("iam tag-mfa-device --serial-number=arn:aws:iam::111122223333:mfa/m {pair}")),
            ("arn:aws:organizations::111122223333:account/o-1/444455556666", "global", format!("organizations tag-resource --region us-east-1 --resource-id 444455556666 {pair}")),
            ("arn:aws:route53domains:::domain/example.com", "global", r#"route53domains update-tags-for-domain --region us-east-1 --domain-name=example.com --tags-to-update '[{"Key":"Owner","Value":"a"}]'"#.to_owned()),
            ("arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:u:autoScalingGroupName/a/b c", "eu-west-1", r#"autoscaling create-or-update-tags --region eu-west-1 --tags '[{"ResourceId":"a/b c","ResourceType":"auto-scaling-group","Key":"Owner","Value":"a","PropagateAtLaunch":true}]'"#.to_owned()),
        ] {
            let found = one(arn, region);
            // Members of JSON objects come in the order of their names.
            let same = |text: &str| {
                let mut chars: Vec<char> = text.chars().collect();
                chars.sort_unstable();
                chars
            };
            assert_eq!(same(&found), same(&expected), "{found}");
            assert_eq!(found.split(" '").next(), expected.split(" '").next());
        }
    }

    #[test]
    fn each_call_goes_to_the_right_region() {
        let region = |arn: &str, region: &str| {
            let line = lines(&[tag(arn, region, "Owner", "a")]).remove(0);
            line.split(' ').nth(3).unwrap().to_owned()
        };
        assert_eq!(
            region("arn:aws:cloudfront::111122223333:distribution/E1", "global"),
            "us-east-1"
        );
        assert_eq!(
            region("arn:aws-cn:route53:::hostedzone/Z1", "global"),
            "cn-northwest-1"
        );
        assert_eq!(region("arn:aws:s3:::b", "eu-west-1"), "eu-west-1");
        let error = calls(&[tag("arn:aws:s3:::b", "global", "Owner", "a")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "row 2: scope: the bucket's region is not known: write it instead of global"
        );
        let line = lines(&[tag(
            "arn:aws:ec2:eu-west-1::snapshot/snap-1",
            "eu-west-1",
            "Owner",
            "a",
        )])
        .remove(0);
        assert!(line.ends_with("arn:aws:ec2:eu-west-1:111122223333:snapshot/snap-1"));
    }

    #[test]
    fn each_account_has_its_part_of_the_script() {
        let own = tag("arn:aws:s3:::a", "eu-west-1", "Owner", "a");
        let mut other = tag("arn:aws:s3:::b", "eu-west-1", "Owner", "a");
        other.account = "444455556666".to_owned();
        let script = text(&calls(&[other, own]).unwrap());
        let part = |account: &str| {
            let (_, rest) = script.split_once(&format!("\n{account})\n")).unwrap();
            rest.split_once(";;\n").unwrap().0.to_owned()
        };
        assert!(part("111122223333").contains("arn:aws:s3:::a"));
        assert!(!part("111122223333").contains("arn:aws:s3:::b"));
        assert!(part("444455556666").contains("arn:aws:s3:::b"));
        assert!(script.contains("these tags are of 111122223333, 444455556666"));
        assert!(text(&[]).contains("these tags are of no account"));
    }

    #[test]
    fn hostile_values_are_words() {
        assert_eq!(word("a-b/c:d=1"), "a-b/c:d=1");
        assert_eq!(word("$(reboot) `x` \"y\""), "'$(reboot) `x` \"y\"'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(""), "''");
    }
}
