//! The command line: which run, which view, which part of it, and where the pictures go.

use std::collections::BTreeSet;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use handoff::run::Run;
use handoff::shell::{self, Exit, Hinted};
use handoff::storage::Storage;

use crate::dot;
use crate::facts::access::Found;
use crate::facts::{self, Facts};
use crate::graph::Filter;
use crate::graph::belong;
use crate::graph::fold::MOST_NODES;
use crate::layout::{self, Format, LayoutError};
use crate::mermaid;
use crate::picture::Picture;
use crate::views::{self, Request, index};

/// Draw a run as a picture for Graphviz: DOT on standard output.
///
/// Pictures come from tags: systems, environments, importance. What analyze derived is shown where it has run;
/// before that, a picture shows what there is.
#[derive(Debug, Parser)]
#[command(name = "diagram", version)]
pub struct Cli {
    /// What to draw
    view: View,
    /// The run: <lake>/runs/<run id>, a lake (its latest run), a run id of ./lake, or - for standard input
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// The later run, for diff
    #[arg(value_name = "LATER")]
    later: Option<String>,
    /// Only this system; an empty name means resources without one
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Only this environment; repeat for several
    #[arg(long = "env", value_name = "NAME")]
    environments: Vec<String>,
    /// Only what this owner answers for; repeat for several
    #[arg(long = "owner", value_name = "NAME")]
    owners: Vec<String>,
    /// Only this account, 12 digits; repeat for several
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// Only this region, or global; repeat for several
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// Only this importance level; repeat for several
    #[arg(long = "importance", value_name = "LEVEL")]
    importances: Vec<String>,
    /// Nodes to aim at; more are folded, except what is exposed, of highest importance or has a critical finding
    #[arg(long, value_name = "N", default_value_t = views::AIM_NODES as u32, value_parser = clap::value_parser!(u32).range(1..=MOST_NODES as i64))]
    max_nodes: u32,
    /// Write files into this folder or s3://bucket/prefix: each picture as .dot and .json, and index.md
    ///
    /// Without --system, every view but landscape draws each system that has something to show, beside the picture of
    /// everything that dr, exposure, access and diff have; all draws the views for which the run has the facts. index.md
    /// lists all pictures of the run that lie in the folder.
    #[arg(long, value_name = "DIR")]
    out: Option<String>,
    /// Also lay the pictures out with Graphviz, beside their DOT
    #[arg(long, value_name = "FORMAT", requires = "out")]
    render: Option<Format>,
    /// What to print on standard output
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "dot",
        conflicts_with = "out"
    )]
    format: Printed,
}

/// The views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum View {
    /// All of the others but diff into a folder, as far as the run has what they show
    All,
    /// Systems by environment, and which of them need which
    Landscape,
    /// Data stores, what their tags ask for, standbys, vaults and copies; and what is missing of them
    Dr,
    /// From the internet to data: entry points, what runs behind them, what they reach
    Exposure,
    /// What matters, and who may destroy it or endanger it otherwise: people, outsiders, services, and by which roles
    Access,
    /// Two runs: what came, what went, what is different, and who did it where the lake has the events
    Diff,
    /// One system: its resources by region, VPC and tier
    System,
}

/// What goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Printed {
    /// For Graphviz
    Dot,
    /// What each node stands for, and what was left out
    Json,
    /// For pages that draw Mermaid; small pictures only
    Mermaid,
}

/// Runs the tool.
///
/// # Errors
/// When the run can't be read, the filter admits nothing, or the answer can't be written.
pub fn run() -> anyhow::Result<Exit> {
    let cli = Cli::parse();
    let run = Run::find(cli.run.as_deref())?;
    let pictures = match cli.view {
        View::Diff => differences(&cli, &run)?,
        _ if cli.later.is_some() => {
            return Err(Hinted::new(
                "two runs: only diagram diff compares them",
                "give one run, or diagram diff RUN LATER",
            )
            .into());
        }
        _ => pictures(&cli, &run)?,
    };
    let mut exit = Exit::Done;
    for picture in &pictures {
        for warning in &picture.warnings {
            shell::warn(&format!("{}: {warning}", picture.stem));
        }
        if picture.partial {
            exit = Exit::Partial;
        }
    }
    let Some(out) = &cli.out else {
        for picture in &pictures {
            shell::answer(&match cli.format {
                Printed::Dot => dot::write(picture),
                Printed::Json => picture.json(),
                Printed::Mermaid => mermaid::write(picture)?,
            })?;
        }
        return Ok(exit);
    };
    let folder = Storage::open(out)?;
    if !write(&folder, &pictures, cli.render)? {
        exit = Exit::Partial;
    }
    let latest = pictures
        .first()
        .and_then(|picture| picture.run.split(' ').next_back())
        .unwrap_or(run.id.as_str());
    folder.put(index::FILE, index::page(&folder, latest)?.as_bytes())?;
    Ok(exit)
}

fn load(run: &Run) -> anyhow::Result<Facts> {
    let mut facts = facts::read(run).with_context(|| format!("can't read {}", run.reference()))?;
    belong::adopt(&mut facts);
    Ok(facts)
}

/// The pictures of one run.
fn pictures(cli: &Cli, run: &Run) -> anyhow::Result<Vec<Picture>> {
    const ALL: [View; 5] = [
        View::Landscape,
        View::System,
        View::Dr,
        View::Exposure,
        View::Access,
    ];
    if cli.view == View::All && cli.out.is_none() {
        return Err(
            Hinted::new("diagram all: many pictures need a folder", "add --out DIR").into(),
        );
    }
    let facts = load(run)?;
    let request = cli.request(run.id.to_string());
    check(&facts, &request.filter)?;
    if cli.view != View::All {
        return Ok(view(cli, cli.view, run, &facts, &request)??);
    }
    let mut pictures = Vec::new();
    for one in ALL {
        match view(cli, one, run, &facts, &request)? {
            Ok(drawn) => pictures.extend(drawn),
            // Nobody asked for this very picture.
            Err(lacking) => shell::note(&lacking.to_string()),
        }
    }
    Ok(pictures)
}

/// The pictures of one view, or what the run lacks for them.
fn view(
    cli: &Cli,
    view: View,
    run: &Run,
    facts: &Facts,
    request: &Request,
) -> anyhow::Result<Result<Vec<Picture>, Hinted>> {
    Ok(Ok(match view {
        View::Landscape => vec![views::landscape::draw(facts, request)],
        View::System if cli.system.is_none() && cli.out.is_none() => {
            return Ok(Err(which_system(facts, &request.filter)));
        }
        View::System => views::system::draw(facts, request),
        View::Dr => {
            let recovery = facts::recovery::read(run, facts)?;
            cli.drawn(facts, request, &|request| {
                views::dr::draw(facts, &recovery, request)
            })
        }
        View::Exposure => {
            let Some(paths) = facts::reach::read(run, facts)? else {
                return Ok(Err(Hinted::new(
                    "diagram exposure: the run has no table reachability",
                    "run analyze on it first; it derives how the internet reaches what",
                )));
            };
            cli.drawn(facts, request, &|request| {
                views::exposure::draw(facts, &paths, request)
            })
        }
        View::Access => {
            let important = views::access::important(facts, &request.filter);
            let wanted = |index| important.binary_search(&index).is_ok();
            let access = match facts::access::read(run, facts, &wanted)? {
                Found::Access(access) => access,
                lacking => return Ok(Err(without_access(&lacking))),
            };
            cli.drawn(facts, request, &|request| {
                views::access::draw(facts, &access, request)
            })
        }
        // All are the others, one after the other; diff is about two runs.
        View::All | View::Diff => Vec::new(),
    }))
}

fn without_access(lacking: &Found) -> Hinted {
    match lacking {
        Found::NotCollected => Hinted::new(
            "diagram access: the run has no users and roles; aws_iam_user and aws_iam_role were not collected",
            "collect them with the rest",
        ),
        _ => Hinted::new(
            "diagram access: the run has no tables principal_classes and grants",
            "run analyze on it first; it derives who may do what",
        ),
    }
}

/// The pictures of two runs.
fn differences(cli: &Cli, before: &Run) -> anyhow::Result<Vec<Picture>> {
    let Some(later) = &cli.later else {
        return Err(Hinted::new(
            "diagram diff: which two runs?",
            "diagram diff <lake>/runs/<earlier> <lake>/runs/<later>",
        )
        .into());
    };
    let after = Run::find(Some(later))?;
    if (after.id.as_of(), after.id.as_str()) < (before.id.as_of(), before.id.as_str()) {
        shell::warn(
            "the first run is the later one: what was added in between is shown as removed",
        );
    }
    let (old, new) = rayon::join(|| load(before), || load(&after));
    let (old, new) = (old?, new?);
    let changes = facts::change::read(before, &after, old, new)?;
    let request = cli.request(format!("{} {}", before.id, after.id));
    check(&changes.facts, &request.filter)?;
    Ok(cli.drawn(&changes.facts, &request, &|request| {
        views::diff::draw(&changes, request)
    }))
}

impl Cli {
    /// The picture of everything; in a folder, without --system, also one per system.
    fn drawn(
        &self,
        facts: &Facts,
        request: &Request,
        draw: &dyn Fn(&Request) -> Picture,
    ) -> Vec<Picture> {
        if self.out.is_some() && self.system.is_none() {
            views::each_system(facts, request, draw)
        } else {
            vec![draw(request)]
        }
    }

    fn request(&self, run: String) -> Request {
        Request {
            run,
            filter: self.filter(),
            max_nodes: self.max_nodes as usize,
        }
    }

    fn filter(&self) -> Filter {
        Filter {
            systems: self.system.iter().cloned().collect(),
            environments: self.environments.clone(),
            owners: self.owners.clone(),
            accounts: self.accounts.clone(),
            regions: self.regions.clone(),
            importances: self.importances.clone(),
        }
    }
}

/// Refuses a filter that admits nothing, and names what it could have admitted.
fn check(facts: &Facts, filter: &Filter) -> Result<(), Hinted> {
    for (option, wanted, value) in filter.conditions() {
        if wanted.is_empty() {
            continue;
        }
        let values: BTreeSet<&str> = facts.resources.iter().map(value).collect();
        if let Some(unknown) = wanted.iter().find(|want| !values.contains(want.as_str())) {
            let known: Vec<&str> = values
                .into_iter()
                .filter(|value| !value.is_empty())
                .take(20)
                .collect();
            let hint = if known.is_empty() {
                "no resource of this run has such a tag; leave the option out".to_owned()
            } else {
                format!("this run has {}", known.join(", "))
            };
            return Err(Hinted::new(
                format!("{option} {unknown}: no resource of the run has it"),
                hint,
            ));
        }
    }
    if !facts.resources.is_empty() && filter.select(facts).is_empty() {
        return Err(Hinted::new(
            "no resource of the run meets all conditions together",
            "leave one of the options out",
        ));
    }
    Ok(())
}

fn which_system(facts: &Facts, filter: &Filter) -> Hinted {
    let selected = filter.select(facts);
    let systems: BTreeSet<&str> = selected
        .iter()
        .map(|&index| facts.resource(index).system.as_str())
        .collect();
    let known: Vec<&str> = systems
        .into_iter()
        .filter(|system| !system.is_empty())
        .take(20)
        .collect();
    let hint = if known.is_empty() {
        "no resource has a system tag: draw the rest with --system ''".to_owned()
    } else {
        format!(
            "--system with one of {}; or --out DIR for all of them",
            known.join(", ")
        )
    };
    Hinted::new("diagram system: which one?", hint)
}

/// Writes pictures, their JSON, and their renderings; false when a rendering failed, which loses nothing else.
fn write(
    folder: &Storage,
    pictures: &[Picture],
    mut render: Option<Format>,
) -> anyhow::Result<bool> {
    let mut whole = true;
    for picture in pictures {
        let dot = dot::write(picture);
        folder.put(&format!("{}.json", picture.stem), picture.json().as_bytes())?;
        let key = format!("{}.dot", picture.stem);
        if folder.get(&key)?.as_deref() != Some(dot.as_bytes()) {
            // A rendering of an earlier run must not pass for this one's.
            for format in <Format as ValueEnum>::value_variants() {
                folder.remove(&format!("{}.{}", picture.stem, format.ending()))?;
            }
        }
        folder.put(&key, dot.as_bytes())?;
        let Some(format) = render else { continue };
        let key = format!("{}.{}", picture.stem, format.ending());
        match layout::render(&dot, format, layout::TIME_LIMIT) {
            Ok(bytes) => folder.put(&key, &bytes)?,
            Err(LayoutError::Missing) => {
                // Said once; the DOT of the remaining pictures is still written.
                shell::warn(&LayoutError::Missing.to_string());
                (render, whole) = (None, false);
            }
            Err(error) => {
                shell::warn(&format!("{key}: {error}"));
                whole = false;
            }
        }
    }
    Ok(whole)
}
