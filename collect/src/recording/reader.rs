//! Reads recordings.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use futures::FutureExt as _;
use futures::future::{self, BoxFuture};
use futures::stream::{self, BoxStream, StreamExt as _};
use jiff::Timestamp;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::Layout;
use crate::aws::{Call, CallError, Caller, ErrorKind, partition_of_region};
use crate::inventory::errors::kind_of_name;

/// Size from which an answer is read in parts, in bytes, and elements of a list in a part.
const LONG_ANSWER: usize = 256 * 1024;
const ELEMENTS: usize = 100;

/// Name of the file that describes a recording.
pub(super) const HEADER: &str = "recording.json";

/// Why a folder can't be read as a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// There are no region folders in it.
    #[error(
        "{0} is not a recording: no folder named like a region, such as us-east-1/ec2-describe-vpcs.json, is in it"
    )]
    NoRegion(PathBuf),
    /// It does not say whose account it is.
    #[error(
        "{0}: no account id: add sts-get-caller-identity.json to its main region, or recording.json"
    )]
    NoAccount(PathBuf),
    /// Its header is no JSON of the form.
    #[error(
        "{path}: not the description of a recording: {message}; expected recorded_at and accounts"
    )]
    Header {
        /// The file.
        path: PathBuf,
        /// What the JSON parser said.
        message: String,
    },
    /// It can't be read.
    #[error("{path}: can't be read: {error}")]
    Unreadable {
        /// File or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// `recording.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Header {
    /// When the account was as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
    /// Accounts and their regions.
    #[serde(default)]
    pub accounts: Vec<HeaderAccount>,
}

/// An account of `recording.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeaderAccount {
    /// 12 digits.
    pub account_id: String,
    /// Its regions.
    pub regions: Vec<String>,
}

/// An account of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAccount {
    /// 12 digits.
    pub account_id: String,
    /// Regions it was recorded in, sorted.
    pub regions: Vec<String>,
    folder: PathBuf,
}

/// A recording, which answers calls as AWS did when it was made.
#[derive(Debug)]
pub struct Recording {
    root: PathBuf,
    recorded_at: Option<Timestamp>,
    accounts: Vec<RecordedAccount>,
    layout: Arc<Layout>,
}

impl Recording {
    /// Opens the recording in a folder.
    ///
    /// # Errors
    ///
    /// When the folder is none, or can't be read.
    pub fn open(root: &Path, layout: Arc<Layout>) -> Result<Self, RecordingError> {
        let header = header(root)?;
        let mut accounts = Vec::new();
        if regions(root)?.is_empty() {
            for name in folders(root)? {
                if is_account_id(&name) {
                    accounts.push(account(&root.join(&name), Some(name), &header)?);
                }
            }
        } else {
            let only = match header.accounts.as_slice() {
                [only] => Some(only.account_id.clone()),
                _ => None,
            };
            accounts.push(account(root, only, &header)?);
        }
        if accounts.is_empty() {
            return Err(RecordingError::NoRegion(root.to_owned()));
        }
        Ok(Self {
            root: root.to_owned(),
            recorded_at: header.recorded_at,
            accounts,
            layout,
        })
    }

    /// When the account was as recorded, if the recording says so.
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.recorded_at
    }

    /// Its accounts, sorted by id.
    pub fn accounts(&self) -> &[RecordedAccount] {
        &self.accounts
    }

    /// SHA-256 over the names and contents of all its files.
    ///
    /// # Errors
    ///
    /// When a file can't be read.
    pub fn digest(&self) -> Result<Vec<u8>, RecordingError> {
        let mut paths = Vec::new();
        let mut pending = vec![self.root.clone()];
        while let Some(folder) = pending.pop() {
            for entry in entries(&folder)? {
                let kind = entry
                    .file_type()
                    .map_err(|error| unreadable(&entry.path(), error))?;
                if kind.is_dir() {
                    pending.push(entry.path());
                } else {
                    paths.push(entry.path());
                }
            }
        }
        paths.sort();
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        for path in paths {
            let name = path
                .strip_prefix(&self.root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            digest.update(name.as_bytes());
            digest.update([0]);
            let mut file = fs::File::open(&path).map_err(|error| unreadable(&path, error))?;
            loop {
                let read = file
                    .read(&mut buffer)
                    .map_err(|error| unreadable(&path, error))?;
                if read == 0 {
                    break;
                }
                digest.update(&buffer[..read]);
            }
            digest.update([0]);
        }
        Ok(digest.finalize().to_vec())
    }

    /// The text of a call's answer, and the file it is in.
    async fn text(&self, call: &Call) -> Result<(PathBuf, Vec<u8>), CallError> {
        let account = self
            .accounts
            .iter()
            .find(|account| account.account_id == call.account_id);
        let Some(account) = account else {
            let message = format!("the recording has no account {}", call.account_id);
            return Err(CallError::new(
                ErrorKind::NotRecorded,
                "NotRecorded",
                &message,
            ));
        };
        let relative = self.layout.path(call);
        let mut with_extension = relative.clone().into_os_string();
        with_extension.push(".json");
        for candidate in [PathBuf::from(with_extension), relative.clone()] {
            let path = account.folder.join(&candidate);
            match tokio::fs::read(&path).await {
                Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => break,
                Ok(bytes) => return Ok((candidate, bytes)),
                Err(error) if is_absent(&error) => {}
                Err(error) => {
                    let message = format!("{}: {error}", candidate.display());
                    return Err(CallError::new(
                        ErrorKind::Malformed,
                        "UnreadableFile",
                        &message,
                    ));
                }
            }
        }
        let message = format!("no file {}.json in the recording", relative.display());
        Err(CallError::new(
            ErrorKind::NotRecorded,
            "NotRecorded",
            &message,
        ))
    }
}

/// A folder in the file's place is a call that was not made, too.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
}

impl Caller for Recording {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Value, CallError>> {
        let answer = async move {
            let (path, bytes) = self.text(call).await?;
            parse(call, &path, &bytes)
        };
        answer.boxed()
    }

    fn pages<'a>(&'a self, call: &'a Call) -> BoxStream<'a, Result<Value, CallError>> {
        let parts = async move {
            match self.text(call).await {
                Ok((path, bytes)) => parts(call, &path, bytes),
                Err(error) => stream::once(future::ready(Err(error))).boxed(),
            }
        };
        parts.flatten_stream().boxed()
    }
}

/// A long answer as several short ones: read as a whole it would take ten times its size on disk.
fn parts<'a>(
    call: &'a Call,
    path: &Path,
    bytes: Vec<u8>,
) -> BoxStream<'a, Result<Value, CallError>> {
    let whole = || stream::once(future::ready(parse(call, path, &bytes))).boxed();
    let Some(texts) = split(&bytes).filter(|_| bytes.len() > LONG_ANSWER) else {
        return whole();
    };
    drop(bytes);
    let path = path.to_owned();
    let parts = texts
        .into_iter()
        .map(move |text| parse(call, &path, text.as_bytes()));
    stream::iter(parts).boxed()
}

/// The texts of answers that hold the members of this one, lists cut in pieces; `None` where it is no JSON object.
fn split(bytes: &[u8]) -> Option<Vec<String>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).ok()?;
    let mut texts = Vec::new();
    for (name, value) in members {
        let name = Value::String(name).to_string();
        match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            Ok(elements) if !elements.is_empty() => {
                for piece in elements.chunks(ELEMENTS) {
                    let piece: Vec<&str> = piece.iter().map(|element| element.get()).collect();
                    texts.push(format!("{{{name}:[{}]}}", piece.join(",")));
                }
            }
            _ => texts.push(format!("{{{name}:{}}}", value.get())),
        }
    }
    Some(texts)
}

fn parse(call: &Call, path: &Path, bytes: &[u8]) -> Result<Value, CallError> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("{}: not JSON: {error}", path.display());
        CallError::new(ErrorKind::Malformed, "MalformedResponse", &message)
    })?;
    if !answer.is_object() {
        let message = format!(
            "{}: expected a JSON object, as the AWS CLI prints",
            path.display()
        );
        return Err(CallError::new(
            ErrorKind::Malformed,
            "MalformedResponse",
            &message,
        ));
    }
    let text = |name: &str| {
        answer
            .get("Error")
            .and_then(|error| error.get(name))
            .and_then(Value::as_str)
    };
    let Some(code) = text("Code") else {
        return Ok(answer);
    };
    let message = text("Message").unwrap_or_default();
    Err(match text("Kind").and_then(kind_of_name) {
        Some(kind) => CallError::new(kind, code, message),
        None => CallError::recorded(&call.service, code, message),
    })
}

static REGION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-z]{2,4}(-[a-z]+)+-[0-9]+$").ok());

fn is_region(name: &str) -> bool {
    REGION.as_ref().is_some_and(|region| region.is_match(name))
}

/// Whether the text is an account id: 12 digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unreadable(path: &Path, error: io::Error) -> RecordingError {
    RecordingError::Unreadable {
        path: path.to_owned(),
        error,
    }
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, RecordingError> {
    let reader = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    reader
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(folder, error))
}

/// Names of the folders in a folder, sorted.
fn folders(folder: &Path) -> Result<Vec<String>, RecordingError> {
    let entries = entries(folder)?.into_iter();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

fn regions(folder: &Path) -> Result<Vec<String>, RecordingError> {
    let mut names = folders(folder)?;
    names.retain(|name| is_region(name));
    Ok(names)
}

fn header(root: &Path) -> Result<Header, RecordingError> {
    let path = root.join(HEADER);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && root.is_dir() => {
            return Ok(Header::default());
        }
        Err(error) => return Err(unreadable(if root.is_dir() { &path } else { root }, error)),
    };
    let header: Header = serde_json::from_slice(&text).map_err(|error| RecordingError::Header {
        path: path.clone(),
        message: error.to_string(),
    })?;
    // Account ids become folders of the lake.
    match header
        .accounts
        .iter()
        .find(|account| !is_account_id(&account.account_id))
    {
        Some(account) => Err(RecordingError::Header {
            path,
            message: format!("account_id {:?} is not 12 digits", account.account_id),
        }),
        None => Ok(header),
    }
}

fn account(
    folder: &Path,
    account_id: Option<String>,
    header: &Header,
) -> Result<RecordedAccount, RecordingError> {
    let found = regions(folder)?;
    let account_id = match account_id {
        Some(id) => id,
        None => {
            identity(folder, &found).ok_or_else(|| RecordingError::NoAccount(folder.to_owned()))?
        }
    };
    let described = header
        .accounts
        .iter()
        .find(|account| account.account_id == account_id);
    let mut regions = described.map_or(found, |account| account.regions.clone());
    regions.sort();
    regions.dedup();
    if regions.is_empty() || !regions.iter().all(|region| is_region(region)) {
        return Err(RecordingError::NoRegion(folder.to_owned()));
    }
    Ok(RecordedAccount {
        account_id,
        regions,
        folder: folder.to_owned(),
    })
}

/// The account id that the recording's caller had.
fn identity(folder: &Path, regions: &[String]) -> Option<String> {
    let main = regions
        .first()
        .map(|region| partition_of_region(region).main_region.to_owned());
    main.iter().chain(regions).find_map(|region| {
        let text = fs::read(folder.join(region).join("sts-get-caller-identity.json")).ok()?;
        let answer: Value = serde_json::from_slice(&text).ok()?;
        answer
            .get("Account")?
            .as_str()
            .filter(|id| is_account_id(id))
            .map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_parts_of_an_answer_are_the_answer() {
        let numbers: Vec<usize> = (0..250).collect();
        let answer =
            json!({"Items": numbers, "None": [], "Nested": {"Items": [1]}, "a \"b\"": "x"});
        let texts = split(answer.to_string().as_bytes()).unwrap();
        assert_eq!(texts.len(), 3 + 3);
        let mut items = Vec::new();
        let mut others = serde_json::Map::new();
        for text in texts {
            let part: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
            for (name, value) in part {
                match (name.as_str(), value) {
                    ("Items", Value::Array(part)) => items.extend(part),
                    (_, value) => assert_eq!(others.insert(name, value), None),
                }
            }
        }
        others.insert("Items".to_owned(), items.into());
        assert_eq!(Value::Object(others), answer);
        assert_eq!(split(b"[1]"), None);
        assert_eq!(split(br#"{"Items": [1}"#), None);
    }
}
