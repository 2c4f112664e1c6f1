//! `collect cloudtrail` as a user runs it: trails in, a lake out, and what the lake says compared with what went in.

mod compact;
mod faults;
mod fuzz;
mod lake;
mod lookup;
mod lossless;
mod once;
mod s3;
mod signed;
mod trail;
mod verify;
