//! Whether our caller and boto3 agree: on requests, on answers, and on what happens when AWS misbehaves.
//!
//! Python with boto3 and moto is taken from `SEVENWALLS_PYTHON`, else from `~/.cache/sevenwalls/venv`.

mod faults;
mod moto;
mod refusals;
mod server;
mod synthetic;

use std::path::PathBuf;
use std::process::Command;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use collect::aws::{Call, CallError, Caller as _, LiveCaller};
use serde_json::{Map, Value};
use std::time::Duration;

use server::Server;

const ACCOUNT: &str = "123456789012";

fn python() -> Command {
    let venv = || {
        let home = std::env::var_os("HOME").expect("HOME is set");
        PathBuf::from(home).join(".cache/sevenwalls/venv/bin/python")
    };
    let python = std::env::var_os("SEVENWALLS_PYTHON").map_or_else(venv, PathBuf::from);
    assert!(
        python.exists(),
        "{}: no such file; set SEVENWALLS_PYTHON to a Python with boto3 and moto",
        python.display()
    );
    let mut command = Command::new(python);
    // What the user has configured must not reach boto3.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("AWS_CONFIG_FILE", "/dev/null");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("TZ", "UTC");
    command
}

fn crate_path(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A configuration for a local endpoint with short timeouts and back-offs.
fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(60))
        .build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(4)
                .with_initial_backoff(Duration::from_millis(5)),
        )
        .timeout_config(timeouts)
        .build()
}

async fn caller(endpoint: &str) -> LiveCaller {
    LiveCaller::new(&config(endpoint), ACCOUNT)
        .await
        .expect("credentials are set")
}

fn call(service: &str, operation: &str, params: Map<String, Value>) -> Call {
    Call {
        account_id: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        params,
    }
}

/// What a server answers to one call, through the caller.
async fn ask(
    server: &Server,
    service: &str,
    operation: &str,
    params: Value,
) -> Result<Value, CallError> {
    let params = params.as_object().cloned().unwrap_or_default();
    caller(&server.url)
        .await
        .call(&call(service, operation, params))
        .await
}

/// The first place where two values differ, for a message that can be read.
fn difference(path: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys = theirs
                .keys()
                .chain(ours.keys().filter(|key| !theirs.contains_key(*key)));
            keys.map(|key| (key, ours.get(key), theirs.get(key)))
                .find_map(|(key, ours, theirs)| match (ours, theirs) {
                    (Some(ours), Some(theirs)) => {
                        difference(&format!("{path}.{key}"), ours, theirs)
                    }
                    (ours, theirs) => {
                        Some(format!("{path}.{key}: ours {ours:?}, boto3 {theirs:?}"))
                    }
                })
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.into_iter().find_map(|(index, (ours, theirs))| {
                difference(&format!("{path}[{index}]"), ours, theirs)
            })
        }
        _ => (ours != theirs).then(|| format!("{path}: ours {ours}, boto3 {theirs}")),
    }
}
