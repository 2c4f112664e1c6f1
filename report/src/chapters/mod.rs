//! The chapters of the markdown report, in the order they are read.

pub mod ageing;
pub mod appendix;
pub mod attested;
pub mod changes;
pub mod checklist;
pub mod dangers;
pub mod databases;
pub mod detections;
pub mod evidence;
pub mod frameworks;
pub mod monitoring;
pub mod owners;
pub mod plan;
pub mod recovery;
pub mod risks;
pub mod rule;
pub mod rules;
pub mod scanners;
pub mod scope;
pub mod scoreboard;
pub mod tags;
pub mod trend;

/// A step of hardening.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// 1 to 7.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub asks: &'static str,
}

impl Rule {
    /// Name of its files, without an ending.
    pub fn file_stem(self) -> String {
        format!(
            "{}-{}",
            self.number,
            self.name.to_ascii_lowercase().replace(' ', "-")
        )
    }

    /// Anchor of its chapter, as GitHub makes it from the heading.
    pub fn anchor(self) -> String {
        format!("rule-{}", self.file_stem())
    }
}

/// The seven steps, in their order.
pub const RULES: [Rule; 7] = [
    Rule {
        number: 1,
        name: "Tags",
        asks: "Every resource carries a name made of an id, its function and its system, an owner, an environment, an importance and a \
               disaster recovery procedure. Everything after this rule depends on knowing what is what, and whose.",
    },
    Rule {
        number: 2,
        name: "Permissions",
        asks: "Few identities can do harm, they are known, and they are held to conditions: nobody is an administrator all day long, no key \
               outlives its purpose, and no path leads from a small permission to a great one.",
    },
    Rule {
        number: 3,
        name: "Logging and monitoring",
        asks: "What happens is recorded in every region and kept for a year where its author can't remove it, and alarms reach somebody.",
    },
    Rule {
        number: 4,
        name: "Assessment",
        asks: "Scanners look at everything critical, they looked recently, and what they found is dealt with.",
    },
    Rule {
        number: 5,
        name: "Mitigation",
        asks: "What need not be reached can't be reached, what is stored or sent is encrypted, software is current, and secrets are where \
               secrets belong.",
    },
    Rule {
        number: 6,
        name: "Databases",
        asks: "Every database can be brought back to a moment the business can accept, in a time it can accept. A replica repeats a mistake \
               within seconds and is no backup.",
    },
    Rule {
        number: 7,
        name: "Disaster recovery",
        asks: "Every component can be rebuilt, from its name in DNS to its data, by somebody who was not there when it was made, and that has \
               been tried.",
    },
];
