/*
title = "What endangers critical resources is granted to roles, not to users and groups"
severity = "high"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "resources"]
remediation = "Move these actions into a role made for the purpose, which people assume with MFA for as long as the task takes, and take them from the users and groups. What people have all the time, a stolen key has too."
command = "aws iam list-entities-for-policy --policy-arn {policy_arn}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"]
*/
-- Only what users hold themselves; administrators are other checks' business. What can be read but not changed is less, and so is
-- passing a role, which takes a service that does something with it.
with held as (
    select
        resource_class, holder_arn, action, kind, verdict <> 'unknown' as is_certain,
        list_transform(statements, lambda statement: regexp_replace(statement, '#[0-9]+$', '')) as policies
    from class_dangers
    where actor_kind = 'user' and len(path) = 0 and is_admin is distinct from true
),
-- The policies of users and their groups, named as statements name them.
attached as (
    select distinct
        principal_arn,
        coalesce(policy_arn, case when group_name is null then principal_arn else split_part(principal_arn, ':user/', 1) || ':group/' || group_name end || '/' || policy_name) as policy,
        case when group_name is null then principal_label(principal_arn) else 'group/' || group_name end as grantee
    from attached_policies
    where principal_kind = 'user'
),
-- A policy of the resource grants to the user itself.
granting as (
    select h.resource_class, h.holder_arn, list(a.grantee) as grantees, list(a.policy) filter (where contains(a.policy, ':policy/')) as policies
    from (select distinct resource_class, holder_arn, unnest(policies) as policy from held) as h
    join attached as a on a.principal_arn = h.holder_arn and a.policy = h.policy
    group by h.resource_class, h.holder_arn
),
per_user as (
    select
        h.resource_class, h.holder_arn, h.is_certain, h.harms, h.actions,
        coalesce(list_distinct(g.grantees), [principal_label(h.holder_arn)]) as grantees, coalesce(list_distinct(g.policies), []) as policies
    from (
        select
            resource_class, holder_arn, bool_or(is_certain) as is_certain, bool_or(is_certain and kind <> 'expose' and action <> 'iam:PassRole') as harms,
            list(distinct action) as actions
        from held
        group by resource_class, holder_arn
    ) as h
    left join granting as g on g.resource_class = h.resource_class and g.holder_arn = h.holder_arn
),
classes as (
    select
        resource_class, bool_or(is_certain) as failed, bool_or(harms) as harms,
        list_sort(list_distinct(flatten(list(grantees) filter (where is_certain)))) as grantees,
        list_sort(list(principal_label(holder_arn)) filter (where is_certain)) as users,
        list_sort(list(principal_label(holder_arn)) filter (where not is_certain)) as uncertain,
        list_sort(list_distinct(flatten(list(actions) filter (where is_certain)))) as actions,
        list_sort(list_distinct(flatten(list(policies) filter (where is_certain)))) as policies
    from per_user
    group by resource_class
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when c.resource_class is null then false when c.failed then true end as failed,
    case when c.failed and not c.harms then 'medium' end as severity,
    case
        when c.resource_class is null then 'no user or group holds what could endanger it'
        when c.failed then some_of(c.grantees) || case when len(c.grantees) = 1 then ' holds ' else ' hold ' end || some_of(c.actions) || ' at all times, not by a role'
        else 'what ' || some_of(c.uncertain) || case when len(c.uncertain) = 1 then ' holds' else ' hold' end || ' is not known'
    end as reason,
    {'grantees': c.grantees[:50], 'users': c.users[:50], 'not_known': c.uncertain[:50], 'actions': c.actions, 'policies': c.policies[:50], 'policy_arn': c.policies[1], 'importance': r.importance} as evidence
from critical_resources as r
left join classes as c on c.resource_class = r.resource_class
