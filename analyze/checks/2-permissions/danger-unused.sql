/*
title = "Permissions to endanger critical resources are used, or taken away"
severity = "medium"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "resources"]
remediation = "Deny what was not used for so long; when nothing breaks, take it out of the policies that allow it. Work that comes once a year belongs into a special role. Of a role that single sign-on keeps, change the permission set instead."
command = "aws iam put-{kind}-policy --{kind}-name {name} --policy-name deny-unused-dangers --policy-document {policy}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html"]
*/
-- Unused is what would have been logged for limits.role_unused_days, in the regions of the critical resources that it is about, and
-- never was; a denied call is no use. Without events, IAM's note of when a role was last used tells of roles that nobody needs.
-- Administrators and special roles are left out.
with holders as (
    select p.account_id, p.principal_arn, p.kind, p.name, p.principal_class, p.reserved, coalesce(u.created_at, r.created_at) as created_at, r.last_used_at
    from principal_classes as p
    left join aws_iam_user as u on u.account_id = p.account_id and u.arn = p.principal_arn
    left join aws_iam_role as r on r.account_id = p.account_id and r.arn = p.principal_arn
    where p.is_admin is distinct from true and not coalesce(p.service_linked, false) and not is_special_role(p.principal_arn)
),
-- Services without regions are logged in us-east-1. Where objects of the trail could not be read, anything may have been used.
covered as (
    select t.account_id, t.region, min(t.day) as first_day
    from trail_days as t
    anti join gaps as g on g.table_name = 'cloudtrail_events' and g.account_id = t.account_id and coalesce(g.region, t.region) in (t.region, 'global')
    group by t.account_id, t.region
    having days_since(max(t.day)) <= 30
),
dangers_of_class as (
    select distinct c.account_id, c.resource_class, c.resource_type, case when c.region = 'global' then 'us-east-1' else c.region end as region
    from critical_resources as c
),
held as (
    select
        g.principal_class, g.action, any_value(d.logged) as logged,
        -- In the region for which least is known.
        min(coalesce(days_since(v.first_day), 0)) as days
    from dangers_of_class as c
    join critical_grants as g on g.resource_class = c.resource_class
    join dangerous_actions as d on d.resource_type = g.resource_type and d.action = g.action and d.kind = g.kind
    left join covered as v on v.account_id = c.account_id and v.region = c.region
    where g.verdict <> 'unknown'
    group by g.principal_class, g.action
),
-- Sorted once for all of a class: most of them used nothing of it.
held_lists as (
    select
        principal_class,
        list(action order by action) as actions,
        list(action order by action) filter (where logged = 'management' and days >= setting('role_unused_days')) as observed,
        list(action order by action) filter (where logged = 'management' and days < setting('role_unused_days')) as too_short,
        list(action order by action) filter (where logged is distinct from 'management') as unlogged,
        min(days) filter (where logged = 'management' and days >= setting('role_unused_days')) as days
    from held
    group by principal_class
),
used as (
    select u.principal_arn, list(distinct u.action) as actions
    from usage as u
    where u.source = 'cloudtrail' and u.calls > 0 and u.action in (select action from held)
    group by u.principal_arn
),
judged as (
    select
        h.account_id, h.principal_arn, g.days, days_since(h.created_at) as age,
        nullif(list_filter(g.actions, lambda action: list_contains(u.actions, action)), []) as used,
        nullif(list_filter(g.observed, lambda action: not coalesce(list_contains(u.actions, action), false)), []) as observed,
        nullif(list_filter(g.too_short, lambda action: not coalesce(list_contains(u.actions, action), false)), []) as too_short,
        nullif(list_filter(g.unlogged, lambda action: not coalesce(list_contains(u.actions, action), false)), []) as unlogged
    from holders as h
    join held_lists as g on g.principal_class = h.principal_class
    left join used as u on u.principal_arn = h.principal_arn
),
-- What these may do is not known in full: a policy of theirs, or of a resource, could not be read.
uncertain as (
    select distinct principal_class
    from critical_grants
    where verdict = 'unknown' and resource_class in (select resource_class from critical_resources)
),
-- What only services use, they may need when something fails.
assumed as (
    select to_arn, bool_and(from_kind = 'service') as by_services
    from assume_edges
    group by to_arn
),
rows as (
    select
        h.*, j.used, j.unlogged, j.days, j.age, a.by_services, n.principal_class is not null as is_uncertain,
        h.account_id in (select account_id from trail_days) as has_events,
        -- Without events: all of it, when the role itself was not used.
        case
            when h.account_id in (select account_id from trail_days) then case when j.age >= setting('role_unused_days') then j.observed end
            when h.kind = 'role' and coalesce(days_since(h.last_used_at), days_since(h.created_at)) >= setting('role_unused_days') then list_sort(list_concat(coalesce(j.observed, []), coalesce(j.too_short, []), coalesce(j.unlogged, [])))
        end as unused,
        nullif(list_concat(coalesce(j.too_short, []), case when j.age < setting('role_unused_days') then coalesce(j.observed, []) else [] end), []) as pending
    from holders as h
    left join judged as j on j.account_id = h.account_id and j.principal_arn = h.principal_arn
    left join uncertain as n on n.principal_class = h.principal_class
    left join assumed as a on a.to_arn = h.principal_arn
    where j.principal_arn is not null or n.principal_class is not null
),
documents as (
    select *, to_json({'Version': '2012-10-17', 'Statement': [{'Sid': 'DenyUnusedDangers', 'Effect': 'Deny', 'Action': unused, 'Resource': '*'}]})::varchar as policy
    from rows
)
select
    account_id,
    'global' as region,
    principal_arn as resource_arn,
    case when len(unused) > 0 then true when len(pending) > 0 or used is null or is_uncertain then null else false end as failed,
    case when len(unused) > 0 and by_services then 'low' end as severity,
    case
        when len(unused) > 0 and not has_events then
            case when last_used_at is null then 'the role was never used' else 'the role was not used for ' || days_since(last_used_at) || ' days' end || ', says IAM, and has ' || some_of(unused) || ' on critical resources'
        when len(unused) > 0 then len(unused) || case when len(unused) = 1 then ' permission' else ' permissions' end || ' to endanger critical resources not used for ' || least(days, age) || ' days of events: ' || some_of(unused)
        when is_uncertain then 'what it may do to critical resources is not known: a policy of its own, or of one of them, could not be read'
        when age < setting('role_unused_days') then 'it is ' || age || ' days old: too new to tell what it needs of ' || len(pending) || ' permissions'
        when len(pending) > 0 then 'the events of ' || setting('role_unused_days') || ' days are needed to tell whether it uses ' || some_of(pending)
        when used is null then 'calls of ' || some_of(unlogged) || ' are not logged as management events: whether it uses them is not known'
        else 'uses what it may do to critical resources: ' || some_of(used) || case when len(unlogged) > 0 then '; not logged: ' || some_of(unlogged) else '' end
    end as reason,
    {
        'kind': kind, 'name': name, 'unused': unused, 'used': used, 'not_logged': unlogged, 'days': days, 'source': case when has_events then 'cloudtrail' else 'role_last_used' end,
        -- As long as IAM takes inline policies.
        'policy': case when len(unused) > 0 and length(policy) <= case kind when 'user' then 2048 else 10240 end then policy end, 'reserved': reserved
    } as evidence
from documents
where has_events or len(unused) > 0
union all by name
-- Without events there is nothing to say of each.
select
    d.account_id,
    'global' as region,
    any_value(a.arn) as resource_arn,
    null::boolean as failed,
    'no events of the account are in the lake: whether ' || count(*) || case when count(*) = 1 then ' principal uses what it may do' else ' principals use what they may do' end || ' to critical resources is not known' as reason,
    {'source': 'role_last_used'} as evidence
from documents as d
join accounts as a on a.account_id = d.account_id
where not d.has_events and coalesce(len(d.unused), 0) = 0
group by d.account_id
