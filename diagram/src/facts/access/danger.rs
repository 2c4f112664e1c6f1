//! What a dangerous action does, and the dangers of some to others as a sum.

use super::freedom::Freedom;

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

/// How freely each kind of danger is there, if it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kinds([Option<Freedom>; Danger::ALL.len()]);

impl Kinds {
    /// How freely, if at all.
    pub fn get(&self, kind: Danger) -> Option<Freedom> {
        self.0[kind as usize]
    }

    /// Adds a danger: of two of one kind, the freer one is left.
    pub fn add(&mut self, kind: Danger, freedom: Freedom) {
        let known = &mut self.0[kind as usize];
        *known = (*known).max(Some(freedom));
    }

    /// The kinds that are there, the worst first.
    pub fn iter(&self) -> impl Iterator<Item = (Danger, Freedom)> {
        let all = Danger::ALL.into_iter().zip(self.0);
        all.filter_map(|(kind, freedom)| Some((kind, freedom?)))
    }

    /// The freest of all.
    pub fn freest(&self) -> Freedom {
        self.0.into_iter().flatten().max().unwrap_or_default()
    }
}

/// The dangers of some to others; there are as many of these as pairs of classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dangers {
    /// How freely, by kind.
    pub kinds: Kinds,
    /// The actions, by their position in [`super::Access::actions`].
    pub actions: Positions,
}

impl Dangers {
    /// Adds further dangers.
    pub fn add(&mut self, other: &Self) {
        for (kind, freedom) in other.kinds.iter() {
            self.kinds.add(kind, freedom);
        }
        self.actions.extend(&other.actions);
    }
}

/// A set of small numbers, a bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(Vec<u64>);

impl Positions {
    /// Adds one.
    pub fn insert(&mut self, position: usize) {
        let word = position / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (position % 64);
    }

    /// Adds those of another set.
    pub fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is one of them.
    pub fn contains(&self, position: usize) -> bool {
        let word = self.0.get(position / 64);
        word.is_some_and(|word| word & (1 << (position % 64)) != 0)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let words = self.0.iter().enumerate();
        words.flat_map(|(number, word)| {
            (0..64)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| number * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(of: &[usize]) -> Positions {
        let mut set = Positions::default();
        of.iter().for_each(|&position| set.insert(position));
        set
    }

    #[test]
    fn a_set_of_positions_is_a_set() {
        let mut set = positions(&[200, 3, 63, 64, 3]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 64, 200]);
        set.extend(&positions(&[1]));
        let mut other = positions(&[1]);
        other.extend(&set);
        assert_eq!((&set, set.len()), (&other, 5));
        assert!(set.contains(200) && !set.contains(199) && !set.contains(100_000));
        assert!(Positions::default().is_empty() && !set.is_empty());
    }
}
