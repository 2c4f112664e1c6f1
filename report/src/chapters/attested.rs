//! What no call to AWS can tell and people attest, by rule.

use crate::content::Content;
use crate::content::attest::{Attestation, KINDS, Kind, Scope, Standing};
use crate::markdown::escape::address;
use crate::markdown::words::some_of;
use crate::markdown::{Align, Page, Table, code, text};

/// Rows shown.
const ROWS: usize = 100;

/// Writes what can be attested of a rule.
pub fn write(page: &mut Page<'_>, content: &Content, rule: u8) {
    page.heading(3, &format!("Rule {rule}: what people attest"));
    page.paragraph(if content.attestations.given {
        "No call to AWS can tell these. What nobody attested is not evaluated; what is over has failed."
    } else {
        "No call to AWS can tell these, and this report was made without `--attestations FILE`."
    });
    let mut table = Table::new(&[
        ("What", Align::Left),
        ("Status", Align::Left),
        ("About", Align::Left),
        ("Done", Align::Left),
        ("Counts until", Align::Left),
        ("By", Align::Left),
        ("Evidence", Align::Left),
    ]);
    for kind in KINDS.iter().filter(|kind| kind.rule == rule) {
        let mut entries = content.attestations.of(kind.what).peekable();
        if entries.peek().is_none() {
            let mut cells = vec![what(kind), "not evaluated".to_owned()];
            cells.resize(7, String::new());
            table.row(&cells);
        }
        for entry in entries {
            table.row(&cells(kind, entry));
        }
    }
    page.table(&table, ROWS, "attestation");
    for kind in KINDS.iter().filter(|kind| kind.rule == rule) {
        if let Some(standing) = standing(content, kind.what) {
            page.paragraph(&standing);
        }
    }
}

fn what(kind: &Kind) -> String {
    format!("{}: {}", code(kind.what), kind.says)
}

fn cells(kind: &Kind, entry: &Attestation) -> Vec<String> {
    vec![
        what(kind),
        if entry.expired {
            format!("**fail**: over since {}", entry.expires)
        } else {
            "attested".to_owned()
        },
        about(&entry.scope),
        entry.date.to_string(),
        entry.expires.to_string(),
        text(&entry.by),
        match entry.evidence.starts_with("https://") {
            true => format!("[{}]({})", code(&entry.evidence), address(&entry.evidence)),
            false => code(&entry.evidence),
        },
    ]
}

fn about(scope: &Scope) -> String {
    match scope {
        Scope::Account(account) => format!("account {}", code(account)),
        Scope::System(system) => format!("system {}", code(system)),
    }
}

/// What a kind that is attested for a part of the run leaves open.
fn standing(content: &Content, what: &str) -> Option<String> {
    let Standing::Partly(scopes) = content.attestations.standing(what, content) else {
        return None;
    };
    let scopes: Vec<String> = scopes.into_iter().map(code).collect();
    Some(format!(
        "{} is attested for {} and not evaluated for the rest.",
        code(what),
        some_of(&scopes, 8)
    ))
}

/// How a kind stands, in a few words, for the checklist.
pub fn in_words(content: &Content, what: &str) -> String {
    match content.attestations.standing(what, content) {
        Standing::NotEvaluated => format!("{} is attested by nobody", code(what)),
        Standing::Attested => format!("{} is attested", code(what)),
        Standing::Partly(scopes) => {
            let scopes: Vec<String> = scopes.into_iter().map(code).collect();
            format!(
                "{} is attested for {} only",
                code(what),
                some_of(&scopes, 4)
            )
        }
        Standing::Expired(scopes) => {
            let scopes: Vec<String> = scopes
                .into_iter()
                .map(|(scope, day)| format!("{} ({day})", about(scope)))
                .collect();
            format!("**{} is over** for {}", code(what), some_of(&scopes, 4))
        }
    }
}
