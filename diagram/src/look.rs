//! What a picture says of a node or an edge beside what it is: whether it is on a hot path, missing, new, and how what
//! was asked for stands.

use serde::Serialize;

/// What is said of a node or an edge as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Look {
    /// Nothing.
    #[default]
    Plain,
    /// On the way from the internet to critical data.
    Hot,
    /// Asked for and not there.
    Missing,
    /// Not known.
    Unknown,
    /// In the later of two runs only.
    Added,
    /// In the earlier of two runs only.
    Removed,
    /// Different in two runs.
    Changed,
    /// There for orientation.
    Faint,
}

impl Look {
    /// Whether nothing is said.
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// How something that was asked for stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is met.
    Met,
    /// It is not.
    Missed,
    /// Nobody knows.
    Unknown,
}

/// A few words of a card's line, after the mark of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Phrase {
    /// The verdict, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The words.
    pub text: String,
}

impl Phrase {
    /// Words without a verdict.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            verdict: None,
            text: text.into(),
        }
    }

    /// Words after a mark.
    pub fn judged(verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            verdict: Some(verdict),
            text: text.into(),
        }
    }
}
