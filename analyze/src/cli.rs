//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum as _};
use handoff::shell::Exit;
use jiff::civil::Date;

use crate::check::Severity;
use crate::{access, case, catalog, config, iam, query, run, sql, tags, zones};

/// Run checks over a collected account and write their findings.
#[derive(Debug, Parser)]
#[command(
    name = "analyze",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask a run in SQL; every table and view by its name
    Query(QueryArgs),
    /// List the checks
    Checks(ChecksArgs),
    /// Explain a check: what it asks for, how it decides, what to do
    Explain(ExplainArgs),
    /// Run the test cases of checks
    Test(TestArgs),
    /// Write hosted zones as change batches that restore them
    Zones(ZonesArgs),
    /// Propose missing tags, and turn what was accepted of them into commands
    Tags(TagsArgs),
    /// Ask who may do what, by which roles, and whether it takes MFA
    Access(AccessArgs),
    /// Judge requests by IAM policies: reads requests with their policies as JSON lines, prints decisions
    Simulate(SimulateArgs),
    /// Print the configuration that is in force when none is given
    Config,
}

/// Arguments of a run of the checks.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// `<lake>/runs/<run id>`, a lake, or `-` for standard input [default: the latest run of ./lake]
    pub(crate) run: Option<String>,
    /// Only checks whose id matches this pattern, such as `db-*`
    #[arg(long, value_name = "GLOB")]
    pub(crate) check: Vec<String>,
    /// Only checks of this step of hardening, 1 to 7
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=7))]
    pub(crate) rule: Vec<u8>,
    /// Only checks of this severity or a higher one
    #[arg(long)]
    pub(crate) severity: Option<Severity>,
    /// End with exit code 1 when a finding of this severity or a higher one fails; with `new-` before it, such as
    /// `new-high`, only when one is new or reopened in this run
    #[arg(long, value_name = "[new-]SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,
    /// Detections judge only events since this time, or since the `last` run; all others are their history
    #[arg(long, value_name = "TIME|last")]
    pub(crate) since: Option<String>,
    /// Settings that replace defaults; `analyze config` prints them all
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Findings that were accepted, by whom and until when
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sources: CheckSources,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Findings that make the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailOn {
    /// The lowest severity that counts.
    pub(crate) severity: Severity,
    /// Only what the run before did not have.
    pub(crate) new: bool,
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (new, name) = match text.strip_prefix("new-") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let severity = Severity::from_str(name, false).map_err(|_| {
            "expected critical, high, medium, low or info, or new- before one".to_owned()
        })?;
        Ok(Self { severity, new })
    }
}

/// Where checks come from.
#[derive(Debug, Args)]
pub(crate) struct CheckSources {
    /// A folder with checks of your own
    #[arg(long, value_name = "DIR")]
    pub(crate) checks: Vec<PathBuf>,
}

/// What DuckDB may use.
#[derive(Debug, Args, Clone)]
pub(crate) struct Limits {
    /// Memory for SQL, such as 4GB; more than that goes to temporary files
    #[arg(long, value_name = "SIZE", default_value = "2GB")]
    pub(crate) memory: String,
    /// Threads for SQL [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

/// Arguments of `analyze query`.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// One SELECT, or `-` for standard input
    pub(crate) sql: String,
    /// Run to ask [default: the latest of the lake]
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// Lake whose latest run to ask
    #[arg(long, conflicts_with = "run")]
    pub(crate) lake: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = query::Format::Table)]
    pub(crate) format: query::Format,
    /// Settings that replace defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Arguments of `analyze checks`.
#[derive(Debug, Args)]
pub(crate) struct ChecksArgs {
    /// Only checks with a control of this framework: `cis_v3.0`, `cis_v5.0`, `fsbp`
    #[arg(long)]
    pub(crate) framework: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = catalog::Format::Markdown)]
    pub(crate) format: catalog::Format,
    #[command(flatten)]
    pub(crate) sources: CheckSources,
}

/// Arguments of `analyze explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Id of the check
    pub(crate) check: String,
    #[command(flatten)]
    pub(crate) sources: CheckSources,
}

/// Arguments of `analyze test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Ids or patterns of checks [default: all]
    pub(crate) check: Vec<String>,
    #[command(flatten)]
    pub(crate) sources: CheckSources,
}

/// Arguments of `analyze zones`.
#[derive(Debug, Args)]
pub(crate) struct ZonesArgs {
    /// `<lake>/runs/<run id>`, a lake, or `-` for standard input [default: the latest run of ./lake]
    pub(crate) run: Option<String>,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) export: PathBuf,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Arguments of `analyze tags`.
#[derive(Debug, Args)]
#[group(id = "step", required = true, multiple = false, args = ["propose", "commands"])]
pub(crate) struct TagsArgs {
    /// `<lake>/runs/<run id>`, a lake, or `-` for standard input [default: the latest run of ./lake]
    #[arg(conflicts_with = "commands")]
    pub(crate) run: Option<String>,
    /// Write proposals with their evidence to DIR/tags.csv, for somebody to review
    #[arg(long, value_name = "DIR")]
    pub(crate) propose: Option<PathBuf>,
    /// Print a shell script that sets the tags accepted in a reviewed file
    #[arg(long, value_name = "FILE")]
    pub(crate) commands: Option<PathBuf>,
    /// Look for creators in the lake's CloudTrail events from this day on [default: 90 days before the run]
    #[arg(long, value_name = "DATE", conflicts_with = "commands")]
    pub(crate) since: Option<Date>,
    /// Settings that replace defaults
    #[arg(long, value_name = "FILE", conflicts_with = "commands")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Arguments of `analyze access`.
#[derive(Debug, Args)]
#[group(id = "question", required = true, multiple = true, args = ["action", "principal", "propose"])]
pub(crate) struct AccessArgs {
    /// `<lake>/runs/<run id>`, a lake, or `-` for standard input [default: the latest run of ./lake]
    pub(crate) run: Option<String>,
    /// Who may do this, such as s3:DeleteBucket
    #[arg(long, value_name = "ACTION", requires = "resource")]
    pub(crate) action: Option<String>,
    /// ... to this resource: its ARN, or `*` for actions that name none
    #[arg(long, value_name = "ARN", requires = "action")]
    pub(crate) resource: Option<String>,
    /// Only this user or role, by ARN or name; without an action: the dangerous actions that it may do
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    /// Write policies right-sized to what was used, special roles for dangerous work and the proof to DIR
    #[arg(long, value_name = "DIR", conflicts_with_all = ["action", "resource", "principal", "format"])]
    pub(crate) propose: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = query::Format::Table)]
    pub(crate) format: query::Format,
    /// Settings that replace defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> anyhow::Result<Exit> {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => run::run(&cli.run),
        Some(Command::Query(args)) => query::run(&args),
        Some(Command::Checks(args)) => catalog::list(&args),
        Some(Command::Explain(args)) => catalog::explain(&args),
        Some(Command::Test(args)) => case::run(&args),
        Some(Command::Zones(args)) => zones::run(&args),
        Some(Command::Tags(args)) => tags::run(&args),
        Some(Command::Access(args)) => access::ask(&args),
        Some(Command::Simulate(args)) => simulate(&args),
        Some(Command::Config) => config::print_default(),
    };
    outcome.map_err(sql::in_one_line)
}

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Judge every request this many times and print how long that takes, instead of the decisions
    #[arg(long, value_name = "TIMES")]
    repeat: Option<u64>,
}

/// Lines that are no request get an error for an answer; the exit code says that there were some.
fn simulate(args: &SimulateArgs) -> anyhow::Result<Exit> {
    if let Some(times) = args.repeat {
        let pace = iam::pace(std::io::stdin().lock(), times)?;
        let rate = pace.decisions as f64 / pace.seconds / 1e6;
        handoff::shell::answer(&format!(
            "{} requests, {} decisions in {:.2} s on one thread: {rate:.2} million a second\n",
            pace.requests, pace.decisions, pace.seconds
        ))?;
        return Ok(Exit::Done);
    }
    let output = std::io::BufWriter::new(std::io::stdout().lock());
    let outcome = iam::simulate(std::io::stdin().lock(), output)?;
    if outcome.failed == 0 {
        return Ok(Exit::Done);
    }
    handoff::shell::warn(&format!(
        "{} lines could not be judged: their answers say why",
        outcome.failed
    ));
    Ok(Exit::Partial)
}
