//! Rule 2's own part: who may do what is dangerous to what counts as critical.

use crate::content::Evaluation;
use crate::content::access::{Access, Freedom, Holder, KINDS};
use crate::markdown::words::{and, counted, number, some_of};
use crate::markdown::{Align, Page, Table, code, text};

/// Rows of the table.
const ROWS: usize = 60;
/// Names in a cell.
const NAMES: usize = 3;

/// Writes the part.
pub fn write(page: &mut Page<'_>, evaluation: &Evaluation) {
    page.heading(3, "Dangerous actions on what counts as critical");
    let Some(access) = &evaluation.access else {
        page.paragraph("Not known: this run has no tables `principal_classes` and `grants`. Run `analyze` again.");
        return;
    };
    if access.critical == 0 {
        page.paragraph("No resource is tagged with an importance that counts as critical, so nobody is shown here.");
        return;
    }
    page.paragraph(&format!(
        "How many of the {} each may endanger by permissions of its own, by kind of danger. **Bold** is without a second factor; *MFA* is only with one, \
         *keys* with one that long-term access keys slip through, *if* depends on the request, *?* could not be decided. {}",
        counted(access.critical, "critical resource"),
        administrators(access)
    ));
    if access.holders.is_empty() {
        page.paragraph("Nobody else may endanger them.");
        return;
    }
    let mut columns = vec![("Who", Align::Left)];
    columns.extend(KINDS.map(|kind| (kind, Align::Right)));
    columns.push(("Actions", Align::Right));
    columns.push(("Used", Align::Right));
    let mut table = Table::new(&columns);
    for holder in &access.holders {
        let mut cells = vec![who(holder)];
        cells.extend(KINDS.map(|kind| cell(holder, kind)));
        cells.push(number(holder.actions));
        cells.push(holder.used.map_or_else(|| "not known".to_owned(), number));
        table.row(&cells);
    }
    page.table(&table, ROWS, "line");
    page.paragraph(&proposal(&access.holders));
}

/// What becomes of permissions that nobody uses, and how to get the policies for it.
fn proposal(holders: &[Holder]) -> String {
    const COMMAND: &str = "`analyze access --propose DIR` writes policies of what was used, special roles for dangerous work, and the proof of them";
    if holders.iter().all(|holder| holder.used.is_none()) {
        return format!(
            "Without events in the lake nobody knows what of it is used. With them, {COMMAND}."
        );
    }
    let idle = holders
        .iter()
        .filter(|holder| holder.used.is_some_and(|used| used < holder.actions));
    match idle.count() as u64 {
        0 => format!("Events show each of these actions in use. {COMMAND}."),
        idle => format!(
            "On {} of {}, some of the actions were never seen in use. {COMMAND}.",
            number(idle),
            counted(holders.len() as u64, "line")
        ),
    }
}

fn administrators(access: &Access) -> String {
    let names: Vec<String> = access
        .administrators
        .iter()
        .map(|arn| code(tail(arn)))
        .collect();
    let mut words = match names.len() {
        0 => "Nobody is an administrator.".to_owned(),
        1 => format!(
            "The administrator {} may do everything and is left out.",
            names[0]
        ),
        _ => format!(
            "Administrators may do everything and are left out: {}.",
            some_of(&names, 10)
        ),
    };
    if access.perhaps_administrators > 0 {
        words.push_str(&format!(
            " Of {} it is not known whether they are administrators, too.",
            counted(access.perhaps_administrators, "principal")
        ));
    }
    words
}

/// `role/deploy`, of an ARN.
fn tail(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

fn who(holder: &Holder) -> String {
    let names: Vec<String> = holder
        .names
        .iter()
        .take(NAMES)
        .map(|name| code(name))
        .collect();
    let kind = text(&holder.kind);
    let mut words = format!("{kind} {}", and(&names));
    if holder.names.len() > NAMES {
        words = format!(
            "{kind} {} and {} more of the same permissions",
            names.join(", "),
            number((holder.names.len() - NAMES) as u64)
        );
    }
    if holder.special {
        words.push_str(", for dangerous work");
    }
    words
}

fn cell(holder: &Holder, kind: &str) -> String {
    let Some(danger) = holder.dangers.get(kind) else {
        return String::new();
    };
    let resources = number(danger.resources);
    match danger.freedom {
        Freedom::Always => format!("**{resources}**"),
        Freedom::MfaSpared => format!("**{resources}** keys"),
        Freedom::Conditional => format!("{resources} if"),
        Freedom::MfaRequired => format!("{resources} MFA"),
        Freedom::Unknown => format!("{resources} ?"),
    }
}
