/*
title = "Records that share traffic watch the health of their targets"
severity = "medium"
tables = ["aws_route53_hosted_zone", "aws_route53_record"]
remediation = "Give each record a health check, or evaluate the target's health where it is an alias."
command = "aws route53 change-resource-record-sets --hosted-zone-id {zone_id} --change-batch file://changes.json"
*/
with shared as (
    select
        account_id, arn, record_name, record_type,
        health_check_id is not null or coalesce(alias_evaluate_target_health, false) as watched
    from aws_route53_record
    where failover is not null or weight is not null or latency_region is not null or multi_value_answer
),
by_zone as (
    select account_id, arn, count(*) as shared, list(distinct record_name || ' ' || record_type order by record_name || ' ' || record_type) filter (where not watched) as unwatched
    from shared
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
    case when len(b.unwatched) > 0 then true when z.record_count > 0 and n.arn is null then null else false end as failed,
    case
        when len(b.unwatched) > 0 then 'without a health check: ' || array_to_string(b.unwatched[:10], ', ')
        when z.record_count > 0 and n.arn is null then 'its records are not in the run'
        when b.shared > 0 then 'the health of all targets is watched'
        else 'no record shares traffic'
    end as reason,
    {'zone_id': arn_tail(z.zone_id), 'zone': z.zone_name, 'records': b.unwatched} as evidence
from aws_route53_hosted_zone as z
left join by_zone as b on b.account_id = z.account_id and b.arn = z.arn
left join counted as n on n.account_id = z.account_id and n.arn = z.arn
