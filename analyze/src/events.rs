//! The CloudTrail part of the lake in SQL: what the view `events` and the checks of kind `detection` stand on.
//!
//! Files come from the lake as a whole, not from the run: a year of history is the baseline of what is new. An event
//! that two trails delivered is one event; what could not be read of the trail is a gap, so that "no such event" is
//! said of what was seen only.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff::run::RunId;
use handoff::storage::{Listed, Storage};
use handoff::text::printable;
use handoff::{shell, trail, verification};
use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;
use maxminddb::{Reader, geoip2};
use rayon::prelude::*;

use crate::check::{Check, Input, Kind};
use crate::config::Config;
use crate::open::{is_newer, open_file};
use crate::session::{Reached, Session};

/// Tables beside those of the lake; filled by [`prepare`], empty without events.
pub(crate) const TABLES: &str = "
create table judged_from (moment timestamp);
create table repeated_rows (source_key varchar, source_records bigint[]);
create table event_coverage (account_id varchar, events bigint, first_time timestamp, last_time timestamp);
create table user_agents (user_agent varchar, product varchar);
create table addresses (address varchar, network varchar, is_public boolean, trusted boolean, country varchar, asn bigint, as_name varchar);
create table trail_problems (account_id varchar, region varchar, why varchar);
";

/// Views that pick few of the events, or say of many what several detections ask of them: that is read once.
pub(crate) const PICKS: [&str; 5] = [
    "callers",
    "console_logins",
    "destructive_calls",
    "iam_calls",
    "key_uses",
];

/// Files of the CloudTrail lake on this machine.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Files of `cloudtrail_events` that count.
    pub(crate) events: Vec<PathBuf>,
    /// Files of `cloudtrail_ledger`.
    pub(crate) ledger: Vec<PathBuf>,
    /// Files of `cloudtrail_verification` that count.
    pub(crate) verification: Vec<PathBuf>,
    /// Keys of files that can't be read: what is in them is not known.
    unreadable: Vec<String>,
}

impl Files {
    /// Finds them, from a day (`YYYY-MM-DD`) on; those of a bucket are fetched into the cache.
    ///
    /// # Errors
    /// When the storage fails, or a day's index names a file that is gone.
    pub(crate) fn find(lake: &Storage, since: Option<&str>) -> anyhow::Result<Self> {
        let events = trail::event_files(lake, since, None)
            .context("can't list the CloudTrail events of the lake")?;
        let mut files = Self::default();
        files.events = files
            .readable(lake, &trail::cloudtrail_events().name, &events)
            .context("can't open the CloudTrail events of the lake")?;
        let ledger = trail::ledger_files(lake)?;
        files.ledger = files.readable(lake, &trail::cloudtrail_ledger().name, &ledger)?;
        let verification = verification::files(lake)?;
        let table = verification::cloudtrail_verification();
        files.verification = files.readable(lake, &table.name, &verification)?;
        Ok(files)
    }

    /// Those of the listed files that can be read, on this machine; the others are noted.
    fn readable(
        &mut self,
        lake: &Storage,
        table: &str,
        listed: &[Listed],
    ) -> anyhow::Result<Vec<PathBuf>> {
        let paths = trail::local_paths(lake, listed)?;
        let opened: Vec<anyhow::Result<PathBuf>> = paths
            .par_iter()
            .map(|path| open_file(table, path))
            .collect();
        let mut readable = Vec::new();
        for (listed, opened) in listed.iter().zip(opened) {
            match opened {
                Ok(path) => readable.push(path),
                Err(error) => {
                    let text = format!("{error:#}");
                    if is_newer(&text) {
                        return Err(error);
                    }
                    shell::warn(&printable(&text));
                    self.unreadable.push(listed.key.clone());
                }
            }
        }
        Ok(readable)
    }

    /// Whether there are any events.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.unreadable.is_empty()
    }

    /// Whether all of them can be read.
    pub(crate) fn is_whole(&self) -> bool {
        self.unreadable.is_empty()
    }

    /// All of them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let all = [&self.events, &self.ledger, &self.verification];
        all.into_iter().flatten().cloned()
    }

    /// Makes them readable under the names of their tables.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(crate) fn register(&self, session: &Session) -> anyhow::Result<()> {
        session.register(&trail::cloudtrail_events().name, &self.events)?;
        session.register(&trail::cloudtrail_ledger().name, &self.ledger)?;
        let table = verification::cloudtrail_verification();
        session.register(&table.name, &self.verification)?;
        let problem = self.unreadable.first().map(|example| {
            let count = self.unreadable.len();
            let files = if count == 1 { "file" } else { "files" };
            let why = format!("{count} {files} of the lake can't be read, such as {example}");
            vec![None, Some("global".to_owned()), Some(why)]
        });
        session.fill("trail_problems", problem)
    }
}

/// Why detections are left out.
pub(crate) const NO_EVENTS: &str =
    "the lake has no CloudTrail events; `collect cloudtrail` reads them";

/// A check that is not evaluated.
#[derive(Debug)]
pub(crate) struct LeftOut {
    /// The check.
    pub(crate) check: Check,
    /// Why, and what to do.
    pub(crate) why: &'static str,
}

/// Leaves detections out of the checks when there are no events, or not what they need beside them, unless they were
/// asked for by name.
pub(crate) fn leave_out(
    checks: Vec<Check>,
    files: &Files,
    config: &Config,
    named: bool,
) -> (Vec<Check>, Vec<LeftOut>) {
    let missing = |input: Input| match input {
        Input::Geoip => config.geoip().is_empty(),
        Input::Verification => files.verification.is_empty(),
    };
    let why = |check: &Check| match check.metadata.needs {
        _ if named => None,
        _ if check.metadata.kind == Kind::Detection && files.is_empty() => Some(NO_EVENTS),
        Some(input) if missing(input) => Some(input.without()),
        _ => None,
    };
    let mut left_out = Vec::new();
    let mut kept = Vec::new();
    for check in checks {
        match why(&check) {
            Some(why) => left_out.push(LeftOut { check, why }),
            None => kept.push(check),
        }
    }
    (kept, left_out)
}

/// Sets the time from which events are new: a date, a time, or `last` for that of the facts of `last_run`.
///
/// # Errors
/// When the text is none of them.
pub(crate) fn judge_from(
    session: &Session,
    since: Option<&str>,
    last_run: Option<&RunId>,
) -> anyhow::Result<()> {
    let moment = match since {
        None => return Ok(()),
        Some("last") => match last_run {
            Some(run) => run.as_of(),
            None => return Ok(()),
        },
        Some(text) => parse_time(text)?,
    };
    let text = moment.strftime("%Y-%m-%d %H:%M:%S").to_string();
    session.fill("judged_from", [vec![Some(text)]])
}

fn parse_time(text: &str) -> anyhow::Result<Timestamp> {
    let day = || {
        text.parse::<Date>().ok()?;
        format!("{text}T00:00:00Z").parse().ok()
    };
    text.parse().ok().or_else(day).with_context(|| {
        format!("--since {text:?}: expected a date such as 2026-11-16, a time such as 2026-11-16T06:00:00Z, or `last`")
    })
}

/// Whether a question that reads these needs the events.
pub(crate) fn are_read_by(reached: &Reached) -> bool {
    let of_events = [
        "cloudtrail_events",
        "cloudtrail_ledger",
        "cloudtrail_verification",
        "activity",
        "usage",
        "trail_days",
        "addresses",
        "user_agents",
        "event_coverage",
        "trail_problems",
    ];
    of_events.iter().any(|name| reached.tables.contains(*name))
}

/// Fills the tables that the view `events` and the detections read beside the events themselves.
///
/// # Errors
/// When the events can't be read. Without a GeoIP file that can't, the countries of addresses are not known.
pub(crate) fn prepare(session: &Session, config: &Config) -> anyhow::Result<()> {
    session
        .connection
        .execute_batch(include_str!("sql/events.sql"))
        .context("the CloudTrail events of the lake can't be read")?;
    let places = Places::open(config.geoip()).unwrap_or_else(|error| {
        shell::warn(&format!("{error:#}"));
        Places(Vec::new())
    });
    let networks = config.networks();
    let mut statement = session
        .connection
        .prepare(include_str!("sql/undescribed.sql"))?;
    let addresses = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let rows = addresses
        .into_iter()
        .filter_map(|text| Some(describe(&text, text.parse().ok()?, &networks, &places)));
    session.fill("addresses", rows)
}

fn describe(
    text: &str,
    address: IpAddr,
    trusted: &[IpNet],
    places: &Places,
) -> Vec<Option<String>> {
    let address = address.to_canonical();
    let place = places.of(address);
    vec![
        Some(text.to_owned()),
        Some(network(address).to_string()),
        Some(is_public(address).to_string()),
        Some(
            trusted
                .iter()
                .any(|network| network.contains(&address))
                .to_string(),
        ),
        place.country,
        place.asn.map(|number| number.to_string()),
        place.as_name,
    ]
}

/// The block that stands for a place: addresses of one household or office change within it.
fn network(address: IpAddr) -> IpNet {
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new_assert(address, length).trunc()
}

/// Whether an address is one of the internet; calls through a VPC endpoint have the private address of the VPC.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || shared)
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local())
        }
    }
}

/// What GeoIP files say of an address.
#[derive(Debug, Default)]
struct Place {
    country: Option<String>,
    asn: Option<u32>,
    as_name: Option<String>,
}

/// The GeoIP files of the configuration: of countries, of networks' operators, or both.
struct Places(Vec<(PathBuf, Reader<Vec<u8>>)>);

impl Places {
    fn open(files: &[PathBuf]) -> anyhow::Result<Self> {
        let open = |path: &PathBuf| {
            let reader = Reader::open_readfile(path).with_context(|| unreadable(path))?;
            Ok((path.clone(), reader))
        };
        Ok(Self(files.iter().map(open).collect::<anyhow::Result<_>>()?))
    }

    /// What is not in the files, or damaged in them, is not known.
    fn of(&self, address: IpAddr) -> Place {
        let mut place = Place::default();
        for (_, reader) in &self.0 {
            let Ok(found) = reader.lookup(address) else {
                continue;
            };
            if reader.metadata().database_type.contains("ASN") {
                if let Ok(Some(entry)) = found.decode::<geoip2::Asn>() {
                    place.asn = entry.autonomous_system_number;
                    place.as_name = entry.autonomous_system_organization.map(str::to_owned);
                }
            } else if let Ok(Some(entry)) = found.decode::<geoip2::Country>() {
                place.country = entry.country.iso_code.map(str::to_owned);
            }
        }
        place
    }
}

fn unreadable(path: &Path) -> String {
    format!(
        "cloudtrail.geoip: can't read {} as a MaxMind DB file (.mmdb)",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_stands_for_a_place() {
        assert_eq!(
            network(address("203.0.113.77")).to_string(),
            "203.0.113.0/24"
        );
        assert_eq!(
            network(address("2001:db8:1:2::3")).to_string(),
            "2001:db8:1::/48"
        );
    }

    #[test]
    fn private_addresses_are_told_from_those_of_the_internet() {
        for text in [
            "10.0.0.1",
            "172.16.9.9",
            "192.168.1.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.0.1",
            "fd00::1",
            "fe80::1",
            "::1",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
        for text in ["8.8.8.8", "100.128.0.1", "2001:db8::1"] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn a_geoip_file_that_is_none_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Places::open(&[file.path().to_owned()]).err().unwrap();
        assert!(format!("{error:#}").contains("MaxMind DB"), "{error:#}");
    }
}
