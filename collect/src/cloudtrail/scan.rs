//! JSON text walked once, without copying: values as slices of the text.
//!
//! What is JSON is decided as strictly as `serde_json` decides it, without a limit to the nesting; tests compare the two
//! on texts made and damaged at random.

use std::borrow::Cow;

use super::{json, redact};

/// The text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A member's name.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// As it is written.
    pub quoted: &'a str,
    escaped: bool,
}

impl<'a> Name<'a> {
    /// The name; `None` when it has escapes that name no character.
    pub fn text(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            json::text(self.quoted)
        } else {
            Some(Cow::Borrowed(&self.quoted[1..self.quoted.len() - 1]))
        }
    }
}

/// What there was in a text that was read, which spares others to look for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// A name that may be that of a session token.
    pub token_name: bool,
    /// A string with escapes.
    pub escape: bool,
}

/// A position in a text.
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Closing brackets of what is open around the position, of the value being skipped.
    open: Vec<u8>,
    seen: Seen,
}

impl<'a> Scanner<'a> {
    /// The beginning of a text.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// The first byte of what comes next; `None` at the end.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// What there was since the last question.
    pub fn take_seen(&mut self) -> Seen {
        std::mem::take(&mut self.seen)
    }

    /// The value that comes next, whatever it is.
    pub fn value(&mut self) -> Result<&'a str, Malformed> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// The text from what comes next to the end.
    pub fn rest(&mut self) -> &'a str {
        self.peek();
        &self.text[self.at..]
    }

    /// The value that comes next, known to be `length` bytes long: nothing of it is read again.
    pub fn known(&mut self, length: usize) -> &'a str {
        let start = self.at;
        self.at += length;
        &self.text[start..self.at]
    }

    /// What `read` reads, as a slice.
    pub fn slice<E>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<&'a str, E> {
        self.peek();
        let start = self.at;
        read(self)?;
        Ok(&self.text[start..self.at])
    }

    /// Walks over an object; `each` gets the names, and must read the value that comes next.
    pub fn object<E: From<Malformed>>(
        &mut self,
        mut each: impl FnMut(&mut Self, Name<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            each(self, name)?;
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// Walks over an array; `each` must read the element that comes next.
    pub fn array<E: From<Malformed>>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'[')?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            each(self)?;
            if self.take(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        self.take(byte).then_some(()).ok_or(Malformed)
    }

    /// A member's name and its colon.
    fn name(&mut self) -> Result<Name<'a>, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        let start = self.at;
        let escaped = self.skip_string()?;
        let quoted = &self.text[start..self.at];
        self.seen.token_name |= escaped || redact::names_token(&quoted[1..quoted.len() - 1]);
        self.expect(b':')?;
        Ok(Name { quoted, escaped })
    }

    fn skip(&mut self) -> Result<(), Malformed> {
        self.open.clear();
        loop {
            // A value begins here.
            match self.peek().ok_or(Malformed)? {
                b'"' => drop(self.skip_string()?),
                b'{' => {
                    self.at += 1;
                    if !self.take(b'}') {
                        self.open.push(b'}');
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if !self.take(b']') {
                        self.open.push(b']');
                        continue;
                    }
                }
                b't' => self.skip_word("true")?,
                b'f' => self.skip_word("false")?,
                b'n' => self.skip_word("null")?,
                _ => self.skip_number()?,
            }
            // And ends here; so may those around it.
            loop {
                let Some(&close) = self.open.last() else {
                    return Ok(());
                };
                if self.take(close) {
                    self.open.pop();
                    continue;
                }
                self.expect(b',')?;
                if close == b'}' {
                    self.name()?;
                }
                break;
            }
        }
    }

    fn skip_word(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += word.len();
        rest.starts_with(word.as_bytes())
            .then_some(())
            .ok_or(Malformed)
    }

    fn skip_number(&mut self) -> Result<(), Malformed> {
        self.at += usize::from(self.byte() == Some(b'-'));
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.skip_digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.skip_digits()?;
        }
        // 01 is no number, and not two either.
        match self.byte() {
            Some(b'0'..=b'9') => Err(Malformed),
            _ => Ok(()),
        }
    }

    fn skip_digits(&mut self) -> Result<(), Malformed> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(()).ok_or(Malformed)
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// From the opening to behind the closing quote; whether there are escapes in between.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, Malformed> {
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        self.at += 1;
        loop {
            self.at += plain_length(&bytes[self.at..]);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    self.seen.escape |= escaped;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1 + escape_length(&bytes[self.at + 1..])?;
                }
                _ => return Err(Malformed),
            }
        }
    }
}

/// Length of an escape behind its backslash.
fn escape_length(bytes: &[u8]) -> Result<usize, Malformed> {
    match bytes.first() {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(1),
        Some(b'u') => {
            let digits = bytes.get(1..5).ok_or(Malformed)?;
            let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
            is_hex.then_some(5).ok_or(Malformed)
        }
        _ => Err(Malformed),
    }
}

/// How many bytes come before the first quote, backslash or control character: eight bytes at a time.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Of each term, the lowest of the high bits that are set belongs to a byte that is zero, or below 0x20.
        let is_zero = |difference: u64| difference.wrapping_sub(ONES) & !difference;
        let quote = is_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = is_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | backslash | control) & HIGHS;
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn scanned(text: &str) -> Option<&str> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value().ok()?;
        scanner.peek().is_none().then_some(value)
    }

    fn parsed(text: &str) -> Option<&str> {
        serde_json::from_str::<&RawValue>(text)
            .ok()
            .map(RawValue::get)
    }

    #[test]
    fn what_is_json_is_what_serde_json_takes_for_it() {
        let numbers = "0 -0 01 -01 1. .1 1.0 1.e1 1e 1e+ 1E-05 -1.50e+10 - -- +1 0x1 1_0 00 0e0 1e1.0 NaN Infinity";
        let words = "true false null tru nul True nulll truefalse";
        for text in numbers.split(' ').chain(words.split(' ')) {
            for text in [
                text.to_owned(),
                format!("[{text}]"),
                format!("{{\"a\":{text}}}"),
            ] {
                assert_eq!(scanned(&text), parsed(&text), "{text}");
            }
        }
        for length in 0..20 {
            for special in [
                "\"", "\\", "\\u12", "\\u12aF", "\\ud800", "\\x", "\u{1f}", "\u{7f}", "é", "\u{0}",
                " ",
            ] {
                let plain = "a".repeat(length);
                for text in [
                    format!("\"{plain}{special}{plain}\""),
                    format!("\"{plain}{special}"),
                    format!("{{\"{special}{plain}\":0}}"),
                ] {
                    assert_eq!(scanned(&text), parsed(&text), "{text}");
                }
            }
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(scanned(&deep), Some(deep.as_str()));
    }

    #[test]
    fn texts_damaged_at_random_are_judged_as_serde_json_judges_them() {
        const PIECES: &[u8] = br#"{}[]",:\ 019-+.eEutrfalsn	a"#;
        let sound = br#" {"a" : [1.5e-3, -0, "x\u00e9\"\\", true,false ,null,{"":[]},{}], "b":{"c":{"d":"eeeeeeeeeeeeeee"}}}"#;
        let mut state = 1_u64;
        let mut below = |limit: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % limit
        };
        let mut valid = 0;
        for _ in 0..200_000 {
            let mut bytes = sound.to_vec();
            for _ in 0..=below(3) {
                let at = below(bytes.len());
                let piece = PIECES[below(PIECES.len())];
                match below(3) {
                    0 => bytes[at] = piece,
                    1 => bytes.insert(at, piece),
                    _ => drop(bytes.remove(at)),
                }
            }
            let text = String::from_utf8(bytes).unwrap();
            let expected = parsed(&text);
            valid += usize::from(expected.is_some());
            assert_eq!(scanned(&text), expected, "{text}");
        }
        assert!(valid > 10_000, "{valid}");
    }
}
