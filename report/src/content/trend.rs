//! Open findings of the runs of the lake, from figures that `analyze` counted already: a year of runs costs little.

use handoff::run::{self, Run, RunRecord, Stage};
use handoff::table;
use serde::Serialize;

use super::history::History;
use super::{ContentError, paths};

/// Runs in the trend, this one included: a year of weekly ones.
const RUNS: usize = 52;

/// A run and how much was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// The run.
    pub run: run::RunId,
    /// Findings that failed; none when `analyze` has not looked at the run, or its figures can't be read.
    pub open: Option<u64>,
}

/// Reads the runs up to this one, oldest first.
///
/// # Errors
/// When the storage can't be listed.
pub(super) fn read(run: &Run, open: u64, history: &History) -> Result<Vec<Point>, ContentError> {
    let mut points = vec![Point {
        run: run.id.clone(),
        open: Some(open),
    }];
    for id in run::committed(&run.lake)?
        .into_iter()
        .rev()
        .filter(|id| *id < run.id)
        .take(RUNS - 1)
    {
        let known = history.runs.iter().find(|past| past.run == id);
        // A run that can't be read is a gap here; the history names it.
        let open = match known {
            Some(past) => Some(past.open),
            None => open_in(run, &id).unwrap_or_default(),
        };
        points.push(Point { run: id, open });
    }
    points.reverse();
    Ok(points)
}

fn open_in(run: &Run, id: &run::RunId) -> Result<Option<u64>, ContentError> {
    let Some(record) = RunRecord::read(&run.lake, id, Stage::Analyze)? else {
        return Ok(None);
    };
    let mut open: Option<u64> = None;
    for file in paths(run, &record, "checks")? {
        table::read("checks", &file, &["failed"])?.for_each(|row| {
            if let Some(failed) = row
                .int("failed")
                .and_then(|count| u64::try_from(count).ok())
            {
                open = Some(open.unwrap_or(0) + failed);
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(open)
}
