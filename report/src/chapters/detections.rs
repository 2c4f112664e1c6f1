//! What happened: detections in the order of time.

use jiff::Timestamp;

use crate::content::Evaluation;
use crate::content::actor::{Actor, began};
use crate::content::finding::{Finding, Status, short_arn};
use crate::markdown::words::{counted, number, some_of};
use crate::markdown::{Align, Page, Table, code, text};

/// Rows shown in one file.
const ROWS: usize = 60;
/// People and addresses named in a cell.
const NAMED: usize = 3;

/// Writes the part.
pub fn write(page: &mut Page<'_>, evaluation: &Evaluation) {
    page.heading(3, "What happened");
    let mut seen: Vec<&Finding> = evaluation
        .of(Status::Fail)
        .filter(|finding| finding.is_detection())
        .collect();
    let detections = || {
        evaluation
            .checks
            .iter()
            .filter(|check| check.kind.as_deref() == Some("detection"))
    };
    if seen.is_empty() {
        let run = detections().filter(|check| check.error.is_none()).count() as u64;
        page.paragraph(&if run == 0 {
            "Not evaluated: no detection looked at the events of this lake. `collect cloudtrail` reads them.".to_owned()
        } else {
            format!("{} saw nothing that is still open.", counted(run, "detection"))
        });
        return;
    }
    let limit = if page.is_folder() { usize::MAX } else { ROWS };
    // What is left out is what matters least; what stays is told in the order of time.
    let limit = limit.min(crate::markdown::page::TABLE_ROWS);
    let left_out = seen.len().saturating_sub(limit);
    seen.truncate(limit);
    seen.sort_by(|a, b| {
        let place = |finding: &Finding| happened(finding);
        (place(a), &a.check_id, &a.fingerprint).cmp(&(place(b), &b.check_id, &b.fingerprint))
    });
    page.paragraph("What CloudTrail saw and a detection took up, in the order of time (UTC).");
    let mut table = Table::new(&[
        ("When", Align::Left),
        ("Severity", Align::Left),
        ("Detection", Align::Left),
        ("Who", Align::Left),
        ("From", Align::Left),
        ("What", Align::Left),
    ]);
    for finding in seen {
        let actor = finding.changed_by.as_ref();
        let evidence = page.evidence(finding);
        table.row(&[
            happened(finding).map(when).unwrap_or_default(),
            finding.severity.name().to_owned(),
            match evidence.is_empty() {
                true => code(&finding.check_id),
                false => {
                    evidence.replacen("[evidence]", &format!("[{}]", code(&finding.check_id)), 1)
                }
            },
            actor.map(who).unwrap_or_default(),
            actor.map(from).unwrap_or_default(),
            text(&finding.reason),
        ]);
    }
    page.table(&table, usize::MAX, "detection");
    page.left_out(left_out, "detection");
}

fn happened(finding: &Finding) -> Option<Timestamp> {
    let acted = finding.changed_by.as_ref().map(|actor| actor.first);
    acted.or_else(|| finding.evidence.as_deref().and_then(began))
}

fn when(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Who acted, in a few words.
pub fn who(actor: &Actor) -> String {
    let names: Vec<String> = actor
        .principals
        .iter()
        .map(|principal| code(short_arn(principal)))
        .collect();
    some_of(&names, NAMED)
}

fn from(actor: &Actor) -> String {
    let addresses: Vec<String> = actor
        .addresses
        .iter()
        .map(|address| code(address))
        .collect();
    match addresses.len() {
        many if many > NAMED => format!(
            "{} and {} more",
            addresses[..NAMED].join(", "),
            number((many - NAMED) as u64)
        ),
        _ => addresses.join(", "),
    }
}
