/*
title = "Few may destroy a critical resource"
severity = "medium"
tables = ["aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "resources"]
remediation = "Take the permission from whoever no longer needs it: one special role that a few may assume is enough. limits.danger_principals sets how many are few."
command = "aws iam list-entities-for-policy --policy-arn {policy_arn}"
*/
-- Whoever is somebody of its own counts once: a user with all its roles, each role that only a service or an identity provider
-- gives to somebody, an account. Administrators may destroy everything: they are counted for the account.
with actors as (
    select resource_class, acting_arn, bool_or(is_certain) as is_certain
    from class_actors
    where kind = 'destroy' and is_admin is distinct from true
    group by resource_class, acting_arn
),
classes as (
    select
        resource_class, count(*) filter (where is_certain) as certain, count(*) as possible,
        list_sort(list(actor_label(acting_arn)) filter (where is_certain)) as actors
    from actors
    group by resource_class
),
granted as (
    select g.resource_class, g.principal_class, g.action, g.statements
    from critical_grants as g
    where g.kind = 'destroy' and g.verdict <> 'unknown' and g.principal_class in (select principal_class from access_paths where is_admin is distinct from true)
),
actions as (
    select resource_class, list(distinct action order by action) as actions
    from granted
    group by resource_class
),
-- The policy by which most have it.
widest as (
    select resource_class, policy
    from (select resource_class, principal_class, regexp_replace(unnest(statements), '#[0-9]+$', '') as policy from granted)
    where contains(policy, ':policy/')
    group by resource_class, policy
    qualify row_number() over (partition by resource_class order by count(distinct principal_class) desc, policy) = 1
),
administrators as (
    select
        account_id,
        list_sort(list(distinct actor_label(acting_arn)) filter (where is_admin)) as actors,
        count(distinct acting_arn) as possible
    from (select account_id, is_admin, case when actor_kind in ('service', 'federated') then path[1] else actor_arn end as acting_arn from access_paths where is_admin is distinct from false)
    group by account_id
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when c.certain > setting('danger_principals') then true when c.possible > setting('danger_principals') then null else false end as failed,
    case
        when c.resource_class is null then 'nobody but administrators may destroy it'
        when c.certain <= setting('danger_principals') and c.possible > setting('danger_principals') then 'between ' || c.certain || ' and ' || c.possible || ' may destroy it: some policies could not be read'
        when c.certain = 0 then 'nobody but administrators may destroy it for certain'
        else some_of(c.actors) || ' may destroy it: ' || some_of(k.actions)
    end as reason,
    {'count': c.certain, 'actors': c.actors[:50], 'actions': k.actions, 'policy_arn': w.policy, 'limit': setting('danger_principals'), 'importance': r.importance} as evidence
from critical_resources as r
left join classes as c on c.resource_class = r.resource_class
left join actions as k on k.resource_class = r.resource_class
left join widest as w on w.resource_class = r.resource_class
union all by name
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when len(d.actors) > setting('danger_principals') then true when d.possible > setting('danger_principals') then null else false end as failed,
    case
        when len(d.actors) > setting('danger_principals') or d.possible <= setting('danger_principals') and len(d.actors) > 0 then some_of(d.actors) || ' may become administrator and destroy everything'
        when d.possible > setting('danger_principals') then 'between ' || coalesce(len(d.actors), 0) || ' and ' || d.possible || ' may become administrator: some policies could not be read'
        else 'no user or role is an administrator'
    end as reason,
    {'count': len(d.actors), 'actors': d.actors[:50], 'limit': setting('danger_principals')} as evidence
from accounts as a
left join administrators as d on d.account_id = a.account_id
