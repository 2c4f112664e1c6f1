//! What the stages do to a lake in S3, a statement each, so that a role can be given those of its stage only.
//!
//! Nobody may remove what was collected, nor a batch of the CloudTrail ledger: history grows, and a stage that went wrong or
//! whose credentials were stolen can't take it away.

use handoff::paths::RUNS;
use handoff::trail::{EVENTS, LEDGER};
use handoff::verification::VERIFICATION;
use serde_json::{Value, json};

use super::Location;

/// Where stages put what others read.
const FOLDERS: [&str; 7] = [
    "inventory",
    "derived",
    "findings",
    RUNS,
    EVENTS,
    LEDGER,
    VERIFICATION,
];
/// Where reports are published beside them.
const REPORTS: &str = "reports";

/// The statements of a lake.
pub(super) fn statements(lake: &Location) -> Vec<Value> {
    let below = |folders: &[&str]| -> Vec<String> {
        let objects = folders
            .iter()
            .map(|folder| lake.objects(&format!("{folder}/*")));
        objects.collect()
    };
    let allow = |sid: &str, actions: &[&str], resources: Vec<String>| json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources});
    let record = |stage: &str| lake.objects(&format!("{RUNS}/*/{stage}.json"));
    let mut collected = below(&["inventory", EVENTS, LEDGER, VERIFICATION]);
    collected.push(record("collect"));
    let mut analyzed = below(&["derived", "findings"]);
    analyzed.push(record("analyze"));
    vec![
        lake.listing("SevenwallsLakeList"),
        allow("SevenwallsLakeRead", &["s3:GetObject"], below(&FOLDERS)),
        allow("SevenwallsLakeCollect", &["s3:PutObject"], collected),
        // What a merge of a day's events replaced, and what was written by the slower of two collectors.
        allow(
            "SevenwallsLakeCompact",
            &["s3:DeleteObject"],
            below(&[EVENTS]),
        ),
        allow("SevenwallsLakeAnalyze", &["s3:PutObject"], analyzed),
        // A run that is analyzed again is not analyzed until its files are whole.
        allow(
            "SevenwallsLakeAnalyzeAgain",
            &["s3:DeleteObject"],
            vec![record("analyze")],
        ),
        // A report that is written again takes away the parts that it has no more.
        allow(
            "SevenwallsLakeReport",
            &["s3:DeleteObject", "s3:PutObject"],
            below(&[REPORTS]),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lake_may_be_written_where_it_lies_and_what_was_collected_not_be_removed() {
        let lake: Location = "s3://lake-1/team/a".parse().unwrap();
        let statements = statements(&lake);
        assert_eq!(
            statements[0]["Condition"]["StringLike"]["s3:prefix"],
            "team/a/*"
        );
        let mut removable = Vec::new();
        for statement in &statements[1..] {
            for resource in statement["Resource"].as_array().unwrap() {
                let resource = resource.as_str().unwrap();
                assert!(
                    resource.starts_with("arn:aws:s3:::lake-1/team/a/"),
                    "{resource}"
                );
                if statement["Action"].to_string().contains("Delete") {
                    removable.push(resource.trim_start_matches("arn:aws:s3:::lake-1/team/a/"));
                }
            }
        }
        assert_eq!(
            removable,
            ["cloudtrail/*", "runs/*/analyze.json", "reports/*"]
        );
    }
}
