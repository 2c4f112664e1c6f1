//! Text inside of XML and HTML.

use handoff::text::is_unprintable;

/// A text on one line for an element or a quoted attribute: no markup, no character that moves a cursor or that XML 1.0
/// has no way to write.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if is_unprintable(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_leaves_an_attribute_or_breaks_the_document() {
        assert_eq!(
            escaped("\"/><x a='&'>"),
            "&quot;/&gt;&lt;x a=&#39;&amp;&#39;&gt;"
        );
        assert_eq!(
            escaped("a\u{0}\u{1b}\n\u{ffff}]]>"),
            "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}]]&gt;"
        );
    }
}
