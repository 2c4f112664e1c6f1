//! Who may do what: effective permissions of every user and role on every resource for which actions are dangerous.
//!
//! [`world`] reads principals, resources and policies, [`classes`] finds those that no policy can tell apart, [`grants`] has
//! [`decide`] ask the evaluator of [`crate::iam`] about each class, [`assume`] who may become which role, [`escalate`] who can get more
//! than was given, [`outsiders`] what resources leave open to those from elsewhere. The answers are tables of the run, so
//! that SQL does the rest.

mod alike;
mod ask;
mod assume;
mod classes;
mod dangers;
mod decide;
mod escalate;
mod facts;
mod grants;
mod groups;
mod library;
mod outsiders;
mod propose;
mod rows;
mod shelves;
mod tables;
mod world;

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

pub(crate) use self::ask::ask;

use arrow::record_batch::RecordBatch;
use handoff::access as contract;

use self::classes::{Classes, Questions};
use self::dangers::Dangers;
use self::decide::{Basis, Judge};
use self::facts::Facts;
use self::grants::Grant;
use self::tables::{Cell, Filling, Rows};
use self::world::World;
use crate::actions::{EventActions, of_event};
use crate::iam::Effect;
use crate::session::Session;

/// Tables that are computed together.
pub(crate) struct Stage {
    pub(crate) names: &'static [&'static str],
    /// The tables of `collect`, and those derived from them in SQL, that they are computed from.
    pub(crate) read: &'static [&'static str],
    /// Computes them.
    ///
    /// # Errors
    /// When the session can't be read or written.
    pub(crate) derive: fn(&Session) -> anyhow::Result<()>,
}

/// What is computed here. What is open to those from elsewhere comes first, since it has a part in what is exposed, which has one
/// in what is critical.
pub(crate) const STAGES: [Stage; 2] = [
    Stage {
        names: &["outside_access"],
        read: &["resources", "resource_policies"],
        derive: openings,
    },
    Stage {
        names: &[
            "principal_classes",
            "resource_classes",
            "grants",
            "critical_grants",
            "statements",
            "assume_edges",
            "usage",
            "dangerous_actions",
            "escalations",
        ],
        read: &[
            "resources",
            "resource_context",
            "relationships",
            "activity",
            "resource_policies",
        ],
        derive: permissions,
    },
];

fn openings(session: &Session) -> anyhow::Result<()> {
    let mut steps = Steps(Instant::now());
    let world = world(session, &Dangers::new(&added(session)?))?;
    write_openings(session, &outsiders::openings(&world, &Facts::new(&world))?)?;
    steps.done("outside_access");
    Ok(())
}

/// Principals and everything for which there are dangerous actions.
fn world(session: &Session, dangers: &Dangers) -> anyhow::Result<World> {
    let mut world = World::principals(&session.connection)?;
    let types: BTreeSet<&str> = dangers
        .all()
        .iter()
        .map(|danger| danger.resource_type.as_str())
        .collect();
    world.read_targets(&session.connection, |resource_type| {
        types.contains(resource_type)
    })?;
    world.add_accounts();
    Ok(world)
}

fn permissions(session: &Session) -> anyhow::Result<()> {
    let mut steps = Steps(Instant::now());
    let dangers = Dangers::new(&added(session)?);
    let mut world = world(session, &dangers)?;
    let groups = groups::groups(&mut world, &session.connection)?;
    let workloads = groups::workloads(&session.connection)?;
    steps.done("read");
    let facts = Facts::new(&world);
    let questions = Questions::new(&world, &facts);
    let principals = questions.principals();
    steps.done("classes of principals");
    let resources = questions.resources(|resource_type| dangers.parts(resource_type));
    steps.done("classes of resources");
    let judge = Judge::new(&world, &facts);
    let admins = admins(&world, &judge, &principals)?;
    write_principals(session, &world, &principals, &admins)?;
    write_resources(session, &world, &resources)?;
    steps.done("administrators");
    let mut every = Filling::new(session, contract::grants())?;
    let mut critical = Filling::new(session, contract::critical_grants())?;
    let classes = critical_classes(session)?;
    grants::each(
        &world,
        &facts,
        &dangers,
        &principals,
        &resources,
        |rows, bases| in_columns(&dangers, &classes, rows, bases),
        |batches| {
            let (all, some) = batches?;
            every.batch(&all)?;
            critical.batch(&some)
        },
    )?;
    every.finish_on_disk()?;
    critical.finish_on_disk()?;
    steps.done("grants");
    let edges = assume::edges(&world, &judge, &principals)?;
    write_edges(session, &edges)?;
    steps.done("roles assumed");
    let escalations = escalate::all(&world, &judge, &edges, &groups, &workloads, &admins)?;
    write_escalations(session, &escalations)?;
    steps.done("escalations");
    write_statements(session, &world)?;
    write_dangers(session, &dangers)?;
    write_usage(session)?;
    steps.done("usage");
    Ok(())
}

/// How long each step took, for whoever asks with `SEVENWALLS_LOG=debug`.
struct Steps(Instant);

impl Steps {
    fn done(&mut self, step: &str) {
        let seconds = self.0.elapsed().as_secs_f64();
        tracing::debug!(step, seconds, "access");
        self.0 = Instant::now();
    }
}

/// The dangerous actions of the configuration.
fn added(session: &Session) -> anyhow::Result<Vec<(String, String, String)>> {
    let mut statement = session
        .connection
        .prepare("select action, resource_type, kind from config_dangerous order by all")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether each principal may do everything.
fn admins(
    world: &World,
    judge: &Judge<'_>,
    classes: &Classes,
) -> anyhow::Result<Vec<Option<bool>>> {
    let of_class: Vec<Option<bool>> = classes
        .first
        .iter()
        .map(|first| judge.is_admin(&mut judge.subject(&world.holders[*first])))
        .collect::<anyhow::Result<_>>()?;
    Ok(classes.of.iter().map(|class| of_class[*class]).collect())
}

fn write_principals(
    session: &Session,
    world: &World,
    classes: &Classes,
    admins: &[Option<bool>],
) -> anyhow::Result<()> {
    let mut filling = Filling::new(session, contract::principal_classes())?;
    for ((holder, class), admin) in world.holders.iter().zip(&classes.of).zip(admins) {
        let own = holder
            .policies
            .iter()
            .chain(&holder.boundary)
            .map(|id| world.library.get(*id));
        let unread: Vec<String> = own
            .filter(|entry| entry.document.is_none())
            .map(|entry| entry.policy.name().to_owned())
            .collect();
        filling.row([
            Cell::Text(&holder.account),
            Cell::Text(&holder.arn),
            Cell::Text(holder.kind.name()),
            Cell::Text(&holder.name),
            Cell::Int(*class),
            (*admin).into(),
            holder.boundary_arn.as_deref().into(),
            Cell::Bool(holder.service_linked),
            Cell::Bool(holder.reserved()),
            Cell::Bool(holder.special),
            Cell::List(&unread),
        ])?;
    }
    filling.finish()
}

fn write_resources(session: &Session, world: &World, classes: &Classes) -> anyhow::Result<()> {
    let mut filling = Filling::new(session, contract::resource_classes())?;
    for (target, class) in world.targets.iter().zip(&classes.of) {
        filling.row([
            Cell::Text(&target.account),
            Cell::Text(&target.arn),
            Cell::Text(&target.resource_type),
            Cell::Int(*class),
            Cell::Bool(target.policy_unread),
        ])?;
    }
    filling.finish()
}

/// Classes of resources whose grants are critical.
fn critical_classes(session: &Session) -> anyhow::Result<HashSet<u32>> {
    let mut statement = session
        .connection
        .prepare("select distinct resource_class from critical_classes")?;
    let classes = statement.query_map([], |row| row.get(0))?;
    Ok(classes.collect::<Result<_, _>>()?)
}

/// Rows of `grants`, and those of `critical_grants` among them.
fn in_columns(
    dangers: &Dangers,
    critical: &HashSet<u32>,
    rows: &[Grant],
    bases: &[Basis],
) -> anyhow::Result<(RecordBatch, RecordBatch)> {
    let mut every = Rows::new(&contract::grants());
    let mut some = Rows::new(&contract::critical_grants());
    for row in rows {
        let basis = &bases[row.basis as usize];
        let danger = &dangers.all()[row.danger as usize];
        let [principals, resources] =
            [row.principal_class, row.resource_class].map(|class| Cell::Int(class as usize));
        let [action, answer, mfa] =
            [danger.name.as_str(), row.answer.name(), row.mfa.name()].map(Cell::Text);
        let [conditions, statements] =
            [&basis.conditions, &basis.statements].map(|list| Cell::List(list));
        every.push([
            principals, action, resources, answer, mfa, conditions, statements,
        ]);
        if critical.contains(&row.resource_class) {
            let [resource_type, kind] =
                [&danger.resource_type, &danger.kind].map(|text| Cell::Text(text));
            some.push([
                resources,
                resource_type,
                principals,
                action,
                kind,
                answer,
                mfa,
                conditions,
                statements,
            ]);
        }
    }
    Ok((every.batch()?, some.batch()?))
}

fn write_edges(session: &Session, edges: &[assume::Edge]) -> anyhow::Result<()> {
    let mut filling = Filling::new(session, contract::assume_edges())?;
    for edge in edges {
        filling.row([
            Cell::Text(&edge.account),
            Cell::Text(&edge.from),
            Cell::Text(edge.from_kind),
            Cell::Text(&edge.to),
            Cell::Text(edge.granted.answer.name()),
            Cell::Text(edge.granted.mfa.name()),
            Cell::List(&edge.granted.basis.conditions),
            Cell::List(&edge.granted.basis.statements),
        ])?;
    }
    filling.finish()
}

fn write_escalations(
    session: &Session,
    escalations: &[escalate::Escalation],
) -> anyhow::Result<()> {
    let mut filling = Filling::new(session, contract::escalations())?;
    for one in escalations {
        let actions: Vec<String> = one
            .path
            .steps
            .iter()
            .map(|step| step.action.to_string())
            .collect();
        filling.row([
            Cell::Text(&one.account),
            Cell::Text(&one.principal),
            Cell::Text(&one.path.id),
            Cell::Text(&one.path.title),
            Cell::List(&actions),
            Cell::Text(&one.target),
            one.via.as_deref().into(),
            Cell::Bool(one.to_admin),
            Cell::Text(one.granted.answer.name()),
            Cell::Text(one.granted.mfa.name()),
            Cell::List(&one.granted.basis.conditions),
        ])?;
    }
    filling.finish()
}

fn write_openings(session: &Session, openings: &[outsiders::Opening]) -> anyhow::Result<()> {
    let mut filling = Filling::new(session, contract::outside_access())?;
    for opening in openings {
        filling.row([
            Cell::Text(&opening.account),
            Cell::Text(&opening.arn),
            Cell::Text(&opening.resource_type),
            Cell::Text(&opening.from),
            Cell::Text(opening.from_kind),
            Cell::List(&opening.actions),
            Cell::Text(opening.answer.name()),
            Cell::List(&opening.basis.conditions),
            Cell::List(&opening.basis.statements),
        ])?;
    }
    filling.finish()
}

fn write_statements(session: &Session, world: &World) -> anyhow::Result<()> {
    let mut filling = Filling::new(session, contract::statements())?;
    let mut rows: Vec<_> = world
        .library
        .entries()
        .iter()
        .flat_map(|entry| {
            entry
                .policy
                .statements()
                .iter()
                .enumerate()
                .map(move |(index, one)| (entry, index, one))
        })
        .collect();
    rows.sort_by(|(a, at, _), (b, bt, _)| {
        (a.policy.name(), a.layer, at).cmp(&(b.policy.name(), b.layer, bt))
    });
    rows.dedup_by(|(a, at, _), (b, bt, _)| {
        a.policy.name() == b.policy.name() && a.layer == b.layer && at == bt
    });
    for (entry, index, statement) in rows {
        let document = entry
            .document
            .as_ref()
            .and_then(|document| classes::nth(document, index));
        let list =
            |element: &str| classes::strings(document.and_then(|document| document.get(element)));
        let (actions, not_actions) = (list("Action"), list("NotAction"));
        let (resources, not_resources) = (list("Resource"), list("NotResource"));
        let condition = document
            .and_then(|document| document.get("Condition"))
            .map(ToString::to_string);
        filling.row([
            Cell::Text(&format!("{}#{index}", entry.policy.name())),
            Cell::Text(entry.policy.name()),
            Cell::Text(entry.layer),
            Cell::Int(index),
            statement.sid().into(),
            Cell::Text(match statement.effect() {
                Effect::Allow => "Allow",
                Effect::Deny => "Deny",
            }),
            Cell::List(&actions),
            Cell::List(&not_actions),
            Cell::List(&resources),
            Cell::List(&not_resources),
            condition.as_deref().into(),
        ])?;
    }
    filling.finish()
}

fn write_dangers(session: &Session, dangers: &Dangers) -> anyhow::Result<()> {
    let mut filling = Filling::new(session, contract::dangerous_actions())?;
    for danger in dangers.all() {
        filling.row([
            Cell::Text(&danger.name),
            Cell::Text(&danger.resource_type),
            Cell::Text(&danger.kind),
            danger.tag_condition.into(),
            Cell::Bool(danger.resource_level),
            danger.logged.into(),
        ])?;
    }
    filling.finish()
}

/// Maps the events of `activity` to actions, and lets SQL do the rest.
fn write_usage(session: &Session) -> anyhow::Result<()> {
    let connection = &session.connection;
    let mut statement = connection.prepare(
        "select distinct event_source, event_name from activity where event_source is not null and event_name is not null order by all",
    )?;
    let events = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    connection.execute_batch(
        "create or replace temp table event_actions (event_source varchar, event_name varchar, action varchar, mapping varchar);",
    )?;
    let some = |text: &str| Some(text.to_owned());
    let rows = events.iter().flat_map(|(source, name)| {
        let actions: Vec<(Option<String>, &str)> = match of_event(source, name) {
            EventActions::Actions(actions) => actions
                .into_iter()
                .map(|action| (some(action), "mapped"))
                .collect(),
            EventActions::NoPermission => vec![(None, "none")],
            EventActions::Unmapped => vec![(None, "unmapped")],
        };
        actions
            .into_iter()
            .map(move |(action, mapping)| vec![some(source), some(name), action, some(mapping)])
    });
    session.fill("event_actions", rows.collect::<Vec<_>>())?;
    let usage = contract::usage();
    connection.execute_batch(&format!(
        "create or replace table usage ({});\n{};",
        crate::schema::definitions(&usage.columns),
        include_str!("../sql/access/usage.sql")
    ))?;
    connection.execute_batch("drop table event_actions;")?;
    Ok(())
}
