/*
title = "Records can be corrected within the hour"
severity = "high"
tables = ["aws_route53_hosted_zone", "aws_route53_record"]
remediation = "Lower the TTL of the records; what was cached before stays cached as long as the old TTL said."
command = "aws route53 change-resource-record-sets --hosted-zone-id {zone_id} --change-batch file://changes.json"
*/
with long_lived as (
    select account_id, arn, count(*) as records, max(ttl_seconds) as longest_seconds,
        list(distinct record_name || ' ' || record_type order by record_name || ' ' || record_type)[:10] as names
    from aws_route53_record
    where ttl_seconds > setting('dns_ttl_seconds')
        -- Delegations and the zone's own NS and SOA records are meant to last.
        and record_type not in ('NS', 'SOA', 'DS')
    group by account_id, arn
),
counted as (
    select account_id, arn, count(*) as records
    from aws_route53_record
    group by account_id, arn
)
select
    z.account_id,
    z.region,
    z.arn as resource_arn,
    case when l.arn is not null then true when z.record_count > 0 and n.arn is null then null else false end as failed,
    case
        when l.arn is not null then l.records || ' records are cached for up to ' || l.longest_seconds // 3600 || ' hours: ' || array_to_string(l.names, ', ')
        when z.record_count > 0 and n.arn is null then 'its records are not in the run'
        else 'no record is cached for long'
    end as reason,
    {'zone_id': arn_tail(z.zone_id), 'zone': z.zone_name, 'records': l.names, 'longest_seconds': l.longest_seconds} as evidence,
    case when not coalesce(i.critical, false) then 'medium' end as severity
from aws_route53_hosted_zone as z
left join long_lived as l on l.account_id = z.account_id and l.arn = z.arn
left join counted as n on n.account_id = z.account_id and n.arn = z.arn
left join resource_context as c on c.account_id = z.account_id and c.arn = z.arn
left join config_importance as i on i.level = c.importance
