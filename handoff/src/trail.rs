//! The CloudTrail part of a lake: its tables, where their files lie, and which of them count.
//!
//! ```text
//! cloudtrail/event_date=<date>/<batch>-<part>.parquet        events, sorted by time
//! cloudtrail/event_date=<date>/compact-<hash>-<part>.parquet events of a closed day, merged
//! cloudtrail/event_date=<date>/index-<number>.json           which files of the day a merge made and replaced
//! cloudtrail_ledger/object_date=<date>/<number>.json         a batch: the objects somebody has taken to read
//! cloudtrail_ledger/object_date=<date>/<number>-<batch>.parquet   what became of them: the batch's commit
//! ```
//!
//! Readers MUST take a day's files from [`event_files`] or follow its rule: with no index all `.parquet` files of the
//! day count; with one, the index with the highest number says that its `files` count, that those in `replaced` don't
//! and neither do other `compact-` files, and that every file it does not mention does. Events can occur more than
//! once (delivered by two trails, delivered again, object overwritten): readers SHOULD take one row per `event_id`.
//!
//! Files of a batch that has no commit yet hold true events and are overwritten with the same events when the batch
//! is resumed, so reading them early does no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::contract::ColumnType::{Bool, Int, Json, String as Text, Timestamp};
use crate::contract::TableSchema;
use crate::run::is_newer;
use crate::storage::{Listed, Storage, StorageError};

/// Folder of the events.
pub const EVENTS: &str = "cloudtrail";
/// Folder of the ledger.
pub const LEDGER: &str = "cloudtrail_ledger";
/// How the names of merged files begin.
pub const COMPACT: &str = "compact-";
const INDEX: &str = "index-";

/// Folder of a day's events.
pub fn day_folder(event_date: &str) -> String {
    format!("{EVENTS}/event_date={event_date}")
}

/// Key of the index of a day with this number; numbers start at 1.
pub fn index_key(event_date: &str, number: u32) -> String {
    format!("{}/{INDEX}{number:06}.json", day_folder(event_date))
}

/// What a merge of a day's files made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayIndex {
    /// Version of the contract.
    pub contract: String,
    /// Names of the merged files.
    pub files: Vec<String>,
    /// Names of the files whose events they hold; those are removed afterwards.
    pub replaced: Vec<String>,
}

/// A day's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Files that count, by name.
    pub files: Vec<Listed>,
    /// Files that don't: replaced, or left by a merge that was interrupted.
    pub stale: Vec<Listed>,
    /// Number of the index in force, 0 without one.
    pub index_number: u32,
    /// The index in force.
    pub index: Option<DayIndex>,
}

/// The days of the lake that have events, by date (`YYYY-MM-DD`), within `since` and `until`, both included.
///
/// # Errors
/// When the storage fails, or an index can't be read.
pub fn days(
    lake: &Storage,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<BTreeMap<String, Day>, StorageError> {
    let mut by_date: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    for listed in lake.list(EVENTS)? {
        let Some(date) = date_of(&listed.key) else {
            continue;
        };
        if since.is_none_or(|since| date >= since) && until.is_none_or(|until| date <= until) {
            by_date.entry(date.to_owned()).or_default().push(listed);
        }
    }
    by_date
        .into_iter()
        .map(|(date, listed)| Ok((date, day(lake, listed)?)))
        .collect()
}

/// The files of events that count, within `since` and `until` (`YYYY-MM-DD`), both included.
///
/// # Errors
/// When the storage fails, or an index can't be read.
pub fn event_files(
    lake: &Storage,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<Vec<Listed>, StorageError> {
    let days = days(lake, since, until)?;
    Ok(days.into_values().flat_map(|day| day.files).collect())
}

/// The ledger's files.
///
/// # Errors
/// When the storage fails.
pub fn ledger_files(lake: &Storage) -> Result<Vec<Listed>, StorageError> {
    let mut listed = lake.list(LEDGER)?;
    listed.retain(|listed| is_parquet(&listed.key));
    Ok(listed)
}

/// Paths on this machine of listed files, in their order: the files themselves, or cached copies of S3 objects.
///
/// # Errors
/// When the storage fails.
pub fn local_paths(lake: &Storage, files: &[Listed]) -> Result<Vec<PathBuf>, StorageError> {
    lake.local_copies(files)
}

fn day(lake: &Storage, listed: Vec<Listed>) -> Result<Day, StorageError> {
    let number = listed
        .iter()
        .filter_map(|file| index_number(&file.key))
        .max();
    let mut day = Day {
        index_number: number.unwrap_or_default(),
        ..Day::default()
    };
    if let Some(number) = number {
        let newest = listed
            .iter()
            .find(|file| index_number(&file.key) == Some(number));
        day.index = newest.map(|file| read_index(lake, &file.key)).transpose()?;
    }
    let names = |pick: fn(&DayIndex) -> &Vec<String>| -> BTreeSet<String> {
        day.index.iter().flat_map(pick).cloned().collect()
    };
    let (merged, replaced) = (names(|index| &index.files), names(|index| &index.replaced));
    for file in listed.into_iter().filter(|file| is_parquet(&file.key)) {
        let name = file_name(&file.key);
        let counts =
            merged.contains(name) || !(replaced.contains(name) || name.starts_with(COMPACT));
        if counts {
            day.files.push(file);
        } else {
            day.stale.push(file);
        }
    }
    let missing = merged.iter().find(|name| {
        day.files
            .iter()
            .all(|file| file_name(&file.key) != name.as_str())
    });
    match missing {
        Some(name) => Err(StorageError::other(
            lake,
            EVENTS,
            &format!(
                "{name} is listed in its day's index and is not there: restore it, or ingest the day again into a new lake"
            ),
        )),
        None => Ok(day),
    }
}

fn read_index(lake: &Storage, key: &str) -> Result<DayIndex, StorageError> {
    let bytes = lake.get(key)?.unwrap_or_default();
    let index: DayIndex = serde_json::from_slice(&bytes).map_err(|error| {
        StorageError::other(lake, key, &format!("not an index of ours: {error}"))
    })?;
    if is_newer(&index.contract) {
        let message = format!(
            "written under contract {}: install the newer version",
            index.contract
        );
        return Err(StorageError::other(lake, key, &message));
    }
    Ok(index)
}

/// The name after the last `/`.
pub fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

fn is_parquet(key: &str) -> bool {
    key.ends_with(".parquet")
}

fn date_of(key: &str) -> Option<&str> {
    let rest = key.strip_prefix(EVENTS)?.strip_prefix("/event_date=")?;
    rest.split_once('/').map(|(date, _)| date)
}

fn index_number(key: &str) -> Option<u32> {
    let name = file_name(key).strip_prefix(INDEX)?;
    name.strip_suffix(".json")?.parse().ok()
}

/// `cloudtrail_events`: every event, from whatever source.
pub fn cloudtrail_events() -> TableSchema {
    TableSchema::new(
        "cloudtrail_events",
        "one CloudTrail event as it was delivered; the event can be rebuilt from its row",
        &[
            (
                "event_time",
                Timestamp,
                "when the call was completed (`eventTime`)",
            ),
            (
                "ingested_at",
                Timestamp,
                "when the batch that brought it was begun",
            ),
            (
                "event_id",
                Text,
                "`eventID`; the same event can have several rows",
            ),
            ("event_version", Text, "`eventVersion`"),
            (
                "event_source",
                Text,
                "`eventSource`, such as `iam.amazonaws.com`",
            ),
            ("event_name", Text, "`eventName`, such as `CreateAccessKey`"),
            ("event_type", Text, "`eventType`, such as `AwsApiCall`"),
            (
                "event_category",
                Text,
                "`eventCategory`: Management or Data",
            ),
            ("aws_region", Text, "`awsRegion`"),
            (
                "recipient_account_id",
                Text,
                "`recipientAccountId`: the account that got the event",
            ),
            (
                "error_code",
                Text,
                "`errorCode`; null when the call succeeded",
            ),
            ("error_message", Text, "`errorMessage`"),
            (
                "source_ip_address",
                Text,
                "`sourceIPAddress` as it stands: an address, or a service's host name",
            ),
            ("user_agent", Text, "`userAgent`"),
            ("request_id", Text, "`requestID`"),
            (
                "shared_event_id",
                Text,
                "`sharedEventID`: the same call in the logs of several accounts",
            ),
            ("api_version", Text, "`apiVersion`"),
            ("vpc_endpoint_id", Text, "`vpcEndpointId`"),
            ("vpc_endpoint_account_id", Text, "`vpcEndpointAccountId`"),
            ("read_only", Bool, "`readOnly`"),
            ("management_event", Bool, "`managementEvent`"),
            (
                "session_credential_from_console",
                Bool,
                "`sessionCredentialFromConsole`",
            ),
            (
                "identity_type",
                Text,
                "`userIdentity.type`, such as `AssumedRole`",
            ),
            ("identity_arn", Text, "`userIdentity.arn`"),
            ("identity_principal_id", Text, "`userIdentity.principalId`"),
            ("identity_account_id", Text, "`userIdentity.accountId`"),
            ("identity_user_name", Text, "`userIdentity.userName`"),
            ("identity_access_key_id", Text, "`userIdentity.accessKeyId`"),
            (
                "identity_invoked_by",
                Text,
                "`userIdentity.invokedBy`: the AWS service that made the call for somebody",
            ),
            (
                "session_issuer_arn",
                Text,
                "`userIdentity.sessionContext.sessionIssuer.arn`: the role behind a session",
            ),
            (
                "session_issuer_type",
                Text,
                "`userIdentity.sessionContext.sessionIssuer.type`",
            ),
            (
                "session_mfa_authenticated",
                Bool,
                "`userIdentity.sessionContext.attributes.mfaAuthenticated`",
            ),
            (
                "session_created_at",
                Timestamp,
                "`userIdentity.sessionContext.attributes.creationDate`",
            ),
            (
                "source_identity",
                Text,
                "`userIdentity.sessionContext.sourceIdentity`",
            ),
            (
                "principal",
                Text,
                "who acted: the issuer's ARN for a session, else the identity's ARN",
            ),
            ("user_identity", Json, "`userIdentity`"),
            (
                "request_parameters",
                Json,
                "`requestParameters`; null also when the event has null",
            ),
            (
                "response_elements",
                Json,
                "`responseElements`, session tokens redacted; null also when the event has null",
            ),
            ("additional_event_data", Json, "`additionalEventData`"),
            ("resources", Json, "`resources`"),
            ("service_event_details", Json, "`serviceEventDetails`"),
            ("tls_details", Json, "`tlsDetails`"),
            ("addendum", Json, "`addendum`"),
            ("event_context", Json, "`eventContext`"),
            ("insight_details", Json, "`insightDetails`"),
            ("edge_device_details", Json, "`edgeDeviceDetails`"),
            (
                "extra",
                Json,
                "members without a column, and members whose column alone would not give them back: null, of another \
                 type, or named twice",
            ),
            (
                "source_key",
                Text,
                "object it came from: its S3 URL, or the file's path below the source",
            ),
            (
                "source_etag",
                Text,
                "ETag of that object; of a file the SHA-256",
            ),
            ("source_record", Int, "its position in the object, from 0"),
        ],
    )
}

/// `activity`: what each principal did, derived from all events of the lake.
pub fn activity() -> TableSchema {
    TableSchema::new(
        "activity",
        "one operation that a principal called, over all events of the CloudTrail lake",
        &[
            ("account_id", Text, "account that got the events, 12 digits"),
            (
                "principal",
                Text,
                "who acted: a user, the role behind a session, or the service that acted by itself",
            ),
            (
                "identity_type",
                Text,
                "`userIdentity.type`, such as `AssumedRole`",
            ),
            ("event_source", Text, "service, such as `iam.amazonaws.com`"),
            ("event_name", Text, "operation, such as `CreateAccessKey`"),
            (
                "read_only",
                Bool,
                "whether it changes nothing, as CloudTrail says",
            ),
            ("calls", Int, "number of events"),
            ("failed", Int, "those with an error of whatever kind"),
            ("denied", Int, "those that were denied"),
            (
                "by_service",
                Int,
                "those that a service called for the principal",
            ),
            ("first_seen", Timestamp, "the earliest event"),
            ("last_seen", Timestamp, "the latest event"),
            (
                "last_succeeded",
                Timestamp,
                "the latest event without an error",
            ),
        ],
    )
}

/// `trail_days`: on which days events came, derived from all events of the lake.
pub fn trail_days() -> TableSchema {
    TableSchema::new(
        "trail_days",
        "one day of an account and region in the CloudTrail lake",
        &[
            ("account_id", Text, "account that got the events, 12 digits"),
            (
                "region",
                Text,
                "region of the events, `global` where they name none",
            ),
            ("day", Timestamp, "midnight at which the day began, UTC"),
            ("events", Int, "events of the day, each counted once"),
            ("changes", Int, "those that are not only reading"),
        ],
    )
}

/// `cloudtrail_ledger`: every object that was read, and what became of it.
pub fn cloudtrail_ledger() -> TableSchema {
    TableSchema::new(
        "cloudtrail_ledger",
        "one trail object that was read",
        &[
            ("source_key", Text, "the object, as in `cloudtrail_events`"),
            ("source_etag", Text, "its ETag; of a file the SHA-256"),
            ("bytes", Int, "its size"),
            (
                "status",
                Text,
                "ok; quarantined (damaged or not a trail: tried again when its ETag changes); failed (could not be \
                 fetched: tried again with the next run)",
            ),
            ("error", Text, "why it is not ok"),
            ("records", Int, "records in it, of whatever kind"),
            ("rows", Int, "rows of `cloudtrail_events` it brought"),
            (
                "rejected",
                Int,
                "records that lack an id or a time; they have no row, and the object is quarantined",
            ),
            (
                "other_records",
                Json,
                "records of other kinds, which are not stored, by kind",
            ),
            ("first_event_time", Timestamp, "its earliest event"),
            ("last_event_time", Timestamp, "its latest event"),
            (
                "batch",
                Text,
                "the batch that read it; file names of events begin with it",
            ),
            ("ingested_at", Timestamp, "when the batch was begun"),
        ],
    )
}
