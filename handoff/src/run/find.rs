//! How a stage finds the run it continues.

use std::io::Read as _;

use super::{FileEntry, RunError, RunId, RunRecord, Stage};
use crate::paths;
use crate::storage::{Storage, StorageError};

/// A committed run in a lake.
#[derive(Debug)]
pub struct Run {
    /// The lake.
    pub lake: Storage,
    /// The run.
    pub id: RunId,
}

impl Run {
    /// Finds the run a tool should work on.
    ///
    /// `reference` is `<lake>/runs/<run id>`, a lake (its latest run), a run id of `./lake`, or `-`. Without one,
    /// a pipe on standard input names it, else it is the latest run of `./lake`. An empty pipe is an error and not
    /// the latest run: the stage before failed, and an older run must not pass for its answer.
    ///
    /// # Errors
    /// When there is no such run or it was not committed by `collect`.
    pub fn find(reference: Option<&str>) -> Result<Self, RunError> {
        let text = match reference {
            Some("-") => read_reference()?,
            Some(text) => text.to_owned(),
            None if stdin_is_piped() => read_reference()?,
            None => DEFAULT_LAKE.to_owned(),
        };
        let run = Self::resolve(&text)?;
        // Whether it can be read shows when it is: the record of a large organization takes a while.
        if run.lake.exists(&paths::record(&run.id, Stage::Collect))? {
            Ok(run)
        } else {
            Err(run.not_committed(Stage::Collect))
        }
    }

    fn resolve(text: &str) -> Result<Self, RunError> {
        let text = text.trim_end_matches('/');
        if let Ok(id) = text.parse() {
            return Ok(Self {
                lake: Storage::open(DEFAULT_LAKE)?,
                id,
            });
        }
        if let Some((location, id)) = text.rsplit_once('/').and_then(|(parent, id)| {
            Some((
                parent
                    .strip_suffix("/runs")
                    .or_else(|| (parent == "runs").then_some("."))?,
                id,
            ))
        }) {
            let id = id
                .parse()
                .map_err(|_| RunError::BadReference(text.to_owned()))?;
            return Ok(Self {
                lake: Storage::open(location)?,
                id,
            });
        }
        let lake = Storage::open(text)?;
        let id = committed(&lake)?
            .pop()
            .ok_or_else(|| RunError::NoRun(lake.to_string()))?;
        Ok(Self { lake, id })
    }

    /// The record of a stage.
    ///
    /// # Errors
    /// When the stage has not committed or its record can't be read.
    pub fn record(&self, stage: Stage) -> Result<RunRecord, RunError> {
        RunRecord::read(&self.lake, &self.id, stage)?.ok_or_else(|| self.not_committed(stage))
    }

    fn not_committed(&self, stage: Stage) -> RunError {
        RunError::NotCommitted {
            location: self.lake.to_string(),
            run: self.id.clone(),
            stage: stage.name(),
        }
    }

    /// The files of a committed stage; none when it has not run.
    ///
    /// # Errors
    /// When the record can't be read.
    pub fn files(&self, stage: Stage) -> Result<Vec<FileEntry>, RunError> {
        Ok(RunRecord::read(&self.lake, &self.id, stage)?
            .map(|record| record.files)
            .unwrap_or_default())
    }

    /// `<lake>/runs/<run id>`: what stages print on standard output.
    pub fn reference(&self) -> String {
        format!("{}/{}/{}", self.lake, paths::RUNS, self.id)
    }
}

/// Lake of a command line that names none.
pub const DEFAULT_LAKE: &str = "lake";

/// Runs of a lake that `collect` committed, oldest first.
///
/// # Errors
/// When the storage fails.
pub fn committed(lake: &Storage) -> Result<Vec<RunId>, StorageError> {
    let mut runs = Vec::new();
    for name in lake.folders(paths::RUNS)? {
        let Ok(id) = name.parse::<RunId>() else {
            continue;
        };
        if lake.exists(&paths::record(&id, Stage::Collect))? {
            runs.push(id);
        }
    }
    runs.sort();
    Ok(runs)
}

fn read_reference() -> Result<String, RunError> {
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text)?;
    match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(RunError::EmptyPipe),
    }
}

/// A pipe or a file on standard input; `/dev/null` and terminals are not.
fn stdin_is_piped() -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata("/dev/stdin")
        .is_ok_and(|metadata| metadata.file_type().is_fifo() || metadata.is_file())
}
