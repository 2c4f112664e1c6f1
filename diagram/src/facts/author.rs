//! Who made a change, from the events of CloudTrail in the lake: the last call that wrote, succeeded, lies between two
//! runs and names the resource.

use std::collections::{BTreeMap, HashMap, HashSet};

use handoff::run::Run;
use handoff::table::{self, Row};
use handoff::trail;
use jiff::Timestamp;
use serde_json::Value;

use super::change::Fate;
use super::read::ReadError;
use super::{Facts, Index};

/// Resources by what calls name them: their ARN, or their id together with service, account and region.
struct Names<'a> {
    arns: HashMap<&'a str, Index>,
    ids: HashMap<(&'a str, &'a str), Vec<Index>>,
}

impl<'a> Names<'a> {
    fn new(facts: &'a Facts, fates: &BTreeMap<Index, Fate>) -> Self {
        let mut names = Self {
            arns: HashMap::new(),
            ids: HashMap::new(),
        };
        for &index in fates.keys() {
            let resource = facts.resource(index);
            let service = resource.arn.split(':').nth(2).unwrap_or_default();
            names.arns.insert(&resource.arn, index);
            let id = resource.arn.rsplit(['/', ':']).next().unwrap_or_default();
            names.ids.entry((service, id)).or_default().push(index);
        }
        names
    }
}

/// `by alice, 08-19 RunInstances`, by resource.
///
/// # Errors
/// When the events can't be read.
pub(super) fn read(
    before: &Run,
    after: &Run,
    facts: &Facts,
    fates: &BTreeMap<Index, Fate>,
) -> Result<BTreeMap<Index, String>, ReadError> {
    const COLUMNS: [&str; 11] = [
        "event_time",
        "event_name",
        "event_source",
        "read_only",
        "error_code",
        "recipient_account_id",
        "aws_region",
        "identity_arn",
        "resources",
        "request_parameters",
        "response_elements",
    ];
    let names = Names::new(facts, fates);
    let mut last: BTreeMap<Index, (Timestamp, String, String)> = BTreeMap::new();
    let (since, until) = (before.id.as_of(), after.id.as_of());
    if fates.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Events lie in the folder of the day on which they happened, so those of other days are not even opened.
    let [first, final_day] = [since, until].map(|time| time.strftime("%F").to_string());
    let files = trail::event_files(&after.lake, Some(&first), Some(&final_day))?;
    for path in trail::local_paths(&after.lake, &files)? {
        table::read("cloudtrail", &path, &COLUMNS)?.for_each::<ReadError>(|row| {
            let Some(time) = row.time("event_time") else {
                return Ok(());
            };
            let wrote = row.bool("read_only") == Some(false) && row.text("error_code").is_none();
            if !wrote || time <= since || time > until {
                return Ok(());
            }
            for index in named(facts, &names, row) {
                let event = (time, row.string("event_name"), row.string("identity_arn"));
                let known = last.entry(index).or_insert_with(|| event.clone());
                if *known < event {
                    *known = event;
                }
            }
            Ok(())
        })?;
    }
    Ok(last
        .into_iter()
        .map(|(index, (time, event, identity))| {
            let day = time.strftime("%m-%d");
            (index, format!("{day} {event} by {}", who(&identity)))
        })
        .collect())
}

/// Resources that a call names in its request, its answer or its own list.
fn named(facts: &Facts, names: &Names<'_>, row: Row<'_>) -> HashSet<Index> {
    let source = row.text("event_source").unwrap_or_default();
    let service = source.split('.').next().unwrap_or_default();
    let (account, region) = (row.text("recipient_account_id"), row.text("aws_region"));
    let mut found = HashSet::new();
    for column in ["resources", "request_parameters", "response_elements"] {
        let parsed = row
            .text(column)
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let mut open: Vec<&Value> = parsed.iter().collect();
        while let Some(value) = open.pop() {
            match value {
                Value::Array(values) => open.extend(values),
                Value::Object(fields) => open.extend(fields.values()),
                Value::String(text) => {
                    found.extend(names.arns.get(text.as_str()));
                    // A queue is named by its URL, which ends with its id.
                    let id = match text.rsplit_once('/') {
                        Some((start, id)) if start.contains("://") => id,
                        _ => text,
                    };
                    let alike = names.ids.get(&(service, id));
                    found.extend(alike.into_iter().flatten().filter(|&&index| {
                        let resource = facts.resource(index);
                        account == Some(&resource.account_id)
                            && (region == Some(&resource.region) || resource.region == "global")
                    }));
                }
                _ => {}
            }
        }
    }
    found
}

/// The name in an identity's ARN: `alice`, `deployer/build-17`.
fn who(identity: &str) -> String {
    let path = identity.rsplit(':').next().unwrap_or_default();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["assumed-role", role, session] => format!("{role}/{session}"),
        [.., name] if !name.is_empty() => name.to_owned(),
        _ => "somebody".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::who;

    #[test]
    fn people_and_sessions_have_names() {
        for (arn, name) in [
            ("arn:aws:iam::111122223333:user/ops/alice", "alice"),
            (
                "arn:aws:sts::111122223333:assumed-role/deployer/build-17",
                "deployer/build-17",
            ),
            ("arn:aws:iam::111122223333:root", "root"),
            ("", "somebody"),
        ] {
            assert_eq!(who(arn), name);
        }
    }
}
