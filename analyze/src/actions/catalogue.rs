//! The catalogue of actions. Invariant: sorted by lower-case name, so that a name is found by halving.

use std::cmp::Ordering;
use std::io::Read as _;
use std::sync::OnceLock;

use flate2::bufread::MultiGzDecoder;

use super::tsv;
use crate::iam::Pattern;

const PACKED: &[u8] = include_bytes!("../../actions/catalogue.tsv.gz");

/// Every action that AWS documents, as far as the version of the data knows.
#[derive(Debug)]
pub struct Catalogue {
    version: &'static str,
    actions: Box<[ActionFacts]>,
}

/// What is known of an action.
#[derive(Debug, PartialEq, Eq)]
pub struct ActionFacts {
    /// `s3:DeleteBucket`, in the case in which AWS writes it.
    pub name: &'static str,
    /// `List`, `Read`, `Write`, `Tagging` or `Permissions management`. It says nothing of danger.
    pub access_level: &'static str,
    /// Where CloudTrail shows a call that the action allows.
    pub logged: Logged,
    /// The types of resource it can be granted on. One without a type stands for "none: takes only `*`".
    pub resources: Box<[ResourceFacts]>,
}

/// A type of resource that an action can be granted on.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceFacts {
    /// `bucket`; empty for an action that takes no resource.
    pub resource_type: &'static str,
    /// `arn:${Partition}:s3:::${BucketName}`; empty for an action that takes no resource.
    pub arn: &'static str,
    /// Whether a request always has a resource of this type.
    pub required: bool,
    /// Whether a condition on tags of the resource can limit the action.
    pub tag_condition: bool,
}

/// Where CloudTrail shows the calls that an action allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    /// Among management events, which a trail has unless they were switched off.
    Management,
    /// Among data events, for which a trail needs a selector.
    Data,
    /// Under no name of its own: that no event tells of it proves nothing.
    Never,
}

impl Catalogue {
    /// The catalogue of this build; unpacked on first use.
    ///
    /// # Panics
    /// Never: that it can be read is tested.
    pub fn embedded() -> &'static Self {
        static TEXT: OnceLock<String> = OnceLock::new();
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE.get_or_init(|| Self::read(TEXT.get_or_init(unpack)))
    }

    fn read(text: &'static str) -> Self {
        let comment = text.lines().next().unwrap_or_default();
        let mut actions: Vec<ActionFacts> = Vec::new();
        let mut resources = Vec::new();
        let mut rows = tsv::rows::<7>(text).peekable();
        while let Some(
            [
                name,
                level,
                resource_type,
                arn,
                required,
                tag_condition,
                logged,
            ],
        ) = rows.next()
        {
            resources.push(ResourceFacts {
                resource_type,
                arn,
                required: required == "true",
                tag_condition: tag_condition == "true",
            });
            if rows.peek().is_none_or(|[next, ..]| *next != name) {
                actions.push(ActionFacts {
                    name,
                    access_level: level,
                    logged: Logged::parse(logged),
                    resources: std::mem::take(&mut resources).into(),
                });
            }
        }
        Self {
            version: comment.trim_start_matches("# "),
            actions: actions.into(),
        }
    }

    /// Where the facts are from: name, version and date of the source.
    pub fn version(&self) -> &str {
        self.version
    }

    /// All actions, sorted by lower-case name.
    pub fn actions(&self) -> &[ActionFacts] {
        &self.actions
    }

    /// The facts of an action, whose name may be in any case.
    pub fn find(&self, action: &str) -> Option<&ActionFacts> {
        let found = self
            .actions
            .binary_search_by(|facts| compare_folded(facts.name, action));
        found.ok().map(|at| &self.actions[at])
    }

    /// The actions that a pattern of a policy (`s3:Delete*`, any case) matches, sorted by lower-case name.
    pub fn matching<'a>(
        &'a self,
        pattern: &str,
    ) -> impl Iterator<Item = &'a ActionFacts> + use<'a> {
        let folded = pattern.to_ascii_lowercase();
        let fixed = folded.split(['*', '?']).next().unwrap_or_default();
        let start = self.actions.partition_point(|facts| {
            compare_folded(prefix(facts.name, fixed.len()), fixed) == Ordering::Less
        });
        let length = self.actions[start..].partition_point(|facts| {
            compare_folded(prefix(facts.name, fixed.len()), fixed) == Ordering::Equal
        });
        let glob = Pattern::glob(&folded);
        self.actions[start..start + length]
            .iter()
            .filter(move |facts| glob.matches(&facts.name.to_ascii_lowercase()))
    }
}

impl Logged {
    fn parse(name: &str) -> Self {
        match name {
            "management" => Self::Management,
            "data" => Self::Data,
            _ => Self::Never,
        }
    }
}

impl ResourceFacts {
    /// Whether the action takes no resource: a policy can grant it on `*` only.
    pub fn is_none(&self) -> bool {
        self.resource_type.is_empty()
    }
}

fn unpack() -> String {
    let mut text = String::new();
    MultiGzDecoder::new(PACKED)
        .read_to_string(&mut text)
        .expect("the embedded catalogue is gzip of UTF-8, as the tests prove");
    text
}

/// Compares by lower-case bytes; names are ASCII.
fn compare_folded(one: &str, other: &str) -> Ordering {
    let one = one.bytes().map(|byte| byte.to_ascii_lowercase());
    one.cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// The first bytes of a name, which is ASCII.
fn prefix(name: &str, length: usize) -> &str {
    name.get(..length).unwrap_or(name)
}
