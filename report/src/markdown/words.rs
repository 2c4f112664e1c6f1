//! Numbers, times and plurals as a reader expects them.

use jiff::Timestamp;

/// A number with separators: `5,212`.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun: `1 finding`, `5,212 findings`. Nouns in `-y` and `-s` need [`counted_as`].
pub fn counted(count: u64, noun: &str) -> String {
    counted_as(count, noun, &format!("{noun}s"))
}

/// A number and its noun, with the plural given.
pub fn counted_as(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A word at the beginning of a sentence.
pub fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// A change against the run before: `+2`, `−3`, `±0`.
pub fn change(now: u64, before: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!("+{}", number(now - before)),
        std::cmp::Ordering::Less => format!("−{}", number(before - now)),
        std::cmp::Ordering::Equal => "±0".to_owned(),
    }
}

/// A day, in UTC.
pub fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// A day and a minute, in UTC.
pub fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A time span in the largest unit that divides it: `15m`, `24h`, `7d`.
pub fn span(seconds: i64) -> String {
    match seconds {
        s if s > 0 && s % 86_400 == 0 && s > 86_400 => format!("{}d", s / 86_400),
        s if s > 0 && s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// A measured time span, in the unit people would use: `4m`, `7.8h`, `3d`.
pub fn about(seconds: i64) -> String {
    let tenths = |unit: i64, letter: char| {
        let tenths = seconds * 10 / unit;
        match tenths % 10 {
            0 => format!("{}{letter}", tenths / 10),
            tenth => format!("{}.{tenth}{letter}", tenths / 10),
        }
    };
    match seconds {
        s if s < 120 => format!("{s}s"),
        s if s < 7_200 => format!("{}m", s / 60),
        s if s < 172_800 => tenths(3_600, 'h'),
        _ => tenths(86_400, 'd'),
    }
}

/// From the first of some days to the last.
pub fn span_of(days: &[String]) -> String {
    match days {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] => format!("{first} to {last}"),
    }
}

/// A line of bars, lowest to highest; a gap where a run has no value.
pub fn sparkline(values: &[Option<u64>]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || values.iter().flatten().copied();
    let (Some(least), Some(most)) = (known().min(), known().max()) else {
        return String::new();
    };
    let bar = |value: u64| {
        let height = if most == least {
            3
        } else {
            (value - least) * 7 / (most - least)
        };
        usize::try_from(height)
            .ok()
            .and_then(|height| BARS.get(height))
            .copied()
            .unwrap_or('█')
    };
    values.iter().map(|value| value.map_or('·', bar)).collect()
}

/// `a`, `a and b`, `a, b and c`.
pub fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The first `show` of many, and how many more there are.
pub fn some_of(parts: &[String], show: usize) -> String {
    if parts.len() <= show {
        return and(parts);
    }
    format!(
        "{} and {} more",
        parts[..show].join(", "),
        parts.len() - show
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_changes() {
        assert_eq!(
            [number(7), number(1_000), number(5_212_999)],
            ["7", "1,000", "5,212,999"]
        );
        assert_eq!(
            [counted(1, "finding"), counted(0, "finding")],
            ["1 finding", "0 findings"]
        );
        assert_eq!(
            [change(3, 1), change(1, 3), change(2, 2)],
            ["+2", "−2", "±0"]
        );
    }

    #[test]
    fn spans_and_bars() {
        assert_eq!(
            [span(900), span(86_400), span(604_800), span(90)],
            ["15m", "24h", "7d", "90s"]
        );
        assert_eq!(sparkline(&[Some(0), None, Some(70), Some(35)]), "▁·█▄");
        assert_eq!(sparkline(&[Some(5), Some(5)]), "▄▄");
        assert_eq!(sparkline(&[None]), "");
    }

    #[test]
    fn enumerations() {
        let parts: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(
            [and(&parts), and(&parts[..2]), some_of(&parts, 2)],
            ["a, b and c", "a and b", "a, b and 1 more"]
        );
    }
}
