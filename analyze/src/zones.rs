//! `analyze zones`: hosted zones of a run as change batches that restore them.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::Context as _;
use handoff::run::Run;
use handoff::shell::{self, Exit};
use handoff::storage::Storage;
use handoff::text::printable;
use serde_json::Value;

use crate::cli::ZonesArgs;
use crate::config::Config;
use crate::events;
use crate::open::open_for_reading;

/// What one call takes, halved because an upsert counts twice: values of records, and characters in them.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
const VALUES: usize = 500;
const CHARACTERS: usize = 16_000;

/// Aliases of aliases that are followed; Route 53 itself follows few.
const ALIASES: usize = 8;

struct Zone {
    id: String,
    name: String,
    records: i64,
    left_out: i64,
    concealed: Vec<String>,
    change_batch: Option<String>,
}

/// Writes a file per batch of changes, and a README that says how to restore them.
pub(crate) fn run(args: &ZonesArgs) -> anyhow::Result<Exit> {
    let run = Run::find(args.run.as_deref())?;
    let session = open_for_reading(
        &run,
        &Config::load(None)?,
        &args.limits,
        &events::Files::default(),
    )?;
    let mut statement = session.connection.prepare("select zone_id, name, records, left_out, to_json(concealed)::varchar, change_batch::varchar from zone_backups order by name, zone_id")?;
    let zone = |row: &duckdb::Row<'_>| {
        Ok(Zone {
            id: row.get(0)?,
            name: row.get(1)?,
            records: row.get(2)?,
            left_out: row.get(3)?,
            concealed: row
                .get::<_, Option<String>>(4)?
                .and_then(|names| serde_json::from_str(&names).ok())
                .unwrap_or_default(),
            change_batch: row.get(5)?,
        })
    };
    let zones = statement
        .query_map([], zone)?
        .collect::<Result<Vec<_>, _>>()?;
    let folder = Storage::open(&args.export.display().to_string())?;
    let mut readme = format!(
        "# Hosted zones of run {}\n\nEach command adds or corrects the records of a zone; it removes none.\n",
        run.id
    );
    let mut incomplete = 0;
    for zone in &zones {
        incomplete += usize::from(!write(&folder, zone, &mut readme)?);
    }
    folder.put("README.md", readme.as_bytes())?;
    let gaps: i64 = session.connection.query_row("select count(*) from gaps where table_name in ('aws_route53_hosted_zone', 'aws_route53_record')", [], |row| row.get(0))?;
    if gaps > 0 {
        shell::warn(
            "some zones or records were not collected: the backups lack them; `analyze query 'from gaps'` says which",
        );
    }
    shell::note(&format!(
        "{} zones written to {folder}",
        zones
            .iter()
            .filter(|zone| zone.change_batch.is_some())
            .count()
    ));
    Ok(if gaps > 0 || incomplete > 0 {
        Exit::Partial
    } else {
        Exit::Done
    })
}

/// Writes one zone; false when not all of its records are known.
fn write(folder: &Storage, zone: &Zone, readme: &mut String) -> anyhow::Result<bool> {
    let id: String = zone
        .id
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let name = printable(&zone.name).replace('`', "");
    let Some(text) = &zone.change_batch else {
        shell::warn(&format!(
            "zone {name} ({id}): its records were not collected"
        ));
        return Ok(false);
    };
    let batch: Value = serde_json::from_str(text)
        .with_context(|| format!("zone {id}: its change batch is damaged"))?;
    let changes = in_order(
        batch["Changes"].as_array().cloned().unwrap_or_default(),
        &id,
    );
    let own_aliases = changes
        .iter()
        .filter(|change| own_target(change, &id).is_some())
        .count();
    // Writing to a String can't fail.
    let _ = write!(
        readme,
        "\n## `{name}`\n\n{} record sets; {} that Route 53 makes itself are left out: the NS and SOA of the zone's own delegation.\n",
        zone.records, zone.left_out
    );
    for record in &zone.concealed {
        let record = printable(record).replace('`', "");
        shell::warn(&format!(
            "zone {name} ({id}): {record} holds what looks like a secret and is not in the backup"
        ));
        let _ = writeln!(
            readme,
            "\nNot in the batch, because its value was taken for a secret: `{record}`."
        );
    }
    let _ = write!(readme, "\n```sh\n");
    let parts = batches(&changes);
    for (index, part) in parts.iter().enumerate() {
        let file = if parts.len() > 1 {
            format!("{id}-{}.json", index + 1)
        } else {
            format!("{id}.json")
        };
        let part = serde_json::json!({ "Comment": batch["Comment"], "Changes": part });
        folder.put(
            &file,
            format!("{}\n", serde_json::to_string_pretty(&part)?).as_bytes(),
        )?;
        let _ = writeln!(
            readme,
            "aws route53 change-resource-record-sets --hosted-zone-id {id} --change-batch file://{file}"
        );
    }
    let _ = write!(
        readme,
        "```\n\nA zone that was deleted comes back under a new id and with new name servers: create it with `aws route53 create-hosted-zone`,\nput the new id in the command, and set the new name servers where the domain is registered.\n"
    );
    if own_aliases > 0 {
        let _ = write!(
            readme,
            "{own_aliases} of its records are aliases of others in it and name it by its id, so put the new id there too:\n`sed -i 's/\"{id}\"/\"NEW-ID\"/' {id}*.json`.\n"
        );
    }
    Ok(zone.concealed.is_empty())
}

/// Name and type of the record in the same zone that a change makes an alias of.
fn own_target<'c>(change: &'c Value, zone_id: &str) -> Option<(&'c str, &'c str)> {
    let record = &change["ResourceRecordSet"];
    let target = &record["AliasTarget"];
    let own = target["HostedZoneId"].as_str() == Some(zone_id);
    own.then_some((target["DNSName"].as_str()?, record["Type"].as_str()?))
}

/// The changes, with records before those that are aliases of them: Route 53 refuses an alias of what is not there.
fn in_order(changes: Vec<Value>, zone_id: &str) -> Vec<Value> {
    let key = |name: &str, kind: &str| (name.trim_end_matches('.').to_lowercase(), kind.to_owned());
    let mut depths: HashMap<(String, String), usize> = HashMap::new();
    for _ in 0..ALIASES {
        for change in &changes {
            let Some((target, kind)) = own_target(change, zone_id) else {
                continue;
            };
            let depth = depths.get(&key(target, kind)).copied().unwrap_or_default() + 1;
            let name = change["ResourceRecordSet"]["Name"]
                .as_str()
                .unwrap_or_default();
            let known = depths.entry(key(name, kind)).or_default();
            // Records that point at each other have no order; they stop somewhere.
            *known = depth.max(*known).min(ALIASES);
        }
    }
    let depth = |change: &Value| {
        own_target(change, zone_id).map_or(0, |(target, kind)| {
            depths.get(&key(target, kind)).copied().unwrap_or_default() + 1
        })
    };
    let mut changes = changes;
    changes.sort_by_key(depth);
    changes
}

/// The changes in as few calls as Route 53's limits allow.
fn batches(changes: &[Value]) -> Vec<&[Value]> {
    let (mut batches, mut start, mut values, mut characters) = (Vec::new(), 0, 0, 0);
    for (index, change) in changes.iter().enumerate() {
        let records = change["ResourceRecordSet"]["ResourceRecords"].as_array();
        let records = records.map(Vec::as_slice).unwrap_or_default();
        // An alias has no values, but is a change all the same.
        let more = records.len().max(1);
        let text = records.iter().filter_map(|record| record["Value"].as_str());
        let long: usize = text.map(|value| value.chars().count()).sum();
        if index > start && (values + more > VALUES || characters + long > CHARACTERS) {
            batches.push(&changes[start..index]);
            (start, values, characters) = (index, 0, 0);
        }
        values += more;
        characters += long;
    }
    batches.push(&changes[start..]);
    batches
}
