/*
title = "No other account changes who may use a bucket, or deletes it"
severity = "high"
tables = ["aws_s3_bucket", "resources", "aws_s3control_account_public_access_block"]
operations = ["GetBucketPolicy"]
frameworks = { fsbp = ["S3.6"] }
remediation = "Grant the other account the objects it needs and nothing that changes the bucket; name accounts of yours in the configuration under accounts.trusted."
command = "aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json"
links = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html"]
*/
-- What opens a bucket or its objects to others, or loses what is in it. Replication from another account needs to set
-- the versioning, which therefore is not among them.
with sensitive (action) as (
    values
        ('s3:PutBucketPolicy'), ('s3:DeleteBucketPolicy'), ('s3:PutBucketAcl'), ('s3:PutObjectAcl'), ('s3:PutObjectVersionAcl'),
        ('s3:PutBucketOwnershipControls'), ('s3:PutBucketPublicAccessBlock'), ('s3:PutEncryptionConfiguration'), ('s3:PutReplicationConfiguration'),
        ('s3:PutLifecycleConfiguration'), ('s3:BypassGovernanceRetention'), ('s3:DeleteBucket')
),
buckets as (
    select b.account_id, b.region, b.arn, b.bucket_name, b.has_policy, b.acl_owner_id, as_document(b.policy) as document, a.public_by_policy
    from aws_s3_bucket as b
    left join bucket_access as a on a.account_id = b.account_id and a.arn = b.arn
),
numbered as (
    select * exclude (statements), unnest(statements) as statement, generate_subscripts(statements, 1) as position
    from (select account_id, arn, acl_owner_id, public_by_policy, as_objects(document -> '$.Statement') as statements from buckets)
),
read as (
    select
        * exclude (statement),
        from_json(statement, '{"Effect": "VARCHAR", "Principal": "JSON", "NotPrincipal": "VARCHAR", "Action": "JSON", "NotAction": "JSON", "Condition": "MAP(VARCHAR, MAP(VARCHAR, JSON))"}') as s
    from numbered
),
statements as materialized (
    select account_id, arn, position, acl_owner_id, public_by_policy, s.Principal as principal, s.NotPrincipal as not_principal, as_list(s.Action) as actions, as_list(s.NotAction) as not_actions, s.Condition as condition
    from read
    where s.Effect = 'Allow'
),
-- Buckets are many and lists of actions few: each is compared once.
grants as (
    select a.actions, a.not_actions, list(s.action order by s.action) as granted
    from (select distinct actions, not_actions from statements) as a
    cross join sensitive as s
    where len(list_filter(a.actions, lambda pattern: pattern_covers(pattern, s.action))) > 0
        or len(a.not_actions) > 0 and len(list_filter(a.not_actions, lambda pattern: pattern_covers(pattern, s.action))) = 0
    group by a.actions, a.not_actions
),
allowed as materialized (
    select s.* exclude (actions, not_actions), g.granted as actions
    from statements as s
    join grants as g on g.actions = s.actions and g.not_actions = s.not_actions
),
-- Only the operators that fail when a request lacks the key.
conditions as (
    select
        account_id, arn, position, lower(entry.key) as key,
        case when json_type(entry.value) = 'ARRAY' then entry.value ->> '$[*]' else [entry.value ->> '$'] end as values
    from (
        select account_id, arn, position, unnest(map_entries(operator_entry.value)) as entry
        from (select account_id, arn, position, unnest(map_entries(condition)) as operator_entry from allowed)
        where regexp_full_match(lower(operator_entry.key), '(foranyvalue:)?(stringequals|stringequalsignorecase|stringlike|arnequals|arnlike)')
    )
),
-- Without a pattern in the part that says whose it is.
limits as (
    select
        account_id, arn, position,
        bool_or(key in ('aws:principalorgid', 'aws:principalorgpaths') and len(list_filter(values, lambda value: not regexp_matches(value, '^o-[a-z0-9]+(/|$)'))) = 0) as own_organization,
        bool_or(
            key in ('aws:principalorgid', 'aws:principalorgpaths', 'aws:sourcevpc', 'aws:sourcevpce', 'aws:sourceaccount', 'aws:sourceowner', 'aws:sourcearn')
            and len(list_filter(values, lambda value: regexp_matches(value, '[*?$]'))) = 0
        ) as own,
        flatten(list(list_transform(values, lambda value: regexp_extract(value, '^(arn:[^:]*:[^:]*:[^:]*:)?([0-9]{12})(:|$)', 2))) filter (where key in ('aws:principalaccount', 'aws:principalarn'))) as accounts
    from conditions
    group by account_id, arn, position
),
principals as (
    select *, 'AWS' as kind, unnest(as_list(principal -> '$.AWS')) as name from allowed where json_type(principal) = 'OBJECT'
    union all
    select *, 'CanonicalUser', unnest(as_list(principal -> '$.CanonicalUser')) from allowed where json_type(principal) = 'OBJECT'
    union all
    select *, 'AWS', '*' from allowed where not_principal is not null or principal ->> '$' = '*'
),
-- Everyone, where a condition names accounts, is those accounts.
grantees as (
    select
        p.account_id, p.arn, p.kind, p.acl_owner_id, p.public_by_policy, p.actions, coalesce(l.own_organization, false) as own_organization, coalesce(l.own, false) as own,
        unnest(case when p.name = '*' and len(l.accounts) > 0 and not list_contains(l.accounts, '') then l.accounts else [p.name] end) as principal
    from principals as p
    left join limits as l on l.account_id = p.account_id and l.arn = p.arn and l.position = p.position
),
-- The account of a principal; origin access identities of CloudFront belong to none, and neither do deleted users.
judged as (
    select
        *,
        case
            when kind = 'CanonicalUser' then case when principal = acl_owner_id then false end
            when principal = '*' and (own or own_organization) then false
            when principal = '*' then public_by_policy
            when own_organization then false
            else coalesce(grantee_account_id <> account_id and grantee_account_id not in (select account_id from config_trusted_accounts where account_id is not null), false)
        end as is_foreign,
        case when kind = 'CanonicalUser' then 'a canonical user' when principal = '*' then 'everyone' else 'account ' || grantee_account_id end as who
    from (select *, nullif(regexp_extract(principal, '^(arn:[^:]*:[^:]*:[^:]*:)?([0-9]{12})(:|$)', 2), '') as grantee_account_id from grantees)
),
by_bucket as (
    select
        account_id, arn,
        list(distinct who order by who) filter (where is_foreign) as foreigners,
        list_sort(list_distinct(flatten(list(actions) filter (where is_foreign)))) as actions,
        list(distinct who order by who) filter (where is_foreign is null) as unclear
    from judged
    group by account_id, arn
)
select
    b.account_id,
    b.region,
    b.arn as resource_arn,
    case
        when len(j.foreigners) > 0 then true
        when b.has_policy is null or b.has_policy and b.document is null or len(j.unclear) > 0 then null
        else false
    end as failed,
    case
        when len(j.foreigners) > 0 then 'its policy allows ' || array_to_string(j.foreigners[:5], ', ') || ' ' || array_to_string(j.actions[:3], ', ') || case when len(j.actions) > 3 then ' and ' || (len(j.actions) - 3) || ' more' else '' end
        when b.has_policy is null then 'its policy is not known'
        when b.has_policy and b.document is null then 'its policy can''t be read'
        when not b.has_policy then 'it has no policy'
        when len(j.unclear) > 0 then 'its policy allows ' || array_to_string(j.unclear, ', ') || ' to change it; whose that is, or whether a block stands before it, is not known'
        else 'its policy lets no other account change it'
    end as reason,
    {'bucket': b.bucket_name, 'principals': j.foreigners, 'actions': j.actions} as evidence
from buckets as b
left join by_bucket as j on j.account_id = b.account_id and j.arn = b.arn
