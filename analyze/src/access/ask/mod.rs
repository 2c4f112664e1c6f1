//! `analyze access`: who may do what, asked of one run.
//!
//! Invariant: an empty answer means that nobody may. What is not sure, because a name may be misspelt or something was not
//! read, is said in a line on standard error, and the exit code is that of a part.

mod doubt;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::ManuallyDrop;

use anyhow::Context as _;
use duckdb::Connection;
use handoff::contract::ColumnType::{List, String as Text};
use handoff::contract::TableSchema;
use handoff::run::Run;
use handoff::shell::{self, Exit, Hinted};
use rayon::prelude::*;

use self::doubt::Doubts;
use self::ways::{Edges, Way};
use super::assume::{self, as_target};
use super::decide::{Answer, Granted, Judge};
use super::facts::Facts;
use super::rows;
use super::tables::{Cell, Filling};
use super::world::{self, Holder, Interner, Target, World};
use crate::actions::Catalogue;
use crate::beside::beside;
use crate::cli::AccessArgs;
use crate::config::{self, Config};
use crate::iam::{Action, Resource};
use crate::open::{Wanted, open_some};
use crate::session::{self, Session};
use crate::{query, schema};

/// What principals and their policies are read from.
const OF_PRINCIPALS: [&str; 9] = [
    "aws_iam_user",
    "aws_iam_role",
    "aws_iam_group",
    "aws_iam_policy",
    "aws_organizations_account",
    "aws_organizations_organization",
    "aws_organizations_service_control_policy",
    "aws_organizations_resource_control_policy",
    "collect_errors",
];

/// What resources with policies of their own are in.
const OF_POLICIES: [&str; 11] = [
    "aws_kms_key",
    "aws_sns_topic",
    "aws_sqs_queue",
    "aws_secretsmanager_secret",
    "aws_lambda_function",
    "aws_ecr_repository",
    "aws_dynamodb_table",
    "aws_backup_vault",
    "aws_efs_file_system",
    "aws_opensearch_domain",
    "aws_s3_bucket",
];

/// What the ways to a permission are read from.
const OF_WAYS: [&str; 3] = ["resources", "assume_edges", "usage"];

/// The answer to who may do something, and to what somebody may do.
const ANSWER: &str = include_str!("../../sql/access/answer.sql");
const OF_PRINCIPAL: &str = include_str!("../../sql/access/principal.sql");

/// What the dangerous actions of a principal are read from, besides [`OF_PRINCIPALS`].
const OF_GRANTS: [&str; 8] = [
    "resources",
    "principal_classes",
    "resource_classes",
    "grants",
    "assume_edges",
    "usage",
    "dangerous_actions",
    "resource_context",
];

/// Actions that nobody signs.
const UNSIGNED: [&str; 2] = ["sts:assumerolewithsaml", "sts:assumerolewithwebidentity"];

/// Answers a question.
///
/// # Errors
/// When the run can't be read or was not analyzed, and when the action, the resource or the principal is none.
pub(crate) fn ask(args: &AccessArgs) -> anyhow::Result<Exit> {
    let config = Config::load(args.config.as_deref()).map_err(|error| config::hinted(&error))?;
    let run = Run::find(args.run.as_deref())?;
    if let Some(folder) = &args.propose {
        return super::propose::propose(args, folder, &run, &config);
    }
    // The actions of AWS take a while to read, and nobody needs them yet.
    rayon::spawn(|| _ = Catalogue::embedded());
    let mut doubts = Doubts::default();
    match (&args.action, &args.resource, &args.principal) {
        (Some(action), Some(resource), principal) => {
            let (read, spared) = tables_of(resource)?;
            let tables = [&OF_PRINCIPALS[..], &read, &OF_WAYS].concat();
            let wanted = Wanted {
                tables: &tables,
                spared: &spared,
                views: &["attachments", "resource_policies"],
                asked: &[&world::SQL[..], &[ANSWER]].concat(),
                gaps: false,
            };
            let session = open_some(&run, &config, &args.limits, &wanted)?;
            let question = Question {
                action,
                resource,
                principal: principal.as_deref(),
                tables: &read,
            };
            who(&session, &question, &mut doubts)?;
            query::print(&session, "from access_answer", args.format)?;
        }
        (_, _, Some(principal)) => {
            let wanted = Wanted {
                tables: &[&OF_PRINCIPALS[..], &OF_GRANTS].concat(),
                spared: &[],
                views: &[],
                asked: &[OF_PRINCIPAL],
                gaps: true,
            };
            let session = open_some(&run, &config, &args.limits, &wanted)?;
            doubts.gaps(&session)?;
            doubts.gaps_of_resources(&session)?;
            what(&session, principal, &mut doubts)?;
            query::print(&session, "from access_answer", args.format)?;
        }
        _ => unreachable!("the command line asks for an action or a principal"),
    }
    Ok(doubts.exit())
}

/// Of [`OF_POLICIES`] those that can hold the resource, by the service in its ARN; and the others.
fn tables_of(resource: &str) -> anyhow::Result<(Vec<&'static str>, Vec<&'static str>)> {
    let tables = schema::tables()?;
    let service = resource.split(':').nth(2);
    Ok(OF_POLICIES.into_iter().partition(|name| {
        let of_table = tables
            .get(*name)
            .and_then(|table| table.resource_type.as_deref());
        // A table that tells no type may hold anything.
        of_table.is_none_or(|of_table| of_table.split(':').next() == service)
    }))
}

/// Who may do what to what.
struct Question<'a> {
    action: &'a str,
    resource: &'a str,
    /// Only what this one may do.
    principal: Option<&'a str>,
    /// Tables that may tell of the policy of the resource.
    tables: &'a [&'a str],
}

/// Whoever may do `action` to `resource`, into the table `access_answer`.
fn who(session: &Session, question: &Question<'_>, doubts: &mut Doubts) -> anyhow::Result<()> {
    let Question {
        action, resource, ..
    } = *question;
    let judged = Action::parse(action).map_err(|error| {
        Hinted::new(
            error.to_string(),
            "ask for one action, such as --action s3:DeleteBucket",
        )
    })?;
    Resource::new(resource, None).map_err(|error| {
        Hinted::new(
            error.to_string(),
            "give the ARN as in `analyze query 'from resources'`",
        )
    })?;
    let resource = doubt::judged_resource(action, resource, doubts);
    // Only roles have trust policies, and only sts asks them.
    let with_trust = judged.service() == "sts";
    let connection = &session.connection;
    let of_question = |other: &Connection| {
        session::note_gaps(other)?;
        let row = (resource != "*").then(|| rows::resource(other, resource));
        Ok((row.transpose()?.flatten(), Edges::read(other)?))
    };
    let of_principals = || World::principals_at_once(connection, with_trust);
    let ((row, edges), world) = beside(connection.try_clone()?, of_question, of_principals)?;
    doubts.gaps(session)?;
    // The process ends with the answer: taking all this apart would take as long as judging it.
    let mut world = ManuallyDrop::new(world);
    let wanted = question
        .principal
        .map(|name| find(&world, name))
        .transpose()?;
    let target = target(&mut world, &judged, resource, row);
    if target.is_none() && resource != "*" {
        doubts.not_in_the_run(session, resource)?;
    }
    if resource != "*" {
        doubts.gaps_of_resource(session, question.tables, target.as_ref())?;
    }
    let granted = granted(&world, &judged, resource, target.as_ref())?;
    let mut ways = edges.ways(&granted);
    ways.retain(|way| wanted.as_ref().is_none_or(|wanted| way.actor == *wanted));
    let unread = ways
        .iter()
        .filter(|way| way.granted.answer == Answer::Unknown);
    doubts.unread(&world, unread.flat_map(|way| &way.granted.basis.statements));
    if ways.is_empty() {
        let who = wanted.as_deref().unwrap_or("nobody");
        let not = if wanted.is_some() { " not" } else { "" };
        let known = doubts.but();
        shell::note(&format!("{who} may{not} do {action} to {resource}{known}"));
    }
    write(session, &judged, &ways)
}

/// The resource as the run knows it; a role with its trust policy where that is what counts.
fn target(
    world: &mut World,
    action: &Action,
    resource: &str,
    row: Option<rows::Resource>,
) -> Option<Target> {
    let role = world
        .holders
        .iter()
        .find(|holder| holder.arn == resource && holder.trust.is_some());
    if let Some(role) = role.filter(|_| action.service() == "sts") {
        return Some(as_target(role));
    }
    world.take_target(row?, &mut Interner::default());
    world.targets.first().cloned()
}

/// What each principal may do itself, and whom else the policy of the resource lets do it.
fn granted(
    world: &World,
    action: &Action,
    resource: &str,
    target: Option<&Target>,
) -> anyhow::Result<BTreeMap<String, Granted>> {
    let facts = Facts::new(world);
    let judge = Judge::new(world, &facts);
    // A role is no way into itself, and whom an identity provider vouches for has no credentials yet.
    let federated = UNSIGNED.contains(&action.text());
    let out = |holder: &Holder| federated || action.service() == "sts" && holder.arn == resource;
    let object = |target: &Target| {
        let object = judge.object(target, resource);
        object.context("a resource that could be read before")
    };
    let known = target.map(&object).transpose()?;
    let of_holder = |holder: &Holder| -> anyhow::Result<Option<(String, Granted)>> {
        let mut subject = judge.subject(holder);
        let found = match &known {
            Some(known) => judge.ask(&mut subject, action, known, None),
            None => {
                let elsewhere = object(&unknown_target(holder, resource))?;
                judge.ask(&mut subject, action, &elsewhere, None)
            }
        };
        Ok(found.map(|found| (holder.arn.clone(), found)))
    };
    let mut granted: BTreeMap<String, Granted> = world
        .holders
        .par_iter()
        .filter(|holder| !out(holder))
        .map(of_holder)
        .filter_map(Result::transpose)
        .collect::<anyhow::Result<_>>()?;
    if let Some(target) = target {
        let own: BTreeSet<&str> = world.holders.iter().map(|holder| &*holder.arn).collect();
        let about = facts.resource(world, target);
        for (from, _, found) in assume::let_in(world, target, resource, &own, Some(&about), |_| {
            vec![action.clone()]
        }) {
            granted.entry(from).or_insert(found);
        }
    }
    Ok(granted)
}

/// A resource of which nothing is known but its ARN.
pub(super) fn unknown_target(holder: &Holder, arn: &str) -> Target {
    let owner = arn.split(':').nth(4).filter(|account| account.len() == 12);
    Target {
        account: owner.map_or_else(|| holder.account.clone(), Into::into),
        arn: arn.to_owned(),
        tags: (arn == "*").then(BTreeMap::new),
        ..Target::account(&holder.account, &holder.arn)
    }
}

/// The principal that a user means by an ARN or a name.
fn find(world: &World, name: &str) -> anyhow::Result<String> {
    let found = world
        .holders
        .iter()
        .filter(|holder| holder.arn == name || holder.name == name)
        .map(|holder| holder.arn.clone())
        .collect();
    let known = world
        .holders
        .iter()
        .flat_map(|holder| [holder.arn.as_str(), holder.name.as_str()]);
    doubt::only(found, name, known)
}

fn write(session: &Session, action: &Action, ways: &[Way]) -> anyhow::Result<()> {
    let schema = TableSchema::new(
        "access_ways",
        "one way to do it",
        &[
            ("principal", Text, "who"),
            ("roles", List, "roles assumed on the way"),
            ("holder", Text, "whose permission it is"),
            ("verdict", Text, "as in `grants`"),
            ("mfa", Text, "as in `grants`"),
            ("conditions", List, "as in `grants`"),
            ("statements", List, "as in `grants`"),
        ],
    );
    let mut filling = Filling::new(session, schema)?;
    for way in ways {
        filling.row([
            Cell::Text(&way.actor),
            Cell::List(&way.roles),
            Cell::Text(way.roles.last().unwrap_or(&way.actor)),
            Cell::Text(way.granted.answer.name()),
            Cell::Text(way.granted.mfa.name()),
            Cell::List(&way.granted.basis.conditions),
            Cell::List(&way.granted.basis.statements),
        ])?;
    }
    filling.finish()?;
    session.fill_new("access_action", &[action.text()])?;
    session.connection.execute_batch(ANSWER)?;
    Ok(())
}

/// The dangerous actions of a principal, into the table `access_answer`.
fn what(session: &Session, principal: &str, doubts: &mut Doubts) -> anyhow::Result<()> {
    let mut statement = session
        .connection
        .prepare("select principal_arn, name from principal_classes order by all")?;
    let known = statement
        .query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            ))
        })?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    let found = known
        .iter()
        .filter(|(arn, name)| arn == principal || name == principal)
        .map(|(arn, _)| arn.clone())
        .collect();
    let names = known
        .iter()
        .flat_map(|(arn, name)| [arn.as_str(), name.as_str()]);
    let wanted = doubt::only(found, principal, names)?;
    session.fill_new("access_principal", &[&wanted])?;
    session.connection.execute_batch(&format!(
        "create or replace table access_answer as\n{};",
        OF_PRINCIPAL
    ))?;
    doubts.unread_on_the_way(session)?;
    let none: bool =
        session
            .connection
            .query_row("select count(*) = 0 from access_answer", [], |row| {
                row.get(0)
            })?;
    if none {
        let known = doubts.but();
        shell::note(&format!(
            "{wanted} may do nothing dangerous, by itself or by roles{known}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `resources.sql` knows of tables with policies is what is read for a question.
    #[test]
    fn tables_with_policies_are_the_same_in_sql() {
        let tables = schema::tables().unwrap();
        for name in OF_POLICIES {
            let of_table = tables[name].resource_type.as_deref().unwrap();
            let line = format!("('{of_table}', '{name}')");
            assert!(rows::RESOURCES.contains(&line), "{line}");
        }
        assert_eq!(
            rows::RESOURCES.matches(", 'aws_").count(),
            OF_POLICIES.len()
        );
    }
}
