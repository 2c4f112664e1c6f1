//! Wildcards. Invariants: `*` and `?` are the only ones; matching costs at most length of pattern times length of value,
//! whatever the pattern.

/// One element of a text once its variables are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Char(char),
    /// `?`: exactly one character.
    One,
    /// `*`: any number of characters, including `:` and `/`.
    Many,
}

/// A text without variables, in the cheapest form that decides it.
#[derive(Clone, Debug)]
pub enum Pattern {
    Any,
    Exact(Box<str>),
    Prefix(Box<str>),
    /// Parts between `*`: the first and last are anchored, those between are found from left to right.
    Parts(Box<[Box<str>]>),
    Tokens(Box<[Token]>),
    /// One or the other.
    Either(Box<[Self; 2]>),
}

impl Pattern {
    pub(super) fn new(tokens: &[Token]) -> Self {
        if tokens.contains(&Token::One) {
            return Self::Tokens(tokens.into());
        }
        let parts: Vec<Box<str>> = tokens
            .split(|token| *token == Token::Many)
            .map(literal)
            .collect();
        match parts.as_slice() {
            [only] => Self::Exact(only.clone()),
            [first, last] if last.is_empty() && first.is_empty() => Self::Any,
            [first, last] if last.is_empty() => Self::Prefix(first.clone()),
            _ => Self::Parts(parts.into()),
        }
    }

    /// A text in which `*` and `?` are wildcards and nothing is a variable.
    pub fn glob(source: &str) -> Self {
        let tokens: Vec<Token> = source.chars().map(wildcard).collect();
        Self::new(&tokens)
    }

    pub fn matches(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(text) => **text == *value,
            Self::Prefix(text) => value.starts_with(&**text),
            Self::Parts(parts) => match_parts(parts, value),
            Self::Tokens(tokens) => match_tokens(tokens, value),
            Self::Either(both) => both.iter().any(|pattern| pattern.matches(value)),
        }
    }
}

pub(super) fn wildcard(character: char) -> Token {
    match character {
        '*' => Token::Many,
        '?' => Token::One,
        other => Token::Char(other),
    }
}

fn literal(tokens: &[Token]) -> Box<str> {
    let text: String = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Char(character) => Some(*character),
            Token::One | Token::Many => None,
        })
        .collect();
    text.into()
}

fn match_parts(parts: &[Box<str>], value: &str) -> bool {
    let [first, between @ .., last] = parts else {
        return false;
    };
    let Some(mut rest) = value
        .strip_prefix(&**first)
        .and_then(|rest| rest.strip_suffix(&**last))
    else {
        return false;
    };
    for part in between {
        match rest.find(&**part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Matches with one point of return: after the last `*` only, which is enough because `*` takes anything.
pub(super) fn match_tokens(tokens: &[Token], value: &str) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let next = value[at..].chars().next();
        let step = match (tokens.get(token), next) {
            (Some(Token::Many), _) => {
                retry = Some((token + 1, at));
                token += 1;
                continue;
            }
            (Some(Token::One), Some(character)) => Some(character),
            (Some(Token::Char(wanted)), Some(character)) if *wanted == character => Some(character),
            (None, None) => return true,
            _ => None,
        };
        if let Some(character) = step {
            token += 1;
            at += character.len_utf8();
            continue;
        }
        let Some((after, from)) = retry else {
            return false;
        };
        let Some(skipped) = value[from..].chars().next() else {
            return false;
        };
        let from = from + skipped.len_utf8();
        retry = Some((after, from));
        (token, at) = (after, from);
    }
}
