//! What watches the account: trails and the days they cover, the alarms that CIS asks for, and scanners.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handoff::run::{Run, RunRecord};
use handoff::table;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;
use serde_json::Value;

use super::finding::Status;
use super::{ContentError, entries, paths};

/// Days of the strip that shows whether events came.
pub const RECENT_DAYS: usize = 28;

/// The check that judges how long a trail's objects are kept.
const RETENTION: &str = "trail-retention-1y";
/// The check that judges whether somebody is told of the events that CIS names.
const ALARMS: &str = "cis-alarms";

/// Everything that watches.
#[derive(Debug, Default)]
pub struct Monitoring {
    /// Trails; none when the run has not collected them.
    pub trails: Option<Vec<Trail>>,
    /// Regions and the days on which events came; none when the run lacks the table.
    pub recorded: Option<Vec<Recorded>>,
    /// Verdicts on the alarms that CIS names.
    pub alarms: Vec<Alarm>,
    /// Scanners; none when the run lacks the table.
    pub scanners: Option<Vec<Scanner>>,
}

/// A trail.
#[derive(Debug, Serialize)]
pub struct Trail {
    /// Account.
    pub account_id: String,
    /// Name.
    pub name: String,
    /// Region it was made in.
    pub home_region: String,
    /// Whether it records every region.
    pub all_regions: Option<bool>,
    /// Whether it records every account of the organization.
    pub organization: Option<bool>,
    /// Whether it is recording.
    pub is_logging: Option<bool>,
    /// Its last delivery.
    pub latest_delivery_at: Option<Timestamp>,
    /// Whether digests make tampering evident.
    pub validated: Option<bool>,
    /// Whether its files are encrypted with a key of ours.
    pub own_key: bool,
    /// Bucket it delivers to.
    pub bucket: Option<String>,
    /// What was said of how long its objects are kept.
    pub retention: Option<Retention>,
}

/// How long the objects of a trail are kept.
#[derive(Clone, Debug, Serialize)]
pub struct Retention {
    /// Whether that is long enough.
    pub status: Status,
    /// Why, in one sentence.
    pub reason: String,
}

/// A region and the days on which events of it came.
#[derive(Debug, Serialize)]
pub struct Recorded {
    /// Account.
    pub account_id: String,
    /// Region, `global` for events that name none.
    pub region: String,
    /// Events of all days.
    pub events: u64,
    /// Those that are not only reading.
    pub changes: u64,
    /// First day with events.
    pub first_day: Option<Date>,
    /// Last day with events.
    pub last_day: Option<Date>,
    /// Days with events.
    pub days: u64,
    /// The longest stretch of days without any, from the first day of the account until the day of the run.
    pub longest_silence_days: u64,
    /// The last days, oldest first: whether events came.
    pub recent: Vec<bool>,
}

/// An event of which somebody is to be told.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Alarm {
    /// Number of the control, such as 4.3.
    pub control: String,
    /// The event.
    pub event: String,
    /// Account.
    pub account_id: String,
    /// Whether somebody is told.
    pub status: Status,
    /// Why, in one sentence.
    pub reason: String,
}

/// What a scanner looks at of one kind of resource in a region.
#[derive(Debug, Serialize)]
pub struct Scanner {
    /// Account.
    pub account_id: String,
    /// Region.
    pub region: String,
    /// Its name.
    pub scanner: String,
    /// Kind of resource.
    pub kind: String,
    /// Resources of the kind.
    pub resources: u64,
    /// Those it looks at.
    pub covered: u64,
    /// Those of which that is not known.
    pub undecided: u64,
    /// When the one not looked at for longest was scanned last.
    pub oldest_scan_at: Option<Timestamp>,
}

impl Monitoring {
    /// Reads the tables of a run.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(super) fn read(
        run: &Run,
        collected: &RunRecord,
        analyzed: &RunRecord,
        findings: &[PathBuf],
    ) -> Result<Self, ContentError> {
        let table = |record: &RunRecord, name: &str| match entries(record, name).is_empty() {
            true => Ok(None),
            false => paths(run, record, name).map(Some),
        };
        let (retention, alarms) = verdicts(findings)?;
        Ok(Self {
            trails: table(collected, "aws_cloudtrail_trail")?
                .map(|files| trails(&files, &retention))
                .transpose()?,
            recorded: table(analyzed, "trail_days")?
                .map(|files| recorded(&files, collected, run.id.as_of()))
                .transpose()?,
            alarms,
            scanners: table(analyzed, "scan_coverage")?
                .map(|files| scanners(&files))
                .transpose()?,
        })
    }
}

/// Verdicts on retention, by bucket, and on alarms; passes as well.
fn verdicts(
    findings: &[PathBuf],
) -> Result<(BTreeMap<String, Retention>, Vec<Alarm>), ContentError> {
    let mut retention = BTreeMap::new();
    let mut alarms = Vec::new();
    let columns = [
        "check_id",
        "status",
        "account_id",
        "resource_arn",
        "discriminator",
        "reason",
        "evidence",
    ];
    for file in findings {
        let rows = table::read_where("findings", file, &columns, "check_id", &[RETENTION, ALARMS])?;
        rows.for_each(|row| {
            let status = Status::parse(row.text("status"));
            let reason = row.string("reason");
            if row.text("check_id") == Some(RETENTION) {
                retention.insert(row.string("resource_arn"), Retention { status, reason });
                return Ok::<(), ContentError>(());
            }
            let control = row
                .text("evidence")
                .and_then(|text| serde_json::from_str::<Value>(text).ok())
                .and_then(|evidence| Some(evidence.get("control")?.as_str()?.to_owned()));
            alarms.push(Alarm {
                control: control.unwrap_or_default(),
                event: row.string("discriminator"),
                account_id: row.string("account_id"),
                status,
                reason,
            });
            Ok(())
        })?;
    }
    alarms.sort_by(|a, b| {
        let place = |alarm: &Alarm| natural(&alarm.control);
        place(a).cmp(&place(b)).then_with(|| a.cmp(b))
    });
    Ok((retention, alarms))
}

/// A sort key that puts 4.2 before 4.10 and `S3.9` before `S3.10`.
pub fn natural(text: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(words);
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        parts.push((word.to_owned(), number.parse().unwrap_or(0)));
        rest = after;
    }
    parts
}

fn trails(
    files: &[PathBuf],
    retention: &BTreeMap<String, Retention>,
) -> Result<Vec<Trail>, ContentError> {
    let columns = [
        "account_id",
        "region",
        "arn",
        "trail_name",
        "home_region",
        "is_multi_region_trail",
        "is_organization_trail",
        "is_logging",
        "latest_delivery_at",
        "log_file_validation_enabled",
        "kms_key_id",
        "s3_bucket_name",
    ];
    let mut trails: BTreeMap<(String, String), Trail> = BTreeMap::new();
    for file in files {
        table::read("aws_cloudtrail_trail", file, &columns)?.for_each(|row| {
            let arn = row.string("arn");
            let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
            let bucket = row.text("s3_bucket_name").map(str::to_owned);
            let kept = bucket
                .as_deref()
                .and_then(|name| retention.get(&format!("arn:{partition}:s3:::{name}")));
            let trail = Trail {
                account_id: row.string("account_id"),
                name: row.string("trail_name"),
                home_region: row
                    .text("home_region")
                    .or(row.text("region"))
                    .unwrap_or_default()
                    .to_owned(),
                all_regions: row.bool("is_multi_region_trail"),
                organization: row.bool("is_organization_trail"),
                is_logging: row.bool("is_logging"),
                latest_delivery_at: row.time("latest_delivery_at"),
                validated: row.bool("log_file_validation_enabled"),
                own_key: row.text("kms_key_id").is_some(),
                bucket,
                retention: kept.cloned(),
            };
            trails.insert((trail.account_id.clone(), arn), trail);
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(trails.into_values().collect())
}

#[derive(Default)]
struct Days {
    events: u64,
    changes: u64,
    days: BTreeSet<Date>,
}

/// Every region that was collected or has events, with its days.
fn recorded(
    files: &[PathBuf],
    collected: &RunRecord,
    as_of: Timestamp,
) -> Result<Vec<Recorded>, ContentError> {
    let today = date(as_of);
    let mut regions: BTreeMap<(String, String), Days> = BTreeMap::new();
    let count = |value: Option<i64>| {
        value
            .and_then(|value| u64::try_from(value).ok())
            .unwrap_or(0)
    };
    for file in files {
        let columns = ["account_id", "region", "day", "events", "changes"];
        table::read("trail_days", file, &columns)?.for_each(|row| {
            let region = regions
                .entry((row.string("account_id"), row.string("region")))
                .or_default();
            region.events += count(row.int("events"));
            region.changes += count(row.int("changes"));
            // What came after the run is not part of what the run tells.
            region
                .days
                .extend(row.time("day").map(date).filter(|day| *day <= today));
            Ok::<(), ContentError>(())
        })?;
    }
    if regions.is_empty() {
        return Ok(Vec::new());
    }
    for table in collected
        .tables
        .iter()
        .filter(|table| table.region != "global")
    {
        regions
            .entry((table.account_id.clone(), table.region.clone()))
            .or_default();
    }
    let mut begin: BTreeMap<String, Date> = BTreeMap::new();
    for ((account, _), region) in &regions {
        if let Some(&first) = region.days.first() {
            let known = begin.entry(account.clone()).or_insert(first);
            *known = first.min(*known);
        }
    }
    Ok(regions
        .into_iter()
        .map(|((account_id, region), days)| Recorded {
            longest_silence_days: begin
                .get(&account_id)
                .map_or(0, |&begin| longest_silence(&days.days, begin, today)),
            account_id,
            region,
            events: days.events,
            changes: days.changes,
            first_day: days.days.first().copied(),
            last_day: days.days.last().copied(),
            days: days.days.len() as u64,
            recent: recent(&days.days, today),
        })
        .collect())
}

fn date(time: Timestamp) -> Date {
    Offset::UTC.to_datetime(time).date()
}

/// Days between two days.
fn days_between(from: Date, to: Date) -> u64 {
    u64::try_from(from.duration_until(to).as_hours() / 24).unwrap_or(0)
}

fn longest_silence(days: &BTreeSet<Date>, begin: Date, today: Date) -> u64 {
    let mut longest = 0;
    let mut last: Option<Date> = None;
    for &day in days {
        let silent = match last {
            Some(last) => days_between(last, day).saturating_sub(1),
            None => days_between(begin, day),
        };
        longest = longest.max(silent);
        last = Some(day);
    }
    // The day of the run is not over and may still bring events.
    let since = last.map_or_else(
        || days_between(begin, today),
        |last| days_between(last, today).saturating_sub(1),
    );
    longest.max(since)
}

fn recent(days: &BTreeSet<Date>, today: Date) -> Vec<bool> {
    let mut recent = Vec::with_capacity(RECENT_DAYS);
    let mut day = Some(today);
    for _ in 0..RECENT_DAYS {
        recent.push(day.is_some_and(|day| days.contains(&day)));
        day = day.and_then(|day| day.yesterday().ok());
    }
    recent.reverse();
    recent
}

fn scanners(files: &[PathBuf]) -> Result<Vec<Scanner>, ContentError> {
    let columns = [
        "account_id",
        "region",
        "scanner",
        "kind",
        "resources",
        "covered",
        "undecided",
        "oldest_scan_at",
    ];
    let mut scanners = Vec::new();
    for file in files {
        table::read("scan_coverage", file, &columns)?.for_each(|row| {
            let count = |name: &str| row.int(name).and_then(|count| u64::try_from(count).ok());
            scanners.push(Scanner {
                account_id: row.string("account_id"),
                region: row.string("region"),
                scanner: row.string("scanner"),
                kind: row.string("kind"),
                resources: count("resources").unwrap_or(0),
                covered: count("covered").unwrap_or(0),
                undecided: count("undecided").unwrap_or(0),
                oldest_scan_at: row.time("oldest_scan_at"),
            });
            Ok::<(), ContentError>(())
        })?;
    }
    scanners.sort_by(|a, b| {
        (&a.scanner, &a.kind, &a.account_id, &a.region).cmp(&(
            &b.scanner,
            &b.kind,
            &b.account_id,
            &b.region,
        ))
    });
    Ok(scanners)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(texts: &[&str]) -> BTreeSet<Date> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn silence_counts_whole_days_until_the_day_before_the_run() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let some = days(&["2026-11-01", "2026-11-05", "2026-11-15"]);
        let silence = |begin: &str, today: &str| longest_silence(&some, date(begin), date(today));
        assert_eq!(silence("2026-11-01", "2026-11-16"), 9);
        assert_eq!(silence("2026-10-20", "2026-11-16"), 12);
        assert_eq!(silence("2026-11-01", "2026-12-16"), 30);
        assert_eq!(
            longest_silence(&days(&[]), date("2026-11-01"), date("2026-11-16")),
            15
        );
    }

    #[test]
    fn the_strip_ends_with_the_day_of_the_run() {
        let strip = recent(&days(&["2026-11-15"]), "2026-11-16".parse().unwrap());
        assert_eq!(strip.len(), RECENT_DAYS);
        assert_eq!(strip[RECENT_DAYS - 2..], [true, false]);
    }

    #[test]
    fn controls_sort_as_people_count() {
        let mut controls = ["4.10", "4.2", "S3.10", "S3.9", "EC2.1"];
        controls.sort_by_key(|text| natural(text));
        assert_eq!(controls, ["4.2", "4.10", "EC2.1", "S3.9", "S3.10"]);
    }
}
