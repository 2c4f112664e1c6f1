//! The ways to a permission: who has it, and who may become whoever has it.

use std::collections::{BTreeMap, VecDeque};

use duckdb::Connection;

use crate::access::decide::{Answer, Granted, Mfa};

/// Roles assumed one after the other that are followed.
const MOST_HOPS: usize = 4;

/// One way to do it: who, through which roles.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) actor: String,
    pub(super) roles: Vec<String>,
    pub(super) granted: Granted,
}

impl Way {
    /// Whether it is as certain as another, and asks for no more.
    fn is_as_good_as(&self, other: &Granted) -> bool {
        self.granted.answer >= other.answer && self.granted.mfa <= other.mfa
    }
}

struct Edge {
    from: String,
    /// Whoever comes this way has no session that could have been opened with a second factor.
    without_mfa: bool,
    granted: Granted,
}

/// Who may become which role.
pub(super) struct Edges {
    /// By the role they lead to.
    to: BTreeMap<String, Vec<Edge>>,
}

impl Edges {
    pub(super) fn read(connection: &Connection) -> anyhow::Result<Self> {
        let mut statement = connection.prepare(
            "select to_arn, from_arn, verdict, mfa, to_json(conditions)::varchar, to_json(statements)::varchar,
                from_kind in ('service', 'federated', 'anyone')
            from assume_edges
            order by to_arn, from_arn, from_kind",
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
            granted.basis.statements = serde_json::from_str(&row.get::<_, String>(5)?)?;
            to.entry(row.get(0)?).or_default().push(Edge {
                from: row.get(1)?,
                without_mfa: row.get(6)?,
                granted,
            });
        }
        Ok(Self { to })
    }

    /// All ways to one of `direct`: of each actor to each of them the shortest, and longer ones where they are more certain or
    /// ask for less.
    pub(super) fn ways(&self, direct: &BTreeMap<String, Granted>) -> Vec<Way> {
        let mut ways: Vec<Way> = direct
            .iter()
            .flat_map(|(holder, granted)| self.ways_to(holder, granted))
            .collect();
        ways.sort_by(|a, b| {
            (&a.actor, a.roles.len(), &a.roles).cmp(&(&b.actor, b.roles.len(), &b.roles))
        });
        ways
    }

    /// Backwards from the holder of a permission. What leads in a circle is no better than what is known.
    fn ways_to(&self, holder: &str, granted: &Granted) -> Vec<Way> {
        let own = Way {
            actor: holder.to_owned(),
            roles: Vec::new(),
            granted: granted.clone(),
        };
        let mut known = BTreeMap::from([(holder.to_owned(), vec![own.clone()])]);
        let mut queue = VecDeque::from([own]);
        while let Some(way) = queue.pop_front() {
            if way.roles.len() >= MOST_HOPS {
                continue;
            }
            for edge in self.to.get(&way.actor).into_iter().flatten() {
                let granted = way.granted.clone().and(&edge.granted);
                let barred = edge.without_mfa && granted.mfa == Mfa::Required;
                let of_actor = known.entry(edge.from.clone()).or_default();
                if barred || of_actor.iter().any(|known| known.is_as_good_as(&granted)) {
                    continue;
                }
                let next = Way {
                    actor: edge.from.clone(),
                    roles: [std::slice::from_ref(&way.actor), &way.roles].concat(),
                    granted,
                };
                of_actor.push(next.clone());
                queue.push_back(next);
            }
        }
        known.into_values().flatten().collect()
    }
}
