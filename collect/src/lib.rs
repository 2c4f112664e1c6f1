//! `collect`: AWS in, a lake of Parquet out.

pub mod aws;
pub mod cli;
pub mod inventory;
pub mod recording;
