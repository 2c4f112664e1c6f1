/*
title = "Policies that endanger critical resources name them, or their tags"
severity = "medium"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "resources"]
remediation = "Name the resources in the statement, or add a condition on aws:ResourceTag for the actions that know it, so that what is critical is not among them. Actions that take only * can't be limited: keep them in a special role with MFA. A policy of AWS can't be changed: replace it."
command = "aws iam get-policy --policy-arn {policy_arn}"
links = ["https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"]
*/
-- A statement names nothing when what stands behind the account in its ARNs is wildcards, whatever the type before them; wildcards
-- for the account or the region make no difference. What administrators, special roles and services of AWS hold by it does not
-- count, nor what a resource's own policy allows.
with bodies as (
    select
        statement, policy, not_resources, condition,
        list_transform(resources, lambda resource: case
            -- What lacks fields stays whole: they stand for anything.
            when not starts_with(resource, 'arn:') or not regexp_matches(resource, '^arn(:[^:]*){5}') then resource
            -- Names of these start without a type.
            when regexp_matches(resource, '^arn:[^:]*:(s3|sns|sqs|execute-api):') then regexp_replace(resource, '^arn(:[^:]*){4}:', '')
            else regexp_replace(regexp_replace(resource, '^arn(:[^:]*){4}:', ''), '^/?[A-Za-z0-9-]+[:/]', '')
        end) as names
    from statements
    where effect = 'Allow' and layer = 'identityPolicies'
),
allowing as (
    select
        statement, policy,
        (len(not_resources) > 0 or len(list_filter(names, lambda name: regexp_full_match(name, '[*?:/]*\*[*?:/]*') or starts_with(name, 'arn:'))) > 0)
        -- `aws:ResourceTag/x`, `ec2:ResourceTag/x`, `rds:db-tag/x`, `s3:ExistingObjectTag/x`.
        and not coalesce(regexp_matches(lower(condition::varchar), '"[a-z0-9-]+:(resourcetag|[a-z]+-tag|existingobjecttag)/'), false) as is_wide
    from bodies
),
holders as (
    select account_id, principal_class, list(principal_label(principal_arn)) as labels
    from principal_classes
    where is_admin is distinct from true and not coalesce(service_linked, false) and not is_special_role(principal_arn)
    group by account_id, principal_class
),
classes as (
    select resource_class, any_value(resource_type) as resource_type, count(*) as resources, min(coalesce(name, arn_tail(arn))) as example
    from critical_resources
    group by resource_class
),
-- What critical classes are endangered by which statement.
granted as (
    select g.principal_class, g.resource_class, d.action, d.kind, d.resource_level, d.tag_condition, unnest(g.statements) as statement
    from classes as c
    join critical_grants as g on g.resource_class = c.resource_class
    join dangerous_actions as d on d.resource_type = g.resource_type and d.action = g.action and d.kind = g.kind
    where g.verdict <> 'unknown'
),
per_class as (
    select
        h.account_id, a.policy, g.resource_class,
        bool_or(a.is_wide and g.resource_level) as is_wide,
        bool_or(a.is_wide and g.resource_level and g.kind <> 'expose') as harms,
        list(distinct g.action) filter (where a.is_wide and g.resource_level) as actions,
        list(distinct g.action) filter (where a.is_wide and g.resource_level and not g.tag_condition) as tagless,
        list(distinct g.action) filter (where a.is_wide and not g.resource_level) as only_wildcard,
        list_distinct(flatten(list(h.labels))) as holders
    from granted as g
    join allowing as a on a.statement = g.statement
    join holders as h on h.principal_class = g.principal_class
    where not contains(a.policy, ':policy/service-role/')
    group by h.account_id, a.policy, g.resource_class
),
judged as (
    select
        p.account_id, p.policy, bool_or(p.is_wide) as is_wide, bool_or(p.harms) as harms,
        sum(c.resources) filter (where p.is_wide) as resources, min(c.example) filter (where p.is_wide) as example,
        list_sort(list_distinct(coalesce(flatten(list(p.actions) filter (where p.actions is not null)), []))) as actions,
        list_sort(list_distinct(coalesce(flatten(list(p.tagless) filter (where p.tagless is not null)), []))) as tagless,
        list_sort(list_distinct(coalesce(flatten(list(p.only_wildcard) filter (where p.only_wildcard is not null)), []))) as only_wildcard,
        list_sort(list_distinct(flatten(list(p.holders)))) as holders
    from per_class as p
    join classes as c on c.resource_class = p.resource_class
    group by p.account_id, p.policy
),
-- What a policy allows on these is not known.
unknown_resources as (
    select distinct c.account_id, c.region, c.arn
    from critical_resources as c
    join resource_classes as r on r.account_id = c.account_id and r.resource_arn = c.arn and r.policy_unread
),
-- Among them may be some that it allows on whatever there is.
wide as (
    select distinct policy
    from allowing
    where is_wide
),
unread as (
    select account_id, policy, list_sort(list(principal_label(principal_arn))) as holders
    from (select account_id, principal_arn, unnest(unread) as policy from principal_classes)
    group by account_id, policy
),
every as (
    select * replace (is_wide or case when account_id in (select account_id from unknown_resources) and policy in (from wide) then null else false end as is_wide)
    from judged
    union all by name
    select account_id, policy, holders from unread
)
select
    account_id,
    'global' as region,
    -- An inline policy is its holder's.
    case when contains(policy, ':policy/') then policy else regexp_replace(policy, '/[^/]*$', '') end as resource_arn,
    case when contains(policy, ':policy/') then null else arn_tail(policy) end as discriminator,
    is_wide as failed,
    case when is_wide and (not harms or policy like 'arn:%:iam::aws:policy/%') then 'low' end as severity,
    case
        when is_wide is null then 'what it allows ' || some_of(holders) || ' is not known'
        when is_wide then
            'allows ' || some_of(holders) || ' ' || some_of(actions) || ' on whatever there is: ' || example || case when resources > 1 then ' and ' || (resources - 1) || ' other critical resources' else '' end
            || case when len(tagless) = 0 then '' when len(tagless) = len(actions) then '; a condition on tags can''t limit it' else '; a condition on tags can''t limit ' || some_of(tagless) end
        when len(only_wildcard) > 0 then 'allows on everything only what takes no resource: ' || some_of(only_wildcard)
        else 'names the critical resources that it endangers'
    end as reason,
    {
        'policy_arn': case when contains(policy, ':policy/') then policy end, 'holders': holders[:50], 'actions': actions, 'without_tag_condition': tagless,
        'only_on_everything': only_wildcard, 'critical_resources': resources
    } as evidence
from every
union all by name
select
    account_id,
    region,
    arn as resource_arn,
    null::boolean as failed,
    'what policies allow on it is not known: its own could not be read' as reason
from unknown_resources
