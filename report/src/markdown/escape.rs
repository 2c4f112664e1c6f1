//! Text from AWS made harmless in GitHub's markdown.
//!
//! Names, tags, policies and reasons are written by anybody who may create a resource. What comes out of these functions
//! holds no link, image, HTML, emphasis, heading, formula or mention, stays on one line, and shows every character
//! that was there; those that a reader could not see are replaced. HTML escaping alone would leave `[x](javascript:...)`.
//!
//! The results may stand in a paragraph, a list or a heading. For a table cell, [`super::Table`] escapes pipes on top,
//! which is how GitHub's tables want it: they split cells before they look at anything else.

use std::borrow::Cow;
use std::fmt::Write as _;

use handoff::text::{clip, elide_middle, printable};

/// Longest code span, in characters; names and ARNs are cut in the middle.
const CODE_CHARS: usize = 120;
/// Longest text, in bytes.
const TEXT_BYTES: usize = 600;

/// A value as a code span.
pub fn code(value: &str) -> String {
    let value = printable(value);
    let value = elide_middle(&value, CODE_CHARS);
    if value.trim().is_empty() {
        return if value.is_empty() {
            "–".to_owned()
        } else {
            "(blank)".to_owned()
        };
    }
    // A code span hides blanks at its ends, and a name that ends in one is worth seeing.
    let value = visible_ends(&value);
    let ticks = "`".repeat(longest_run(&value, '`') + 1);
    let pad = if value.starts_with('`') || value.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{ticks}{pad}{value}{pad}{ticks}")
}

fn visible_ends(value: &str) -> Cow<'_, str> {
    let is_blank = |c: char| c.is_whitespace();
    if !value.starts_with(is_blank) && !value.ends_with(is_blank) {
        return Cow::Borrowed(value);
    }
    let inner = value.trim_matches(is_blank);
    let before = value.chars().take_while(|&c| is_blank(c)).count();
    let after = value.chars().rev().take_while(|&c| is_blank(c)).count();
    Cow::Owned(format!(
        "{}{inner}{}",
        "␣".repeat(before),
        "␣".repeat(after)
    ))
}

fn longest_run(text: &str, wanted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// A sentence from AWS or from a check as running text. Words that GitHub would turn into links or mentions (addresses,
/// ARNs, `@team`, `#1`) become code spans.
pub fn text(value: &str) -> String {
    let value = printable(value);
    let value = clip(&value, TEXT_BYTES);
    let mut out = String::with_capacity(value.len() + 16);
    for word in value.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        if turns_into_a_link(word) {
            push_code_word(&mut out, word)
        } else {
            push_escaped(&mut out, word)
        }
    }
    out
}

fn turns_into_a_link(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.contains(['@', '#'])
        || lower.contains("://")
        || lower.contains("www.")
        || lower.contains("arn:")
}

/// The word as code, with the punctuation of the sentence around it left outside.
fn push_code_word(out: &mut String, word: &str) {
    let inner = word
        .trim_end_matches([',', '.', ';', ':', ')'])
        .trim_start_matches('(');
    match word.split_once(inner) {
        Some((before, after)) if !inner.is_empty() => {
            push_escaped(out, before);
            out.push_str(&code(inner));
            push_escaped(out, after);
        }
        _ => out.push_str(&code(word)),
    }
}

fn push_escaped(out: &mut String, word: &str) {
    for c in word.chars() {
        match c {
            // An entity means a pipe inside of tables and outside.
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '<' | '>' | '#' | '!' | '~' | '&'
            | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
}

/// An address as the target of a link: what could end the link or the table cell is percent-encoded. The caller chooses
/// which schemes it lets in.
pub fn address(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    for byte in target.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:?#&=%+,;@!".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A value inside of an HTML element, where markdown's escapes mean nothing.
pub fn html(value: &str) -> String {
    let value = printable(value);
    let value = elide_middle(&value, CODE_CHARS);
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // GitHub looks for mentions in the text between two tags.
            '@' => out.push_str("@<b></b>"),
            c => out.push(c),
        }
    }
    out
}

/// A fenced block. Lines stay lines, everything else that can't be printed is replaced; no value can close the fence.
pub fn fence(language: &str, value: &str) -> String {
    let lines: Vec<Cow<'_, str>> = value.lines().map(printable).collect();
    let longest = lines
        .iter()
        .map(|line| longest_run(line, '`'))
        .fold(2, usize::max);
    let ticks = "`".repeat(longest + 1);
    format!(
        "{ticks}{language}\n{}\n{ticks}\n",
        lines.join("\n").trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_show_what_is_there() {
        assert_eq!(code("b01_bastion_platform"), "`b01_bastion_platform`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" padded "), "`␣padded␣`");
        assert_eq!(code("  "), "(blank)");
        assert_eq!(code(""), "–");
        assert_eq!(code("line\nbreak\u{202e}"), "`line\u{fffd}break\u{fffd}`");
    }

    #[test]
    fn text_keeps_words_and_loses_markup() {
        assert_eq!(
            text("[x](javascript:alert(1))"),
            r"\[x\]\(javascript:alert\(1\)\)"
        );
        assert_eq!(
            text("see https://evil.example/x, now"),
            "see `https://evil.example/x`, now"
        );
        assert_eq!(text("(ask @team)"), r"\(ask `@team`\)");
        assert_eq!(text("<b>&amp; $x$"), r"\<b\>\&amp; \$x\$");
        assert_eq!(text("tcp/22  from 0.0.0.0/0"), "tcp/22 from 0.0.0.0/0");
        assert_eq!(text("..."), "...");
        assert_eq!(text("#"), "`#`");
        assert_eq!(text(r"a\|b"), r"a\\&#124;b");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(
            fence("sh", "aws x \\\n  --y"),
            "```sh\naws x \\\n  --y\n```\n"
        );
        assert_eq!(
            fence("sh", "a\n````\n<b>"),
            "`````sh\na\n````\n<b>\n`````\n"
        );
    }

    #[test]
    fn html_can_not_be_left() {
        assert_eq!(
            html("</summary><img src=x> @ops"),
            "&lt;/summary&gt;&lt;img src=x&gt; @<b></b>ops"
        );
    }
}
