//! The canonical JSON document, described by `schema/report-1.0.schema.json`.
//!
//! Values stand in it as they are in the lake, escaped so that a terminal shows them unharmed. A new member raises the
//! minor version, everything else the major one and the name of the schema file.

use std::collections::BTreeMap;
use std::io::{self, Write};

use handoff::text::is_unprintable;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::chapters::{RULES, rules};
use crate::content::attest::Attestation;
use crate::content::checklist::{self, BACKUPS, HIGH_AVAILABILITY, Line};
use crate::content::context::{Database, TagCoverage, Unmet, Zone};
use crate::content::finding::{Check, Finding, Verdicts};
use crate::content::gaps::Gap;
use crate::content::history::{Fixed, Past};
use crate::content::monitoring::{Alarm, Recorded, Scanner, Trail};
use crate::content::trend::Point;
use crate::content::{Content, Evaluation};

/// Version of the document.
pub const VERSION: &str = "1.1";

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: &'static str,
    run: &'a str,
    as_of: Timestamp,
    tools: BTreeMap<&'static str, &'a str>,
    accounts: &'a [String],
    regions: &'a [String],
    resources: u64,
    partial: bool,
    calls_without_answer: &'a [Gap],
    evaluation: Option<Evaluated<'a>>,
    attestations: &'a [Attestation],
}

#[derive(Serialize)]
struct Evaluated<'a> {
    score: Option<u32>,
    tagged_percent: Option<u32>,
    #[serde(flatten)]
    verdicts: Verdicts,
    rules: Vec<RuleOutcome>,
    earlier_runs: &'a [Past],
    checks: &'a [Check],
    findings: &'a [Finding],
    fixed: &'a [Fixed],
    not_evaluated_again: &'a [Finding],
    tag_coverage: Option<&'a TagCoverage>,
    databases: Option<&'a [Database]>,
    dr_unmet: Option<&'a [Unmet]>,
    zones: Option<&'a [Zone]>,
    trend: &'a [Point],
    trails: Option<&'a [Trail]>,
    trail_coverage: Option<&'a [Recorded]>,
    alarms: &'a [Alarm],
    scan_coverage: Option<&'a [Scanner]>,
    dr_checklist: Checklist,
}

#[derive(Serialize)]
struct Checklist {
    backups: Vec<Line>,
    high_availability: Vec<Line>,
}

#[derive(Serialize)]
struct RuleOutcome {
    rule: u8,
    name: &'static str,
    status: &'static str,
    #[serde(flatten)]
    verdicts: Verdicts,
    failed_in_last_run: Option<u64>,
}

/// Writes the document.
///
/// # Errors
/// Never for memory, which is what it writes to; the encoder's signature allows it.
pub fn render(content: &Content) -> io::Result<Vec<u8>> {
    let mut tools = BTreeMap::from([
        ("collect", content.collect_version.as_str()),
        ("report", env!("CARGO_PKG_VERSION")),
    ]);
    if let Some(evaluation) = &content.evaluation {
        tools.insert("analyze", &evaluation.version);
    }
    let document = Document {
        format: "sevenwalls-report",
        version: VERSION,
        run: content.run.as_str(),
        as_of: content.as_of,
        tools,
        accounts: &content.accounts,
        regions: &content.regions,
        resources: content.resources,
        partial: content.is_partial(),
        calls_without_answer: &content.gaps,
        evaluation: content
            .evaluation
            .as_ref()
            .map(|evaluation| evaluated(content, evaluation)),
        attestations: &content.attestations.list,
    };
    let mut bytes = Vec::new();
    pretty(&mut bytes, &document)?;
    Ok(bytes)
}

/// Writes a document for people and programs, indented, with the end of its last line.
pub(super) fn pretty(bytes: &mut Vec<u8>, document: &impl Serialize) -> io::Result<()> {
    write(bytes, document, PrettyFormatter::new())
}

/// Writes a document as one line.
pub(super) fn line(bytes: &mut Vec<u8>, document: &impl Serialize) -> io::Result<()> {
    write(bytes, document, CompactFormatter)
}

fn write(
    bytes: &mut Vec<u8>,
    document: &impl Serialize,
    formatter: impl Formatter,
) -> io::Result<()> {
    document.serialize(&mut serde_json::Serializer::with_formatter(
        &mut *bytes,
        Printable(formatter),
    ))?;
    bytes.push(b'\n');
    Ok(())
}

fn evaluated<'a>(content: &Content, evaluation: &'a Evaluation) -> Evaluated<'a> {
    let monitoring = &evaluation.monitoring;
    let context = evaluation.context.as_ref();
    Evaluated {
        score: evaluation.tally.score(),
        tagged_percent: evaluation.tagged_percent(),
        verdicts: evaluation.tally.all(),
        rules: rule_outcomes(evaluation),
        earlier_runs: &evaluation.history.runs,
        checks: &evaluation.checks,
        findings: &evaluation.findings,
        fixed: &evaluation.history.fixed,
        not_evaluated_again: &evaluation.history.not_judged,
        tag_coverage: context.map(|context| &context.tags),
        databases: context.map(|context| context.databases.as_slice()),
        dr_unmet: context.map(|context| context.unmet.as_slice()),
        zones: evaluation.zones.as_deref(),
        trend: &evaluation.trend,
        trails: monitoring.trails.as_deref(),
        trail_coverage: monitoring.recorded.as_deref(),
        alarms: &monitoring.alarms,
        scan_coverage: monitoring.scanners.as_deref(),
        dr_checklist: dr_checklist(content, evaluation),
    }
}

/// What formats for findings have to say besides them.
#[derive(Serialize)]
pub(super) struct Surroundings<'a> {
    score: Option<u32>,
    tagged_percent: Option<u32>,
    rules: Vec<RuleOutcome>,
    trails: Option<&'a [Trail]>,
    trail_coverage: Option<&'a [Recorded]>,
    alarms: &'a [Alarm],
    scan_coverage: Option<&'a [Scanner]>,
    dr_checklist: Checklist,
}

/// What surrounds the findings, in the words of this document.
pub(super) fn surroundings<'a>(content: &Content, evaluation: &'a Evaluation) -> Surroundings<'a> {
    let monitoring = &evaluation.monitoring;
    Surroundings {
        score: evaluation.tally.score(),
        tagged_percent: evaluation.tagged_percent(),
        rules: rule_outcomes(evaluation),
        trails: monitoring.trails.as_deref(),
        trail_coverage: monitoring.recorded.as_deref(),
        alarms: &monitoring.alarms,
        scan_coverage: monitoring.scanners.as_deref(),
        dr_checklist: dr_checklist(content, evaluation),
    }
}

fn rule_outcomes(evaluation: &Evaluation) -> Vec<RuleOutcome> {
    let last = evaluation.history.last();
    RULES
        .iter()
        .map(|rule| RuleOutcome {
            rule: rule.number,
            name: rule.name,
            status: rules::outcome(evaluation, rule.number),
            verdicts: evaluation.tally.rule(rule.number),
            failed_in_last_run: last.map(|last| last.rules[usize::from(rule.number) - 1].failed),
        })
        .collect()
}

fn dr_checklist(content: &Content, evaluation: &Evaluation) -> Checklist {
    Checklist {
        backups: checklist::lines(content, evaluation, &BACKUPS),
        high_availability: checklist::lines(content, evaluation, &HIGH_AVAILABILITY),
    }
}

/// Escapes what could move a cursor or hide text; `serde_json` leaves everything above U+001F as it is.
struct Printable<F>(F);

impl<F: Formatter> Formatter for Printable<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(position) = rest.find(is_unprintable) {
            let (plain, after) = rest.split_at(position);
            writer.write_all(plain.as_bytes())?;
            let mut chars = after.chars();
            // `find` stopped at a character; all unprintable ones are in the basic plane.
            if let Some(hidden) = chars.next() {
                write!(writer, "\\u{:04x}", u32::from(hidden))?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}
