//! What the path of a trail object says: its date, and what kind of record it holds.
//!
//! AWS writes `[prefix/]AWSLogs/[organisation/]<account>/CloudTrail/<region>/<year>/<month>/<day>/<name>.json.gz` and
//! other kinds of records in folders beside `CloudTrail`.

use jiff::civil::Date;

use super::decode::OtherKind;

/// Objects of paths that have no date.
pub const UNDATED: &str = "none";

/// The kind of record that lies under a path, when it is not events.
pub fn other_kind(path: &str) -> Option<OtherKind> {
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        match part {
            "CloudTrail-Digest" => return Some(OtherKind::Digest),
            "CloudTrail-Insight" => return Some(OtherKind::Insight),
            "CloudTrail-NetworkActivity" => return Some(OtherKind::NetworkActivity),
            "CloudTrail-Aggregated" => return Some(OtherKind::Aggregated),
            "AWSLogs" => {
                parts.next_if(|part| part.starts_with("o-"));
                let account = parts.next_if(|part| is_account(part));
                let service = account.and_then(|_| parts.peek());
                if service.is_some_and(|service| !service.starts_with("CloudTrail")) {
                    return Some(OtherKind::OtherService);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a folder is `AWSLogs/.../CloudTrail/<region>`, under which all is events by date.
pub fn is_region_folder(path: &str) -> bool {
    is_region_of(path, "CloudTrail")
}

/// Whether a folder is `AWSLogs/.../CloudTrail-Digest/<region>`, under which all is digests by date.
pub fn is_digest_region_folder(path: &str) -> bool {
    is_region_of(path, "CloudTrail-Digest")
}

fn is_region_of(path: &str, kind: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (_region, folder, account) = (parts.next(), parts.next(), parts.next());
    folder == Some(kind) && account.is_some_and(is_account)
}

/// Whether an object is named like a digest, wherever it lies.
pub fn is_digest_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.contains("_CloudTrail-Digest_")
}

/// The date of a digest, by its folder.
pub fn digest_date(path: &str) -> Option<Date> {
    let (folder, _) = path.rsplit_once('/')?;
    let dated = dated(folder)?;
    (dated.first == dated.last).then_some(dated.first)
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where a path's `<year>[/<month>[/<day>]]` begins, with its dates from first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated<'a> {
    /// The path before the year: of one account and region where AWS wrote it.
    pub root: &'a str,
    /// First day it covers.
    pub first: Date,
    /// Last day it covers.
    pub last: Date,
}

/// The dates that a folder's or an object's path covers.
pub fn dated(path: &str) -> Option<Dated<'_>> {
    let starts = std::iter::once(0).chain(path.match_indices('/').map(|(slash, _)| slash + 1));
    starts.into_iter().find_map(|start| {
        let mut parts = path[start..].split('/');
        let year = number(parts.next()?, 4)?;
        if !(2000..=2999).contains(&year) {
            return None;
        }
        let month = parts.next().map(|part| number(part, 2));
        let day = parts.next().map(|part| number(part, 2));
        let root = path[..start].trim_end_matches('/');
        let (first, last) = match (month, day) {
            (Some(Some(month)), Some(Some(day))) => {
                let date = date(year, month, day)?;
                (date, date)
            }
            (Some(Some(month)), None) => {
                let first = date(year, month, 1)?;
                (first, first.last_of_month())
            }
            (None, _) => (date(year, 1, 1)?, date(year, 12, 31)?),
            // A four-digit folder that no month follows is no year.
            _ => return None,
        };
        Some(Dated { root, first, last })
    })
}

/// The date of an object: its folder's, else the one in the name that AWS gives it
/// (`<account>_CloudTrail_<region>_<date>T<time>Z_<random>.json.gz`).
pub fn object_date(path: &str) -> Option<Date> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(dated) = dated(folder).filter(|dated| dated.first == dated.last) {
        return Some(dated.first);
    }
    let stamp = name.split_once("_CloudTrail_")?.1.split('_').nth(1)?;
    let digits = stamp.split_once('T')?.0;
    Date::strptime("%Y%m%d", digits)
        .ok()
        .filter(|_| digits.len() == 8)
}

fn number(part: &str, digits: usize) -> Option<i16> {
    let sound = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| part.parse().ok())?
}

fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_folder() {
        let events = "p/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/23/x.json.gz";
        assert_eq!(other_kind(events), None);
        assert_eq!(other_kind("AWSLogs/o-abc/111122223333/CloudTrail/x"), None);
        assert_eq!(
            other_kind("AWSLogs/o-abc/111122223333/CloudTrail-Digest/eu-west-1"),
            Some(OtherKind::Digest)
        );
        assert_eq!(
            other_kind("AWSLogs/111122223333/elasticloadbalancing"),
            Some(OtherKind::OtherService)
        );
        assert!(is_region_folder(
            "p/AWSLogs/111122223333/CloudTrail/eu-west-1"
        ));
        assert!(!is_region_folder("p/AWSLogs/111122223333/CloudTrail"));
    }

    #[test]
    fn dates_come_from_folders_or_names() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let month = dated("a/CloudTrail/eu-west-1/2026/02").unwrap();
        assert_eq!(
            (month.root, month.first, month.last),
            (
                "a/CloudTrail/eu-west-1",
                date("2026-02-01"),
                date("2026-02-28")
            )
        );
        assert_eq!(dated("2026").unwrap().last, date("2026-12-31"));
        assert_eq!(dated("a/2026/b"), None);
        assert_eq!(dated("a/2026/13/01"), None);
        assert_eq!(object_date("x/2026/11/23/y.json"), Some(date("2026-11-23")));
        assert_eq!(
            object_date("111122223333_CloudTrail_eu-west-1_20261123T0605Z_AbC.json.gz"),
            Some(date("2026-11-23"))
        );
        assert_eq!(object_date("events.json"), None);
    }
}
