//! The words for a verdict.

use crate::content::finding::Status;

/// A status as the lake has it.
pub fn code(status: Status) -> &'static str {
    match status {
        Status::Fail => "fail",
        Status::Unknown => "unknown",
        Status::Waived => "waived",
        Status::Pass => "pass",
    }
}

/// A status as a reader has it.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Fail => "open",
        Status::Unknown => "unknown",
        Status::Waived => "accepted",
        Status::Pass => "passed",
    }
}
