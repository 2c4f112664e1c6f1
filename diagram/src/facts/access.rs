//! Who may endanger what, as `analyze` decided it: principals and resources by class, the dangers between classes, who
//! may become whom, and what was used.
//!
//! Nothing is decided here. What is denied has no row; a row says how freely something is allowed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handoff::run::{FileEntry, Run, Stage};
use handoff::table::Row;

use super::read::{ReadError, rows};
use super::{Facts, Index};

/// What a dangerous action does, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    /// Destroys it.
    Destroy,
    /// Takes its recovery away.
    Recovery,
    /// Changes who may do what.
    Policy,
    /// Stops its logs.
    Logging,
    /// Gains permissions.
    Escalate,
    /// Opens it to others.
    Expose,
}

impl Danger {
    /// All of them, the worst first.
    pub const ALL: [Self; 6] = [
        Self::Destroy,
        Self::Recovery,
        Self::Policy,
        Self::Logging,
        Self::Escalate,
        Self::Expose,
    ];

    /// Its name in the table `dangerous_actions`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Recovery => "recovery",
            Self::Policy => "policy",
            Self::Logging => "logging",
            Self::Escalate => "escalate",
            Self::Expose => "expose",
        }
    }
}

/// How freely something is allowed, the least first: of a way, the least of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freedom {
    /// A policy could not be read.
    Unknown,
    /// Only after signing in with a second factor.
    Guarded,
    /// It depends on the request, and asks for no second factor.
    Conditional,
    /// A second factor is asked for, and access keys slip through.
    Spared,
    /// Always.
    Free,
}

impl Freedom {
    fn of(row: Row<'_>) -> Self {
        match (row.text("verdict"), row.text("mfa")) {
            (Some("allowed" | "conditional"), Some("required")) => Self::Guarded,
            (Some("conditional"), Some(_)) => Self::Conditional,
            (Some("allowed"), Some("spared")) => Self::Spared,
            (Some("allowed"), Some("not_required")) => Self::Free,
            _ => Self::Unknown,
        }
    }

    /// Whether it is known to go without a second factor.
    pub fn is_unguarded(self) -> bool {
        self >= Self::Conditional
    }
}

/// Number of a principal in [`Access::principals`].
pub type PrincipalNumber = usize;

/// A user or role.
#[derive(Clone, Debug, Default)]
pub struct Principal {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// It in the inventory.
    pub resource: Option<Index>,
    /// A user; else a role.
    pub is_user: bool,
    /// What one of the class may do, each of them may.
    pub class: i64,
    /// Whether it may do everything; absent when that is not known.
    pub is_admin: Option<bool>,
    /// A role that belongs to an AWS service.
    pub service_linked: bool,
    /// A role that is there for dangerous work.
    pub special: bool,
    /// How many of its policies could not be read.
    pub unread: usize,
}

/// Who may become somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A user or role of the run.
    Principal(PrincipalNumber),
    /// Another account, or a principal of one.
    Foreign(String),
    /// An identity provider.
    Federated(String),
    /// Anyone at all.
    Anyone,
    /// An AWS service.
    Service(String),
}

/// A way from somebody to a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// Who.
    pub from: Party,
    /// The role.
    pub to: PrincipalNumber,
    /// How freely.
    pub freedom: Freedom,
    /// Context keys that decide.
    pub conditions: Vec<String>,
}

/// A known way to more permissions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Escalation {
    /// Who goes it.
    pub from: PrincipalNumber,
    /// Whose permissions are gained; absent when it is somebody who isn't a principal of the run.
    pub to: Option<PrincipalNumber>,
    /// Whether that makes an administrator.
    pub to_admin: bool,
    /// How freely.
    pub freedom: Freedom,
    /// What is done, in words.
    pub title: String,
}

/// The dangers of one class of principals to one class of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dangers {
    /// How freely, by kind.
    pub kinds: BTreeMap<Danger, Freedom>,
    /// The actions, by their position in [`Access::actions`].
    pub actions: BTreeSet<u32>,
}

impl Dangers {
    /// Adds further dangers.
    pub fn add(&mut self, other: &Self) {
        for (&kind, &freedom) in &other.kinds {
            let known = self.kinds.entry(kind).or_insert(freedom);
            *known = freedom.max(*known);
        }
        self.actions.extend(&other.actions);
    }
}

/// Access as a run knows it.
#[derive(Debug, Default)]
pub struct Access {
    /// Users and roles, by ARN.
    pub principals: Vec<Principal>,
    /// Class of each resource for whose type dangerous actions are known.
    pub classes: BTreeMap<Index, i64>,
    /// Class of each account as a whole.
    pub accounts: BTreeMap<String, i64>,
    /// Dangers by class of principals and class of resources, of those classes that were asked for.
    pub dangers: BTreeMap<i64, BTreeMap<i64, Dangers>>,
    /// Who may become whom, sorted.
    pub ways: Vec<Way>,
    /// Known ways to more, sorted.
    pub escalations: Vec<Escalation>,
    /// Dangerous actions, by name.
    pub actions: Vec<String>,
    /// When principals last used a dangerous action, in days before the run; absent where the run knows of no events.
    pub used: Option<BTreeMap<PrincipalNumber, BTreeMap<u32, u64>>>,
}

/// Reads who may endanger the resources that `wanted` admits; `None` when `analyze` has not derived it.
///
/// # Errors
/// When the run's files can't be read.
pub fn read(
    run: &Run,
    facts: &Facts,
    wanted: &dyn Fn(Index) -> bool,
) -> Result<Option<Access>, ReadError> {
    let files = run.files(Stage::Analyze)?;
    let is_there = |table: &str| files.iter().any(|file| file.table == table);
    if !is_there("principal_classes") || !is_there("grants") {
        return Ok(None);
    }
    let mut access = Access {
        principals: principals(run, &files, facts)?,
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
    Ok(Some(access))
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

/// Classes of resources, and the type of each class that is wanted.
fn read_classes(
    run: &Run,
    files: &[FileEntry],
    facts: &Facts,
    wanted: &dyn Fn(Index) -> bool,
    access: &mut Access,
) -> Result<HashMap<i64, String>, ReadError> {
    let columns = [
        "account_id",
        "resource_arn",
        "resource_type",
        "resource_class",
    ];
    let mut types = HashMap::new();
    rows(run, files, "resource_classes", &columns, |row| {
        let (Some(arn), Some(class)) = (row.text("resource_arn"), row.int("resource_class")) else {
            return;
        };
        let kind = row.string("resource_type");
        if kind == WHOLE_ACCOUNT {
            access.accounts.insert(row.string("account_id"), class);
            types.insert(class, kind);
        } else if let Some(index) = facts.find(arn) {
            access.classes.insert(index, class);
            if wanted(index) {
                types.insert(class, kind);
            }
        }
    })?;
    Ok(types)
}

/// What an action does to a type, and the action's position: by action, then type.
type Kinds = HashMap<String, (u32, HashMap<String, Danger>)>;

fn read_actions(run: &Run, files: &[FileEntry], access: &mut Access) -> Result<Kinds, ReadError> {
    let mut kinds: Kinds = HashMap::new();
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
    for (position, action) in (0..).zip(&access.actions) {
        if let Some(entry) = kinds.get_mut(action) {
            entry.0 = position;
        }
    }
    Ok(kinds)
}

fn read_grants(
    run: &Run,
    files: &[FileEntry],
    types: &HashMap<i64, String>,
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
        if admins.contains(&of) {
            return;
        }
        let Some((action, by_type)) = row.text("action").and_then(|action| kinds.get(action))
        else {
            return;
        };
        let of_type = types
            .get(&class)
            .map(|of_type| (of_type, by_type.get(of_type)));
        let Some((of_type, Some(kind))) = of_type else {
            return;
        };
        // What gains permissions in an account without naming a resource is in `escalations`, where it does.
        if *kind == Danger::Escalate && of_type == WHOLE_ACCOUNT {
            return;
        }
        let entry = dangers.entry(of).or_default().entry(class).or_default();
        let freedom = Freedom::of(row);
        let known = entry.kinds.entry(*kind).or_insert(freedom);
        *known = freedom.max(*known);
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

/// Numbers by principal and by what is counted.
type Counted = BTreeMap<PrincipalNumber, BTreeMap<u32, u64>>;

/// Days since each principal used each dangerous action.
fn used(
    run: &Run,
    files: &[FileEntry],
    numbers: &HashMap<String, PrincipalNumber>,
    actions: &[String],
) -> Result<Option<Counted>, ReadError> {
    let as_of = run.id.as_of().as_second();
    let mut used: BTreeMap<PrincipalNumber, BTreeMap<u32, u64>> = BTreeMap::new();
    let mut has_events = false;
    let columns = ["principal_arn", "action", "last_used", "source"];
    rows(run, files, "usage", &columns, |row| {
        if row.text("source") != Some("cloudtrail") {
            return;
        }
        has_events = true;
        let action = row.text("action").and_then(|action| {
            let position = actions.binary_search_by(|known| known.as_str().cmp(action));
            u32::try_from(position.ok()?).ok()
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
