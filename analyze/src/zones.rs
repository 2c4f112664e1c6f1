//! `analyze zones`: hosted zones of a run as change batches that restore them.

use std::fmt::Write as _;

use anyhow::Context as _;
use handoff::run::Run;
use handoff::shell::{self, Exit};
use handoff::storage::Storage;
use handoff::text::printable;

use crate::cli::ZonesArgs;
use crate::config::Config;
use crate::events;
use crate::run::open_for_reading;

/// Changes in one call: Route 53 takes 1,000 record sets at a time, and an upsert counts twice.
const CHANGES: usize = 500;

struct Zone {
    id: String,
    name: String,
    records: i64,
    left_out: i64,
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
    let mut statement = session.connection.prepare("select zone_id, name, records, left_out, change_batch::varchar from zone_backups order by name, zone_id")?;
    let zone = |row: &duckdb::Row<'_>| {
        Ok(Zone {
            id: row.get(0)?,
            name: row.get(1)?,
            records: row.get(2)?,
            left_out: row.get(3)?,
            change_batch: row.get(4)?,
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
        zones.len() - incomplete
    ));
    Ok(if gaps > 0 || incomplete > 0 {
        Exit::Partial
    } else {
        Exit::Done
    })
}

/// Writes one zone; false when its records are not known.
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
    let batch: serde_json::Value = serde_json::from_str(text)
        .with_context(|| format!("zone {id}: its change batch is damaged"))?;
    let changes = batch["Changes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    // Writing to a String can't fail.
    let _ = write!(
        readme,
        "\n## `{name}`\n\n{} record sets; {} that Route 53 makes itself are left out.\n\n```sh\n",
        zone.records, zone.left_out
    );
    for (index, part) in changes.chunks(CHANGES).enumerate() {
        let file = if changes.len() > CHANGES {
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
    Ok(true)
}
