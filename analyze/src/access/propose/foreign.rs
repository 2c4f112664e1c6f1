//! Roles that other accounts assume without an external id: whoever talks the other account into it gets in too.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use duckdb::Connection;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::containers::Kind;
use super::scene::Scene;
use crate::access::classes;
use crate::iam::{Policy, PolicyKind};

/// A role whose trust policy asks other accounts for too little.
pub(super) struct Foreign {
    /// Position of its container.
    pub(super) role: usize,
    /// The other accounts.
    pub(super) accounts: BTreeSet<String>,
    pub(super) document: Value,
    /// What the other accounts have to send.
    pub(super) external_id: String,
    /// They send it already.
    pub(super) sent: bool,
}

/// Finds them. What another account sends as external id is taken, if all of its calls send the same.
pub(super) fn find(scene: &Scene, connection: &Connection) -> anyhow::Result<Vec<Foreign>> {
    let mut known: BTreeSet<String> = scene
        .containers
        .iter()
        .map(|container| container.account.to_string())
        .collect();
    let mut statement = connection.prepare(
        "select account_id from config_trusted_accounts union select member_account_id from aws_organizations_account where member_account_id is not null order by all",
    )?;
    known.extend(
        statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?,
    );
    let sent = sent(connection)?;
    let mut found = Vec::new();
    for (index, container) in scene
        .containers
        .iter()
        .enumerate()
        .filter(|(_, container)| container.kind == Kind::Role)
    {
        let role = container
            .members
            .first()
            .map(|member| &scene.world.holders[*member]);
        let Some(role) = role.filter(|role| !role.service_linked && !role.reserved()) else {
            continue;
        };
        let Some(trust) = role
            .trust
            .and_then(|id| scene.world.library.get(id).document.as_ref())
        else {
            continue;
        };
        let external_id = match sent.get(&role.arn) {
            Some(Some(id)) => (id.clone(), true),
            _ => (made_up(&role.arn), false),
        };
        if let Some((document, accounts)) = guarded(trust, &known, &external_id.0) {
            Policy::from_json(&role.arn, PolicyKind::Resource, &document.to_string())
                .context("a proposed trust policy is none")?;
            found.push(Foreign {
                role: index,
                accounts,
                document,
                external_id: external_id.0,
                sent: external_id.1,
            });
        }
    }
    Ok(found)
}

/// By role the external id that other accounts send with every call; none if some send another or none.
fn sent(connection: &Connection) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let mut statement = connection.prepare(
        "select
            request_parameters ->> '$.roleArn' as role,
            case when count(distinct request_parameters ->> '$.externalId') = 1 and count(request_parameters ->> '$.externalId') = count(*)
                then max(request_parameters ->> '$.externalId') end as external_id
        from events
        where event_source = 'sts.amazonaws.com' and event_name = 'AssumeRole' and not denied
            and identity_account_id is distinct from account_id and request_parameters ->> '$.roleArn' is not null
        group by role
        order by role",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An id that nobody else has; it is no secret.
fn made_up(arn: &str) -> String {
    let digest = Sha256::digest(arn.as_bytes());
    let digits: String = digest
        .iter()
        .take(10)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sevenwalls-{digits}")
}

/// The trust policy with an external id where it lets other accounts in, and these accounts; none if it asks for one already.
fn guarded(
    trust: &Value,
    known: &BTreeSet<String>,
    external_id: &str,
) -> Option<(Value, BTreeSet<String>)> {
    let mut statements = Vec::new();
    let mut accounts = BTreeSet::new();
    for statement in (0..).map_while(|index| classes::nth(trust, index)) {
        let named = classes::strings(statement["Principal"].get("AWS"));
        let keys = statement["Condition"]
            .as_object()
            .into_iter()
            .flat_map(|operators| operators.values());
        let asks = keys
            .filter_map(Value::as_object)
            .flat_map(|keys| keys.keys())
            .any(|key| key.eq_ignore_ascii_case("sts:ExternalId"));
        let foreign =
            |name: &String| account_of(name).is_some_and(|account| !known.contains(account));
        let (others, own): (Vec<String>, Vec<String>) =
            named.into_iter().partition(|name| foreign(name));
        if statement["Effect"] != "Allow" || asks || others.is_empty() {
            statements.push(statement.clone());
            continue;
        }
        accounts.extend(
            others
                .iter()
                .filter_map(|name| account_of(name))
                .map(str::to_owned),
        );
        // Whoever else the statement names goes on as before.
        let mut rest = statement.clone();
        if let Some(principals) = rest["Principal"].as_object_mut() {
            principals.remove("AWS");
            if !own.is_empty() {
                principals.insert("AWS".to_owned(), json!(own));
            }
            if !principals.is_empty() {
                statements.push(rest);
            }
        }
        let mut guarded = statement.clone();
        guarded["Principal"] = json!({ "AWS": others });
        if !guarded["Condition"].is_object() {
            guarded["Condition"] = json!({});
        }
        guarded["Condition"]["StringEquals"]["sts:ExternalId"] = json!(external_id);
        if let Some(members) = guarded.as_object_mut() {
            members.remove("Sid");
        }
        statements.push(guarded);
    }
    (!accounts.is_empty()).then(|| {
        (
            json!({ "Version": "2012-10-17", "Statement": statements }),
            accounts,
        )
    })
}

fn account_of(principal: &str) -> Option<&str> {
    let account = if principal.starts_with("arn:") {
        principal.split(':').nth(4)?
    } else {
        principal
    };
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_accounts_are_asked() {
        let known = BTreeSet::from(["111122223333".to_owned()]);
        let trust = json!({ "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "AWS": ["arn:aws:iam::111122223333:root", "777788889999"], "Service": "ec2.amazonaws.com" },
            "Condition": { "StringEquals": { "aws:PrincipalTag/a": "b" } },
        }] });
        let (document, accounts) = guarded(&trust, &known, "x").unwrap();
        assert_eq!(accounts, BTreeSet::from(["777788889999".to_owned()]));
        let [own, others] = document["Statement"].as_array().unwrap().as_slice() else {
            panic!("{document}")
        };
        assert_eq!(
            own["Principal"],
            json!({ "Service": "ec2.amazonaws.com", "AWS": ["arn:aws:iam::111122223333:root"] })
        );
        assert_eq!(own["Condition"], trust["Statement"][0]["Condition"]);
        assert_eq!(others["Principal"], json!({ "AWS": ["777788889999"] }));
        assert_eq!(
            others["Condition"]["StringEquals"],
            json!({ "aws:PrincipalTag/a": "b", "sts:ExternalId": "x" })
        );
        assert!(
            guarded(&document, &known, "y").is_none(),
            "it asks for one now"
        );
    }
}
