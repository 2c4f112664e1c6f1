//! `analyze simulate`: requests with their policies as JSON lines in, decisions as JSON lines out, in the same order.
//!
//! Invariant: every line gets its answer. A line that can't be judged gets an error with its id, and the rest goes on.

use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use serde_json::{Value, json};

use super::evaluate::{Decision, Layer, Verdict};
use super::line::{Line, LineError};
use super::statement::Effect;
use super::strict_json;

/// How many lines were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimulateOutcome {
    /// Lines with a decision.
    pub decided: u64,
    /// Lines with an error: not all was judged.
    pub failed: u64,
}

/// Why the stream broke off.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error("line {line}: can't be read: {source}")]
    Read { line: u64, source: io::Error },
    #[error("decisions can't be written: {0}")]
    Write(io::Error),
}

/// Reads requests from `input` and writes decisions to `output`; empty lines are passed over.
///
/// A line is an object with `id` (echoed), `request` (`action`, `resource`, `principal`, optionally `resourceAccountId` and
/// `context`) and the policies, each optional: see [`Layer::member`]. Documents are named `{"name": …, "policy": …}`, but
/// for `sessionPolicy` and `resourcePolicy`, of which there is one; levels of the organization are
/// `{"orgIdentifier": …, "policies": […]}`. An answer has `id`, `decision` and `decidedBy`: statements, or what is missing an
/// `Allow`; or else `id` and `error`, and the number of the line where there is no id.
///
/// # Errors
/// Fails if reading or writing does. What is wrong with a line is said in its answer.
pub fn simulate(
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<SimulateOutcome, SimulateError> {
    let mut outcome = SimulateOutcome::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = input
            .read_until(b'\n', &mut bytes)
            .map_err(|source| SimulateError::Read { line, source })?;
        if read == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let answer = match answer(&bytes, line) {
            Ok(answer) => {
                outcome.decided += 1;
                answer
            }
            Err(refusal) => {
                outcome.failed += 1;
                refusal
            }
        };
        writeln!(output, "{answer}").map_err(SimulateError::Write)?;
    }
    output.flush().map_err(SimulateError::Write)?;
    Ok(outcome)
}

/// How fast requests are judged.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Requests; lines that can't be judged are left out.
    pub requests: usize,
    pub decisions: u64,
    pub seconds: f64,
}

/// Reads requests as [`simulate`] does and judges all of them `times` times, on one thread: what is measured is judging alone.
///
/// # Errors
/// Fails if reading does.
pub fn pace(input: impl BufRead, times: u64) -> Result<Pace, SimulateError> {
    let mut lines = Vec::new();
    for (line, text) in (1..).zip(input.lines()) {
        let text = text.map_err(|source| SimulateError::Read { line, source })?;
        let read = strict_json::parse(&text).ok();
        lines.extend(read.and_then(|value| Line::read(&value).ok()));
    }
    let started = Instant::now();
    for _ in 0..times {
        for line in &lines {
            black_box(line.judge());
        }
    }
    Ok(Pace {
        requests: lines.len(),
        decisions: times * lines.len() as u64,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// The answer to a line: a decision, or what is wrong with it.
fn answer(bytes: &[u8], number: u64) -> Result<Value, Value> {
    let unread = |error: LineError| refusal(&Value::Null, number, &error);
    let text = std::str::from_utf8(bytes).map_err(|_| unread(LineError::Utf8))?;
    let line = strict_json::parse(text).map_err(|error| unread(LineError::Json(error)))?;
    let id = line.get("id").cloned().unwrap_or_default();
    match Line::read(&line) {
        Ok(line) => Ok(decision(&id, &line.judge())),
        Err(error) => Err(refusal(&id, number, &error)),
    }
}

fn refusal(id: &Value, number: u64, error: &LineError) -> Value {
    let mut answer = json!({ "id": id, "error": error.to_string() });
    if id.is_null() {
        // Nothing else tells which line is meant.
        answer["line"] = number.into();
    }
    answer
}

fn decision(id: &Value, decision: &Decision<'_>) -> Value {
    let mut decided_by: Vec<Value> = Vec::new();
    for deciding in &decision.statements {
        let mut entry = entry(deciding.layer, deciding.org_identifier);
        entry["policy"] = deciding.policy.into();
        entry["statement"] = deciding.index.into();
        if let Some(sid) = deciding.statement.sid() {
            entry["sid"] = sid.into();
        }
        entry["effect"] = match deciding.statement.effect() {
            Effect::Allow => "Allow".into(),
            Effect::Deny => "Deny".into(),
        };
        decided_by.push(entry);
    }
    for missing in &decision.missing {
        let mut entry = entry(missing.layer, missing.org_identifier);
        entry["missing"] = "Allow".into();
        decided_by.push(entry);
    }
    let verdict = match decision.verdict {
        Verdict::Allowed => "Allowed",
        Verdict::ImplicitlyDenied => "ImplicitlyDenied",
        Verdict::ExplicitlyDenied => "ExplicitlyDenied",
        Verdict::Unknown => "Unknown",
    };
    json!({ "id": id, "decision": verdict, "decidedBy": decided_by })
}

fn entry(layer: Layer, org_identifier: Option<&str>) -> Value {
    let mut entry = json!({ "policyType": layer.member() });
    if let Some(org_identifier) = org_identifier {
        entry["orgIdentifier"] = org_identifier.into();
    }
    entry
}
