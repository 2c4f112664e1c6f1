-- One row per role and store of data that its own policies let it read, or the whole account for an administrator.
-- A first approximation: `open` only where nothing that could take the permission away is there; else null, and `why` says
-- what was not weighed.
with readers as (
    select *
    from (values
        ('s3', ['s3:GetObject']),
        ('dynamodb', ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan', 'dynamodb:BatchGetItem']),
        ('sqs', ['sqs:ReceiveMessage']),
        ('secretsmanager', ['secretsmanager:GetSecretValue'])
    ) as v (service, reads)
),
documents as (
    select distinct document
    from attached_policies
    where principal_kind = 'role' and document is not null
),
statements as (
    select
        document,
        lower(statement ->> '$.Effect') = 'allow' as allows,
        as_list(statement -> '$.Action') as actions,
        as_list(statement -> '$.NotAction') as not_actions,
        case when json_type(statement -> '$.NotResource') is not null then ['*'] else as_list(statement -> '$.Resource') end as resources,
        coalesce(json_type(statement -> '$.Condition'), 'NULL') <> 'NULL' or json_type(statement -> '$.NotResource') is not null as conditional
    from (select document, unnest(as_objects(document -> '$.Statement')) as statement from documents)
),
speaking as (
    select s.document, s.allows, s.resources, s.conditional, r.service
    from statements as s
    cross join readers as r
    where case
        when len(s.not_actions) > 0 then len(list_filter(r.reads, lambda read: len(list_filter(s.not_actions, lambda pattern: pattern_covers(pattern, read))) = 0)) > 0
        else len(list_filter(
            list_filter(s.actions, lambda pattern: lower(split_part(pattern, ':', 1)) = r.service or starts_with(pattern, '*')),
            lambda pattern: len(list_filter(r.reads, lambda read: pattern_covers(pattern, read))) > 0
        )) > 0
    end
),
granted as (
    select p.account_id, p.principal_arn, p.policy_name, s.service, unnest(s.resources) as resource, s.conditional
    from attached_policies as p
    join speaking as s on s.document = p.document
    where p.principal_kind = 'role' and s.allows
),
patterns as (
    select
        *, regexp_matches(pattern, '[*?]') as is_wide,
        -- Most patterns are a beginning, which is told faster than by a regular expression.
        case when regexp_full_match(pattern, '[^*?]*\*+') then rtrim(pattern, '*') end as beginning,
        -- What stands before the first wildcard and after the last, in which case matters not.
        regexp_extract(lower(pattern), '^[^*?]*') as head, regexp_extract(lower(pattern), '[^*?]*$') as tail
    from (select distinct account_id, service, resource, case service when 's3' then split_part(resource, '/', 1) else resource end as pattern from granted)
),
stores as (
    select distinct account_id, 's3' as service, arn, coalesce(sse_algorithm like 'aws:kms%', false) as has_key, policy, incomplete from aws_s3_bucket
    union all
    select account_id, 'dynamodb', arn, kms_key_arn is not null, policy, incomplete from aws_dynamodb_table
    union all
    select account_id, 'sqs', arn, coalesce(kms_key_id, '') <> '', policy, incomplete from aws_sqs_queue
    union all
    select account_id, 'secretsmanager', arn, coalesce(kms_key_id, '') <> '', policy, incomplete from aws_secretsmanager_secret
),
guarded_stores as (
    select account_id, service, arn, has_key, denies_over_tls(policy) or coalesce(len(incomplete), 0) > 0 as may_deny
    from stores
),
matched as (
    select p.account_id, p.service, p.resource, s.arn, s.has_key, s.may_deny
    from patterns as p
    join guarded_stores as s on s.account_id = p.account_id and s.service = p.service and s.arn = p.pattern
    where not p.is_wide
    union all
    select p.account_id, p.service, p.resource, s.arn, s.has_key, s.may_deny
    from patterns as p
    join guarded_stores as s on s.account_id = p.account_id and s.service = p.service and starts_with(s.arn, p.beginning)
    union all
    select p.account_id, p.service, p.resource, s.arn, s.has_key, s.may_deny
    from patterns as p
    join guarded_stores as s on s.account_id = p.account_id and s.service = p.service
    where p.is_wide and p.beginning is null
        -- A regular expression is made anew for every pair, so only for those that it may fit.
        and case when starts_with(lower(s.arn), p.head) and ends_with(lower(s.arn), p.tail) then pattern_covers(p.pattern, s.arn) else false end
),
organized as (
    select account_id from aws_organizations_organization
    union
    select account_id from gaps where table_name = 'aws_organizations_organization' or table_name is null
),
denied as (
    select distinct p.account_id, p.principal_arn, s.service
    from attached_policies as p
    join speaking as s on s.document = p.document
    where p.principal_kind = 'role' and not s.allows
),
unread as (
    select distinct account_id, principal_arn
    from attached_policies
    where principal_kind = 'role' and document is null
),
reads as (
    select
        g.account_id, g.principal_arn, g.service, m.arn, min(g.policy_name) as policy_name, bool_and(g.conditional) as conditional,
        bool_or(m.has_key) as has_key, bool_or(m.may_deny) as may_deny
    from granted as g
    join matched as m on m.account_id = g.account_id and m.service = g.service and m.resource = g.resource
    group by g.account_id, g.principal_arn, g.service, m.arn
),
admins as (
    select account_id, principal_arn, case when bool_or(coalesce(is_admin, false)) then true end as is_admin, min(policy_name) filter (where is_admin is distinct from false) as policy_name
    from administrators
    where principal_kind = 'role' and is_admin is distinct from false
    group by account_id, principal_arn
),
counted as (
    select *, count(*) over (partition by account_id, principal_arn, service) as stores
    from reads
),
ways as (
    select
        c.account_id, c.principal_arn, c.service, c.arn as to_arn, c.policy_name, null as is_admin,
        c.conditional, c.has_key, c.may_deny
    from counted as c
    where c.stores <= 100 and not exists (select 1 from admins as a where a.account_id = c.account_id and a.principal_arn = c.principal_arn and a.is_admin)
    union all by name
    -- Very many are one: the account's.
    select
        c.account_id, c.principal_arn, c.service, a.arn as to_arn, min(c.policy_name) as policy_name, null as is_admin,
        bool_or(c.conditional) as conditional, bool_or(c.has_key) as has_key, bool_or(c.may_deny) as may_deny
    from counted as c
    join accounts as a on a.account_id = c.account_id
    where c.stores > 100 and not exists (select 1 from admins as d where d.account_id = c.account_id and d.principal_arn = c.principal_arn and d.is_admin)
    group by c.account_id, c.principal_arn, c.service, a.arn
    union all by name
    select
        d.account_id, d.principal_arn, null as service, a.arn as to_arn, d.policy_name, d.is_admin,
        false as conditional, false as has_key, false as may_deny
    from admins as d
    join accounts as a on a.account_id = d.account_id
),
judged as (
    select
        p.*,
        list_filter([
            case when p.service is null and p.is_admin is null then 'one of its policies' end,
            case when p.conditional then 'its conditions' end,
            case when r.permissions_boundary_arn is not null then 'its permissions boundary' end,
            case when n.principal_arn is not null then 'a Deny of its policies' end,
            case when u.principal_arn is not null and p.service is not null then 'policies that are not in the run' end,
            case when o.account_id is not null then 'policies of the organization' end,
            case when p.may_deny then 'the policy of what it reads' end,
            case when p.has_key then 'the policy of its key' end
        ], lambda reason: reason is not null) as unweighed
    from ways as p
    join (select account_id, arn, min(permissions_boundary_arn) as permissions_boundary_arn from aws_iam_role group by account_id, arn) as r on r.account_id = p.account_id and r.arn = p.principal_arn
    left join (select distinct account_id, principal_arn, min(service) over (partition by account_id, principal_arn) as any_service, service from denied) as n
        on n.account_id = p.account_id and n.principal_arn = p.principal_arn and n.service = coalesce(p.service, n.any_service)
    left join unread as u on u.account_id = p.account_id and u.principal_arn = p.principal_arn
    left join (select distinct account_id from organized) as o on o.account_id = p.account_id
)
select
    account_id, principal_arn as from_arn, to_arn, service,
    case when len(unweighed) = 0 then true end as open,
    case when len(unweighed) > 0 then 'not weighed here: ' || array_to_string(unweighed, ', ') end as why,
    case when service is null then 'administrator by ' else 'reads ' || service || ' by ' end || policy_name as detail
from judged
