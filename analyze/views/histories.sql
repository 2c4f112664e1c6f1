-- How far back the events of each account go; findings about the account itself stand under `root_arn`.
select
    c.account_id,
    coalesce(a.arn, 'arn:aws:iam::' || c.account_id || ':root') as root_arn,
    c.first_time,
    c.last_time,
    c.last_time - c.first_time as span
from event_coverage as c
left join accounts as a on a.account_id = c.account_id
