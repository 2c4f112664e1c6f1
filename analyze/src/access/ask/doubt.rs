//! What makes an answer unsure: names that may be misspelt, and what was not read.

use std::collections::BTreeSet;

use duckdb::{Statement, params_from_iter};
use handoff::shell::{self, Exit, Hinted};

use crate::access::propose::type_of;
use crate::access::world::{Target, World};
use crate::actions::Catalogue;
use crate::session::Session;
use crate::sql::quote;

/// Letters by which a misspelt name differs.
const MOST_EDITS: usize = 3;

/// Lines of one kind that are shown.
const SHOWN: usize = 10;

/// What was said of an answer.
#[derive(Default)]
pub(super) struct Doubts {
    some: bool,
}

impl Doubts {
    fn say(&mut self, line: &str) {
        shell::warn(line);
        self.some = true;
    }

    /// What a statement answers: one column of lines.
    fn say_rows<const N: usize>(
        &mut self,
        statement: &mut Statement<'_>,
        parameters: [&str; N],
    ) -> anyhow::Result<()> {
        let lines = statement
            .query_map(params_from_iter(parameters), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        self.say_each(&lines);
        Ok(())
    }

    fn say_each(&mut self, lines: &BTreeSet<String>) {
        for line in lines.iter().take(SHOWN) {
            self.say(line);
        }
        if lines.len() > SHOWN {
            self.say(&format!("and {} more", lines.len() - SHOWN));
        }
    }

    /// What makes less of a denial.
    pub(super) fn but(&self) -> &'static str {
        if self.some {
            ", as far as is known"
        } else {
            ""
        }
    }

    /// Partial if there was one.
    pub(super) fn exit(&self) -> Exit {
        if self.some { Exit::Partial } else { Exit::Done }
    }

    /// What was not collected of principals and the organization could hold another way, or a denial.
    pub(super) fn gaps(&mut self, session: &Session) -> anyhow::Result<()> {
        self.gaps_where(session, &super::OF_PRINCIPALS, "true", [])
    }

    /// The policy of a resource that could not be read may let in, or keep out, whomever it likes. `tables` are those that may tell
    /// of it; `target` is none where the run has no such resource, perhaps because of a gap.
    pub(super) fn gaps_of_resource(
        &mut self,
        session: &Session,
        tables: &[&str],
        target: Option<&Target>,
    ) -> anyhow::Result<()> {
        match target {
            None => self.gaps_where(session, tables, "resource_arn is null", []),
            Some(target) if target.policy_unread => self.gaps_where(
                session,
                tables,
                "account_id = $1 and ($2 in (region, 'global') or region = 'global') and (resource_arn is null or resource_arn = $3)",
                [&target.account, &target.region, &target.arn],
            ),
            Some(_) => Ok(()),
        }
    }

    /// Resources that are not in the run, to which something dangerous could be done.
    pub(super) fn gaps_of_resources(&mut self, session: &Session) -> anyhow::Result<()> {
        let mut statement = session
            .connection
            .prepare("select distinct resource_type from dangerous_actions")?;
        let endangered = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<BTreeSet<String>, _>>()?;
        let tables = session.tables.iter().filter(|(name, table)| {
            let of_type = table.resource_type.as_ref();
            of_type.is_some_and(|of_type| endangered.contains(of_type))
                && !super::OF_PRINCIPALS.contains(&name.as_str())
        });
        let names: Vec<String> = tables.map(|(name, _)| quote(name)).collect();
        let mut statement = session.connection.prepare(&format!(
            "with holes as (from gaps where table_name in ({}) and resource_arn is null)
            select account_id || ': ' || table_name || ' is incomplete: ' || why
            from holes
            where kind <> 'not_collected'
            union
            select account_id || ': ' || count(distinct table_name) || ' tables of what can be endangered were not collected, such as ' || min(table_name)
            from holes
            where kind = 'not_collected'
            group by account_id",
            names.join(", ")
        ))?;
        self.say_rows(&mut statement, [])
    }

    fn gaps_where<const N: usize>(
        &mut self,
        session: &Session,
        tables: &[&str],
        condition: &str,
        parameters: [&str; N],
    ) -> anyhow::Result<()> {
        let names: Vec<String> = tables.iter().map(|name| quote(name)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let mut statement = session.connection.prepare(&format!(
            "select distinct account_id || ': ' || coalesce(table_name || ' is incomplete: ', '') || why from gaps
            where (table_name is null or table_name in ({})) and {condition}
            order by all",
            names.join(", ")
        ))?;
        self.say_rows(&mut statement, parameters)
    }

    /// The resource is not one of the run's.
    pub(super) fn not_in_the_run(&mut self, session: &Session, arn: &str) -> anyhow::Result<()> {
        let mut statement = session
            .connection
            .prepare("select distinct arn from resources where split_part(arn, ':', 3) = split_part($1, ':', 3) order by all")?;
        let known = statement
            .query_map([arn], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        let meant = did_you_mean(arn, known.iter().map(String::as_str));
        self.say(&format!(
            "{arn} is not in this run{meant}: judged without a policy and tags of its own"
        ));
        Ok(())
    }

    /// Policies that could not be read, of those that `statements` are from.
    pub(super) fn unread<'s>(
        &mut self,
        world: &World,
        statements: impl Iterator<Item = &'s String>,
    ) {
        let policies: BTreeSet<&str> = statements
            .filter_map(|statement| statement.rsplit_once('#'))
            .map(|(policy, _)| policy)
            .collect();
        let lines = world
            .library
            .unread
            .iter()
            .filter(|(policy, _)| policies.contains(policy.as_str()))
            .map(|(policy, why)| format!("{policy} could not be read: {why}"))
            .collect();
        self.say_each(&lines);
    }

    /// The same, of the principals and resources in the table `access_answer`.
    pub(super) fn unread_on_the_way(&mut self, session: &Session) -> anyhow::Result<()> {
        let mut statement = session.connection.prepare(
            "with holders as (
                select value as arn from access_principal
                union
                select unnest(string_split(through, ' -> ')) from access_answer
            )
            select p.principal_arn || ': ' || unnest(p.unread) || ' could not be read'
            from principal_classes as p
            semi join holders as h on h.arn = p.principal_arn
            union
            select 'some policies could not be read: what depends on them is unknown'
            from access_answer
            where verdict = 'unknown'",
        )?;
        self.say_rows(&mut statement, [])
    }
}

/// What IAM judges the action by: an action that takes no resource is judged by `*`. Says so where the action is not known, or
/// is not done to such a resource.
pub(super) fn judged_resource<'r>(action: &str, resource: &'r str, doubts: &mut Doubts) -> &'r str {
    let catalogue = Catalogue::embedded();
    let Some(facts) = catalogue.find(action) else {
        let names = catalogue.actions().iter().map(|facts| facts.name);
        let meant = did_you_mean(action, names);
        doubts.say(&format!(
            "{action} is not among the actions of {}{meant}: judged as it is written",
            catalogue.version()
        ));
        return resource;
    };
    let without = facts.resources.iter().any(|one| one.is_none());
    let types: Vec<&str> = facts
        .resources
        .iter()
        .filter(|one| !one.is_none())
        .map(|one| one.arn)
        .collect();
    if types.is_empty() && resource != "*" {
        shell::note(&format!(
            "{} takes no resource: IAM judges it by *",
            facts.name
        ));
        return "*";
    }
    if resource == "*" {
        if !without {
            doubts.say(&format!(
                "{} is done to one resource ({}): whoever may do it to some of them only is not in the answer",
                facts.name,
                types.join(", ")
            ));
        }
    } else if type_of(facts, resource).is_none() {
        doubts.say(&format!(
            "{} is not done to {resource}: it takes {}",
            facts.name,
            types.join(", ")
        ));
    }
    resource
}

/// The one principal that a name stands for.
pub(super) fn only<'k>(
    found: Vec<String>,
    name: &str,
    known: impl Iterator<Item = &'k str>,
) -> anyhow::Result<String> {
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Hinted::new(
            format!(
                "no user or role {name:?} in this run{}",
                did_you_mean(name, known)
            ),
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

/// The name most like another, as a question; nothing if none is like it.
fn did_you_mean<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    known
        .map(|known| (strsim::osa_distance(name, known), known))
        .filter(|(edits, _)| *edits <= MOST_EDITS && edits * 2 < name.len())
        .min()
        .map_or_else(String::new, |(_, known)| {
            format!(" (did you mean {known}?)")
        })
}
