//! The findings of a run: what is not a pass, in order, each with an anchor and with what other findings tell of its resource.

use std::collections::BTreeMap;
use std::path::PathBuf;

use handoff::table::{self, Row, TableError};

use super::actor::Actor;
use super::finding::{self, Finding, Status};
use super::score::Tally;
use super::{ContentError, rule_number};

/// Ends the reading of a file early: its remaining rows are known to be passes.
pub(super) enum Stop {
    Done,
    Failed(ContentError),
}

impl Stop {
    /// The result of a reading that may have ended early.
    pub(super) fn settle(read: Result<(), Self>) -> Result<(), ContentError> {
        match read {
            Err(Self::Failed(error)) => Err(error),
            Err(Self::Done) | Ok(()) => Ok(()),
        }
    }
}

impl From<TableError> for Stop {
    fn from(error: TableError) -> Self {
        Self::Failed(error.into())
    }
}

/// Reads what is not a pass. The tally says how much of that there is, so that the passes, which `analyze` writes
/// last and which are most of a large run, are not decoded.
pub(super) fn read(files: &[PathBuf], tally: &Tally) -> Result<Vec<Finding>, ContentError> {
    let verdicts = tally.all();
    let mut wanted = verdicts.total() - verdicts.passed;
    let mut findings = Vec::new();
    for file in files {
        if wanted == 0 {
            break;
        }
        let read = table::read("findings", file, &finding::COLUMNS)?.for_each(|row: Row<'_>| {
            if Status::parse(row.text("status")) != Status::Pass {
                let rule = rule_number(
                    "findings",
                    row.text("check_id").unwrap_or_default(),
                    row.int("rule"),
                )
                .map_err(Stop::Failed)?;
                findings.push(Finding::read(row, rule));
                wanted -= 1;
            }
            if wanted == 0 { Err(Stop::Done) } else { Ok(()) }
        });
        Stop::settle(read)?;
    }
    findings.sort_by(|a, b| {
        let place = |finding: &Finding| (finding.severity, finding.rule);
        b.risk
            .total_cmp(&a.risk)
            .then_with(|| place(a).cmp(&place(b)))
            .then_with(|| {
                (
                    &a.check_id,
                    &a.account_id,
                    &a.region,
                    &a.resource_arn,
                    &a.discriminator,
                    &a.fingerprint,
                    &a.reason,
                )
                    .cmp(&(
                        &b.check_id,
                        &b.account_id,
                        &b.region,
                        &b.resource_arn,
                        &b.discriminator,
                        &b.fingerprint,
                        &b.reason,
                    ))
            })
    });
    Ok(findings)
}

/// Shortest length of an anchor's fingerprint.
const ANCHOR_DIGITS: usize = 6;

/// Gives every finding an anchor: `f-` and the shortest part of its fingerprint that no other finding starts with.
pub(super) fn name_anchors(findings: &mut [Finding]) {
    let clean: Vec<String> = findings
        .iter()
        .map(|finding| {
            finding
                .fingerprint
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect()
        })
        .collect();
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by(|&a, &b| clean[a].cmp(&clean[b]).then(a.cmp(&b)));
    let shared = |a: usize, b: usize| {
        clean[a]
            .bytes()
            .zip(clean[b].bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let mut twins = 0;
    for (place, &index) in order.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| order[place]);
        let after = order.get(place + 1).copied();
        let digits = before
            .into_iter()
            .chain(after)
            .map(|other| shared(index, other) + 1)
            .fold(ANCHOR_DIGITS, usize::max);
        let digits = digits.min(clean[index].len());
        // Equal fingerprints are not ours to expect, but anchors must differ even then.
        twins = if before.is_some_and(|before| clean[before] == clean[index]) {
            twins + 1
        } else {
            0
        };
        let suffix = if twins > 0 {
            format!("-{}", twins + 1)
        } else {
            String::new()
        };
        findings[index].anchor = format!("f-{}{suffix}", &clean[index][..digits]);
    }
}

/// Tells each finding of a resource's state who changed the resource last, where a detection of this run saw it.
pub(super) fn name_changers(findings: &mut [Finding]) {
    let mut last: BTreeMap<String, Actor> = BTreeMap::new();
    for finding in findings.iter() {
        let Some(actor) = &finding.changed_by else {
            continue;
        };
        // What a principal did to others stands under its own ARN when no event names a resource.
        if !actor.succeeded || actor.principals.contains(&finding.resource_arn) {
            continue;
        }
        match last.get_mut(&finding.resource_arn) {
            Some(known) if known.last >= actor.last => {}
            Some(known) => known.clone_from(actor),
            None => {
                last.insert(finding.resource_arn.clone(), actor.clone());
            }
        }
    }
    for finding in findings {
        if finding.changed_by.is_none() {
            finding.changed_by = last.get(&finding.resource_arn).cloned();
        }
    }
}
