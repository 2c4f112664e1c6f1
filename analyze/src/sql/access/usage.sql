-- What principals did, as actions. Where the lake has no events of an account, IAM's note of when a role was last used stands in.
insert into usage by name
select
    a.account_id, a.principal as principal_arn, m.action, a.event_source, a.event_name, m.mapping,
    sum(a.calls - a.denied) as calls, sum(a.denied) as denied,
    max(a.last_seen) filter (where a.calls > a.denied) as last_used, 'cloudtrail' as source
from activity as a
join event_actions as m on m.event_source = a.event_source and m.event_name = a.event_name
group by all
union all by name
select
    account_id, arn as principal_arn, null as action, null as event_source, null as event_name, 'unmapped' as mapping,
    null as calls, null as denied, last_used_at as last_used, 'role_last_used' as source
from aws_iam_role
where last_used_at is not null and account_id not in (select account_id from activity where account_id is not null)
order by all
