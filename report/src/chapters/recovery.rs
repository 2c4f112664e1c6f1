//! Rule 7's own part: the checklist, what people attest, zones that can be restored, and DR tags that promise more than there is.

use super::{attested, checklist};
use crate::content::{Content, Evaluation};
use crate::markdown::words::number;
use crate::markdown::{Align, Page, Table, code, text};

/// Rows shown of each table.
const ROWS: usize = 60;

/// Writes the part.
pub fn write(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    checklist::write(page, content, evaluation);
    attested::write(page, content, 7);
    zones(page, evaluation);
    unmet(page, evaluation);
}

fn zones(page: &mut Page<'_>, evaluation: &Evaluation) {
    let Some(zones) = &evaluation.zones else {
        page.paragraph("Backups of hosted zones are not known: this run has no table `zone_backups`. Run `analyze` again.");
        return;
    };
    if zones.is_empty() {
        page.paragraph("This run holds no hosted zone.");
        return;
    }
    page.heading(3, "Hosted zones and their backups");
    page.paragraph(
        "This run holds the records of these zones as change batches. `analyze zones --export DIR` writes them, with the commands that put them back.",
    );
    let mut table = Table::new(&[
        ("Zone", Align::Left),
        ("Id", Align::Left),
        ("Account", Align::Left),
        ("Records kept", Align::Right),
        ("Made by Route 53", Align::Right),
    ]);
    for zone in zones {
        let count = |records: i64| u64::try_from(records).map_or_else(|_| String::new(), number);
        table.row(&[
            code(&zone.name),
            code(&zone.zone_id),
            code(&zone.account_id),
            count(zone.records),
            count(zone.left_out),
        ]);
    }
    page.table(&table, ROWS, "zone");
}

fn unmet(page: &mut Page<'_>, evaluation: &Evaluation) {
    let unmet = evaluation
        .context
        .as_ref()
        .map_or(&[][..], |context| &context.unmet);
    if unmet.is_empty() {
        return;
    }
    page.heading(3, "DR tags that promise more than there is");
    let mut table = Table::new(&[
        ("Resource", Align::Left),
        ("Type", Align::Left),
        ("Environment", Align::Left),
        ("Importance", Align::Left),
        ("Owner", Align::Left),
        ("Demanded", Align::Left),
        ("Missing", Align::Left),
    ]);
    for resource in unmet {
        table.row(&[
            code(&resource.name),
            text(&resource.resource_type),
            resource
                .environment
                .as_deref()
                .map(text)
                .unwrap_or_default(),
            resource.importance.as_deref().map(text).unwrap_or_default(),
            resource.owner.as_deref().map(code).unwrap_or_default(),
            text(&resource.dr.join(", ")),
            text(&resource.dr_unmet.join(", ")),
        ]);
    }
    page.table(&table, ROWS, "resource");
}
