//! Writes recordings: a caller that keeps what another one answers.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Layout;
use super::reader::{HEADER, Header, HeaderAccount};
use crate::aws::{Call, CallError, Caller, ErrorKind};
use crate::inventory::errors::kind_name;

/// Keeps every answer, failures too, as a file of a recording.
pub struct Recorder {
    inner: Arc<dyn Caller>,
    /// Folder of the account.
    folder: PathBuf,
    layout: Arc<Layout>,
    /// Held while a file is written: answers of batches are merged into what is there. Keeps the first failure.
    failure: Mutex<Option<String>>,
}

impl Recorder {
    /// Records the answers of `inner` in `folder`.
    pub fn new(inner: Arc<dyn Caller>, folder: PathBuf, layout: Arc<Layout>) -> Self {
        Self {
            inner,
            folder,
            layout,
            failure: Mutex::new(None),
        }
    }

    /// Why the recording is not complete, if it is not.
    pub fn failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, call: &Call, result: &Result<Value, CallError>) {
        let mut path = self.folder.join(self.layout.path(call)).into_os_string();
        path.push(".json");
        let path = PathBuf::from(path);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let content = match result {
            Ok(answer) if self.layout.is_batch(call) => merged(&path, answer),
            Ok(answer) => answer.clone(),
            // What a recording lacks stays lacking in a recording of it.
            Err(error) if error.kind == ErrorKind::NotRecorded => return,
            Err(error) if self.layout.is_batch(call) && path.exists() => {
                let _ = error;
                return;
            }
            Err(error) => {
                json!({"Error": {"Code": error.code, "Message": error.message, "Kind": kind_name(error.kind)}})
            }
        };
        if let Err(error) = write(&path, &content)
            && failure.is_none()
        {
            *failure = Some(format!("{}: can't be written: {error}", path.display()));
        }
    }
}

impl Caller for Recorder {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Value, CallError>> {
        async move {
            let result = self.inner.call(call).await;
            self.keep(call, &result);
            result
        }
        .boxed()
    }
}

/// The answer of one batch joined to those before it: lists are concatenated.
fn merged(path: &Path, answer: &Value) -> Value {
    let before = std::fs::read(path)
        .ok()
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let Some(Value::Object(mut members)) = before.filter(|before| before.get("Error").is_none())
    else {
        return answer.clone();
    };
    for (name, value) in answer.as_object().into_iter().flatten() {
        match (members.get_mut(name), value) {
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more.iter().cloned()),
            (Some(_), _) => {}
            (None, value) => {
                members.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Object(members)
}

/// Writes the file that describes a recording.
///
/// # Errors
///
/// When it can't be written.
pub fn write_header(
    root: &Path,
    recorded_at: Timestamp,
    accounts: Vec<(String, Vec<String>)>,
) -> io::Result<()> {
    let accounts = accounts
        .into_iter()
        .map(|(account_id, regions)| HeaderAccount {
            account_id,
            regions,
        });
    let header = Header {
        recorded_at: Some(recorded_at),
        accounts: accounts.collect(),
    };
    write(&root.join(HEADER), &serde_json::to_value(header)?)
}

/// Answers hold what AWS tells the caller, secrets included: the files are for their owner only.
fn write(path: &Path, content: &Value) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
