//! What was not collected, as the table `gaps`: one row per account, region, table and, where a single one is
//! concerned, resource.
//!
//! A service that is not offered in a region leaves no gap: there is nothing of it to judge.

/// Builds `gaps` from `collect_errors`, whose rows may lack any column, from `missing`, and from `trail_problems`.
pub(crate) const SQL: &str = include_str!("sql/gaps.sql");

/// The tables about the selected checks that `judge.sql` reads.
pub(crate) const CHECK_TABLES: &str = "
create table check_reads (check_id varchar, table_name varchar);
create table check_operations (check_id varchar, operation varchar);
create table check_facts (check_id varchar, absence varchar, narrowed varchar, error varchar);
";
