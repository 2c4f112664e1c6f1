//! Who has a part in an access picture: those who may endanger something, those who may become them, and how freely.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::access::{
    Access, Danger, Dangers, Escalation, Freedom, Party, PrincipalNumber, Way,
};

/// Where a way leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// To a user or role.
    Principal(PrincipalNumber),
    /// To an administrator, whichever.
    Admins,
}

/// A way of the picture: a role that is assumed, or permissions that are gained otherwise.
#[derive(Clone, Debug)]
pub(super) struct Step<'a> {
    pub from: &'a Party,
    pub to: Place,
    pub freedom: Freedom,
    pub conditions: &'a [String],
    /// What is done, where it is not just assuming a role.
    pub escalation: Option<&'a str>,
}

/// Everybody in the picture.
#[derive(Debug, Default)]
pub(super) struct Who<'a> {
    /// Principals that aren't administrators.
    pub principals: BTreeSet<PrincipalNumber>,
    /// Those of them who may endanger something by themselves.
    pub holders: BTreeSet<PrincipalNumber>,
    /// Who isn't a user or role of the run.
    pub parties: BTreeSet<&'a Party>,
    /// Administrators.
    pub admins: BTreeSet<PrincipalNumber>,
    /// Ways between them, in order.
    pub steps: Vec<Step<'a>>,
    /// Principals to whom one of them leads.
    pub led_to: BTreeSet<PrincipalNumber>,
    /// Roles that anybody may assume, administrators included.
    pub assumed: BTreeSet<PrincipalNumber>,
    /// How freely somebody, that is no service, gets to be this principal.
    pub entered: BTreeMap<PrincipalNumber, Freedom>,
    /// How freely somebody, that is no service, gets to be an administrator.
    pub admins_entered: Option<Freedom>,
    /// Principals from whom something can be destroyed without a second factor, by themselves or further on.
    pub hot: BTreeSet<PrincipalNumber>,
    /// Those of whom that is not known.
    pub perhaps: BTreeSet<PrincipalNumber>,
}

impl<'a> Who<'a> {
    /// Everybody who may endanger something: by class of principals, `dangers` says what.
    pub(super) fn new(
        access: &'a Access,
        parties: &'a [Party],
        dangers: &BTreeMap<i64, Dangers>,
    ) -> Self {
        let numbers = || access.principals.iter().enumerate();
        let admins: BTreeSet<PrincipalNumber> = numbers()
            .filter(|(_, principal)| principal.is_admin == Some(true))
            .map(|(number, _)| number)
            .collect();
        // Services look after the roles that belong to them.
        let others = |number: &PrincipalNumber| {
            !admins.contains(number) && !access.principals[*number].service_linked
        };
        let holders: BTreeSet<PrincipalNumber> = numbers()
            .filter(|(_, principal)| dangers.contains_key(&principal.class))
            .map(|(number, _)| number)
            .filter(others)
            .collect();
        let all = steps(access, parties, &admins, &others);
        let mut who = Self {
            principals: leading_to(&all, holders.clone()),
            holders,
            admins,
            ..Self::default()
        };
        who.steps = all
            .into_iter()
            .filter(|step| match step.to {
                Place::Principal(to) => who.principals.contains(&to),
                Place::Admins => true,
            })
            .collect();
        who.parties = who
            .steps
            .iter()
            .map(|step| step.from)
            .filter(|from| !matches!(from, Party::Principal(_)))
            .collect();
        let led_to = who.steps.iter().filter_map(|step| match step.to {
            Place::Principal(to) => Some(to),
            Place::Admins => None,
        });
        who.led_to = led_to.collect();
        who.assumed = access.ways.iter().map(|way| way.to).collect();
        who.enter(access);
        who.heat(access, dangers);
        who
    }

    /// How freely somebody gets to be each of them: by the freest way.
    fn enter(&mut self, access: &Access) {
        for &number in &self.principals {
            if access.principals[number].is_user {
                self.entered.insert(number, Freedom::FREE);
            }
        }
        // Each round lets somebody in or in more freely, which can happen to each nine times at most.
        loop {
            let mut is_changed = false;
            for step in &self.steps {
                let Some(from) = self.freedom_of(step.from) else {
                    continue;
                };
                let freedom = from.and(step.freedom);
                let known = match step.to {
                    Place::Principal(to) => self.entered.get(&to).copied(),
                    Place::Admins => self.admins_entered,
                };
                if known.is_none_or(|known| known < freedom) {
                    is_changed = true;
                    match step.to {
                        Place::Principal(to) => {
                            self.entered.insert(to, freedom);
                        }
                        Place::Admins => self.admins_entered = Some(freedom),
                    }
                }
            }
            if !is_changed {
                break;
            }
        }
    }

    /// How freely somebody, that is no service, gets to be this one.
    pub(super) fn freedom_of(&self, party: &Party) -> Option<Freedom> {
        match party {
            Party::Principal(number) => self.entered.get(number).copied(),
            Party::Service(_) => None,
            _ => Some(Freedom::FREE),
        }
    }

    /// Whether somebody, that is no service, gets to be this one without a second factor.
    pub(super) fn is_entered(&self, party: &Party) -> bool {
        self.freedom_of(party).is_some_and(Freedom::is_unguarded)
    }

    fn heat(&mut self, access: &Access, dangers: &BTreeMap<i64, Dangers>) {
        self.hot = self.destroying(access, dangers, Freedom::is_unguarded);
        let perhaps = self.destroying(access, dangers, |freedom| !freedom.is_guarded());
        self.perhaps = perhaps.difference(&self.hot).copied().collect();
    }

    /// Principals from whom something can be destroyed by steps that `passes` admits, all of them.
    fn destroying(
        &self,
        access: &Access,
        dangers: &BTreeMap<i64, Dangers>,
        passes: fn(Freedom) -> bool,
    ) -> BTreeSet<PrincipalNumber> {
        let destroys = |number: &PrincipalNumber| {
            let kinds = dangers.get(&access.principals[*number].class);
            kinds.is_some_and(|dangers| dangers.kinds.get(Danger::Destroy).is_some_and(passes))
        };
        let entered = |number: &PrincipalNumber| self.entered.get(number).copied();
        let mut found: BTreeSet<PrincipalNumber> = self
            .principals
            .iter()
            .copied()
            .filter(|number| destroys(number) && entered(number).is_some_and(passes))
            .collect();
        loop {
            let more: Vec<PrincipalNumber> = self
                .steps
                .iter()
                .filter(|step| self.leads_on(step, &found, passes))
                .filter_map(|step| match step.from {
                    Party::Principal(from) if !found.contains(from) => Some(*from),
                    _ => None,
                })
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    fn leads_on(
        &self,
        step: &Step<'_>,
        found: &BTreeSet<PrincipalNumber>,
        passes: fn(Freedom) -> bool,
    ) -> bool {
        let leads_on = match step.to {
            Place::Principal(to) => found.contains(&to),
            Place::Admins => true,
        };
        leads_on && passes(step.freedom) && self.freedom_of(step.from).is_some_and(passes)
    }

    /// How many of those outside may destroy something without a second factor, and of how many that is not known.
    pub(super) fn destroying_outsiders(&self) -> [u64; 2] {
        let from =
            |found: &BTreeSet<PrincipalNumber>, passes: fn(Freedom) -> bool| -> BTreeSet<&Party> {
                let steps = self.steps.iter();
                steps
                    .filter(|step| !matches!(step.from, Party::Principal(_) | Party::Service(_)))
                    .filter(|step| self.leads_on(step, found, passes))
                    .map(|step| step.from)
                    .collect()
            };
        let known = from(&self.hot, Freedom::is_unguarded).len();
        let either = &self.hot | &self.perhaps;
        let all = from(&either, |freedom| !freedom.is_guarded()).len();
        [known as u64, (all - known) as u64]
    }

    /// Whether something can be destroyed by this way without a second factor.
    pub(super) fn is_hot(&self, step: &Step<'_>) -> bool {
        self.leads_on(step, &self.hot, Freedom::is_unguarded)
    }
}

/// Whether it is destroyed by them without a second factor.
pub(super) fn is_destroying(dangers: &Dangers) -> bool {
    let freedom = dangers.kinds.get(Danger::Destroy);
    freedom.is_some_and(Freedom::is_unguarded)
}

/// Ways of those who aren't administrators: what anyone may assume, nobody else has to be shown for.
fn steps<'a>(
    access: &'a Access,
    parties: &'a [Party],
    admins: &BTreeSet<PrincipalNumber>,
    others: &dyn Fn(&PrincipalNumber) -> bool,
) -> Vec<Step<'a>> {
    let open: BTreeMap<PrincipalNumber, Freedom> = access
        .ways
        .iter()
        .filter(|way| way.from == Party::Anyone)
        .map(|way| (way.to, way.freedom))
        .collect();
    let place = |number: PrincipalNumber| {
        if admins.contains(&number) {
            Some(Place::Admins)
        } else {
            others(&number).then_some(Place::Principal(number))
        }
    };
    let is_shown = |way: &&Way| match &way.from {
        Party::Principal(from) => {
            others(from)
                && *from != way.to
                && open
                    .get(&way.to)
                    .is_none_or(|freedom| *freedom < way.freedom)
        }
        _ => true,
    };
    let assumed = access.ways.iter().filter(is_shown).filter_map(|way| {
        Some(Step {
            from: &way.from,
            to: place(way.to)?,
            freedom: way.freedom,
            conditions: &way.conditions,
            escalation: None,
        })
    });
    let direct: BTreeSet<(&Party, PrincipalNumber)> =
        access.ways.iter().map(|way| (&way.from, way.to)).collect();
    let is_gain = |known: &&Escalation| {
        let assumed = known
            .to
            .zip(parties.get(known.from))
            .map(|(to, from)| (from, to));
        others(&known.from) && assumed.is_none_or(|way| !direct.contains(&way))
    };
    let gained = access
        .escalations
        .iter()
        .filter(is_gain)
        .filter_map(|known| {
            Some(Step {
                from: parties.get(known.from)?,
                to: if known.to_admin {
                    Place::Admins
                } else {
                    place(known.to.filter(|to| *to != known.from)?)?
                },
                freedom: known.freedom,
                conditions: &[],
                escalation: Some(&known.title),
            })
        });
    let mut steps: Vec<Step<'_>> = assumed.chain(gained).collect();
    // Who gets to be an administrator needs no other way.
    let mut admin: BTreeMap<&Party, Freedom> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.to == Place::Admins) {
        let known = admin.entry(step.from).or_insert(step.freedom);
        *known = step.freedom.max(*known);
    }
    steps.retain(|step| {
        let best = admin
            .get(step.from)
            .filter(|_| matches!(step.from, Party::Principal(_)));
        step.to == Place::Admins || best.is_none_or(|best| *best < step.freedom)
    });
    steps
}

/// Those who have something, and all who may become them or an administrator.
fn leading_to(steps: &[Step<'_>], holders: BTreeSet<PrincipalNumber>) -> BTreeSet<PrincipalNumber> {
    let mut before: BTreeMap<Place, Vec<PrincipalNumber>> = BTreeMap::new();
    for step in steps {
        if let Party::Principal(from) = step.from {
            before.entry(step.to).or_default().push(*from);
        }
    }
    let mut open: Vec<Place> = holders
        .iter()
        .map(|&number| Place::Principal(number))
        .collect();
    open.push(Place::Admins);
    let mut found = holders;
    while let Some(place) = open.pop() {
        for &from in before.get(&place).into_iter().flatten() {
            if found.insert(from) {
                open.push(Place::Principal(from));
            }
        }
    }
    found
}
