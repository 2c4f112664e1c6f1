//! Verdicts and checks as the report tells them.

use handoff::table::Row;
use jiff::Timestamp;
use serde::Serialize;

use super::actor::Actor;

/// How bad it is when the check fails, worst first in sort order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Act today.
    Critical,
    /// Act this week.
    High,
    /// Plan it.
    Medium,
    /// When you are there anyway.
    Low,
    /// Good to know.
    Info,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// Its name in the lake and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }

    /// What a check of this severity weighs in the score.
    pub fn weight(self) -> f64 {
        match self {
            Self::Critical => 10.0,
            Self::High => 5.0,
            Self::Medium => 2.0,
            Self::Low => 1.0,
            Self::Info => 0.0,
        }
    }

    /// Reads the lake's spelling. What has no known severity is taken for the worst: hiding it would be the greater error.
    pub fn parse(text: Option<&str>) -> Self {
        Self::ALL
            .into_iter()
            .find(|severity| Some(severity.name()) == text)
            .unwrap_or(Self::Critical)
    }
}

/// What a check said of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is not as it should be.
    Fail,
    /// Nobody knows.
    Unknown,
    /// It is not as it should be, and somebody accepted that until a date.
    Waived,
    /// It is as it should be.
    Pass,
}

impl Status {
    /// Reads the lake's spelling; anything else is no answer, and no answer is no pass.
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("pass") => Self::Pass,
            Some("fail") => Self::Fail,
            Some("waived") => Self::Waived,
            _ => Self::Unknown,
        }
    }
}

/// How a finding stands against the run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Never failed before.
    New,
    /// Failed in the run before, too.
    Open,
    /// Failed once, was fixed, fails again.
    Reopened,
}

impl Change {
    fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            Some("new") => Some(Self::New),
            Some("open") => Some(Self::Open),
            Some("reopened") => Some(Self::Reopened),
            _ => None,
        }
    }
}

/// Who accepted a finding, why, and until when.
#[derive(Clone, Debug, Serialize)]
pub struct Waiver {
    /// Who.
    pub owner: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// One verdict that is not a pass.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Check, such as `sg-admin-open`.
    pub check_id: String,
    /// Step of hardening, 1 to 7.
    pub rule: u8,
    /// `config` or `detection`.
    pub kind: Option<String>,
    /// What the check asks for.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Fail, unknown or waived.
    pub status: Status,
    /// Account of the resource.
    pub account_id: String,
    /// Region of the resource.
    pub region: String,
    /// What was judged; the account's root ARN when it is the account.
    pub resource_arn: String,
    /// Its type.
    pub resource_type: Option<String>,
    /// Its name.
    pub resource_name: Option<String>,
    /// Tells findings of one check on one resource apart.
    pub discriminator: Option<String>,
    /// Owner, from the tags.
    pub owner: Option<String>,
    /// Environment, from the tags.
    pub environment: Option<String>,
    /// System, from the tags.
    pub system: Option<String>,
    /// Importance level, from the tags.
    pub importance: Option<String>,
    /// Reachable from the internet.
    pub exposed: Option<bool>,
    /// How it is reachable, from `resource_context`.
    pub exposure: Option<String>,
    /// 0 to 100.
    pub risk: f64,
    /// Why, in one sentence.
    pub reason: String,
    /// The facts, as JSON text.
    #[serde(serialize_with = "as_json")]
    pub evidence: Option<String>,
    /// What to do.
    pub remediation: Option<String>,
    /// Command that does it.
    pub remediation_command: Option<String>,
    /// The same finding in every run.
    pub fingerprint: String,
    /// Its anchor in the markdown.
    #[serde(skip)]
    pub anchor: String,
    /// First run in which it failed without a pass since.
    pub first_seen: Option<Timestamp>,
    /// How it stands against the run before.
    pub change: Option<Change>,
    /// Who accepted it.
    pub waiver: Option<Waiver>,
    /// Who did it, or who changed the resource last, as far as the findings of this run tell.
    pub changed_by: Option<Actor>,
}

/// Columns that [`Finding::read`] wants.
pub const COLUMNS: [&str; 28] = [
    "check_id",
    "rule",
    "kind",
    "title",
    "severity",
    "status",
    "account_id",
    "region",
    "resource_arn",
    "resource_type",
    "resource_name",
    "discriminator",
    "owner",
    "environment",
    "system",
    "importance",
    "exposed",
    "risk",
    "reason",
    "evidence",
    "remediation",
    "remediation_command",
    "fingerprint",
    "first_seen",
    "change",
    "waiver_owner",
    "waiver_reason",
    "waiver_expires",
];

impl Finding {
    /// Reads a row of `findings`; `rule` was checked by the caller.
    pub fn read(row: Row<'_>, rule: u8) -> Self {
        let text = |column: &str| {
            row.text(column)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let status = Status::parse(row.text("status"));
        let waiver = (status == Status::Waived).then(|| Waiver {
            owner: text("waiver_owner"),
            reason: text("waiver_reason"),
            expires: row.time("waiver_expires"),
        });
        Self {
            check_id: row.string("check_id"),
            rule,
            kind: text("kind"),
            title: row.string("title"),
            severity: Severity::parse(row.text("severity")),
            status,
            account_id: row.string("account_id"),
            region: row.string("region"),
            resource_arn: row.string("resource_arn"),
            resource_type: text("resource_type"),
            resource_name: text("resource_name"),
            discriminator: text("discriminator"),
            owner: text("owner"),
            environment: text("environment"),
            system: text("system"),
            importance: text("importance"),
            exposed: row.bool("exposed"),
            exposure: None,
            risk: row
                .float("risk")
                .filter(|risk| risk.is_finite())
                .unwrap_or(0.0),
            reason: row.string("reason"),
            evidence: text("evidence"),
            remediation: text("remediation"),
            remediation_command: text("remediation_command"),
            changed_by: row.text("evidence").and_then(Actor::read),
            fingerprint: row.string("fingerprint"),
            anchor: String::new(),
            first_seen: row.time("first_seen"),
            change: Change::parse(row.text("change")),
            waiver,
        }
    }

    /// Whether it tells of something that happened rather than of how something is.
    pub fn is_detection(&self) -> bool {
        self.kind.as_deref() == Some("detection")
    }

    /// The facts as JSON; what does not parse is kept as text.
    pub fn evidence_value(&self) -> Option<serde_json::Value> {
        self.evidence.as_deref().map(parsed)
    }

    /// Whether the account itself was judged.
    pub fn is_account(&self) -> bool {
        self.resource_arn.ends_with(":root")
    }

    /// The shortest text that people know the resource by: its name, else the end of its ARN.
    pub fn resource_label(&self) -> &str {
        if self.is_account() {
            return &self.account_id;
        }
        self.resource_name
            .as_deref()
            .unwrap_or_else(|| short_arn(&self.resource_arn))
    }
}

/// The part of an ARN after its account: what tells it apart within one.
pub fn short_arn(arn: &str) -> &str {
    arn.splitn(6, ':')
        .nth(5)
        .filter(|rest| !rest.is_empty())
        .unwrap_or(arn)
}

/// Evidence is JSON in the lake and stays JSON in the report; what does not parse is kept as text.
fn as_json<S: serde::Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().map(parsed).serialize(serializer)
}

fn parsed(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Whether a check was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It gave its verdicts.
    Evaluated,
    /// Its SQL failed.
    Error,
    /// There was nothing it could have looked at, such as events.
    NotEvaluated,
}

impl CheckStatus {
    /// Reads the lake's spelling; a status that is not known is no evaluation.
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("evaluated") | None => Self::Evaluated,
            Some("error") => Self::Error,
            Some(_) => Self::NotEvaluated,
        }
    }
}

/// A check and how it came out in this run.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Id.
    pub check_id: String,
    /// Step of hardening, 1 to 7.
    pub rule: u8,
    /// `config` or `detection`.
    pub kind: Option<String>,
    /// What it asks for.
    pub title: String,
    /// How bad it is when it fails.
    pub severity: Severity,
    /// Inventory tables it reads.
    pub tables: Vec<String>,
    /// Control ids by framework.
    pub frameworks: std::collections::BTreeMap<String, String>,
    /// Whether it was run.
    pub status: CheckStatus,
    /// Why it was not run to its end, when it was not.
    pub error: Option<String>,
    /// Verdicts.
    #[serde(flatten)]
    pub verdicts: Verdicts,
}

impl Check {
    /// Whether it left something open: verdicts it could not decide, or all of them.
    pub fn is_unsure(&self) -> bool {
        self.verdicts.unknown > 0 || self.status != CheckStatus::Evaluated
    }
}

/// Verdicts counted by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// As it should be.
    pub passed: u64,
    /// Not as it should be.
    pub failed: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Accepted until a date.
    pub waived: u64,
}

impl Verdicts {
    /// Counts one verdict.
    pub fn count(&mut self, status: Status) {
        match status {
            Status::Pass => self.passed += 1,
            Status::Fail => self.failed += 1,
            Status::Unknown => self.unknown += 1,
            Status::Waived => self.waived += 1,
        }
    }

    /// Adds other verdicts to these.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.waived += other.waived;
    }

    /// All of them.
    pub fn total(self) -> u64 {
        self.passed + self.failed + self.unknown + self.waived
    }

    /// Those that a check decided.
    pub fn decided(self) -> u64 {
        self.passed + self.failed + self.waived
    }
}
