-- A detection returns what it found; where it found nothing, that was judged too.
insert into verdicts by name
select
    ? as check_id,
    c.account_id,
    'global' as region,
    coalesce(a.arn, 'arn:aws:iam::' || c.account_id || ':root') as resource_arn,
    false as failed,
    'nothing of the kind among the events from ' || strftime(coalesce((select max(moment) from judged_from), c.first_time), '%Y-%m-%d %H:%M')
        || ' to ' || strftime(c.last_time, '%Y-%m-%d %H:%M') as reason,
    to_json({'events': c.events, 'from': c.first_time, 'to': c.last_time}) as evidence
from event_coverage as c
left join accounts as a on a.account_id = c.account_id
anti join (select account_id from verdicts where check_id = $1 and failed is not false) as v on v.account_id = c.account_id
