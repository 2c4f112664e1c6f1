/*
title = "Who may endanger a critical resource is written down"
severity = "info"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "resources"]
remediation = "Go through the list with the owner of the resource: who is not needed for a task loses the permission, and the rest goes behind a special role with MFA. `analyze access --action ACTION --resource ARN` names policies and ways."
command = "analyze access --action {action} --resource {resource_arn}"
*/
-- A finding where anybody but administrators and special roles may do something, with a list per kind of danger; the numbers in it
-- are those who may for certain or on a condition.
with actors as (
    select resource_class, kind, principal_class, actor_label(acting_arn) as actor, principal_label(holder_arn) as holder, guarded
    from class_actors
    where is_certain and is_admin is distinct from true and not is_special_role(holder_arn)
),
people as (
    select
        resource_class, kind, list(distinct actor order by actor) as actors,
        list(distinct actor order by actor) filter (where guarded < 2) as without_mfa,
        list(distinct holder order by holder) as holders
    from actors
    group by resource_class, kind
),
actions as (
    select a.resource_class, a.kind, list(distinct g.action order by g.action) as actions
    from (select distinct resource_class, kind, principal_class from actors) as a
    join critical_grants as g on g.resource_class = a.resource_class and g.principal_class = a.principal_class and g.kind = a.kind
    where g.verdict <> 'unknown'
    group by a.resource_class, a.kind
),
per_kind as (
    select p.*, a.actions, array_position(['destroy', 'recovery', 'logging', 'policy', 'escalate', 'expose'], p.kind) as position
    from people as p
    join actions as a on a.resource_class = p.resource_class and a.kind = p.kind
),
classes as (
    select
        resource_class,
        len(list_distinct(flatten(list(actors)))) as people,
        sum(len(actions)) as actions,
        list(kind || ' ' || len(actors) order by position) as kinds,
        list({'kind': kind, 'actions': actions, 'actors': actors[:50], 'without_mfa': coalesce(without_mfa, [])[:50], 'holders': holders[:50]} order by position) as map,
        arg_min(actions[1], position) as action
    from per_kind
    group by resource_class
),
uncertain as (
    select resource_class, list_sort(list(distinct actor_label(acting_arn))) as actors
    from class_actors
    where not is_certain and is_admin is distinct from true
    group by resource_class
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when c.resource_class is not null then true when u.resource_class is not null then null else false end as failed,
    case
        when c.resource_class is not null then c.people || case when c.people = 1 then ' other than administrators and special roles may do something to it' else ' others than administrators and special roles may do something to it' end
            || ' (' || array_to_string(c.kinds, ', ') || '), ' || c.actions || case when c.actions = 1 then ' action' else ' actions' end || ' in all'
        when u.resource_class is not null then 'what ' || some_of(u.actors) || ' may do to it is not known'
        else 'only administrators and special roles may endanger it'
    end as reason,
    {'dangers': c.map, 'not_known': u.actors[:50], 'action': c.action, 'importance': r.importance, 'owner': r.owner} as evidence
from critical_resources as r
left join classes as c on c.resource_class = r.resource_class
left join uncertain as u on u.resource_class = r.resource_class
