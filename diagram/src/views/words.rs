//! Words on cards: what a thing is, how important, how long something takes.

use crate::facts::{Facts, Resource};
use crate::kinds::Kind;

/// Filled stars of three; more than four levels are scaled to them.
pub(crate) fn stars(facts: &Facts, resource: &Resource) -> Option<u8> {
    let rank = resource.importance_rank?.max(0);
    let highest = facts.highest_rank().unwrap_or(3).max(3);
    u8::try_from((rank * 3 + highest / 2) / highest)
        .ok()
        .map(|stars| stars.min(3))
}

/// States in which things usually are, which need no mention.
const USUAL_STATES: [&str; 9] = [
    "active",
    "available",
    "completed",
    "enabled",
    "in-use",
    "inservice",
    "issued",
    "ok",
    "running",
];

/// `mysql · db.r6g.large`, `table`, `instance · stopped`: constants and usual states are left out of a summary, and
/// one that leaves open what the thing is gets its noun.
pub(crate) fn in_words(kind: &Kind, summary: &str, number: usize) -> String {
    let is_constant = |word: &str| {
        word.contains('_') && !word.contains(|c: char| c.is_whitespace() || c.is_ascii_lowercase())
    };
    let words: Vec<&str> = summary
        .split(" · ")
        .filter(|word| !word.is_empty() && !is_constant(word))
        .filter(|word| !USUAL_STATES.contains(&word.to_ascii_lowercase().as_str()))
        .collect();
    let noun = if number == 1 {
        kind.singular()
    } else {
        kind.plural.clone()
    };
    match words[..] {
        [] => noun,
        [word] if word.chars().all(char::is_alphabetic) => format!("{noun} · {word}"),
        _ => words.join(" · "),
    }
}

/// `15m`, `4h`, `10d`: seconds in the largest unit of which there are two (three of days), or exactly one; rounded down.
pub(crate) fn duration(seconds: u64) -> String {
    for (unit, letter) in [(86_400, 'd'), (3_600, 'h'), (60, 'm')] {
        let enough = if letter == 'd' { 3 * unit } else { 2 * unit };
        if seconds >= enough || seconds == unit {
            return format!("{}{letter}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::kind;

    #[test]
    fn second_lines_say_what_a_thing_is() {
        let expected = [
            ("sqs:queue", "", "queue"),
            ("dynamodb:table", "ACTIVE", "table"),
            ("dynamodb:table", "DELETING", "table · DELETING"),
            ("kms:key", "SYMMETRIC_DEFAULT · Enabled", "key"),
            (
                "kms:key",
                "SYMMETRIC_DEFAULT · PendingDeletion",
                "key · PendingDeletion",
            ),
            (
                "rds:db",
                "mysql · db.r6g.large · available",
                "mysql · db.r6g.large",
            ),
            ("ec2:instance", "t3.micro · stopped", "t3.micro · stopped"),
        ];
        for (name, summary, words) in expected {
            assert_eq!(in_words(&kind(name), summary, 1), words);
        }
        assert_eq!(in_words(&kind("iam:policy"), "", 3), "policies");
    }

    #[test]
    fn durations_are_in_the_largest_unit_that_is_whole_or_nearly() {
        let expected = [
            (0, "0s"),
            (45, "45s"),
            (900, "15m"),
            (3_600, "1h"),
            (5_400, "90m"),
            (14_400, "4h"),
            (86_400, "1d"),
            (129_600, "36h"),
            (200_000, "55h"),
            (864_000, "10d"),
        ];
        for (seconds, words) in expected {
            assert_eq!(duration(seconds), words);
        }
    }
}
