//! What principals used, by the trail or by what IAM keeps.

use serde_json::{Value, json};

use crate::lake::{ACCOUNT, FIRST, Lake};

const ADMIN: &str = "arn:aws:iam::111122223333:role/admin";

/// An account whose IAM saw `admin` stop machines and read a bucket.
fn lake() -> Lake {
    let lake = Lake::new();
    let used = |service: &str, at: Value, actions: Value| json!({"principal_arn": ADMIN, "service_namespace": service, "last_accessed_at": at, "actions": actions});
    let actions = json!([
        {"ActionName": "RunInstances"},
        {"ActionName": "StopInstances", "LastAccessedTime": "2026-11-10T10:00:00+02:00", "LastAccessedRegion": "eu-west-1"},
        {"ActionName": "'; drop table usage; --", "LastAccessedTime": "soon"},
    ]);
    let services = vec![
        used("ec2", json!("2026-11-10 08:00:00"), actions.clone()),
        used("rds", Value::Null, actions),
        used("s3", json!("2026-11-12 09:00:00"), Value::Null),
    ];
    let role = json!({"arn": ADMIN, "role_name": "admin", "last_used_at": "2026-11-12 09:00:00"});
    let tables = [
        ("aws_iam_role", vec![role]),
        ("aws_iam_service_last_accessed", services),
    ];
    lake.collected(FIRST, &tables, &[]);
    lake
}

fn usage(lake: &Lake) -> String {
    let sql = "select source, service, action, mapping, calls, last_used from usage order by all";
    let output = lake.analyze(&["query", sql, "--run", &lake.run(FIRST), "--format", "csv"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    output.stdout
}

#[test]
fn without_a_trail_it_is_what_iam_keeps() {
    assert_eq!(
        usage(&lake()),
        "source,service,action,mapping,calls,last_used\n\
         role_last_used,,,unmapped,,2026-11-12 09:00:00\n\
         service_last_accessed,ec2,ec2:'; drop table usage; --,mapped,,\n\
         service_last_accessed,ec2,ec2:StopInstances,mapped,,2026-11-10 08:00:00\n\
         service_last_accessed,ec2,,unmapped,,2026-11-10 08:00:00\n\
         service_last_accessed,s3,,unmapped,,2026-11-12 09:00:00\n"
    );
}

#[test]
fn with_a_trail_it_is_what_the_events_say() {
    let lake = lake();
    let event = json!({
        "event_id": "e1", "event_time": "2026-11-11T08:00:00Z", "event_source": "ec2.amazonaws.com", "event_name": "StartInstances",
        "aws_region": "eu-west-1", "recipient_account_id": ACCOUNT, "principal": ADMIN, "identity_arn": ADMIN,
    });
    lake.events("2026-11-11", &[event]);
    let found = usage(&lake);
    assert!(
        found.contains("cloudtrail,ec2,ec2:StartInstances,mapped,1,2026-11-11 08:00:00"),
        "{found}"
    );
    assert!(
        !found.contains("last_accessed") && !found.contains("last_used,,"),
        "{found}"
    );
}
