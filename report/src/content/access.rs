//! Who may do what is dangerous to what counts as critical: the matrix of principals and kinds of danger.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use handoff::run::{Run, RunRecord};
use handoff::table::{self, Row};
use serde::Serialize;

use super::{ContentError, entries, paths};

/// Kinds of dangerous actions, the worst first.
pub const KINDS: [&str; 6] = [
    "destroy", "recovery", "policy", "logging", "escalate", "expose",
];

/// How freely something is allowed, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freedom {
    /// A policy could not be read.
    Unknown,
    /// Only after signing in with a second factor.
    MfaRequired,
    /// It depends on the request, and asks for no second factor.
    Conditional,
    /// A second factor is asked for, and access keys slip through.
    MfaSpared,
    /// Always.
    Always,
}

impl Freedom {
    fn of(row: Row<'_>) -> Self {
        match (row.text("verdict"), row.text("mfa")) {
            (Some("allowed" | "conditional"), Some("required")) => Self::MfaRequired,
            (Some("conditional"), Some(_)) => Self::Conditional,
            (Some("allowed"), Some("spared")) => Self::MfaSpared,
            (Some("allowed"), Some("not_required")) => Self::Always,
            _ => Self::Unknown,
        }
    }
}

/// What somebody may do of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Danger {
    /// Critical resources it may be done to.
    pub resources: u64,
    /// How freely, at best.
    pub freedom: Freedom,
}

/// Principals that no policy tells apart, and what they may do to what counts as critical.
#[derive(Clone, Debug, Serialize)]
pub struct Holder {
    /// Their ARNs.
    pub principals: Vec<String>,
    /// Their names.
    pub names: Vec<String>,
    /// `user` or `role`; of the first.
    pub kind: String,
    /// Whether they are roles that are there for dangerous work.
    pub special: bool,
    /// Critical resources that they may endanger in any way.
    pub resources: u64,
    /// By kind.
    pub dangers: BTreeMap<&'static str, Danger>,
    /// Dangerous actions that they may do.
    pub actions: u64,
    /// Those that the events of the lake show them doing; none where there are no events.
    pub used: Option<u64>,
}

/// The matrix.
#[derive(Debug, Default, Serialize)]
pub struct Access {
    /// Resources that count as critical.
    pub critical: u64,
    /// ARNs of those who may do everything.
    pub administrators: Vec<String>,
    /// Principals of which it is not known whether they may do everything.
    pub perhaps_administrators: u64,
    /// Everybody else who may endanger something, the most dangerous first.
    pub holders: Vec<Holder>,
}

/// Classes of principals, as they are read.
#[derive(Default)]
struct Principals {
    classes: BTreeMap<i64, Holder>,
    class_of: HashMap<String, i64>,
}

impl Access {
    /// Reads the matrix of a run; none when `analyze` has not derived it.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn read(run: &Run, record: &RunRecord) -> Result<Option<Self>, ContentError> {
        let needed = [
            "principal_classes",
            "resource_classes",
            "grants",
            "resource_context",
        ];
        if needed.iter().any(|table| entries(record, table).is_empty()) {
            return Ok(None);
        }
        let files = |table: &str| paths(run, record, table);
        let critical = critical(&files("resource_context")?)?;
        let mut access = Self {
            critical: critical.len() as u64,
            ..Self::default()
        };
        let mut principals = access.principals(&files("principal_classes")?)?;
        let classes = classes(&files("resource_classes")?, &critical)?;
        let kinds = kinds(&files("dangerous_actions")?)?;
        let granted = grants(&files("grants")?, &classes, &kinds, &mut principals.classes)?;
        count_used(&files("usage")?, &granted, &mut principals)?;
        access.holders = principals
            .classes
            .into_values()
            .filter(|holder| holder.actions > 0)
            .collect();
        access.holders.sort_by_key(|holder| {
            let destroy = holder.dangers.get(KINDS[0]);
            let freedom = destroy.map(|danger| (danger.freedom, danger.resources));
            (
                std::cmp::Reverse((freedom, holder.resources)),
                holder.names.clone(),
            )
        });
        Ok(Some(access))
    }

    /// Sorts administrators out; roles that belong to AWS services are looked after by those.
    fn principals(&mut self, files: &[PathBuf]) -> Result<Principals, ContentError> {
        let columns = [
            "principal_arn",
            "kind",
            "name",
            "principal_class",
            "is_admin",
            "service_linked",
            "special",
        ];
        let mut rows: BTreeMap<String, (i64, String, String, bool)> = BTreeMap::new();
        for file in files {
            table::read("principal_classes", file, &columns)?.for_each(|row| {
                let arn = row.string("principal_arn");
                match (row.bool("is_admin"), row.int("principal_class")) {
                    (Some(true), _) => self.administrators.push(arn),
                    (known, Some(class)) if row.bool("service_linked") != Some(true) => {
                        self.perhaps_administrators += u64::from(known.is_none());
                        let special = row.bool("special") == Some(true);
                        rows.insert(
                            arn,
                            (class, row.string("name"), row.string("kind"), special),
                        );
                    }
                    _ => {}
                }
                Ok::<(), ContentError>(())
            })?;
        }
        self.administrators.sort();
        let mut principals = Principals::default();
        for (arn, (class, name, kind, special)) in rows {
            let holder = principals.classes.entry(class).or_insert_with(|| Holder {
                principals: Vec::new(),
                names: Vec::new(),
                kind,
                special: true,
                resources: 0,
                dangers: BTreeMap::new(),
                actions: 0,
                used: None,
            });
            holder.special &= special;
            holder.names.push(name);
            holder.principals.push(arn.clone());
            principals.class_of.insert(arn, class);
        }
        Ok(principals)
    }
}

fn critical(files: &[PathBuf]) -> Result<HashSet<String>, ContentError> {
    let mut critical = HashSet::new();
    for file in files {
        table::read("resource_context", file, &["arn", "critical"])?.for_each(|row| {
            if row.bool("critical") == Some(true) {
                critical.insert(row.string("arn"));
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(critical)
}

/// Classes with something critical: its type, and how many of it.
fn classes(
    files: &[PathBuf],
    critical: &HashSet<String>,
) -> Result<HashMap<i64, (String, u64)>, ContentError> {
    let mut classes: HashMap<i64, (String, u64)> = HashMap::new();
    let columns = ["resource_arn", "resource_type", "resource_class"];
    for file in files {
        table::read("resource_classes", file, &columns)?.for_each(|row| {
            if let (Some(arn), Some(class)) = (row.text("resource_arn"), row.int("resource_class"))
                && critical.contains(arn)
            {
                let known = classes
                    .entry(class)
                    .or_insert_with(|| (row.string("resource_type"), 0));
                known.1 += 1;
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(classes)
}

/// Positions of the kinds of danger of each action, by type.
type Kinds = HashMap<String, HashMap<String, usize>>;

fn kinds(files: &[PathBuf]) -> Result<Kinds, ContentError> {
    let mut kinds = Kinds::new();
    for file in files {
        table::read(
            "dangerous_actions",
            file,
            &["action", "resource_type", "kind"],
        )?
        .for_each(|row| {
            if let Some(kind) = row
                .text("kind")
                .and_then(|name| KINDS.iter().position(|kind| *kind == name))
            {
                let types = kinds.entry(row.string("action")).or_default();
                let known = types.entry(row.string("resource_type")).or_insert(kind);
                *known = kind.min(*known);
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(kinds)
}

/// Counts what each class of principals may do; gives the actions.
fn grants(
    files: &[PathBuf],
    classes: &HashMap<i64, (String, u64)>,
    kinds: &Kinds,
    principals: &mut BTreeMap<i64, Holder>,
) -> Result<HashMap<i64, HashSet<String>>, ContentError> {
    let mut actions: HashMap<i64, HashSet<String>> = HashMap::new();
    let mut seen: BTreeMap<(i64, usize), (BTreeSet<i64>, Freedom)> = BTreeMap::new();
    let columns = [
        "principal_class",
        "action",
        "resource_class",
        "verdict",
        "mfa",
    ];
    for file in files {
        table::read("grants", file, &columns)?.for_each(|row| {
            let (Some(of), Some(class), Some(action)) = (
                row.int("principal_class"),
                row.int("resource_class"),
                row.text("action"),
            ) else {
                return Ok(());
            };
            let kind = classes
                .get(&class)
                .and_then(|(kind, _)| kinds.get(action)?.get(kind));
            if let Some(kind) = kind.filter(|_| principals.contains_key(&of)) {
                let freedom = Freedom::of(row);
                let known = seen
                    .entry((of, *kind))
                    .or_insert_with(|| (BTreeSet::new(), freedom));
                known.0.insert(class);
                known.1 = freedom.max(known.1);
                let actions = actions.entry(of).or_default();
                if !actions.contains(action) {
                    actions.insert(action.to_owned());
                }
            }
            Ok::<(), ContentError>(())
        })?;
    }
    let number = |of: &BTreeSet<i64>| -> u64 {
        of.iter()
            .filter_map(|class| classes.get(class))
            .map(|(_, number)| number)
            .sum()
    };
    let mut any: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for ((of, kind), (reached, freedom)) in seen {
        if let Some(holder) = principals.get_mut(&of) {
            let resources = number(&reached);
            holder
                .dangers
                .insert(KINDS[kind], Danger { resources, freedom });
        }
        any.entry(of).or_default().extend(reached);
    }
    for (of, holder) in principals {
        holder.resources = any.get(of).map(number).unwrap_or_default();
        holder.actions = actions.get(of).map_or(0, |actions| actions.len() as u64);
    }
    Ok(actions)
}

/// Counts the actions that were seen used, where there are events to see them in.
fn count_used(
    files: &[PathBuf],
    granted: &HashMap<i64, HashSet<String>>,
    principals: &mut Principals,
) -> Result<(), ContentError> {
    let mut used: HashMap<i64, HashSet<String>> = HashMap::new();
    let mut has_events = false;
    for file in files {
        table::read(
            "usage",
            file,
            &["principal_arn", "action", "calls", "source"],
        )?
        .for_each(|row| {
            if row.text("source") == Some("cloudtrail") {
                has_events = true;
                let class = row
                    .text("principal_arn")
                    .and_then(|arn| principals.class_of.get(arn));
                if let (Some(class), Some(action)) = (class, row.text("action"))
                    && row.int("calls").is_some_and(|calls| calls > 0)
                    && granted
                        .get(class)
                        .is_some_and(|actions| actions.contains(action))
                {
                    used.entry(*class).or_default().insert(action.to_owned());
                }
            }
            Ok::<(), ContentError>(())
        })?;
    }
    for (class, holder) in &mut principals.classes {
        holder.used = has_events.then(|| used.get(class).map_or(0, |actions| actions.len() as u64));
    }
    Ok(())
}
