//! Waivers: failures that somebody accepted until a date.

use std::path::Path;

use anyhow::Context as _;
use handoff::shell::Hinted;
use serde::Deserialize;

use crate::check::{self, Check};
use crate::session::Session;

/// The table that `findings.sql` joins; `expires` is the first moment at which the waiver is over.
const TABLE: &str = "create table waivers (check_pattern varchar, arn_pattern varchar, owner varchar, reason varchar, expires timestamp);";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    waiver: Vec<Waiver>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiver {
    check: String,
    arn: String,
    owner: String,
    reason: String,
    expires: toml::value::Datetime,
}

/// Reads the waivers, if there are any, into the table `waivers`.
///
/// # Errors
/// When the file can't be read, or a waiver lacks its owner, reason or date, or names no check.
pub(crate) fn load(session: &Session, path: Option<&Path>, checks: &[Check]) -> anyhow::Result<()> {
    session.connection.execute_batch(TABLE)?;
    let Some(path) = path else { return Ok(()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read the waivers {}", path.display()))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        let message = format!("{}: {}", path.display(), check::one_line(&error));
        Hinted::new(
            message,
            "a waiver is [[waiver]] with check, arn, owner, reason and expires = 2027-01-31",
        )
    })?;
    let mut insert = session
        .connection
        .prepare("insert into waivers values (?, ?, ?, ?, ?::timestamp)")?;
    for waiver in file.waiver {
        let matcher = globset::Glob::new(&waiver.check)
            .with_context(|| {
                format!(
                    "{}: {:?} is not a pattern for checks",
                    path.display(),
                    waiver.check
                )
            })?
            .compile_matcher();
        if !checks.iter().any(|check| matcher.is_match(&check.id)) {
            return Err(check::unknown_check(&waiver.check, checks)).with_context(|| {
                format!(
                    "{}: a waiver names a check that does not exist",
                    path.display()
                )
            });
        }
        for (field, value) in [
            ("owner", &waiver.owner),
            ("reason", &waiver.reason),
            ("arn", &waiver.arn),
        ] {
            anyhow::ensure!(
                !value.trim().is_empty(),
                "{}: waiver of {}: {field} is empty",
                path.display(),
                waiver.check
            );
        }
        let expires = end_of(&waiver.expires).with_context(|| {
            format!(
                "{}: waiver of {}: expires: expected a date such as 2027-01-31",
                path.display(),
                waiver.check
            )
        })?;
        insert.execute([
            &waiver.check,
            &waiver.arn,
            &waiver.owner,
            &waiver.reason,
            &expires,
        ])?;
    }
    Ok(())
}

/// A date holds until it is over; a time is what it says.
fn end_of(expires: &toml::value::Datetime) -> anyhow::Result<String> {
    let date = expires.date.context("it has no date")?;
    match (expires.time, expires.offset) {
        (None, _) => {
            let day: jiff::civil::Date = date.to_string().parse()?;
            Ok(format!("{} 00:00:00", day.tomorrow()?))
        }
        (Some(time), None) => Ok(format!("{date} {time}")),
        (Some(_), Some(_)) => {
            let moment: jiff::Timestamp = expires.to_string().parse()?;
            Ok(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_holds_until_its_end_and_an_offset_counts() {
        let end = |text: &str| end_of(&text.parse().unwrap()).unwrap();
        assert_eq!(end("2026-12-31"), "2027-01-01 00:00:00");
        assert_eq!(end("2026-12-31T10:00:00+02:00"), "2026-12-31 08:00:00");
        assert!(end_of(&"10:00:00".parse().unwrap()).is_err());
    }
}
