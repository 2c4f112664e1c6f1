//! Where things stand that pages link to: in one file, or in the files of a folder.

use std::collections::BTreeMap;

use crate::chapters::Rule;
use crate::content::finding::Finding;

/// A chapter that others link to.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// What was not evaluated.
    NotEvaluated,
    /// Changes since the run before.
    Changes,
    /// To do by owner.
    Owners,
    /// A rule.
    Rule(Rule),
    /// Controls by framework.
    Frameworks,
    /// Calls that brought nothing.
    Calls,
    /// The method.
    Method,
}

impl Place {
    /// The file in the folder.
    pub fn file(self) -> String {
        match self {
            Self::NotEvaluated => INDEX.to_owned(),
            Self::Changes => "changes.md".to_owned(),
            Self::Owners => "owners.md".to_owned(),
            Self::Rule(rule) => format!("rules/{}.md", rule.file_stem()),
            Self::Frameworks => "frameworks.md".to_owned(),
            Self::Calls | Self::Method => "appendix.md".to_owned(),
        }
    }

    /// The anchor, as GitHub makes it from the heading.
    pub fn anchor(self) -> String {
        match self {
            Self::NotEvaluated => "not-evaluated".to_owned(),
            Self::Changes => "changes".to_owned(),
            Self::Owners => "to-do-by-owner".to_owned(),
            Self::Rule(rule) => rule.anchor(),
            Self::Frameworks => "frameworks".to_owned(),
            Self::Calls => "calls-that-brought-nothing".to_owned(),
            Self::Method => "method".to_owned(),
        }
    }
}

/// The first file of the report, and the only one when it is no folder.
pub const INDEX: &str = "report.md";

/// Where everything is.
#[derive(Debug, Default)]
pub struct Links<'a> {
    /// Whether the report is a folder.
    pub is_folder: bool,
    /// The file that has a finding's evidence, by anchor; what is not here has none.
    pub evidence: BTreeMap<&'a str, String>,
}

impl Links<'_> {
    /// The address of a chapter for a page that is `from`.
    pub fn chapter(&self, from: &str, place: Place) -> String {
        if self.is_folder {
            address(from, &place.file(), &place.anchor())
        } else {
            format!("#{}", place.anchor())
        }
    }

    /// The address of a finding's evidence for a page that is `from`, where the report has it.
    pub fn finding(&self, from: &str, finding: &Finding) -> Option<String> {
        let file = self.evidence.get(finding.anchor.as_str())?;
        Some(address(from, file, &finding.anchor))
    }
}

/// A relative address between two files of the folder; all of them lie in it or one level below.
fn address(from: &str, to: &str, anchor: &str) -> String {
    if from == to {
        return format!("#{anchor}");
    }
    let up = if from.contains('/') { "../" } else { "" };
    format!("{up}{to}#{anchor}")
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_relative_to_the_page() {
        assert_eq!(address("report.md", "report.md", "a"), "#a");
        assert_eq!(
            address("report.md", "rules/1-tags.md", "a"),
            "rules/1-tags.md#a"
        );
        assert_eq!(
            address("rules/1-tags.md", "evidence/1-tags-1.md", "a"),
            "../evidence/1-tags-1.md#a"
        );
        assert_eq!(address("rules/1-tags.md", "rules/1-tags.md", "a"), "#a");
    }
}
