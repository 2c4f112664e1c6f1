//! Who may become which role.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::alike::{Actions, Said, Views, layered};
use super::classes::{Classes, nth};
use super::dangers::Danger;
use super::decide::{Answer, Granted, Judge, Mfa, Subject, granted};
use super::facts;
use super::shelves::{Shelf, Voices};
use super::world::{Holder, Target, World};
use crate::iam::{
    Action, Context, Policy, PolicyKind, PolicySet, Principal, Request, Resource, evaluate,
};

/// A row of `assume_edges`.
pub(super) struct Edge {
    pub(super) account: Arc<str>,
    pub(super) from: String,
    pub(super) from_kind: &'static str,
    pub(super) to: String,
    pub(super) granted: Granted,
}

/// An account that no organization has: whoever is let in from it, everyone is.
pub(super) const NOBODYS_ACCOUNT: &str = "000000000000";

/// All edges, sorted by role and principal.
pub(super) fn edges(
    world: &World,
    judge: &Judge<'_>,
    classes: &Classes,
) -> anyhow::Result<Vec<Edge>> {
    let danger = Danger::assuming()?;
    let roles: Vec<&Holder> = world
        .holders
        .iter()
        .filter(|holder| holder.trust.is_some())
        .collect();
    let targets: Vec<Target> = roles.iter().map(|role| as_target(role)).collect();
    let shelf = Shelf::of(judge, &danger, &targets);
    let mut subjects: Vec<_> = classes
        .first
        .iter()
        .map(|first| judge.subject(&world.holders[*first]))
        .collect();
    let actions = Actions::new([&danger.action]);
    let everywhere: Arc<str> = "".into();
    let entries = Entries {
        judge,
        roles: &roles,
        danger: &danger,
        views: Views::new(judge, &actions, &[(&everywhere, &shelf)], &subjects),
        shelf: &shelf,
        voices: Voices::new(&world.library, roles.iter().filter_map(|role| role.trust)),
    };
    let granted: Vec<Vec<(usize, Granted)>> = subjects
        .par_iter_mut()
        .map(|subject| entries.of(subject))
        .collect();
    let mut edges = Vec::new();
    for (member, class) in world.holders.iter().zip(&classes.of) {
        let others = granted[*class]
            .iter()
            .map(|(role, granted)| (roles[*role], granted));
        edges.extend(
            others
                .filter(|(role, _)| role.arn != member.arn)
                .map(|(role, granted)| Edge {
                    account: Arc::clone(&role.account),
                    from: member.arn.clone(),
                    from_kind: member.kind.name(),
                    to: role.arn.clone(),
                    granted: granted.clone(),
                }),
        );
    }
    let own: BTreeSet<&str> = world.holders.iter().map(|holder| &*holder.arn).collect();
    for role in roles {
        edges.extend(from_outside(world, role, &own));
    }
    edges.sort_by(|a, b| (&a.to, &a.from, a.from_kind).cmp(&(&b.to, &b.from, b.from_kind)));
    Ok(edges)
}

/// Everything that is needed to decide which roles a principal may assume.
struct Entries<'e, 'w> {
    judge: &'e Judge<'w>,
    /// In the order of the classes of `shelf`.
    roles: &'e [&'w Holder],
    danger: &'e Danger,
    shelf: &'e Shelf<'e>,
    views: Views,
    voices: Voices<'e>,
}

impl<'w> Entries<'_, 'w> {
    /// The roles that a principal may assume, by position. Asked once for those that are alike: of one account, with the same
    /// trust policy, and the same to every statement of the principal. A class that trust policies name has the members that
    /// they name: see the mark of principals.
    fn of(&self, subject: &mut Subject<'w>) -> Vec<(usize, Granted)> {
        let mut said = Said::default();
        let by_action = self.views.by_action(self.judge, subject, &mut said, 1);
        let views = by_action[0]
            .iter()
            .map(|statement| self.views.view(said.statement(*statement)));
        let marks: Vec<&[u32]> = views.filter_map(|view| view.marks(0)).collect();
        let context = layered(self.judge, &subject.context);
        let speaks = self.voices.of(subject.holder, &context);
        let mut known: HashMap<(&str, Vec<u32>), (usize, Option<Granted>)> = HashMap::new();
        let mut found = Vec::new();
        for classed in &self.shelf.classes {
            let role = self.roles[classed.class];
            if !classed.policy.is_some_and(|policy| speaks[policy]) {
                continue;
            }
            for at in classed.judged[0].iter().map(|at| *at as usize) {
                let nature = self.shelf.nature[at];
                let mut key = vec![nature.kind, nature.policy];
                key.extend(marks.iter().map(|marks| marks[at]));
                let object = &self.shelf.own[at];
                let (like, granted) = known.entry((&role.account, key)).or_insert_with(|| {
                    let granted = self.judge.ask(subject, &self.danger.action, object, None);
                    (classed.class, granted)
                });
                found.extend(granted.clone().map(|mut granted| {
                    let (from, to) = (&self.roles[*like].arn, &role.arn);
                    if let Some(basis) = granted.basis.renamed(from, to) {
                        granted.basis = basis;
                    }
                    (classed.class, granted)
                }));
            }
        }
        found
    }
}

/// A role as what is assumed.
pub(super) fn as_target(role: &Holder) -> Target {
    Target {
        account: Arc::clone(&role.account),
        region: "global".to_owned(),
        arn: role.arn.clone(),
        resource_type: "iam:role".into(),
        tags: role.tags.clone(),
        policy: role.trust,
        policy_unread: false,
    }
}

/// Services, identity providers, other accounts and everyone, as far as the trust policy names them.
fn from_outside(world: &World, role: &Holder, own: &BTreeSet<&str>) -> Vec<Edge> {
    let Some(entry) = role.trust.map(|trust| world.library.get(trust)) else {
        return Vec::new();
    };
    let mut named: BTreeMap<(String, &'static str), ()> = BTreeMap::new();
    for index in 0..entry.policy.statements().len() {
        if let Some(statement) = entry
            .document
            .as_ref()
            .and_then(|document| nth(document, index))
        {
            outsiders(statement, &role.account, own, &mut named);
        }
    }
    let resource_control = world.resource_control(&role.account);
    let everything = Policy::from_json(
        "what they may do is not known",
        PolicyKind::Principal,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    );
    let set = PolicySet {
        identity: everything.into_iter().map(Arc::new).collect(),
        resource: Some(Arc::clone(&entry.policy)),
        resource_control,
        ..PolicySet::default()
    };
    let mut edges = Vec::new();
    for (from, from_kind) in named.into_keys() {
        if let Some(mut granted) = outside_grant(role, &from, from_kind, &set) {
            granted
                .basis
                .statements
                .retain(|statement| statement.starts_with("arn:"));
            edges.push(Edge {
                account: Arc::clone(&role.account),
                from,
                from_kind,
                to: role.arn.clone(),
                granted,
            });
        }
    }
    edges
}

fn outside_grant(role: &Holder, from: &str, kind: &str, set: &PolicySet) -> Option<Granted> {
    let actions: &[&str] = match kind {
        "federated" => &["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"],
        _ => &["sts:AssumeRole"],
    };
    let principal = match kind {
        "anyone" => Principal::parse(&format!("arn:aws:iam::{NOBODYS_ACCOUNT}:user/anyone")),
        // Root users can't assume roles: the account stands for whom it lets.
        _ if from.ends_with(":root") => Principal::parse(&format!(
            "{}user/anyone",
            from.strip_suffix("root").unwrap_or(from)
        )),
        _ => Principal::parse(from),
    };
    let (Ok(principal), Ok(resource)) = (principal, Resource::new(&role.arn, Some(&role.account)))
    else {
        return None;
    };
    let ask = |signature| {
        let context = Context::layered(vec![facts::signature(signature), facts::common_to_all()]);
        let decide = |action: &&str| {
            let action = Action::parse(action).ok()?;
            let request = Request {
                action: &action,
                resource: &resource,
                principal: &principal,
                context: &context,
            };
            granted(&evaluate(&request, set))
        };
        actions
            .iter()
            .filter_map(decide)
            .max_by_key(|(answer, _)| *answer)
    };
    if let Some((answer, basis)) = ask(facts::Signature::WithoutMfa) {
        return Some(Granted {
            answer,
            mfa: Mfa::NotRequired,
            basis,
        });
    }
    if let Some((answer, basis)) = ask(facts::Signature::AccessKey) {
        return Some(Granted {
            answer,
            mfa: Mfa::Spared,
            basis,
        });
    }
    let (answer, basis): (Answer, _) = ask(facts::Signature::WithMfa)?;
    Some(Granted {
        answer,
        mfa: Mfa::Required,
        basis,
    })
}

fn outsiders(
    statement: &Value,
    account: &str,
    own: &BTreeSet<&str>,
    named: &mut BTreeMap<(String, &'static str), ()>,
) {
    if statement["Effect"] != "Allow" {
        return;
    }
    let kinds = match &statement["Principal"] {
        Value::String(all) if all == "*" => {
            named.insert(("*".to_owned(), "anyone"), ());
            return;
        }
        Value::Object(kinds) => kinds,
        _ => return,
    };
    for (kind, names) in kinds {
        let names = match names {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        for name in names.iter().filter_map(Value::as_str) {
            let row = match kind.as_str() {
                "Service" => (name.to_owned(), "service"),
                "Federated" => (name.to_owned(), "federated"),
                "AWS" if name == "*" => (name.to_owned(), "anyone"),
                "AWS" if own.contains(name) => continue,
                "AWS" => match account_of(name) {
                    Some(of) if of == account => continue,
                    Some(of) if own.iter().any(|arn| arn.split(':').nth(4) == Some(of)) => continue,
                    Some(_) if name.len() == 12 => (format!("arn:aws:iam::{name}:root"), "foreign"),
                    Some(_) => (name.to_owned(), "foreign"),
                    // The id that a deleted principal leaves behind: nobody has it any more.
                    None => continue,
                },
                _ => continue,
            };
            named.insert(row, ());
        }
    }
}

fn account_of(principal: &str) -> Option<&str> {
    let account = if principal.starts_with("arn:") {
        principal.split(':').nth(4)?
    } else {
        principal
    };
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}
