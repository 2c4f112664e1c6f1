//! The command line of `collect`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use handoff::run::DEFAULT_LAKE;
use handoff::shell::{self, Exit};
use jiff::Timestamp;

use crate::cloudtrail::compact::{self, CompactArgs};
use crate::cloudtrail::{self, CloudtrailArgs};
use crate::inventory::accounts::{Choice, DEFAULT_ROLE};
use crate::inventory::policy::{self, Location};
use crate::inventory::run::Options;
use crate::inventory::tablefile::tables;
use crate::inventory::{dictionary, run};
use crate::recording::is_account_id;

/// Collects what an AWS account is made of into a lake of Parquet files.
///
/// Exit codes: 0 everything was collected; 2 nothing could be collected; 3 collected, but some calls failed (they
/// are named on standard error and in the table collect_errors); 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "collect", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Inventory(Box<Inventory>),
    Cloudtrail(CloudtrailArgs),
    Compact(CompactArgs),
    Tables(Tables),
    Policy(Policy),
}

/// Print the IAM policy that allows what `collect inventory` asks, and no more
///
/// The statement SevenwallsCollectOtherAccounts is needed for --organization and --account only.
#[derive(Debug, Args)]
struct Policy {
    /// Allow what `collect cloudtrail` asks as well: to read the trail here, look events up, and get the public keys
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    cloudtrail: Option<Location>,
    /// Allow what the stages do to a lake here as well, and reports in its `reports/`; a statement for each stage
    ///
    /// A bucket that is encrypted with a key of your own needs kms:GenerateDataKey and kms:Decrypt on that key besides.
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    lake: Option<Location>,
}

/// Collect every resource of accounts and regions into a lake
///
/// Prints the run, <LAKE>/runs/<run id>, for the next tool: `collect inventory | analyze | report`. Credentials
/// are found as the AWS CLI finds them; only calls that read are made.
#[derive(Debug, Args)]
struct Inventory {
    /// Folder or s3://bucket/prefix to write to
    #[arg(long, default_value = DEFAULT_LAKE, value_name = "LAKE")]
    lake: String,
    /// Profile of the AWS configuration
    #[arg(long, conflicts_with = "from")]
    profile: Option<String>,
    /// Region to collect; may be repeated [default: all enabled regions]
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// Account to collect, by assuming a role in it; may be repeated [default: the credentials' own]
    #[arg(long = "account", value_name = "ID", value_parser = account_id)]
    accounts: Vec<String>,
    /// Collect all active accounts of the organization, by assuming a role in each
    #[arg(long, conflicts_with_all = ["accounts", "from"])]
    organization: bool,
    /// Role to assume in other accounts
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ROLE, conflicts_with = "from")]
    role_name: String,
    /// External id that the role's trust policy asks for
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    external_id: Option<String>,
    /// Read a recording (a folder of AWS CLI output) instead of AWS
    ///
    /// Layout: <region>/<service>-<operation>.json, and for calls with a parameter
    /// <region>/<service>-<operation>/<percent-encoded parameter>.json; global services under the partition's main
    /// region; with several accounts a folder per account id around it. What is missing counts as not asked.
    #[arg(long, value_name = "RECORDING")]
    from: Option<PathBuf>,
    /// Time of a recording that does not tell its own, such as 2026-11-23T06:00:00Z
    #[arg(long, value_name = "TIME", requires = "from")]
    recorded_at: Option<Timestamp>,
    /// Keep what AWS answers as a recording, secrets included
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Table to collect, such as aws_ec2_*; may be repeated [default: all]
    #[arg(long = "table", value_name = "GLOB")]
    tables: Vec<String>,
    /// Table to leave out; may be repeated
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
}

/// Print the data dictionary: every table of the lake with its columns
#[derive(Debug, Args)]
struct Tables {
    /// How to print it
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Markdown,
    Json,
}

fn account_id(text: &str) -> Result<String, String> {
    if is_account_id(text) {
        Ok(text.to_owned())
    } else {
        Err("an account id has 12 digits".to_owned())
    }
}

/// Runs the command line of this process.
///
/// # Errors
///
/// When the command can't do its work; a usage error ends the process.
pub fn run() -> anyhow::Result<Exit> {
    match Cli::parse().command {
        Command::Inventory(inventory) => run::run(&inventory.options()),
        Command::Cloudtrail(args) => cloudtrail::run(&args),
        Command::Compact(args) => compact::run(&args),
        Command::Tables(Tables {
            format: Format::Markdown,
        }) => {
            shell::answer(&dictionary::markdown(tables()?))?;
            Ok(Exit::Done)
        }
        Command::Tables(Tables {
            format: Format::Json,
        }) => print(&dictionary::json(tables()?)),
        Command::Policy(Policy { cloudtrail, lake }) => print(&policy::policy(
            tables()?,
            cloudtrail.as_ref(),
            lake.as_ref(),
        )?),
    }
}

fn print(json: &serde_json::Value) -> anyhow::Result<Exit> {
    shell::answer(&format!("{json:#}\n"))?;
    Ok(Exit::Done)
}

impl Inventory {
    fn options(self) -> Options {
        Options {
            lake: self.lake,
            choice: Choice {
                profile: self.profile,
                regions: self.regions,
                accounts: self.accounts,
                organization: self.organization,
                role_name: Some(self.role_name),
                external_id: self.external_id,
            },
            from: self.from,
            recorded_at: self.recorded_at,
            record: self.record,
            tables: self.tables,
            skip: self.skip,
        }
    }
}
