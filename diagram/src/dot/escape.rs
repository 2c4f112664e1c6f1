//! Text from outside on its way into DOT. Names and tags are written by anybody.
//!
//! Invariants: what [`html`] returns is text of an HTML-like label and nothing else; what [`quoted`] returns is one
//! quoted string, in which no escape of Graphviz expands; neither holds a control or bidirectional character.

use handoff::text::{elide_middle, is_unprintable};

/// Characters a label's line may have.
pub const LINE_CHARACTERS: usize = 28;

fn is_visible(c: &char) -> bool {
    !is_unprintable(*c)
        && !matches!(c, '\u{fff9}'..='\u{ffff}' | '\u{61c}' | '\u{180e}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text for an HTML-like label. Empty text becomes a space: Graphviz rejects an empty element.
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars().filter(is_visible) {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Escapes such as \N expand even here, once the entities are read.
            '\\' => escaped.push_str("&#92;&#92;"),
            c => escaped.push(c),
        }
    }
    if escaped.is_empty() {
        " ".to_owned()
    } else {
        escaped
    }
}

/// What a reader can see of a text.
pub fn visible(text: &str) -> String {
    text.chars().filter(is_visible).collect()
}

/// Text for an HTML-like label, shortened in the middle to `max` characters.
pub fn line(text: &str, max: usize) -> String {
    html(&elide_middle(&visible(text), max))
}

/// A quoted string for an attribute, quotes included.
pub fn quoted(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('"');
    for c in text.chars().filter(is_visible) {
        match c {
            // Doubled twice: tooltips are substituted two times, and \N would expand the second time.
            '\\' => escaped.push_str(r"\\\\"),
            '"' => escaped.push_str("\\\""),
            // Graphviz reads entities in quoted strings, too.
            '&' => escaped.push_str("&amp;"),
            c => escaped.push(c),
        }
    }
    escaped.push('"');
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_escapes_lose_their_meaning() {
        assert_eq!(
            html("<B>&\"x\"</B>"),
            "&lt;B&gt;&amp;&quot;x&quot;&lt;/B&gt;"
        );
        assert_eq!(quoted("a\\N\"b\\"), r#""a\\\\N\"b\\\\""#);
        assert_eq!(html("\u{202e}\u{0}\u{9f}\u{feff}\u{ffff}"), " ");
        assert_eq!(quoted("a\nb\rc\u{2066}"), "\"abc\"");
    }

    #[test]
    fn shortening_never_cuts_an_entity() {
        let line = line(&"&".repeat(100), LINE_CHARACTERS);
        assert_eq!(line.matches("&amp;").count(), LINE_CHARACTERS - 1);
        assert_eq!(line.replace("&amp;", ""), "…");
    }
}
