//! What is written: safe names, IAM's limits, the same every time.

use serde_json::{Value, json};

use super::{ACCOUNT, Account, allow, operators};
use crate::access::propose::{document, files, readme};

#[test]
fn hostile_names_reach_no_path_and_no_markup() {
    let name = "../../x|`<script>$(id)'${aws:username}";
    let account = Account::new()
        .user(
            name,
            &[],
            Some(allow(json!(["sns:*", "rds:*"]), json!("*"))),
        )
        .event(&format!("user/{name}"), "sns", "ListTopics", json!({}))
        .event(
            &format!("user/{name}"),
            "rds",
            "DeleteDBInstance",
            json!({ "dBInstanceIdentifier": "*${aws:username}\u{202e}" }),
        );
    let proposal = account.proposal();
    let files = files::files(
        &proposal.scene,
        &proposal.plan,
        &proposal.foreign,
        &proposal.guardrails,
    );
    for (path, text) in &files {
        assert!(
            path.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-./".contains(c))
                && !path.contains(".."),
            "{path}"
        );
        if path.ends_with(".json") {
            let document: Value = serde_json::from_str(text).unwrap();
            assert!(document.is_object());
        }
    }
    let terraform = &files["111122223333/main.tf.json"];
    assert!(
        terraform.contains("$${aws:username}") && !terraform.replace("$${", "").contains("${aws:"),
        "{terraform}"
    );
    assert!(
        files["111122223333/detach.sh"]
            .contains(r"--user-name='../../x|`<script>$(id)'\''${aws:username}'")
    );
    let readme = readme::text(&proposal, "run");
    assert!(
        !readme.contains("<script>")
            && !readme.contains("x|")
            && readme.contains(r"x\|\`\<script\>")
    );
    let special = &proposal.plan.specials[&(ACCOUNT.to_owned(), "danger-destroy-rds".to_owned())];
    let named = special.documents[0].to_string();
    assert!(
        !named.contains("${") && named.contains(":db:*"),
        "the name of the database is no pattern: {named}"
    );
}

#[test]
fn documents_keep_to_the_limits_of_iam() {
    let everything = Account::new()
        .user("root2", &[], Some(allow(json!("*"), json!("*"))))
        .event("user/root2", "sns", "ListTopics", json!({}));
    let mut broad = everything;
    for service in [
        "s3",
        "ec2",
        "dynamodb",
        "glue",
        "bedrock",
        "sagemaker",
        "quicksight",
        "cloudwatch",
        "chime",
        "iot",
    ] {
        broad = broad.resource(
            &format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:thing/x"),
            "x:thing",
            json!({}),
        );
    }
    let proposal = broad.proposal();
    let documents = &proposal.plan.outcomes[proposal.index("user/root2")].documents;
    assert!((2..=10).contains(&documents.len()), "{}", documents.len());
    assert!(
        documents
            .iter()
            .all(|document| document::size(document) <= document::MANAGED)
    );
}

#[test]
fn the_same_run_makes_the_same_files() {
    let text = || {
        let proposal = operators().proposal();
        let files = files::files(
            &proposal.scene,
            &proposal.plan,
            &proposal.foreign,
            &proposal.guardrails,
        );
        (
            files,
            readme::text(&proposal, "run"),
            proposal.proof.json().to_string(),
            proposal.proof.lines(),
        )
    };
    assert_eq!(text(), text());
}
