//! Text that came from AWS, and therefore from anybody, made safe to print.

use std::borrow::Cow;

/// Whether a character could move a cursor, hide text or change its direction.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line with every control, bidirectional and zero-width character replaced by `\u{fffd}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unprintable) {
        Cow::Owned(
            text.chars()
                .map(|c| if is_unprintable(c) { '\u{fffd}' } else { c })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// The text cut to `max` characters with an ellipsis in the middle, so that both ends of a name stay readable.
pub fn elide_middle(text: &str, max: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= max {
        return Cow::Borrowed(text);
    }
    let keep = max.saturating_sub(1);
    let head = keep.div_ceil(2);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - (keep - head)).collect();
    Cow::Owned(format!("{start}…{end}"))
}

/// The text cut to at most `max` bytes at a character boundary, with an ellipsis when something was cut.
pub fn clip(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(max);
    Cow::Owned(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_direction_marks_do_not_pass() {
        assert_eq!(
            printable("a\u{1b}[2Jb\u{202e}c\nd"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"
        );
        assert!(matches!(printable("plain ünïcode ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn elision_keeps_both_ends() {
        assert_eq!(elide_middle("w01_web_checkout", 9), "w01_…kout");
        assert_eq!(elide_middle("short", 9), "short");
    }

    #[test]
    fn clipping_respects_characters() {
        assert_eq!(clip("äöü", 3), "ä…");
    }
}
