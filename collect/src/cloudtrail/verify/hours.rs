//! Stretches of time, and which of them digests prove.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Status;
use super::digest::Trail;
use super::proof::{Judged, newest_proven};

/// A digest is delivered within an hour after its own hour; for this long after the newest nothing is amiss.
const PENDING: SignedDuration = SignedDuration::from_hours(3);

/// From one moment to another.
pub type Stretch = (Timestamp, Timestamp);

/// Whether something of `time` may still be proven by digests to come, when time is proven until `proven`.
pub fn is_pending(time: Timestamp, proven: Timestamp) -> bool {
    time >= proven && time.duration_since(proven) < PENDING
}

/// Stretches in order, those that touch made one.
pub fn merge(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::new();
    for (start, end) in stretches {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// What of `whole` is in none of the merged `stretches`.
pub fn gaps(whole: Stretch, stretches: &[Stretch]) -> Vec<Stretch> {
    let mut gaps = Vec::new();
    let mut at = whole.0;
    for &(start, end) in stretches {
        if start > at && at < whole.1 {
            gaps.push((at, start.min(whole.1)));
        }
        at = at.max(end);
    }
    if at < whole.1 {
        gaps.push((at, whole.1));
    }
    gaps
}

/// What is proven of the time of each trail, and what isn't: from its first digest to its last, or as far as was asked.
pub fn of_trails(
    judged: &[Judged],
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> BTreeMap<Trail, Vec<(Stretch, Status)>> {
    let mut all: BTreeMap<Trail, Vec<Stretch>> = BTreeMap::new();
    let mut proven: BTreeMap<Trail, Vec<Stretch>> = BTreeMap::new();
    for one in judged.iter().filter(|one| !one.digest.name.is_backfill) {
        let (trail, stretch) = (&one.digest.name.trail, (one.digest.starts, one.digest.ends));
        all.entry(trail.clone()).or_default().push(stretch);
        if one.status == Status::Proven {
            proven.entry(trail.clone()).or_default().push(stretch);
        }
    }
    let newest = newest_proven(judged);
    let of_trail = |(trail, stretches): (Trail, Vec<Stretch>)| {
        let merged = merge(stretches);
        let first = merged.first().map(|stretch| stretch.0)?;
        let last = merged.last().map(|stretch| stretch.1)?;
        let whole = (since.unwrap_or(first), until.unwrap_or(last));
        let proven = merge(proven.get(&trail).cloned().unwrap_or_default());
        let within = |&(start, end): &Stretch| {
            let (start, end) = (start.max(whole.0), end.min(whole.1));
            (start < end).then_some(((start, end), Status::Proven))
        };
        let mut hours: Vec<(Stretch, Status)> = proven.iter().filter_map(within).collect();
        for gap in gaps(whole, &proven) {
            hours.extend(split(gap, newest.get(&trail).copied()));
        }
        hours.sort_unstable_by_key(|(stretch, _)| *stretch);
        Some((trail, hours))
    };
    all.into_iter().filter_map(of_trail).collect()
}

/// A gap, or the part of it that is pending and the rest.
fn split(gap: Stretch, proven: Option<Timestamp>) -> Vec<(Stretch, Status)> {
    let Some(proven) = proven.filter(|&proven| is_pending(gap.0, proven)) else {
        return vec![(gap, Status::Unproven)];
    };
    let awaited = proven
        .saturating_add(PENDING)
        .map_or(gap.1, |end| end.min(gap.1));
    let mut parts = vec![((gap.0, awaited), Status::Pending)];
    if awaited < gap.1 {
        parts.push(((awaited, gap.1), Status::Unproven));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn stretch(start: i64, end: i64) -> Stretch {
        (at(start), at(end))
    }

    #[test]
    fn stretches_that_touch_are_one() {
        let merged = merge(vec![
            stretch(5, 6),
            stretch(1, 2),
            stretch(2, 3),
            stretch(1, 2),
        ]);
        assert_eq!(merged, [stretch(1, 3), stretch(5, 6)]);
        assert_eq!(
            gaps(stretch(0, 8), &merged),
            [stretch(0, 1), stretch(3, 5), stretch(6, 8)]
        );
        assert_eq!(gaps(stretch(1, 3), &merged), []);
        assert_eq!(gaps(stretch(2, 4), &merged), [stretch(3, 4)]);
        assert_eq!(gaps(stretch(7, 8), &merged), [stretch(7, 8)]);
    }

    #[test]
    fn only_the_time_right_after_the_newest_digest_is_pending() {
        assert_eq!(
            split(stretch(6, 12), Some(at(6))),
            [
                (stretch(6, 9), Status::Pending),
                (stretch(9, 12), Status::Unproven)
            ]
        );
        assert_eq!(
            split(stretch(2, 3), Some(at(6))),
            [(stretch(2, 3), Status::Unproven)]
        );
        assert_eq!(
            split(stretch(2, 3), None),
            [(stretch(2, 3), Status::Unproven)]
        );
    }
}
