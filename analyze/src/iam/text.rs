//! Texts of policies: wildcards, policy variables, ARNs.
//!
//! Everything is split into tokens once, when the policy is read. Invariant: wildcards count only where the policy's author
//! wrote them. One inside a variable's value, which whoever sets tags can choose, is a literal.

use super::context::{Context, Lookup};
use super::pattern::{Pattern, Token, match_tokens, wildcard};
use super::truth::Truth;

/// A piece of a text that may hold variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Token(Token),
    Variable {
        key: Box<str>,
        default: Option<Box<str>>,
    },
}

/// How the source of a [`Text`] is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    /// Policies of version 2008-10-17 have no variables: `${...}` is literal there.
    pub(super) variables: bool,
    /// `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// Compared without regard to case.
    pub(super) ignore_case: bool,
}

/// A text of a policy: fixed, or with variables that the request's context resolves.
#[derive(Clone, Debug)]
pub enum Text {
    Fixed {
        pattern: Pattern,
        ignore_case: bool,
    },
    Variable {
        pieces: Box<[Piece]>,
        ignore_case: bool,
    },
}

impl Text {
    pub(super) fn new(source: &str, syntax: Syntax) -> Self {
        Self::from_pieces(split(source, syntax), syntax.ignore_case)
    }

    /// A text of the `Resource` element, where variables count only after the fifth colon of the ARN.
    pub(super) fn resource(source: &str, variables: bool) -> Self {
        if let Some(pattern) = completed(source) {
            return Self::Fixed {
                pattern,
                ignore_case: false,
            };
        }
        let syntax = Syntax {
            variables,
            wildcards: true,
            ignore_case: false,
        };
        let mut colons = 0;
        let end = source.char_indices().find(|(_, character)| {
            colons += usize::from(*character == ':');
            colons == 5
        });
        let fixed = end.map_or(source.len(), |(at, _)| at);
        // A variable before the fifth colon holds a colon itself, so the cut could fall inside it: then nothing resolves.
        let (head, tail) = if source[..fixed].contains("${") {
            (source, "")
        } else {
            source.split_at(fixed)
        };
        let mut pieces = split(
            head,
            Syntax {
                variables: false,
                ..syntax
            },
        );
        pieces.extend(split(tail, syntax));
        Self::from_pieces(pieces, false)
    }

    fn from_pieces(pieces: Vec<Piece>, ignore_case: bool) -> Self {
        let tokens: Option<Vec<Token>> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Token(token) => Some(*token),
                Piece::Variable { .. } => None,
            })
            .collect();
        match tokens {
            Some(tokens) => Self::Fixed {
                pattern: Pattern::new(&fold(tokens, ignore_case)),
                ignore_case,
            },
            None => Self::Variable {
                pieces: pieces.into(),
                ignore_case,
            },
        }
    }

    /// Whether `value` is what it stands for in `context`. A variable without a value stands for nothing.
    pub fn matches(&self, value: &str, context: &Context) -> Truth {
        match self {
            Self::Fixed {
                pattern,
                ignore_case: false,
            } => pattern.matches(value).into(),
            Self::Fixed {
                pattern,
                ignore_case: true,
            } => pattern.matches(&value.to_lowercase()).into(),
            Self::Variable {
                pieces,
                ignore_case,
            } => match resolve(pieces, context) {
                Resolved::Tokens(tokens) if *ignore_case => {
                    match_tokens(&fold(tokens, true), &value.to_lowercase()).into()
                }
                Resolved::Tokens(tokens) => match_tokens(&tokens, value).into(),
                Resolved::NoValue => Truth::False,
                Resolved::Unknown => Truth::Unknown,
            },
        }
    }

    /// Whether some values of its variables make it stand for `value`.
    pub fn may_match(&self, value: &str) -> bool {
        let Self::Variable { pieces, .. } = self else {
            return self.matches(value, &Context::closed()) == Truth::True;
        };
        let any = |piece: &Piece| match piece {
            Piece::Token(token) => *token,
            Piece::Variable { .. } => Token::Many,
        };
        match_tokens(&pieces.iter().map(any).collect::<Vec<_>>(), value)
    }

    /// Context keys that this text's variables name.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let pieces: &[Piece] = match self {
            Self::Fixed { .. } => &[],
            Self::Variable { pieces, .. } => pieces,
        };
        pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { key, .. } => Some(&**key),
            Piece::Token(_) => None,
        })
    }
}

/// The pattern of an ARN that lacks fields: AWS completes it with `*`, so that `arn:aws:sqs` is every queue. Since `*` at the end
/// of a field stands for colons too, `arn:aws:sqs:*:orders` is also what it says.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
fn completed(source: &str) -> Option<Pattern> {
    const COLONS: usize = 5;
    let colons = source.matches(':').count();
    if !source.starts_with("arn:") || colons >= COLONS || source.contains("${") {
        return None;
    }
    let whole = Pattern::glob(&format!("{source}{}", ":*".repeat(COLONS - colons)));
    Some(if source.contains('*') {
        Pattern::Either(Box::new([Pattern::glob(source), whole]))
    } else {
        whole
    })
}

fn fold(tokens: Vec<Token>, ignore_case: bool) -> Vec<Token> {
    if !ignore_case {
        return tokens;
    }
    tokens
        .into_iter()
        .flat_map(|token| match token {
            Token::Char(character) => character.to_lowercase().map(Token::Char).collect(),
            other => vec![other],
        })
        .collect()
}

enum Resolved {
    Tokens(Vec<Token>),
    NoValue,
    Unknown,
}

fn resolve(pieces: &[Piece], context: &Context) -> Resolved {
    let mut tokens = Vec::with_capacity(pieces.len() + 16);
    let mut unknown = false;
    for piece in pieces {
        match piece {
            Piece::Token(token) => tokens.push(*token),
            Piece::Variable { key, default } => match (context.get(key), default) {
                // Keys with several values can't be used as variables.
                (Lookup::Known([value]), _) => tokens.extend(value.chars().map(Token::Char)),
                (Lookup::Unknown, _) => unknown = true,
                (_, Some(default)) => tokens.extend(default.chars().map(Token::Char)),
                (_, None) => return Resolved::NoValue,
            },
        }
    }
    if unknown {
        Resolved::Unknown
    } else {
        Resolved::Tokens(tokens)
    }
}

fn split(source: &str, syntax: Syntax) -> Vec<Piece> {
    let plain = |character| match syntax.wildcards {
        true => Piece::Token(wildcard(character)),
        false => Piece::Token(Token::Char(character)),
    };
    let mut pieces = Vec::with_capacity(source.len());
    let mut rest = source;
    while let Some(character) = rest.chars().next() {
        if syntax.variables
            && let Some((piece, after)) = variable(rest)
        {
            pieces.push(piece);
            rest = after;
            continue;
        }
        pieces.push(plain(character));
        rest = &rest[character.len_utf8()..];
    }
    pieces
}

/// Reads `${key}`, `${key, 'default'}` or one of the escapes `${*}`, `${?}`, `${$}` at the start of `source`.
fn variable(source: &str) -> Option<(Piece, &str)> {
    let inside = source.strip_prefix("${")?;
    let (name, rest) = match inside.find(['}', '\'']) {
        Some(at) if inside[at..].starts_with('\'') => {
            // The default may hold a brace, so it ends at the quote that a closing brace follows.
            let quoted = &inside[at + 1..];
            let end = quoted.find("'}")?;
            let name = inside[..at].trim_end().strip_suffix(',')?.trim();
            let default = Some(quoted[..end].into());
            return Some((
                Piece::Variable {
                    key: key(name),
                    default,
                },
                &quoted[end + 2..],
            ));
        }
        Some(at) => (&inside[..at], &inside[at + 1..]),
        None => return None,
    };
    let piece = match name {
        "*" => Piece::Token(Token::Char('*')),
        "?" => Piece::Token(Token::Char('?')),
        "$" => Piece::Token(Token::Char('$')),
        name => Piece::Variable {
            key: key(name.trim()),
            default: None,
        },
    };
    Some((piece, rest))
}

fn key(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into()
}

/// An ARN of a condition: its six components are matched one by one, so `*` does not cross the first five colons.
#[derive(Clone, Debug)]
pub(super) enum ArnText {
    /// A lone `*`: any ARN.
    Any,
    Components(Box<[Text; 6]>),
    /// Not the shape of an ARN: matches nothing.
    Never,
}

impl ArnText {
    pub(super) fn new(source: &str, variables: bool) -> Self {
        if source == "*" {
            return Self::Any;
        }
        let mut components: Vec<Vec<Piece>> = vec![Vec::new()];
        for piece in split(
            source,
            Syntax {
                variables,
                wildcards: true,
                ignore_case: false,
            },
        ) {
            let count = components.len();
            match (piece, components.last_mut()) {
                (Piece::Token(Token::Char(':')), _) if count < 6 => components.push(Vec::new()),
                (piece, Some(component)) => component.push(piece),
                (_, None) => {}
            }
        }
        let texts: Vec<Text> = components
            .into_iter()
            .map(|pieces| Text::from_pieces(pieces, false))
            .collect();
        match <[Text; 6]>::try_from(texts) {
            Ok(texts) => Self::Components(Box::new(texts)),
            Err(_) => Self::Never,
        }
    }

    pub(super) fn matches(&self, value: &str, context: &Context) -> Truth {
        let mut parts = value.splitn(6, ':');
        match self {
            Self::Never => Truth::False,
            Self::Any => (value.starts_with("arn:") && parts.count() == 6).into(),
            Self::Components(texts) => {
                if value.bytes().filter(|byte| *byte == b':').count() < 5 {
                    return Truth::False;
                }
                texts
                    .iter()
                    .fold(Truth::True, |so_far, text| match (so_far, parts.next()) {
                        (Truth::False, _) | (_, None) => Truth::False,
                        (_, Some(part)) => so_far.and(text.matches(part, context)),
                    })
            }
        }
    }

    /// Context keys that this ARN's variables name.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let texts: &[Text] = match self {
            Self::Components(texts) => &texts[..],
            Self::Any | Self::Never => &[],
        };
        texts.iter().flat_map(Text::keys)
    }
}
