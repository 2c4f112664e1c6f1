//! The reviewed file: what was accepted, checked against what AWS takes.
//!
//! Spreadsheets save what they were given with other separators, marks and line ends; all of that is read. What can't be
//! is one error that names the row.

use std::collections::BTreeMap;

use handoff::text::{clip, is_unprintable};

use super::cells::unescaped;

/// Characters a key and a value may have.
const KEY_LENGTH: usize = 128;
const VALUE_LENGTH: usize = 256;
/// Tags of one's own that a resource may carry.
const TAGS: usize = 50;

/// A tag that somebody accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Row of the file, counted as a spreadsheet does.
    pub(super) row: u64,
    /// The resource.
    pub(super) arn: String,
    /// Account to tag it in.
    pub(super) account: String,
    /// Region to tag it in, `global` for what has none.
    pub(super) region: String,
    /// The tag's key.
    pub(super) key: String,
    /// The tag's value.
    pub(super) value: String,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct Reviewed {
    /// Rows below the header.
    pub(super) rows: usize,
    /// Accepted tags, in the order of the rows.
    pub(super) accepted: Vec<Accepted>,
}

/// Why a file can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ReviewError {
    /// Not the text of a table.
    #[error("{0}: save it as CSV in UTF-8")]
    NotText(&'static str),
    /// A column is missing.
    #[error("row 1: there is no column {0:?}: keep the header of the proposals")]
    NoColumn(&'static str),
    /// A row can't be used.
    #[error("row {row}: {message}")]
    Row {
        /// The row, from 1.
        row: u64,
        /// What is wrong with it.
        message: String,
    },
}

fn wrong(row: u64, message: impl Into<String>) -> ReviewError {
    ReviewError::Row {
        row,
        message: message.into(),
    }
}

/// Where the columns are.
struct Columns {
    accept: usize,
    key: usize,
    value: usize,
    scope: usize,
    tags: Option<usize>,
    arn: usize,
}

/// Reads a reviewed file.
pub(super) fn read(bytes: &[u8]) -> Result<Reviewed, ReviewError> {
    let text = text_of(bytes)?;
    let header = text.lines().next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(header))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut columns = None;
    let mut reviewed = Reviewed {
        rows: 0,
        accepted: Vec::new(),
    };
    let mut present: BTreeMap<String, usize> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let row = error.position().map_or(1, csv::Position::line);
            wrong(row, "is damaged: a quotation mark may be missing")
        })?;
        let Some(columns) = &columns else {
            columns = Some(columns_of(&record)?);
            continue;
        };
        let row = record.position().map_or(0, csv::Position::line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        reviewed.rows += 1;
        if let Some(tag) = accepted(&record, columns, row)? {
            let tags = columns.tags.and_then(|index| record.get(index));
            let tags = tags
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or_default();
            present.insert(tag.arn.clone(), tags);
            reviewed.accepted.push(tag);
        }
    }
    if columns.is_none() {
        return Err(ReviewError::NoColumn("accept"));
    }
    agree(&mut reviewed.accepted)?;
    count(&reviewed.accepted, &present)?;
    Ok(reviewed)
}

fn text_of(bytes: &[u8]) -> Result<&str, ReviewError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(ReviewError::NotText("is in UTF-16"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(ReviewError::NotText("is a workbook"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    str::from_utf8(bytes).map_err(|_| ReviewError::NotText("is not in UTF-8"))
}

/// The separator of a header, whose names have none of these.
fn separator(header: &str) -> u8 {
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| {
            let found = header.bytes().filter(|byte| byte == separator).count();
            // The first of equals.
            (found, *separator == b',')
        })
        .unwrap_or(b',')
}

fn columns_of(header: &csv::StringRecord) -> Result<Columns, ReviewError> {
    let find = |name: &'static str| {
        header
            .iter()
            .position(|cell| cell.trim().eq_ignore_ascii_case(name))
            .ok_or(ReviewError::NoColumn(name))
    };
    Ok(Columns {
        accept: find("accept")?,
        key: find("key")?,
        value: find("value")?,
        scope: find("scope")?,
        tags: find("tags").ok(),
        arn: find("arn")?,
    })
}

/// The tag of a row, if it is accepted.
fn accepted(
    record: &csv::StringRecord,
    columns: &Columns,
    row: u64,
) -> Result<Option<Accepted>, ReviewError> {
    let cell = |index: usize| unescaped(record.get(index).unwrap_or_default());
    if !is_accepted(cell(columns.accept).trim(), row)? {
        return Ok(None);
    }
    let arn = cell(columns.arn).trim();
    let (account, region) = place(arn, cell(columns.scope).trim(), row)?;
    let key = cell(columns.key).trim();
    let value = cell(columns.value);
    check(arn, key, value, row)?;
    Ok(Some(Accepted {
        row,
        arn: arn.to_owned(),
        account,
        region,
        key: key.to_owned(),
        value: value.to_owned(),
    }))
}

fn is_accepted(answer: &str, row: u64) -> Result<bool, ReviewError> {
    match answer.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "x" => Ok(true),
        "" | "no" | "n" | "false" | "0" => Ok(false),
        _ => Err(wrong(
            row,
            format!("accept: expected yes or no, got {:?}", clip(answer, 60)),
        )),
    }
}

/// The account and region to call: those of the ARN where it has them, else those of the scope.
fn place(arn: &str, scope: &str, row: u64) -> Result<(String, String), ReviewError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, _, region, account, resource] = parts[..] else {
        return Err(not_an_arn(arn, row));
    };
    if prefix != "arn"
        || !partition.starts_with("aws")
        || resource.is_empty()
        || arn.chars().any(is_unprintable)
    {
        return Err(not_an_arn(arn, row));
    }
    let (scope_account, scope_region) = scope.split_once('/').unwrap_or_default();
    let is_account =
        |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_region = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
    };
    if !is_account(scope_account) || !is_region(scope_region) {
        return Err(wrong(
            row,
            format!(
                "scope: expected such as 111122223333/eu-west-1, got {:?}",
                clip(scope, 60)
            ),
        ));
    }
    if !account.is_empty() && account != scope_account {
        return Err(wrong(
            row,
            format!("scope: the ARN is of account {account}, not of {scope_account}"),
        ));
    }
    let region = if is_region(region) {
        region
    } else {
        scope_region
    };
    Ok((scope_account.to_owned(), region.to_owned()))
}

fn not_an_arn(text: &str, row: u64) -> ReviewError {
    wrong(
        row,
        format!("arn: expected an ARN, got {:?}", clip(text, 60)),
    )
}

/// What AWS takes: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>.
fn check(arn: &str, key: &str, value: &str, row: u64) -> Result<(), ReviewError> {
    if key.is_empty() || value.trim().is_empty() {
        return Err(wrong(
            row,
            "is accepted without a key or a value: fill them in, or write no",
        ));
    }
    // EC2 takes any character, most others these.
    let any = arn.split(':').nth(2) == Some("ec2");
    let allowed = |c: char| {
        !is_unprintable(c) && (any || c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
    };
    for (what, text, most) in [("key", key, KEY_LENGTH), ("value", value, VALUE_LENGTH)] {
        let length = text.chars().count();
        if length > most {
            return Err(wrong(
                row,
                format!("{what}: {length} characters, AWS takes {most}"),
            ));
        }
        if let Some(c) = text.chars().find(|c| !allowed(*c)) {
            return Err(wrong(
                row,
                format!("{what}: AWS takes letters, digits, spaces and _ . : / = + - @, not {c:?}"),
            ));
        }
    }
    if key.to_lowercase().starts_with("aws:") {
        return Err(wrong(row, "key: aws: is for AWS itself"));
    }
    Ok(())
}

/// Two rows for one key of a resource must say the same; the second one says nothing new.
fn agree(accepted: &mut Vec<Accepted>) -> Result<(), ReviewError> {
    let mut seen: BTreeMap<(String, String), (String, u64)> = BTreeMap::new();
    let mut kept = Vec::new();
    for tag in accepted.drain(..) {
        let place = (tag.arn.clone(), tag.key.clone());
        match seen.get(&place) {
            Some((value, _)) if *value == tag.value => {}
            Some((_, row)) => {
                return Err(wrong(
                    tag.row,
                    format!("gives {} another value than row {row}", tag.key),
                ));
            }
            None => {
                seen.insert(place, (tag.value.clone(), tag.row));
                kept.push(tag);
            }
        }
    }
    *accepted = kept;
    Ok(())
}

/// No resource gets more tags than it may have.
fn count(accepted: &[Accepted], present: &BTreeMap<String, usize>) -> Result<(), ReviewError> {
    let mut tags = present.clone();
    for tag in accepted {
        let count = tags.entry(tag.arn.clone()).or_default();
        *count += 1;
        if *count > TAGS {
            return Err(wrong(
                tag.row,
                format!("the resource would have {count} tags, AWS takes {TAGS}"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "accept,key,value,confidence,evidence,type,name,scope,tags,arn\n";
    const BUCKET: &str = "s3:bucket,b,111122223333/eu-west-1,0,arn:aws:s3:::b";

    fn row(accept: &str, key: &str, value: &str) -> String {
        format!("{accept},{key},{value},0.9,e,{BUCKET}\n")
    }

    fn error(rows: &str) -> String {
        read(format!("{HEADER}{rows}").as_bytes())
            .unwrap_err()
            .to_string()
    }

    fn values(text: &str) -> Vec<(String, String)> {
        let reviewed = read(text.as_bytes()).unwrap();
        reviewed
            .accepted
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect()
    }

    #[test]
    fn what_spreadsheets_make_of_the_file_is_read() {
        let plain = format!(
            "{HEADER}{}{}{}",
            row("yes", "Owner", "'=team"),
            row("", "Environment", "prod"),
            row("X", "System", "'-a b")
        );
        let expected = vec![
            ("Owner".to_owned(), "=team".to_owned()),
            ("System".to_owned(), "-a b".to_owned()),
        ];
        assert_eq!(values(&plain), expected);
        assert_eq!(values(&format!("\u{feff}{plain}")), expected);
        assert_eq!(values(&plain.replace('\n', "\r\n")), expected);
        assert_eq!(values(&plain.replace(',', ";")), expected);
        assert_eq!(values(&plain.replace(',', "\t")), expected);
        assert_eq!(
            values(&plain.replace("accept,key", "Accept , KEY")),
            expected
        );
        assert_eq!(values(&plain.replace("'=team", "=team")), expected);
        assert_eq!(values(&format!("{plain}\n,,,,,,,,,\n")), expected);
        let quoted: String = plain
            .lines()
            .map(|line| format!("\"{}\"\n", line.replace(',', "\",\"")))
            .collect();
        assert_eq!(values(&quoted), expected);
    }

    #[test]
    fn what_can_not_be_read_is_said() {
        let said = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert_eq!(
            said(b"\xff\xfea\0"),
            "is in UTF-16: save it as CSV in UTF-8"
        );
        assert_eq!(
            said(b"PK\x03\x04"),
            "is a workbook: save it as CSV in UTF-8"
        );
        assert_eq!(
            said(b"accept\xe4"),
            "is not in UTF-8: save it as CSV in UTF-8"
        );
        assert!(said(b"").contains("no column \"accept\""));
        assert!(said(b"accept,key,value\n").contains("no column \"scope\""));
    }

    #[test]
    fn errors_name_the_row() {
        let good = row("no", "Owner", "a");
        assert_eq!(
            error(&format!("{good}{}", row("perhaps", "Owner", "a"))),
            "row 3: accept: expected yes or no, got \"perhaps\""
        );
        for (key, value, part) in [
            ("Owner", "", "without a key or a value"),
            ("", "a", "without a key or a value"),
            ("AWS:x", "a", "aws: is for AWS itself"),
            (&"k".repeat(129), "a", "129 characters, AWS takes 128"),
            ("Owner", &"ä".repeat(257), "257 characters, AWS takes 256"),
            ("Owner", "$(reboot)", "not '$'"),
            ("Owner", "a\u{1b}[2J", "not '\\u{1b}'"),
            ("Owner", "\"a\nb\"", "not '\\n'"),
            ("Owner", "a\u{202e}b", "not '\\u{202e}'"),
        ] {
            let error = error(&row("yes", key, value));
            assert!(
                error.starts_with("row 2: ") && error.contains(part),
                "{error}"
            );
        }
        assert_eq!(
            error(&(row("yes", "Owner", "a") + &row("yes", "Owner", "b"))),
            "row 3: gives Owner another value than row 2"
        );
    }

    #[test]
    fn places_are_checked() {
        let with =
            |scope: &str, arn: &str| error(&format!("yes,Owner,a,0.9,e,t,n,{scope},0,{arn}\n"));
        assert!(with("1.11122E+11", "arn:aws:s3:::b").contains("scope: expected such as"));
        assert!(with("111122223333/--debug", "arn:aws:s3:::b").contains("scope: expected"));
        assert!(with("111122223333/eu-west-1", "bucket b").contains("expected an ARN"));
        assert!(
            with(
                "111122223333/eu-west-1",
                "arn:aws:sqs:eu-west-1:444455556666:q"
            )
            .contains("is of account 444455556666")
        );
    }

    #[test]
    fn a_resource_gets_no_more_than_fifty_tags() {
        let full = row("yes", "Owner", "a").replace("eu-west-1,0,", "eu-west-1,49,");
        assert_eq!(
            read(format!("{HEADER}{full}").as_bytes())
                .unwrap()
                .accepted
                .len(),
            1
        );
        let both = full.clone() + &full.replace("Owner", "System");
        assert_eq!(
            error(&both),
            "row 3: the resource would have 51 tags, AWS takes 50"
        );
    }

    #[test]
    fn ec2_takes_any_character_that_can_be_printed() {
        let text = format!(
            "{HEADER}yes,Owner,\"R&D, $(x) 'a' \"\"b\"\"\",0.9,e,t,n,111122223333/eu-west-1,0,arn:aws:ec2:eu-west-1:111122223333:volume/vol-1\n"
        );
        assert_eq!(values(&text)[0].1, "R&D, $(x) 'a' \"b\"");
    }
}
