//! Principals as SQL tells of them, before their policies are parsed.

use std::collections::HashMap;

use anyhow::Context as _;
use duckdb::{Connection, Row};

pub(super) const RESOURCES: &str = include_str!("../sql/access/resources.sql");
pub(super) const IDENTITIES: &str = include_str!("../sql/access/principals.sql");
pub(super) const ATTACHMENTS: &str = include_str!("../sql/access/attached.sql");
pub(super) const MANAGED: &str = "
    select account_id, arn, as_document(document)::varchar
    from aws_iam_policy
    where account_id is not null and arn is not null
";

/// A user or role.
pub(super) struct Identity {
    pub(super) account: String,
    pub(super) arn: String,
    pub(super) is_user: bool,
    pub(super) name: Option<String>,
    pub(super) unique_id: Option<String>,
    /// A JSON object.
    pub(super) tags: Option<String>,
    pub(super) boundary_arn: Option<String>,
    pub(super) boundary: Option<String>,
    pub(super) trust: Option<String>,
    pub(super) service_linked: bool,
    /// Groups that are not in the run: a JSON list of names.
    pub(super) absent_groups: Option<String>,
    pub(super) special: bool,
}

/// A policy of a user or role.
pub(super) struct Attachment {
    pub(super) account: String,
    pub(super) principal: String,
    pub(super) policy: String,
    /// Its document is among [`managed`].
    pub(super) is_managed: bool,
    pub(super) document: Option<String>,
}

/// A resource.
pub(super) struct Resource {
    pub(super) account: String,
    pub(super) region: Option<String>,
    pub(super) arn: String,
    pub(super) resource_type: Option<String>,
    /// A JSON object.
    pub(super) tags: Option<String>,
    pub(super) has_policy: bool,
    pub(super) policy: Option<String>,
}

impl Resource {
    /// A row of [`RESOURCES`].
    pub(super) fn of(row: &Row<'_>) -> Result<Self, duckdb::Error> {
        Ok(Self {
            account: row.get(0)?,
            region: row.get(1)?,
            arn: row.get(2)?,
            resource_type: row.get(3)?,
            tags: row.get(4)?,
            has_policy: row.get(5)?,
            policy: row.get(6)?,
        })
    }
}

/// The resource that `arn` names or names a part of.
pub(super) fn resource(connection: &Connection, arn: &str) -> anyhow::Result<Option<Resource>> {
    let mut statement = connection.prepare(&format!(
        "select * from ({RESOURCES}) where arn = $1 or starts_with($1, arn || '/') or starts_with($1, arn || ':') order by len(arn) desc, account_id limit 1"
    ))?;
    let mut rows = statement.query([arn])?;
    Ok(rows.next()?.map(Resource::of).transpose()?)
}

/// Documents of managed policies by account and ARN; one for each row of the table.
pub(super) type Managed = HashMap<(String, String), Vec<Option<String>>>;

/// All users and roles, sorted. The trust policies of roles only if `with_trust`: they are as long as all the rest.
pub(super) fn identities(
    connection: &Connection,
    with_trust: bool,
) -> anyhow::Result<Vec<Identity>> {
    let mut statement = connection.prepare(IDENTITIES)?;
    let mut rows = statement.query([with_trust])?;
    let mut identities = Vec::new();
    while let Some(row) = rows.next()? {
        identities.push(Identity {
            account: row.get(0)?,
            arn: row.get(1)?,
            is_user: row.get::<_, String>(2)? == "user",
            name: row.get(3)?,
            unique_id: row.get(4)?,
            tags: row.get(5)?,
            boundary_arn: row.get(6)?,
            boundary: row.get(7)?,
            trust: row.get(8)?,
            service_linked: row.get::<_, Option<bool>>(9)?.unwrap_or(false),
            absent_groups: row.get(10)?,
            special: row.get::<_, Option<bool>>(11)?.unwrap_or(false),
        });
    }
    Ok(identities)
}

/// The policies of users and roles, sorted.
pub(super) fn attachments(connection: &Connection) -> anyhow::Result<Vec<Attachment>> {
    let mut statement = connection.prepare(ATTACHMENTS)?;
    let mut rows = statement.query([])?;
    let mut attachments = Vec::new();
    while let Some(row) = rows.next()? {
        let policy: Option<String> = row.get(2)?;
        attachments.push(Attachment {
            account: row.get(0)?,
            principal: row.get(1)?,
            policy: policy.context("a policy without a name")?,
            is_managed: row.get(3)?,
            document: row.get(4)?,
        });
    }
    Ok(attachments)
}

/// The documents of managed policies.
pub(super) fn managed(connection: &Connection) -> anyhow::Result<Managed> {
    let mut statement = connection.prepare(MANAGED)?;
    let mut rows = statement.query([])?;
    let mut managed = Managed::new();
    while let Some(row) = rows.next()? {
        let documents = managed.entry((row.get(0)?, row.get(1)?)).or_default();
        documents.push(row.get(2)?);
    }
    Ok(managed)
}
