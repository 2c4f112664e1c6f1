/*
title = "Functions are changed by those who always do"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Compare the function's code and layers with the repository, deploy the right ones, and ask who changed it. Code signing lets only signed packages in."
command = "aws lambda get-function --region {region} --function-name {function_name}"
links = ["https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html"]
*/
-- Code, and layers, which run before it. Names of operations carry the version of the API. A principal that changed functions
-- on three days before deploys them; from a place that it never did so from, it may be somebody else, unless its places always
-- change. What CloudFormation does is a deployment.
with calls as (
    select
        e.*,
        strftime(e.event_time, '%Y-%m-%d') as day,
        coalesce('AS' || a.asn, a.network, e.source_ip_address) as place,
        as_list(e.request_parameters -> '$.layers') as layers,
        -- The name, account:function:name or the ARN, each with or without a version.
        regexp_extract(coalesce(e.request_parameters ->> '$.functionName', e.denied_resource), '^(?:.*:?function:)?([^:]+)', 1) as function_name
    from events as e
    left join addresses as a on a.address = e.source_ip_address
    where e.event_source = 'lambda.amazonaws.com'
        and (starts_with(e.event_name, 'UpdateFunctionCode') or starts_with(e.event_name, 'UpdateFunctionConfiguration'))
        and not e.by_service and e.principal is not null
),
changes as (
    select *, starts_with(event_name, 'UpdateFunctionCode') as of_code
    from calls
    where of_code and coalesce(request_parameters ->> '$.dryRun', 'false') <> 'true'
        or len(layers) > 0
),
days as (
    select account_id, principal, day, place, bool_or(succeeded) as succeeded
    from changes
    group by all
),
habits as (
    select
        d.account_id, d.principal, d.day, d.place,
        count(distinct b.day) as days,
        count(distinct b.place) as places,
        count(b.day) filter (where b.place is not distinct from d.place) as from_there
    from days as d
    left join days as b on b.account_id = d.account_id and b.principal = d.principal and b.day < d.day and b.succeeded
    group by all
),
unusual as (
    select
        c.*,
        'arn:' || arn_partition(c.principal) || ':lambda:' || c.region || ':' || c.account_id || ':function:' || nullif(c.function_name, '') as arn
    from changes as c
    join habits as h
        on h.account_id = c.account_id and h.principal = c.principal and h.day = c.day and h.place is not distinct from c.place
    where not (h.days >= 3 and (h.from_there > 0 or h.places > 3))
)
select
    account_id,
    region,
    coalesce(arn, principal) as resource_arn,
    principal || ' ' || day as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'low' end as severity,
    case when bool_and(of_code) then 'the code' when bool_or(of_code) then 'code and layers' else 'the layers' end
        || ' of ' || coalesce(any_value(function_name), 'a function')
        || case when bool_or(succeeded) then ' changed ' else ' to be changed ' end || traced(call) as reason,
    {'trace': trace(call), 'function_name': any_value(function_name), 'layers': list_sort(list_distinct(flatten(list(layers))))[:10]} as evidence
from unusual
where not is_automation(principal)
group by account_id, region, coalesce(arn, principal), principal, day
having bool_or(judged)
