-- What principals did, as actions. Where the lake has no events of an account, what IAM keeps stands in: when a principal last used
-- a service, and some of its actions; when a role was last used.
insert into usage by name
with of_service as (
    select account_id, principal_arn, service_namespace, last_accessed_at, actions
    from aws_iam_service_last_accessed
    where last_accessed_at is not null and account_id not in (select account_id from activity where account_id is not null)
), of_action as (
    select account_id, principal_arn, service_namespace, unnest(from_json(actions, '[{"ActionName": "VARCHAR", "LastAccessedTime": "VARCHAR"}]')) as one
    from of_service
)
select
    a.account_id, a.principal as principal_arn, m.action, split_part(m.action, ':', 1) as service, a.event_source, a.event_name, m.mapping,
    sum(a.calls - a.denied) as calls, sum(a.denied) as denied,
    max(a.last_seen) filter (where a.calls > a.denied) as last_used, 'cloudtrail' as source
from activity as a
join event_actions as m on m.event_source = a.event_source and m.event_name = a.event_name
group by all
union all by name
select
    account_id, principal_arn, service_namespace || ':' || one.ActionName as action, service_namespace as service, 'mapped' as mapping,
    make_timestamp(epoch_us(try_cast(one.LastAccessedTime as timestamptz))) as last_used, 'service_last_accessed' as source
from of_action
where one.ActionName is not null and one.LastAccessedTime is not null
union all by name
select
    account_id, principal_arn, service_namespace as service, 'unmapped' as mapping, last_accessed_at as last_used,
    'service_last_accessed' as source
from of_service
union all by name
select account_id, arn as principal_arn, 'unmapped' as mapping, last_used_at as last_used, 'role_last_used' as source
from aws_iam_role
where last_used_at is not null and account_id not in (select account_id from activity where account_id is not null)
order by all
