-- Accounts whose events go back less than baseline_days, as verdicts: what is new there is not known.
select
    account_id,
    'global' as region,
    root_arn as resource_arn,
    null::boolean as failed,
    'not known yet: the events of the account go back ' || date_diff('hour', first_time, last_time) // 24
        || ' days, and what is new shows after ' || setting('baseline_days') as reason
from histories
where span < to_days(setting('baseline_days'))
