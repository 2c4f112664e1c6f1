//! Rule 3's own part: trails, the days they cover, the alarms that CIS names, and what happened.

use super::detections;
use crate::content::finding::Status;
use crate::content::monitoring::{RECENT_DAYS, Recorded, Trail};
use crate::content::{Content, Evaluation};
use crate::markdown::words::{counted, minute, number};
use crate::markdown::{Align, Page, Table, code, text};

/// Rows of a table.
const ROWS: usize = 60;

/// Writes the part.
pub fn write(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    trails(page, content, evaluation);
    coverage(page, content, evaluation);
    alarms(page, content, evaluation);
    detections::write(page, evaluation);
}

fn yes(answer: Option<bool>) -> String {
    match answer {
        Some(true) => "yes".to_owned(),
        Some(false) => "**no**".to_owned(),
        None => "not known".to_owned(),
    }
}

/// Columns that begin with the account where there are several.
fn with_account(
    content: &Content,
    columns: &[(&'static str, Align)],
) -> Vec<(&'static str, Align)> {
    let account = (content.accounts.len() > 1).then_some(("Account", Align::Left));
    account.into_iter().chain(columns.iter().copied()).collect()
}

fn account_cell(content: &Content, account: &str) -> Vec<String> {
    if content.accounts.len() > 1 {
        vec![code(account)]
    } else {
        Vec::new()
    }
}

fn trails(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    page.heading(3, "Trails");
    let Some(trails) = &evaluation.monitoring.trails else {
        page.paragraph("Not known: this run has not collected `aws_cloudtrail_trail`.");
        return;
    };
    if trails.is_empty() {
        page.paragraph("This run knows of no trail.");
        return;
    }
    let mut table = Table::new(&with_account(
        content,
        &[
            ("Trail", Align::Left),
            ("Home", Align::Left),
            ("All regions", Align::Left),
            ("Recording", Align::Left),
            ("Last delivery", Align::Left),
            ("Validated", Align::Left),
            ("Own key", Align::Left),
            ("Bucket", Align::Left),
            ("Kept", Align::Left),
        ],
    ));
    for trail in trails {
        let mut cells = account_cell(content, &trail.account_id);
        cells.extend([
            code(&trail.name),
            text(&trail.home_region),
            yes(trail.all_regions),
            yes(trail.is_logging),
            trail.latest_delivery_at.map(minute).unwrap_or_default(),
            yes(trail.validated),
            yes(Some(trail.own_key)),
            trail.bucket.as_deref().map(code).unwrap_or_default(),
            kept(trail),
        ]);
        table.row(&cells);
    }
    page.table(&table, ROWS, "trail");
}

fn kept(trail: &Trail) -> String {
    trail.retention.as_ref().map_or_else(
        || "not known".to_owned(),
        |retention| {
            let status = match retention.status {
                Status::Pass => "",
                Status::Fail => "**fail**: ",
                Status::Unknown => "unknown: ",
                Status::Waived => "accepted: ",
            };
            format!("{status}{}", text(&retention.reason))
        },
    )
}

fn coverage(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    page.heading(3, "Trail coverage by region and day");
    let recorded = match &evaluation.monitoring.recorded {
        None => {
            page.paragraph("Not known: this run has no table `trail_days`. Run `analyze` again.");
            return;
        }
        Some(recorded) if recorded.is_empty() => {
            page.paragraph("Not evaluated: the lake has no CloudTrail events. `collect cloudtrail` reads them.");
            return;
        }
        Some(recorded) => recorded,
    };
    page.paragraph(&format!(
        "Days on which events of a region came, out of those since the first event of the account. The last column shows the {RECENT_DAYS} days up to the run: `█` events, `·` none. \
         A region in which nobody works has few events; one that falls silent has been switched off, or its objects are missing."
    ));
    let mut table = Table::new(&with_account(
        content,
        &[
            ("Region", Align::Left),
            ("Events", Align::Right),
            ("Changes", Align::Right),
            ("Days", Align::Right),
            ("First", Align::Left),
            ("Last", Align::Left),
            ("Longest silence", Align::Right),
            ("Recent days", Align::Left),
        ],
    ));
    for region in recorded {
        let mut cells = account_cell(content, &region.account_id);
        let day =
            |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
        cells.extend([
            text(&region.region),
            if region.events == 0 {
                "**none**".to_owned()
            } else {
                number(region.events)
            },
            number(region.changes),
            number(region.days),
            day(region.first_day),
            day(region.last_day),
            counted(region.longest_silence_days, "day"),
            strip(region),
        ]);
        table.row(&cells);
    }
    page.table(&table, ROWS, "region");
}

fn strip(region: &Recorded) -> String {
    let days: String = region
        .recent
        .iter()
        .map(|&events| if events { '█' } else { '·' })
        .collect();
    format!("`{days}`")
}

fn alarms(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    let alarms = &evaluation.monitoring.alarms;
    page.heading(3, "Alarms that CIS names");
    if alarms.is_empty() {
        page.paragraph("Not evaluated: `cis-alarms` gave no verdict in this run.");
        return;
    }
    let told = alarms
        .iter()
        .filter(|alarm| alarm.status == Status::Pass)
        .count();
    page.paragraph(&format!(
        "Of {}, somebody is told of {}.",
        counted(alarms.len() as u64, "event"),
        number(told as u64)
    ));
    let mut table = Table::new(&with_account(
        content,
        &[
            ("Control", Align::Left),
            ("Event", Align::Left),
            ("Somebody is told", Align::Left),
            ("Why", Align::Left),
        ],
    ));
    for alarm in alarms {
        let mut cells = account_cell(content, &alarm.account_id);
        cells.extend([
            text(&alarm.control),
            text(&alarm.event),
            match alarm.status {
                Status::Pass => "yes".to_owned(),
                Status::Fail => "**no**".to_owned(),
                Status::Waived => "no, accepted".to_owned(),
                Status::Unknown => "not known".to_owned(),
            },
            text(&alarm.reason),
        ]);
        table.row(&cells);
    }
    page.table(&table, ROWS, "event");
}
