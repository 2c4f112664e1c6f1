/*
title = "No tag holds a credential"
severity = "high"
tables = ["resources", "secrets_found"]
remediation = "Take the credential out of the tag, keep it in Secrets Manager, and change it: everyone who may list resources has read it."
command = "aws resourcegroupstaggingapi untag-resources --resource-arn-list {resource_arn} --tag-keys {key}"
*/
with suspects as (
    select account_id, region, arn, key, value
    from tag_entries
    where not starts_with(key, 'aws:') and (regexp_matches(value, '(A3T[A-Z0-9]|AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{30}|xox[abprs]-[A-Za-z0-9-]{10}|eyJ[A-Za-z0-9_-]{10,}\.eyJ')
        or (
            regexp_matches(key, '(passw(or)?d|secret|token|api.?key|credential|private.?key)', 'i')
            and value <> ''
            and not regexp_matches(value, '^(arn:|/|true$|false$|yes$|no$|none$|[0-9]{4}-[0-9]{2}-[0-9]{2})', 'i')
        ))
),
-- `collect` puts a fingerprint in the place of what it recognised.
found as (
    select account_id, arn, key
    from suspects
    union
    select e.account_id, e.arn, e.key
    from tag_entries as e
    join secrets_found as f on f.account_id = e.account_id and f.arn = e.arn and f.fingerprint = e.value and f.kind <> 'declared'
),
by_resource as (
    select account_id, arn, list(key order by key) as keys
    from found
    group by account_id, arn
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when r.tags is not null then s.keys is not null end as failed,
    case
        when r.tags is null then 'its tags could not be read'
        when s.keys is not null then 'looks like a credential: tag ' || array_to_string(s.keys, ', ')
        else 'no tag looks like a credential'
    end as reason,
    {'key': s.keys[1], 'keys': s.keys} as evidence
from resources as r
join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
left join by_resource as s on s.account_id = r.account_id and s.arn = r.arn
where r.tags is null and c.taggable or cardinality(r.tags) > 0
