//! `collect`: AWS in, a lake of Parquet out.

pub mod aws;
pub mod cli;
pub mod cloudtrail;
pub mod inventory;
pub mod recording;
