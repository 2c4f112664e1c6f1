//! What one account gave, between its calls and its files.
//!
//! Invariant: a row, its secrets, its names and its references are kept together; where one can't be, the run ends.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::errors::ErrorRow;
use super::expression::Place;
use super::rows::{Built, NAME, tag_map};
use super::secrets::hide;
use super::sorter::{Sorter, Spool};
use super::tablefile::TableFile;

/// What was collected in one account, waiting to be sorted and written.
#[derive(Default)]
pub struct Collected {
    /// Rows of all tables.
    pub spool: Spool,
    /// Order of each table's rows, by index of the table.
    pub rows: BTreeMap<usize, Sorter>,
    /// Rows per table and region.
    pub counts: BTreeMap<(usize, String), u64>,
    /// Secrets that were replaced.
    pub secrets: Sorter,
    /// References, not resolved yet.
    pub references: Sorter,
    /// Names: region, resource type (empty for facts), ARN, other names.
    pub names: Vec<(String, String, String, Vec<String>)>,
    /// What failed.
    pub errors: Vec<ErrorRow>,
    /// Tags of the sweep, by ARN; none where the sweep failed.
    pub swept: BTreeMap<String, Value>,
    /// Why the disk for waiting rows failed; nothing may be committed then.
    pub broken: Option<std::io::Error>,
}

impl Collected {
    /// Keeps a row and what follows from it.
    ///
    /// # Errors
    ///
    /// When the disk for waiting rows fails.
    pub(super) fn keep(
        &mut self,
        index: usize,
        table: &TableFile,
        place: &Place,
        built: Built,
    ) -> std::io::Result<()> {
        let region = &place.column_region;
        let arn = built.arn.unwrap_or_default();
        for found in &built.secrets {
            let row = json!([
                place.account_id,
                region,
                arn,
                table.name,
                found.place,
                found.kind,
                found.fingerprint
            ]);
            self.secrets.push(
                &mut self.spool,
                &[region, &arn, &table.name, &found.place],
                &row,
            )?;
        }
        let row = serde_json::to_value(&built.row)?;
        let name = built
            .row
            .cells
            .get(NAME)
            .and_then(Value::as_str)
            .unwrap_or_default();
        let sorter = self.rows.entry(index).or_default();
        sorter.push(&mut self.spool, &[region, &arn, name], &row)?;
        *self.counts.entry((index, region.clone())).or_default() += 1;
        if !arn.is_empty() && (built.row.resource.is_some() || !built.ids.is_empty()) {
            let resource_type = table.resource_type.clone().unwrap_or_default();
            self.names
                .push((region.clone(), resource_type, arn, built.ids));
        }
        for reference in &built.references {
            self.references.push(
                &mut self.spool,
                &[region],
                &serde_json::to_value(reference)?,
            )?;
        }
        Ok(())
    }

    /// Notes the tags that the sweep tells of one resource.
    pub(super) fn tagged(&mut self, mapping: &Value) {
        let Some(arn) = mapping.get("ResourceARN").and_then(Value::as_str) else {
            return;
        };
        let mut tags = mapping.get("Tags").cloned().unwrap_or_else(|| json!([]));
        hide(&mut tags, &[]);
        if let Ok(tags @ Value::Object(_)) = tag_map(&tags) {
            self.swept.insert(arn.to_owned(), tags);
        }
    }
}
