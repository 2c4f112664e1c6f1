//! Recordings: folders of AWS CLI output that stand in for an account.
//!
//! ```text
//! recording.json                                   optional: recorded_at, accounts with their regions
//! [<account id>/]<region>/<service>-<operation>.json
//! [<account id>/]<region>/<service>-<operation>/<percent-encoded parameter>.json
//! ```
//!
//! Global services are under the partition's main region. A file `{"Error": {"Code", "Message"}}` is a call that
//! failed. Invariant: a file that is missing or empty is a call that was not made, never an empty answer.

mod layout;
mod reader;
mod writer;

pub use layout::Layout;
pub use reader::{RecordedAccount, Recording, RecordingError, is_account_id};
pub use writer::{Recorder, write_header};
