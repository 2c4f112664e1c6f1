//! When IAM saw a principal use each service: a job that has to be waited for.

use std::time::Duration;

use serde_json::Value;

use crate::aws::{CallError, ErrorKind};

/// How often a job is looked at, and how long between; AWS takes seconds.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 3 });

/// The answer of `GetServiceLastAccessedDetails` once the job is done. `ask` makes the call; a recording, which is not
/// `live`, says the same however often it is asked.
pub(super) async fn finished<F>(mut ask: impl FnMut() -> F, live: bool) -> Result<Value, CallError>
where
    F: Future<Output = Result<Value, CallError>>,
{
    for _ in 0..ATTEMPTS {
        let answer = ask().await?;
        match answer.get("JobStatus").and_then(Value::as_str) {
            Some("COMPLETED") => return Ok(answer),
            Some("IN_PROGRESS") if live => tokio::time::sleep(PAUSE).await,
            Some("IN_PROGRESS") => break,
            Some("FAILED") => return Err(failed(&answer)),
            _ => {
                return Err(CallError::new(
                    ErrorKind::Malformed,
                    "MalformedResponse",
                    "no JobStatus",
                ));
            }
        }
    }
    Err(CallError::new(
        ErrorKind::Timeout,
        "JobInProgress",
        "the job was not finished in time",
    ))
}

/// Why AWS gave up.
fn failed(answer: &Value) -> CallError {
    let text = |name: &str| {
        answer
            .get("Error")
            .and_then(|error| error.get(name))
            .and_then(Value::as_str)
    };
    CallError::recorded(
        "iam",
        text("Code").unwrap_or("JobFailed"),
        text("Message").unwrap_or("the job failed"),
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;

    /// Answers one after the other, the last one again and again; and how often it was asked.
    async fn asked(answers: &[Value], live: bool) -> (Result<Value, CallError>, usize) {
        let count = Cell::new(0);
        let ask = || {
            let answer = answers[count.get().min(answers.len() - 1)].clone();
            count.set(count.get() + 1);
            async move { Ok(answer) }
        };
        let answer = finished(ask, live).await;
        (answer, count.get())
    }

    #[tokio::test]
    async fn a_job_is_waited_for() {
        let busy = json!({"JobStatus": "IN_PROGRESS"});
        let done = json!({"JobStatus": "COMPLETED", "ServicesLastAccessed": []});
        let answers = [busy.clone(), busy.clone(), done.clone()];
        assert_eq!(asked(&answers, true).await, (Ok(done), 3));
        let (answer, count) = asked(std::slice::from_ref(&busy), true).await;
        assert_eq!(answer.unwrap_err().code, "JobInProgress");
        assert_eq!(count, ATTEMPTS);
        // A recording won't change its mind.
        let (answer, count) = asked(&[busy], false).await;
        assert_eq!((answer.unwrap_err().kind, count), (ErrorKind::Timeout, 1));
    }

    #[tokio::test]
    async fn a_job_that_fails_says_why() {
        let failed =
            json!({"JobStatus": "FAILED", "Error": {"Code": "NoSuchEntity", "Message": "gone"}});
        let error = asked(&[failed], true).await.0.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("NoSuchEntity", "gone")
        );
        assert_eq!(
            asked(&[json!({"JobStatus": "FAILED"})], true)
                .await
                .0
                .unwrap_err()
                .code,
            "JobFailed"
        );
        for malformed in [
            json!({}),
            json!({"JobStatus": 1}),
            json!({"JobStatus": "ODD"}),
        ] {
            let error = asked(&[malformed], true).await.0.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Malformed);
        }
    }
}
