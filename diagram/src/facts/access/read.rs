//! From the tables of access to [`Access`].

use std::collections::{BTreeSet, HashMap, HashSet};

use handoff::run::{FileEntry, Run, Stage};

use super::{Access, Danger, Escalation, Freedom, Party, Principal, PrincipalNumber, Used, Way};
use crate::facts::read::{ReadError, rows};
use crate::facts::{Facts, Index};

/// What a run knows of access.
#[derive(Debug)]
pub enum Found {
    /// Who may endanger what.
    Access(Box<Access>),
    /// Users and roles were not asked for in any account.
    NotCollected,
    /// `analyze` has not derived it.
    NotDerived,
}

/// Reads who may endanger the resources that `wanted` admits.
///
/// # Errors
/// When the run's files can't be read.
pub fn read(run: &Run, facts: &Facts, wanted: &dyn Fn(Index) -> bool) -> Result<Found, ReadError> {
    let files = run.files(Stage::Analyze)?;
    let is_there = |table: &str| files.iter().any(|file| file.table == table);
    if !is_there("principal_classes") || !is_there("grants") {
        return Ok(Found::NotDerived);
    }
    let not_asked = not_asked(run, facts)?;
    let of_account = |account: &String| not_asked.contains(account);
    let mut accounts = facts.resources.iter().map(|resource| &resource.account_id);
    if !not_asked.is_empty() && accounts.all(of_account) {
        return Ok(Found::NotCollected);
    }
    let mut access = Access {
        principals: principals(run, &files, facts)?,
        not_asked,
        ..Access::default()
    };
    let numbers: HashMap<String, PrincipalNumber> = access
        .principals
        .iter()
        .enumerate()
        .map(|(number, principal)| (principal.arn.clone(), number))
        .collect();
    let types = read_classes(run, &files, facts, wanted, &mut access)?;
    let kinds = read_actions(run, &files, &mut access)?;
    read_grants(run, &files, &types, &kinds, &mut access)?;
    access.ways = ways(run, &files, &numbers)?;
    access.escalations = escalations(run, &files, &numbers)?;
    access.used = used(run, &files, &numbers, &access.actions)?;
    Ok(Found::Access(Box::new(access)))
}

/// Accounts with resources whose users or roles nobody asked for: that nobody is in the tables says nothing there. What was
/// asked for and denied is among the errors.
fn not_asked(run: &Run, facts: &Facts) -> Result<BTreeSet<String>, ReadError> {
    let record = run.record(Stage::Collect)?;
    let outcomes = record.tables.iter();
    let outcomes = outcomes.map(|outcome| (outcome.table.as_str(), Some(&outcome.account_id)));
    let files = record.files.iter();
    let files = files.map(|file| (file.table.as_str(), file.account_id.as_ref()));
    let asked: HashSet<(&str, Option<&String>)> = outcomes.chain(files).collect();
    let is_asked = |account: &String| {
        ["aws_iam_user", "aws_iam_role"].iter().all(|table| {
            asked.contains(&(*table, Some(account))) || asked.contains(&(*table, None))
        })
    };
    let accounts: HashSet<&String> = facts
        .resources
        .iter()
        .map(|resource| &resource.account_id)
        .collect();
    let not_asked = accounts.into_iter().filter(|account| !is_asked(account));
    Ok(not_asked.cloned().collect())
}

fn principals(run: &Run, files: &[FileEntry], facts: &Facts) -> Result<Vec<Principal>, ReadError> {
    let columns = [
        "principal_arn",
        "kind",
        "name",
        "principal_class",
        "is_admin",
        "service_linked",
        "special",
        "unread",
    ];
    let mut found = Vec::new();
    rows(run, files, "principal_classes", &columns, |row| {
        let arn = row.string("principal_arn");
        found.push(Principal {
            resource: facts.find(&arn),
            arn,
            name: row.string("name"),
            is_user: row.text("kind") == Some("user"),
            class: row.int("principal_class").unwrap_or(-1),
            is_admin: row.bool("is_admin"),
            service_linked: row.bool("service_linked") == Some(true),
            special: row.bool("special") == Some(true),
            unread: row.list("unread").unwrap_or_default().len(),
        });
    })?;
    found.sort_by(|a, b| a.arn.cmp(&b.arn));
    found.dedup_by(|a, b| a.arn == b.arn);
    Ok(found)
}

/// The type of an account as a whole.
const WHOLE_ACCOUNT: &str = "account";

/// Types by class, of those classes that are wanted.
type Types = HashMap<i64, String>;

/// Reads classes of resources.
fn read_classes(
    run: &Run,
    files: &[FileEntry],
    facts: &Facts,
    wanted: &dyn Fn(Index) -> bool,
    access: &mut Access,
) -> Result<Types, ReadError> {
    let columns = [
        "account_id",
        "resource_arn",
        "resource_type",
        "resource_class",
    ];
    let mut types = Types::new();
    rows(run, files, "resource_classes", &columns, |row| {
        let (Some(arn), Some(class)) = (row.text("resource_arn"), row.int("resource_class")) else {
            return;
        };
        let kind = row.text("resource_type").unwrap_or_default();
        let mut admit = || {
            types.entry(class).or_insert_with(|| kind.to_owned());
        };
        if kind == WHOLE_ACCOUNT {
            access.accounts.insert(row.string("account_id"), class);
            admit();
        } else if let Some(index) = facts.find(arn) {
            access.classes.insert(index, class);
            if wanted(index) {
                admit();
            }
        }
    })?;
    Ok(types)
}

/// An action's position, and what it does to each type.
type Kinds = HashMap<String, (usize, HashMap<String, Danger>)>;

fn read_actions(run: &Run, files: &[FileEntry], access: &mut Access) -> Result<Kinds, ReadError> {
    let mut kinds = Kinds::new();
    let columns = ["action", "resource_type", "kind"];
    rows(run, files, "dangerous_actions", &columns, |row| {
        let name = row.text("kind");
        let danger = Danger::ALL
            .into_iter()
            .find(|danger| Some(danger.name()) == name);
        if let (Some(action), Some(danger)) = (row.text("action"), danger) {
            let types = &mut kinds.entry(action.to_owned()).or_default().1;
            let known = types.entry(row.string("resource_type")).or_insert(danger);
            *known = danger.min(*known);
        }
    })?;
    access.actions = kinds.keys().cloned().collect();
    access.actions.sort();
    for (position, action) in access.actions.iter().enumerate() {
        if let Some(entry) = kinds.get_mut(action) {
            entry.0 = position;
        }
    }
    Ok(kinds)
}

fn read_grants(
    run: &Run,
    files: &[FileEntry],
    types: &Types,
    kinds: &Kinds,
    access: &mut Access,
) -> Result<(), ReadError> {
    // Administrators may do everything; what that comes to is not listed.
    let admins: BTreeSet<i64> = access
        .principals
        .iter()
        .filter(|principal| principal.is_admin == Some(true))
        .map(|principal| principal.class)
        .collect();
    let dangers = &mut access.dangers;
    let columns = [
        "principal_class",
        "action",
        "resource_class",
        "verdict",
        "mfa",
    ];
    rows(run, files, "grants", &columns, |row| {
        let (Some(class), Some(of)) = (row.int("resource_class"), row.int("principal_class"))
        else {
            return;
        };
        let Some(of_type) = types.get(&class).filter(|_| !admins.contains(&of)) else {
            return;
        };
        let Some((action, by_type)) = row.text("action").and_then(|action| kinds.get(action))
        else {
            return;
        };
        let Some(&kind) = by_type.get(of_type) else {
            return;
        };
        // What gains permissions in an account without naming a resource is in `escalations`, where it does.
        if kind == Danger::Escalate && of_type == WHOLE_ACCOUNT {
            return;
        }
        let entry = dangers.entry(of).or_default().entry(class).or_default();
        entry.kinds.add(kind, Freedom::of(row));
        entry.actions.insert(*action);
    })
}

fn ways(
    run: &Run,
    files: &[FileEntry],
    numbers: &HashMap<String, PrincipalNumber>,
) -> Result<Vec<Way>, ReadError> {
    let columns = [
        "from_arn",
        "from_kind",
        "to_arn",
        "verdict",
        "mfa",
        "conditions",
    ];
    let mut ways = Vec::new();
    rows(run, files, "assume_edges", &columns, |row| {
        let Some(&to) = row.text("to_arn").and_then(|arn| numbers.get(arn)) else {
            return;
        };
        let arn = row.string("from_arn");
        let from = match (numbers.get(&arn), row.text("from_kind")) {
            (Some(&number), _) => Party::Principal(number),
            (_, Some("service")) => Party::Service(arn),
            (_, Some("federated")) => Party::Federated(arn),
            (_, Some("anyone")) => Party::Anyone,
            _ => Party::Foreign(arn),
        };
        ways.push(Way {
            from,
            to,
            freedom: Freedom::of(row),
            conditions: row.list("conditions").unwrap_or_default(),
        });
    })?;
    ways.sort();
    ways.dedup();
    Ok(ways)
}

fn escalations(
    run: &Run,
    files: &[FileEntry],
    numbers: &HashMap<String, PrincipalNumber>,
) -> Result<Vec<Escalation>, ReadError> {
    let columns = [
        "principal_arn",
        "target_arn",
        "to_admin",
        "title",
        "verdict",
        "mfa",
    ];
    let mut found = Vec::new();
    rows(run, files, "escalations", &columns, |row| {
        let number = |column: &str| row.text(column).and_then(|arn| numbers.get(arn)).copied();
        let Some(from) = number("principal_arn") else {
            return;
        };
        found.push(Escalation {
            from,
            to: number("target_arn"),
            to_admin: row.bool("to_admin") == Some(true),
            freedom: Freedom::of(row),
            title: row.string("title"),
        });
    })?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// Days since each principal used each dangerous action.
fn used(
    run: &Run,
    files: &[FileEntry],
    numbers: &HashMap<String, PrincipalNumber>,
    actions: &[String],
) -> Result<Option<Used>, ReadError> {
    let as_of = run.id.as_of().as_second();
    let mut used = Used::new();
    let mut has_events = false;
    let columns = ["principal_arn", "action", "last_used", "source"];
    rows(run, files, "usage", &columns, |row| {
        if row.text("source") != Some("cloudtrail") {
            return;
        }
        has_events = true;
        let action = row.text("action").and_then(|action| {
            actions
                .binary_search_by(|known| known.as_str().cmp(action))
                .ok()
        });
        let number = row.text("principal_arn").and_then(|arn| numbers.get(arn));
        if let (Some(action), Some(&number), Some(time)) = (action, number, row.time("last_used")) {
            let days = u64::try_from((as_of - time.as_second()) / 86_400).unwrap_or_default();
            let known = used
                .entry(number)
                .or_default()
                .entry(action)
                .or_insert(days);
            *known = days.min(*known);
        }
    })?;
    Ok(has_events.then_some(used))
}
