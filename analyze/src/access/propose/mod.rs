//! `analyze access --propose`: policies right-sized to what was used, with the proof that they are enough.
//!
//! [`uses`] reads what was done, [`plan`] narrows each statement to it ([`narrow`]) and puts dangerous work behind special
//! roles, [`guardrail`] denies what nobody should do, [`proof`] replays everything against a copy of the run with the new
//! policies ([`apply`]). Nothing is written unless the proof holds.

mod apply;
mod arns;
mod containers;
mod containment;
mod document;
mod entrants;
mod files;
mod foreign;
mod guardrail;
mod narrow;
mod outcome;
mod plan;
mod proof;
mod readme;
mod scene;
mod sets;
mod sight;
mod specials;
mod tagged;
mod uses;

#[cfg(test)]
mod unit_test;

use std::collections::BTreeMap;
use std::path::Path;

use duckdb::Connection;
use handoff::run::Run;
use handoff::shell::{self, Exit, Hinted};
use handoff::storage::Storage;

pub(super) use self::arns::type_of;
use self::entrants::Entrants;
use self::foreign::Foreign;
use self::guardrail::Guardrail;
use self::outcome::{Plan, State};
use self::plan::Planner;
use self::proof::{Proof, Prover};
use self::scene::Scene;
use self::sight::Sight;
use self::uses::Uses;
use super::dangers::Dangers;
use crate::actions::Kind;
use crate::cli::AccessArgs;
use crate::config::Config;
use crate::events;
use crate::open::open_for_reading;
use crate::session::Session;

const README: &str = "README.md";

/// What could hide a use or a permission.
const HOLES: &str = "
    select distinct account_id || ': ' || coalesce(table_name || ': ', '') || why
    from gaps
    where table_name is null
        or table_name in ('cloudtrail_events', 'aws_iam_user', 'aws_iam_role', 'aws_iam_group', 'aws_iam_policy')
    order by all";

/// Failures that are shown.
const SHOWN: usize = 10;

/// Writes a proposal to `folder`.
///
/// # Errors
/// When the run can't be read, the folder has a proposal already, or the proof fails.
pub(super) fn propose(
    args: &AccessArgs,
    folder: &Path,
    run: &Run,
    config: &Config,
) -> anyhow::Result<Exit> {
    let out = Storage::open(&folder.display().to_string())?;
    if out.exists(README)? {
        return Err(Hinted::new(
            format!("{out}/{README} is there already"),
            "name another folder, or remove it: files of two proposals must not mix",
        )
        .into());
    }
    let trail = events::Files::find(&run.lake, None)?;
    if trail.is_empty() {
        return Err(Hinted::new(
            "what is used is not known: the lake has no CloudTrail events".to_owned(),
            "`collect cloudtrail` reads them",
        )
        .into());
    }
    let session = open_for_reading(run, config, &args.limits, &trail)?;
    let proposal = Proposal::make(&session)?;
    proposal.write(&out, &run.id.to_string())?;
    proposal.report(&out);
    Ok(if proposal.holes.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// A proposal and its proof.
struct Proposal {
    scene: Scene,
    sight: Sight,
    /// What of principals or events could not be read.
    holes: Vec<String>,
    plan: Plan,
    foreign: Vec<Foreign>,
    guardrails: Vec<Guardrail>,
    proof: Proof,
}

/// What a proposal is made from.
struct Basis {
    scene: Scene,
    uses: Uses,
    sight: Sight,
    entrants: Entrants,
    dangers: Dangers,
}

impl Basis {
    fn read(session: &Session) -> anyhow::Result<Self> {
        let connection = &session.connection;
        let scene = Scene::read(connection)?;
        let uses = uses::read(&scene.world, connection)?.allowed(&scene)?;
        let sight = Sight::read(connection)?;
        let entrants = Entrants::read(connection, &uses)?;
        let dangers = Dangers::new(&super::added(session)?);
        Ok(Self {
            scene,
            uses,
            sight,
            entrants,
            dangers,
        })
    }

    fn plan(&self, connection: &Connection) -> anyhow::Result<Plan> {
        let planner = Planner {
            scene: &self.scene,
            uses: &self.uses,
            sight: &self.sight,
            dangers: &kinds(&self.dangers),
            entrants: &self.entrants,
            known_accounts: &texts(
                connection,
                "select account_id from histories where span >= to_days(setting('proposal_days')) order by all",
            )?,
            tag_keys: &texts::<Vec<String>>(
                connection,
                "select key from config_tag_keys where concept = 'system' order by rank, key",
            )?,
        };
        Ok(planner.plan())
    }

    /// The proposal that a plan comes to, proven or not.
    fn proposal(self, plan: Plan, connection: &Connection) -> anyhow::Result<Proposal> {
        let Self {
            scene,
            uses,
            sight,
            entrants,
            dangers,
        } = self;
        let foreign = foreign::find(&scene, connection)?;
        let guardrails = guardrail::make(&scene, &uses, &plan, connection)?;
        let new = apply::apply(&plan, &guardrails, connection)?;
        let prover = Prover {
            old: &scene,
            new: &new,
            plan: &plan,
            uses: &uses,
            entrants: &entrants,
            dangers: &dangers,
        };
        let proof = prover.prove()?;
        let holes = texts(connection, HOLES)?;
        Ok(Proposal {
            scene,
            sight,
            holes,
            plan,
            foreign,
            guardrails,
            proof,
        })
    }
}

impl Proposal {
    fn make(session: &Session) -> anyhow::Result<Self> {
        let basis = Basis::read(session)?;
        let plan = basis.plan(&session.connection)?;
        basis.proposal(plan, &session.connection)
    }

    /// Writes everything, or nothing if the proof fails.
    fn write(&self, out: &Storage, run: &str) -> anyhow::Result<()> {
        self.check()?;
        let mut files = files::files(&self.scene, &self.plan, &self.foreign, &self.guardrails);
        files.insert("proof.json".to_owned(), files::pretty(&self.proof.json()));
        files.insert("replayed.ndjson".to_owned(), self.proof.lines());
        for (path, text) in &files {
            out.put(path, text.as_bytes())?;
        }
        // Last, so that a folder with a README is a whole proposal.
        out.put(README, readme::text(self, run).as_bytes())?;
        Ok(())
    }

    /// Fails unless the proof holds.
    fn check(&self) -> anyhow::Result<()> {
        let failures = &self.proof.failures;
        if failures.is_empty() {
            return Ok(());
        }
        for failure in failures.iter().take(SHOWN) {
            shell::warn(failure);
        }
        Err(Hinted::new(
            format!(
                "the proof of the proposal fails in {} places, so nothing was written",
                failures.len()
            ),
            "this is a defect of the proposal, not of the account: report it with the lines above",
        )
        .into())
    }

    fn report(&self, out: &Storage) {
        for hole in self.holes.iter().take(SHOWN) {
            shell::warn(hole);
        }
        let count = |state: fn(&State) -> bool| {
            self.plan
                .outcomes
                .iter()
                .filter(|outcome| state(&outcome.state))
                .count()
        };
        shell::note(&format!(
            "policies of {} users, groups and roles replaced, dangerous actions of {} denied, {} left as they are; {} special roles",
            count(|state| matches!(state, State::Replaced | State::PermissionSet)),
            count(|state| *state == State::Denied),
            count(|state| matches!(state, State::Left(_))),
            self.plan.specials.len(),
        ));
        let counts = &self.proof.counts;
        shell::note(&format!(
            "replayed: {} uses stay allowed, {} through special roles; dangerous actions that principals may do: {} before, {} after",
            counts.direct, counts.special, counts.before, counts.after
        ));
        shell::hint(&format!("read {out}/{README} before anything is applied"));
    }
}

/// The kind of harm that each dangerous action does; of several the first in the order of [`Kind::ALL`].
fn kinds(dangers: &Dangers) -> BTreeMap<String, &'static str> {
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for danger in dangers.all() {
        let Some(kind) = Kind::parse(&danger.kind) else {
            continue;
        };
        let known = kinds.entry(danger.name.clone()).or_insert(kind);
        *known = kind.min(*known);
    }
    kinds
        .into_iter()
        .map(|(action, kind)| (action, kind.name()))
        .collect()
}

/// The only column of a query.
fn texts<T: FromIterator<String>>(connection: &Connection, sql: &str) -> anyhow::Result<T> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
