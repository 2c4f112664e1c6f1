//! The credential report of IAM: a CSV file that has to be ordered before it can be fetched.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::engine::Account;
use crate::aws::{Call, CallError, ErrorKind};

/// How often the report is asked for, and how long between; AWS makes it within seconds, for large accounts minutes.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_secs(3);

/// The answer of `GetCredentialReport` with the report's lines as `Report`, one object per user.
pub(super) async fn credential_report(account: &Account, call: &Call) -> Result<Value, CallError> {
    let ordered = if account.live {
        order(account, call).await
    } else {
        Ok(())
    };
    match (account.caller.call(call).await, ordered) {
        (Ok(answer), _) => decode(&answer),
        // A report that is not there is the consequence, not the cause.
        (Err(error), Err(cause)) if error.code.contains("Report") => Err(cause),
        (Err(error), _) => Err(error),
    }
}

/// Has AWS make a report unless there is one of the last four hours.
async fn order(account: &Account, call: &Call) -> Result<(), CallError> {
    let order = Call {
        operation: "GenerateCredentialReport".to_owned(),
        params: Map::new(),
        ..call.clone()
    };
    for _ in 0..ATTEMPTS {
        let answer = account.caller.call(&order).await?;
        if answer.get("State").and_then(Value::as_str) == Some("COMPLETE") {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(CallError::new(
        ErrorKind::Timeout,
        "ReportInProgress",
        "the credential report was not finished in time",
    ))
}

fn decode(answer: &Value) -> Result<Value, CallError> {
    let malformed = |reason: &str| {
        let message = format!("the credential report can't be read: {reason}");
        CallError::new(ErrorKind::Malformed, "MalformedResponse", &message)
    };
    // Recordings made by hand may hold the decoded lines.
    if answer.get("Report").is_some_and(Value::is_array) {
        return Ok(answer.clone());
    }
    let content = answer
        .get("Content")
        .and_then(Value::as_str)
        .ok_or_else(|| malformed("no Content"))?;
    let bytes: Vec<u8> = content
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    // Some versions of the AWS CLI print the CSV itself.
    let csv = if content.starts_with("user,") {
        content.as_bytes().to_vec()
    } else {
        STANDARD
            .decode(bytes)
            .map_err(|error| malformed(&error.to_string()))?
    };
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let names = reader
        .headers()
        .map_err(|error| malformed(&error.to_string()))?
        .clone();
    if !names.iter().any(|name| name == "user") {
        return Err(malformed("its first line does not name a column user"));
    }
    let mut lines = Vec::new();
    for line in reader.records() {
        let line = line.map_err(|error| malformed(&error.to_string()))?;
        let members = names
            .iter()
            .zip(&line)
            .map(|(name, value)| (name.to_owned(), json!(value)));
        lines.push(Value::Object(members.collect()));
    }
    Ok(json!({"Report": lines, "GeneratedTime": answer.get("GeneratedTime")}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_objects() {
        let content = STANDARD.encode("user,arn,password_enabled\n<root_account>,arn:aws:iam::1:root,not_supported\nann,arn:aws:iam::1:user/ann,true\n");
        let answer = decode(&json!({"Content": content})).unwrap();
        assert_eq!(answer["Report"][1]["user"], "ann");
        assert_eq!(answer["Report"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        for bad in [
            json!({}),
            json!({"Content": "%%%"}),
            json!({"Content": STANDARD.encode("a,b\n1\n")}),
            json!({"Content": STANDARD.encode("user,b\n1\n")}),
        ] {
            assert_eq!(
                decode(&bad).unwrap_err().kind,
                ErrorKind::Malformed,
                "{bad}"
            );
        }
    }
}
