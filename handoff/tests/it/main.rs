//! The contract against real storage: a folder, a moto server's S3, processes killed while they write.

mod runs;
mod storage;
mod tables;
