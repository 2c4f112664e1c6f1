/*
title = "Nobody deletes a hosted zone"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "If it was a mistake, create the zone again, restore its records (`analyze zones --export` writes them from an earlier run) and delegate the domain to the new name servers."
command = "aws route53 list-hosted-zones"
links = ["https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html"]
*/
-- The request of a denied call may not be recorded, nor the denial tell the zone: then it stands under who called.
with deletions as (
    select
        *,
        coalesce(
            'arn:' || arn_partition(principal) || ':route53:::hostedzone/' || regexp_extract(request_parameters ->> '$.id', '[^/]+$'),
            case when denied then coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:route53:::hostedzone/[A-Z0-9]+$'), ''), principal) end
        ) as arn
    from events
    where event_source = 'route53.amazonaws.com' and event_name = 'DeleteHostedZone' and not by_service
)
select
    d.account_id,
    'global' as region,
    d.arn as resource_arn,
    d.principal as discriminator,
    true as failed,
    case when bool_or(d.succeeded) then 'critical' else 'high' end as severity,
    case when d.arn = d.principal then 'a hosted zone' else 'the hosted zone ' || coalesce(any_value(z.name), arn_tail(d.arn)) end
        || case when bool_or(d.succeeded) then ' was deleted ' else ' was to be deleted ' end
        || traced(call) as reason,
    trace(call) as evidence
from deletions as d
left join (select account_id as owner_account, arn as zone_arn, any_value(name order by name) as name from known_resources group by all) as z
    on z.owner_account = d.account_id and z.zone_arn = d.arn
where d.arn is not null
group by d.account_id, d.arn, d.principal
having bool_or(d.judged)
