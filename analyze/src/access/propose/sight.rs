//! What the log of an account would show, had it happened.
//!
//! That no event tells of an action proves something only where the trail keeps such events. What it keeps is read from the
//! events themselves, since nobody knows how the trails were set a year ago; services that trails leave out, or may leave out,
//! count as kept only when the log has events of them.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;
use serde_json::Value;

use crate::actions::{ActionFacts, Logged};

/// Event sources that a trail can leave out by a switch. <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html>
const SWITCHED: [&str; 2] = ["kms", "rdsdata"];

/// Prefixes of actions of event sources that are named otherwise.
const PREFIXES: [(&str, &str); 2] = [("rdsdata", "rds-data"), ("monitoring", "cloudwatch")];

/// What the logs show.
pub(super) struct Sight {
    accounts: BTreeMap<String, Seen>,
    /// Services that some trail leaves out, or may have left out.
    doubtful: BTreeSet<String>,
}

/// Management events of an account.
#[derive(Default)]
struct Seen {
    reads: bool,
    writes: bool,
    services: BTreeSet<String>,
}

impl Sight {
    pub(super) fn read(connection: &Connection) -> anyhow::Result<Self> {
        let mut accounts: BTreeMap<String, Seen> = BTreeMap::new();
        let mut statement = connection.prepare(
            "select account_id, event_source, coalesce(bool_or(read_only), false), coalesce(bool_or(not read_only), false)
            from events
            where account_id is not null and event_source is not null and coalesce(management_event, true)
            group by account_id, event_source
            order by account_id, event_source",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seen = accounts.entry(row.get(0)?).or_default();
            seen.services.insert(service(&row.get::<_, String>(1)?));
            seen.reads |= row.get::<_, bool>(2)?;
            seen.writes |= row.get::<_, bool>(3)?;
        }
        let mut doubtful: BTreeSet<String> =
            SWITCHED.iter().map(|source| service(source)).collect();
        let mut statement = connection.prepare(
            "select event_selectors::varchar from aws_cloudtrail_trail where event_selectors is not null
            union all select advanced_event_selectors::varchar from aws_cloudtrail_trail where advanced_event_selectors is not null
            order by all",
        )?;
        for text in statement.query_map([], |row| row.get::<_, String>(0))? {
            if let Ok(selectors) = serde_json::from_str(&text?) {
                left_out(&selectors, &mut doubtful);
            }
        }
        Ok(Self { accounts, doubtful })
    }

    /// Whether an event would tell of an action in the account.
    pub(super) fn shows(&self, account: &str, action: &ActionFacts) -> bool {
        let Some(seen) = self
            .accounts
            .get(account)
            .filter(|_| action.logged == Logged::Management)
        else {
            return false;
        };
        let service = action.name.split(':').next().unwrap_or_default();
        let kept = if matches!(action.access_level, "List" | "Read") {
            seen.reads
        } else {
            seen.writes
        };
        kept && (seen.services.contains(service) || !self.doubtful.contains(service))
    }

    /// Whether the log of an account has events that only read, and such that change something.
    pub(super) fn reads_and_writes(&self, account: &str) -> (bool, bool) {
        self.accounts
            .get(account)
            .map_or((false, false), |seen| (seen.reads, seen.writes))
    }
}

/// The prefix of the actions of an event source.
fn service(source: &str) -> String {
    let source = source.to_ascii_lowercase();
    let source = source.trim_end_matches(".amazonaws.com");
    let known = PREFIXES.iter().find(|(name, _)| *name == source);
    known.map_or(source, |(_, prefix)| prefix).to_owned()
}

/// Event sources that selectors exclude: by the list of the basic ones, by the fields of the advanced ones.
fn left_out(selectors: &Value, found: &mut BTreeSet<String>) {
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(service)
            .collect()
    };
    match selectors {
        Value::Array(list) => list.iter().for_each(|one| left_out(one, found)),
        Value::Object(members) => {
            found.extend(texts(&selectors["ExcludeManagementEventSources"]));
            if selectors["Field"] == "eventSource" {
                found.extend(texts(&selectors["NotEquals"]));
            }
            members.values().for_each(|one| left_out(one, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Catalogue;
    use serde_json::json;

    #[test]
    fn what_trails_leave_out_is_not_unused() {
        let mut doubtful = BTreeSet::new();
        left_out(
            &json!([
                { "ExcludeManagementEventSources": ["kms.amazonaws.com"] },
                { "FieldSelectors": [{ "Field": "eventSource", "NotEquals": ["rdsdata.amazonaws.com", "sns.amazonaws.com"] }] },
            ]),
            &mut doubtful,
        );
        assert_eq!(
            doubtful,
            ["kms", "rds-data", "sns"].map(str::to_owned).into()
        );
        let seen = Seen {
            reads: false,
            writes: true,
            services: BTreeSet::from(["sns".to_owned()]),
        };
        let sight = Sight {
            accounts: BTreeMap::from([("1".to_owned(), seen)]),
            doubtful,
        };
        let shows = |action: &str| sight.shows("1", Catalogue::embedded().find(action).unwrap());
        assert!(shows("sns:DeleteTopic"), "there are events of it");
        assert!(!shows("kms:ScheduleKeyDeletion"), "a trail leaves it out");
        assert!(
            shows("rds:DeleteDBInstance") && !shows("rds:DescribeDBInstances"),
            "reading is not logged"
        );
        assert!(!shows("iam:PassRole") && !shows("s3:GetObject"));
        assert!(!sight.shows("2", Catalogue::embedded().find("sns:DeleteTopic").unwrap()));
    }
}
