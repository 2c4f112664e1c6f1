//! `collect`: AWS in, a lake of Parquet out.

pub mod aws;
