//! `analyze access`: who may do what, asked of one run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::slice;

use anyhow::Context as _;
use handoff::contract::ColumnType::{List, String as Text};
use handoff::contract::TableSchema;
use handoff::run::Run;
use handoff::shell::{self, Exit, Hinted};
use rayon::prelude::*;

use super::decide::{Answer, Granted, Judge, Mfa};
use super::facts::Facts;
use super::tables::{Cell, Filling};
use super::world::{Holder, Target, World};
use crate::cli::AccessArgs;
use crate::config::{self, Config};
use crate::iam::{Action, Resource};
use crate::session::Session;
use crate::{query, run};

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

/// What resources and their policies are read from.
const OF_RESOURCES: [&str; 12] = [
    "resources",
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

/// Roles assumed one after the other that are followed.
const MOST_HOPS: usize = 4;

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
    match (&args.action, &args.resource, &args.principal) {
        (Some(action), Some(resource), principal) => {
            let tables = [
                &OF_PRINCIPALS[..],
                &OF_RESOURCES,
                &["assume_edges", "usage"],
            ]
            .concat();
            let views = ["attached_policies", "resource_policies"];
            let session = run::open_some(&run, &config, &args.limits, &tables, &views)?;
            who(&session, action, resource, principal.as_deref())?;
            query::print(&session, "from access_answer", args.format)?;
            print_gaps(&session)
        }
        (_, _, Some(principal)) => {
            let tables = [
                "aws_iam_user",
                "aws_iam_role",
                "collect_errors",
                "resources",
                "principal_classes",
                "resource_classes",
                "grants",
                "assume_edges",
                "usage",
                "dangerous_actions",
                "resource_context",
            ];
            let session = run::open_some(&run, &config, &args.limits, &tables, &[])?;
            what(&session, principal)?;
            query::print(
                &session,
                include_str!("../sql/access/principal.sql"),
                args.format,
            )?;
            print_gaps(&session)
        }
        _ => unreachable!("the command line asks for an action or a principal"),
    }
}

/// What was not collected could hold another way: then the answer is partial.
fn print_gaps(session: &Session) -> anyhow::Result<Exit> {
    let mut statement = session.connection.prepare(
        "select distinct account_id || ': ' || table_name || ' is incomplete: ' || why from gaps
        where table_name in ('aws_iam_user', 'aws_iam_role', 'aws_iam_group', 'aws_iam_policy') order by all",
    )?;
    let mut exit = Exit::Done;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        shell::warn(&line?);
        exit = Exit::Partial;
    }
    Ok(exit)
}

/// Whoever may do `action` to `resource`, into the table `access_answer`.
fn who(
    session: &Session,
    action: &str,
    resource: &str,
    principal: Option<&str>,
) -> anyhow::Result<()> {
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
    if crate::actions::Catalogue::embedded().find(action).is_none() {
        shell::note(&format!(
            "{action} is not among the actions that this version knows: check its spelling"
        ));
    }
    let mut world = World::principals(&session.connection)?;
    if resource != "*" {
        world.read_target(&session.connection, resource)?;
        if world.targets.is_empty() {
            shell::note(&format!(
                "{resource} is not in this run: judged without a policy and tags of its own"
            ));
        }
    }
    let facts = Facts::new(&world);
    let judge = Judge::new(&world, &facts);
    let of_holder = |holder| -> anyhow::Result<Option<(&str, Granted)>> {
        let elsewhere = world.targets.is_empty();
        let elsewhere = elsewhere.then(|| unknown_target(holder, resource));
        let target = world.targets.first().or(elsewhere.as_ref());
        let object = target
            .and_then(|target| judge.object(target, resource))
            .context("a resource that could be read before")?;
        let granted = judge.ask(&mut judge.subject(holder), &judged, &object, None);
        Ok(granted.map(|granted| (holder.arn.as_str(), granted)))
    };
    let direct: BTreeMap<&str, Granted> = world
        .holders
        .par_iter()
        .map(of_holder)
        .filter_map(Result::transpose)
        .collect::<anyhow::Result<_>>()?;
    let edges = Edges::read(session)?;
    let wanted = principal.map(|name| find(&world, name)).transpose()?;
    write(session, &judged, &edges.ways(&direct), wanted)
}

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
fn find<'w>(world: &'w World, name: &str) -> anyhow::Result<&'w str> {
    let found: Vec<&str> = world
        .holders
        .iter()
        .filter(|holder| holder.arn == name || holder.name == name)
        .map(|holder| holder.arn.as_str())
        .collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Hinted::new(
            format!("no user or role {name:?} in this run"),
            "`analyze query 'select principal_arn from principal_classes'` lists them",
        )
        .into()),
        several => Err(Hinted::new(
            format!("{name:?} could be any of {}", several.join(", ")),
            "give the ARN",
        )
        .into()),
    }
}

/// One way to do it: who, through which roles.
struct Way {
    actor: String,
    roles: Vec<String>,
    granted: Granted,
}

struct Edge {
    from: String,
    /// Whoever comes this way has no session that could have been opened with a second factor.
    without_mfa: bool,
    granted: Granted,
}

struct Edges {
    /// By the role they lead to.
    to: BTreeMap<String, Vec<Edge>>,
}

impl Edges {
    fn read(session: &Session) -> anyhow::Result<Self> {
        let mut statement = session.connection.prepare(
            "select to_arn, from_arn, verdict, mfa, to_json(conditions)::varchar, from_kind in ('service', 'federated', 'anyone') from assume_edges order by to_arn, from_arn, from_kind",
        )?;
        let mut rows = statement.query([])?;
        let mut to: BTreeMap<String, Vec<Edge>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let answer = match row.get::<_, String>(2)?.as_str() {
                "allowed" => Answer::Allowed,
                "conditional" => Answer::Conditional,
                _ => Answer::Unknown,
            };
            let mfa = match row.get::<_, String>(3)?.as_str() {
                "not_required" => Mfa::NotRequired,
                "spared" => Mfa::Spared,
                _ => Mfa::Required,
            };
            let mut granted = Granted {
                answer,
                mfa,
                basis: Default::default(),
            };
            granted.basis.conditions = serde_json::from_str(&row.get::<_, String>(4)?)?;
            to.entry(row.get(0)?).or_default().push(Edge {
                from: row.get(1)?,
                without_mfa: row.get(5)?,
                granted,
            });
        }
        Ok(Self { to })
    }

    /// All ways to one of `direct`: of each actor to each of them the shortest.
    fn ways(&self, direct: &BTreeMap<&str, Granted>) -> Vec<Way> {
        let mut ways = Vec::new();
        for (holder, granted) in direct {
            ways.push(Way {
                actor: (*holder).to_owned(),
                roles: Vec::new(),
                granted: granted.clone(),
            });
            let mut seen = BTreeSet::from([(*holder).to_owned()]);
            let mut queue = VecDeque::from([((*holder).to_owned(), Vec::new(), granted.clone())]);
            while let Some((role, roles, so_far)) = queue.pop_front() {
                for edge in self.to.get(&role).into_iter().flatten() {
                    let granted = so_far.clone().and(&edge.granted);
                    let barred = edge.without_mfa && granted.mfa == Mfa::Required;
                    if roles.len() >= MOST_HOPS || barred || !seen.insert(edge.from.clone()) {
                        continue;
                    }
                    let path = [slice::from_ref(&role), &roles].concat();
                    ways.push(Way {
                        actor: edge.from.clone(),
                        roles: path.clone(),
                        granted: granted.clone(),
                    });
                    queue.push_back((edge.from.clone(), path, granted));
                }
            }
        }
        ways.sort_by(|a, b| {
            (&a.actor, a.roles.len(), &a.roles).cmp(&(&b.actor, b.roles.len(), &b.roles))
        });
        ways
    }
}

fn write(
    session: &Session,
    action: &Action,
    ways: &[Way],
    wanted: Option<&str>,
) -> anyhow::Result<()> {
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
    for way in ways
        .iter()
        .filter(|way| wanted.is_none_or(|wanted| way.actor == wanted))
    {
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
    session
        .connection
        .execute_batch(include_str!("../sql/access/answer.sql"))?;
    Ok(())
}

/// Names the principal that `principal.sql` is asked about.
fn what(session: &Session, principal: &str) -> anyhow::Result<()> {
    let mut statement = session
        .connection
        .prepare("select principal_arn from principal_classes where principal_arn = $1 or name = $1 order by all")?;
    let found = statement
        .query_map([principal], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    match found.as_slice() {
        [one] => session.fill_new("access_principal", &[one]),
        [] => Err(Hinted::new(
            format!("no user or role {principal:?} in this run"),
            "`analyze query 'select principal_arn from principal_classes'` lists them",
        )
        .into()),
        several => Err(Hinted::new(
            format!("{principal:?} could be any of {}", several.join(", ")),
            "give the ARN",
        )
        .into()),
    }
}
