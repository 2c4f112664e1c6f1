//! Which of several rows with one ARN stands for the resource: the one in its own account and region.

use serde_json::Value;

/// Orders rows of one ARN: tables before the sweep, the ARN's own account and region before others.
pub(super) fn rank(cells: &Value) -> String {
    let text = |index: usize| cells.get(index).and_then(Value::as_str).unwrap_or_default();
    let (account, region, table) = (text(0), text(1), text(10));
    let arn = ArnParts::new(text(2));
    let away = |own: &str, found: &str| u8::from(!own.is_empty() && own != found);
    format!(
        "{}{}{} {table} {region} {account}",
        u8::from(table == "tags"),
        away(arn.account_id, account),
        away(arn.region, region)
    )
}

/// An ARN's fields.
pub(super) struct ArnParts<'a> {
    pub service: &'a str,
    pub region: &'a str,
    account_id: &'a str,
    resource: &'a str,
}

impl<'a> ArnParts<'a> {
    pub fn new(arn: &'a str) -> Self {
        let mut fields = arn.splitn(6, ':').skip(2);
        let mut next = || fields.next().unwrap_or_default();
        Self {
            service: next(),
            region: next(),
            account_id: next(),
            resource: next(),
        }
    }

    /// Whether it is AWS's own, such as a managed policy or prefix list: every account sees it, none has it.
    pub fn is_of_aws(&self) -> bool {
        self.account_id.eq_ignore_ascii_case("aws")
    }

    /// `service:type`, as the ARN spells it. Some services' ARNs have no type, because they have only one.
    pub fn resource_type(&self) -> String {
        let typed = self
            .resource
            .trim_start_matches('/')
            .split_once(['/', ':'])
            .map(|(kind, _)| kind);
        let kind = match (self.service, typed) {
            ("s3", _) => Some("bucket"),
            ("sns", _) => Some("topic"),
            ("sqs", _) => Some("queue"),
            (_, typed) => typed,
        };
        kind.map_or_else(
            || self.service.to_owned(),
            |kind| format!("{}:{kind}", self.service),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_come_from_arns() {
        let kind = |arn: &str| ArnParts::new(arn).resource_type();
        assert_eq!(
            kind("arn:aws:ec2:eu-west-1:111122223333:instance/i-1"),
            "ec2:instance"
        );
        assert_eq!(kind("arn:aws:s3:::bucket"), "s3:bucket");
        assert!(ArnParts::new("arn:aws:iam::aws:policy/ReadOnlyAccess").is_of_aws());
        assert!(ArnParts::new("arn:aws:ec2:eu-west-1:AWS:prefix-list/pl-1").is_of_aws());
        assert!(!ArnParts::new("arn:aws:s3:::bucket").is_of_aws());
        assert_eq!(
            kind("arn:aws:apigateway:eu-west-1::/restapis/a1"),
            "apigateway:restapis"
        );
        assert_eq!(kind("arn:aws:rds:eu-west-1:1:db:one"), "rds:db");
        assert_eq!(kind("nonsense"), "");
    }

    #[test]
    fn the_row_at_home_stands_for_a_resource() {
        let row = |account: &str, region: &str, table: &str| {
            rank(&json!([
                account,
                region,
                "arn:aws:x:eu-west-1:1:t/a",
                "",
                "",
                "",
                null,
                null,
                null,
                null,
                table
            ]))
        };
        let home = row("1", "eu-west-1", "aws_x");
        for other in [
            row("2", "eu-west-1", "aws_a"),
            row("1", "us-east-1", "aws_a"),
            row("1", "eu-west-1", "tags"),
        ] {
            assert!(home < other, "{home} {other}");
        }
    }
}
