/*
title = "Models are called by those who always do"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who calls them; stolen credentials are resold for this, at the account's expense. Take the credential out of use and look at the bill; a policy can deny bedrock:InvokeModel where no model is used."
command = "aws bedrock get-model-invocation-logging-configuration --region {region}"
links = ["https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html"]
*/
-- Half as many calls within an hour of a day before are a habit. At the beginning of an account's history nothing has a day
-- before; there three other days are.
with invocations as (
    select *, strftime(event_time, '%Y-%m-%d') as day, arn_tail(request_parameters ->> '$.modelId') as model
    from events
    where event_source in (values ('bedrock.amazonaws.com'), ('bedrock-runtime.amazonaws.com'))
        and event_name in (values ('InvokeModel'), ('InvokeModelWithResponseStream'), ('InvokeModelWithBidirectionalStream'), ('Converse'), ('ConverseStream'))
        and not by_service and principal is not null
),
windows as (
    select
        account_id, principal, day,
        count(*) over (
            partition by account_id, principal order by event_time range between interval 1 hour preceding and current row
        ) as in_window
    from invocations
),
days as (
    select account_id, principal, day, max(in_window) as peak
    from windows
    group by all
),
habits as (
    select
        *,
        max(peak) over (partition by account_id, principal order by day rows between unbounded preceding and 1 preceding) as before,
        count(*) filter (where peak * 2 >= setting('model_calls')) over (partition by account_id, principal) as days
    from days
),
bursts as (
    select i.*, b.peak
    from habits as b
    join histories as h on h.account_id = b.account_id
    join invocations as i on i.account_id = b.account_id and i.principal = b.principal and i.day = b.day
    where b.peak >= setting('model_calls') and (b.before is null or b.before * 2 < b.peak)
        and not (b.days > 3 and b.day < strftime(h.first_time + to_days(setting('baseline_days')), '%Y-%m-%d'))
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    principal as resource_arn,
    day as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'low' end as severity,
    'models were ' || case when bool_or(succeeded) then 'called ' else 'to be called ' end
        || any_value(peak) || ' times within an hour, ' || traced(call) as reason,
    {'trace': trace(call), 'models': list_sort(list(distinct model))[:20]} as evidence
from bursts
where not is_automation(principal)
group by account_id, principal, day
having bool_or(judged)
