//! `lookup`: events of the last 90 days from the LookupEvents API, for accounts without a trail.
//!
//! What the API answers is put into files, one for each hour that is over, and read as any other folder:
//! `lookup/<account>/<region>/<year>/<month>/<day>/<hour>.json`. The content of such a file is sorted, so looking at an
//! hour again gives the same file, and the ledger knows it. A day without events has a file that says so.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudtrail::primitives::DateTime;
use handoff::shell::{self, Hinted};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::json;
use super::ledger::Ledger;
use super::source::Window;
use crate::aws::{Call, Caller as _, LiveCaller};

/// How the source is named on the command line, and the folder of its files.
pub const LOOKUP: &str = "lookup";
/// Days that the API remembers.
const REMEMBERED_DAYS: i32 = 89;
/// Days before the newest that are looked at again.
const LATE_DAYS: i32 = 1;
/// Minutes until an hour's events can be looked up.
const SETTLED_MINUTES: i64 = 30;
/// The API takes two requests a second from an account and region.
const PAUSE: Duration = Duration::from_millis(500);
/// Where events of services without regions are.
const GLOBAL_REGION: &str = "us-east-1";

/// Whose events to look up, and when.
#[derive(Debug)]
pub struct Lookup<'a> {
    /// AWS profile.
    pub profile: Option<&'a str>,
    /// Regions; empty means the configuration's and [`GLOBAL_REGION`].
    pub regions: &'a [String],
    /// Days.
    pub window: Window,
    /// Go back as far as the API does.
    pub rescan: bool,
}

/// Puts events into files below `folder`; a line for each region that could not be looked at.
///
/// # Errors
/// When there are no credentials, or a file can't be written.
pub fn fetch(
    lookup: &Lookup<'_>,
    ledger: &mut Ledger<'_>,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start the threads for network access")?;
    runtime.block_on(async {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(profile) = lookup.profile {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        let regions = regions(lookup.regions, &config);
        let account = account(&config, &regions[0]).await?;
        let settled = Timestamp::now().saturating_sub(SETTLED_MINUTES.minutes())?;
        let newest = newest_days(ledger, &account)?;
        let mut problems = Vec::new();
        for region in &regions {
            let days = days(lookup, newest.get(region).copied(), settled);
            let place = format!("{LOOKUP}/{account}/{region}");
            let client = client(&config, region);
            if let Err(error) = fetch_region(&client, &folder.join(&place), days, settled).await? {
                problems.push(format!("{place}: cloudtrail:LookupEvents failed: {error}"));
            }
        }
        Ok(problems)
    })
}

fn regions(asked: &[String], config: &SdkConfig) -> Vec<String> {
    if !asked.is_empty() {
        return asked.to_vec();
    }
    let own = config.region().map(ToString::to_string);
    let mut regions: Vec<String> = own.into_iter().chain([GLOBAL_REGION.to_owned()]).collect();
    regions.dedup();
    regions
}

/// CloudTrail's API in a region.
pub fn client(config: &SdkConfig, region: &str) -> Client {
    let config = aws_sdk_cloudtrail::config::Builder::from(config)
        .region(Region::new(region.to_owned()))
        .build();
    Client::from_conf(config)
}

async fn account(config: &SdkConfig, region: &str) -> anyhow::Result<String> {
    let hint = "set AWS_PROFILE or --profile, or log in (aws sso login)";
    let call = Call {
        account_id: String::new(),
        region: region.to_owned(),
        service: "sts".to_owned(),
        operation: "GetCallerIdentity".to_owned(),
        params: serde_json::Map::new(),
    };
    let caller = LiveCaller::new(config, "").await;
    let caller = caller.map_err(|_| Hinted::new("no AWS credentials found", hint))?;
    let answer = caller.call(&call).await.map_err(|error| {
        let message =
            format!("the AWS credentials do not work: sts:GetCallerIdentity failed ({error})");
        Hinted::new(message, hint)
    })?;
    let account = answer.get("Account").and_then(serde_json::Value::as_str);
    let account =
        account.filter(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()));
    account
        .map(str::to_owned)
        .context("sts:GetCallerIdentity did not answer with an account")
}

/// The newest day of each region that was looked at.
fn newest_days(ledger: &mut Ledger<'_>, account: &str) -> anyhow::Result<BTreeMap<String, Date>> {
    let prefix = format!("{LOOKUP}/{account}/");
    let mut newest: BTreeMap<String, Date> = BTreeMap::new();
    for date in ledger.dates()? {
        let Ok(day) = date.parse::<Date>() else {
            continue;
        };
        ledger.load(&date)?;
        for folder in ledger.folders(&date) {
            if let Some((region, _)) = folder
                .strip_prefix(&prefix)
                .and_then(|rest| rest.split_once('/'))
            {
                newest.insert(region.to_owned(), day);
            }
        }
        ledger.forget(&date);
    }
    Ok(newest)
}

/// First and last day to look at.
fn days(lookup: &Lookup<'_>, newest: Option<Date>, settled: Timestamp) -> (Date, Date) {
    let today = TimeZone::UTC.to_datetime(settled).date();
    let oldest = today.saturating_sub(REMEMBERED_DAYS.days());
    let first = match (lookup.window.since, newest) {
        (Some(since), _) => since,
        (None, Some(newest)) if !lookup.rescan => newest.saturating_sub(LATE_DAYS.days()),
        _ => oldest,
    };
    let last = lookup.window.until.map_or(today, |until| until.min(today));
    (first.max(oldest), last)
}

/// What AWS says of a call that failed, in a line.
pub fn explain<E: ProvideErrorMetadata + std::error::Error + 'static>(
    error: &SdkError<E>,
) -> String {
    match error.as_service_error() {
        Some(service) => format!(
            "{}: {}",
            service.code().unwrap_or("error"),
            service.message().unwrap_or("no message")
        ),
        None => DisplayErrorContext(error).to_string(),
    }
}

/// The events of a day by hour, each as the API gave it.
type Hours = BTreeMap<i8, Vec<String>>;

/// The inner error is the API's; days before it are complete.
async fn fetch_region(
    client: &Client,
    folder: &Path,
    (first, last): (Date, Date),
    settled: Timestamp,
) -> anyhow::Result<Result<(), String>> {
    let progress = shell::progress("days looked up", None);
    for day in first.series(1.day()).take_while(|day| *day <= last) {
        let start = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0))?;
        let end = start.checked_add(24.hours())?.min(settled_hour(settled)?);
        if end <= start {
            break;
        }
        match fetch_day(client, start, end).await {
            Ok(hours) => write_day(
                &folder.join(day.strftime("%Y/%m/%d").to_string()),
                &hours,
                end,
            )?,
            Err(error) => return Ok(Err(error)),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(Ok(()))
}

/// The hour that runs is left for later: its file would be another one with every look.
fn settled_hour(settled: Timestamp) -> anyhow::Result<Timestamp> {
    Ok(Timestamp::from_second(
        settled.as_second().div_euclid(3_600) * 3_600,
    )?)
}

async fn fetch_day(client: &Client, start: Timestamp, end: Timestamp) -> Result<Hours, String> {
    let mut hours = Hours::new();
    let mut token = None;
    loop {
        tokio::time::sleep(PAUSE).await;
        let request = client
            .lookup_events()
            .start_time(DateTime::from_secs(start.as_second()))
            .end_time(DateTime::from_secs(end.as_second() - 1))
            .max_results(50)
            .set_next_token(token);
        let page = request.send().await.map_err(|error| explain(&error))?;
        for event in page.events() {
            let text = event.cloud_trail_event().ok_or_else(|| {
                format!(
                    "event {} came without its text",
                    event.event_id().unwrap_or("without id")
                )
            })?;
            let [time] = json::pick(text.trim(), ["eventTime"]);
            let time = time
                .and_then(json::time)
                .and_then(|time| Timestamp::from_microsecond(time).ok());
            let hour = time.map_or(0, |time| TimeZone::UTC.to_datetime(time).hour());
            hours.entry(hour).or_default().push(text.trim().to_owned());
        }
        token = page
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if token.is_none() {
            return Ok(hours);
        }
    }
}

fn write_day(folder: &Path, hours: &Hours, end: Timestamp) -> anyhow::Result<()> {
    for (hour, events) in hours {
        let mut events = events.clone();
        events.sort();
        events.dedup();
        write(folder, &format!("{hour:02}.json"), &events)?;
    }
    let is_over = end.as_second() % 86_400 == 0;
    if hours.is_empty() && is_over {
        write(folder, "none.json", &[])?;
    }
    Ok(())
}

fn write(folder: &Path, name: &str, events: &[String]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let path = folder.join(name);
    let write = || {
        let mut file = std::fs::File::create(&path)?;
        file.write_all(b"{\"Records\":[\n")?;
        file.write_all(events.join(",\n").as_bytes())?;
        file.write_all(b"\n]}\n")
    };
    write().with_context(|| path.display().to_string())
}
