-- Each hosted zone as the change batch that rebuilds its records. Null: its records were not collected.
with unreadable as (
    select account_id, resource_arn
    from gaps
    where table_name = 'aws_route53_record' or table_name is null
),
records as (
    select
        account_id, arn,
        -- What a traffic policy made is restored as a plain record.
        case when config ->> '$.TrafficPolicyInstanceId' is null then config else json_merge_patch(config, '{"TrafficPolicyInstanceId": null}') end as record_set,
        json_object('Action', 'UPSERT', 'ResourceRecordSet', record_set) as change,
        case
            when record_type in ('NS', 'SOA') and lower(record_name) = lower(zone_name) then 'made by Route 53'
            when regexp_matches(config::varchar, 'secret:sha256:[0-9a-f]{12}:len=') then 'concealed'
            else 'kept'
        end as part,
        record_name, record_type, set_identifier
    from aws_route53_record
),
batches as (
    select
        account_id, arn,
        count(*) filter (where part = 'kept') as records,
        count(*) filter (where part = 'made by Route 53') as left_out,
        coalesce(list(record_name || ' ' || record_type order by record_name, record_type, set_identifier) filter (where part = 'concealed'), []) as concealed,
        coalesce(list(change order by record_name, record_type, set_identifier) filter (where part = 'kept'), []) as changes
    from records
    group by account_id, arn
)
select
    z.account_id,
    z.arn,
    arn_tail(z.zone_id) as zone_id,
    z.zone_name as name,
    coalesce(b.records, 0) as records,
    coalesce(b.left_out, 0) as left_out,
    coalesce(b.concealed, []) as concealed,
    case
        when u.account_id is null then json_object('Comment', 'records of ' || z.zone_name || ' as of ' || strftime(as_of(), '%Y-%m-%dT%H:%M:%SZ'), 'Changes', to_json(coalesce(b.changes, [])))
    end as change_batch
from aws_route53_hosted_zone as z
left join batches as b on b.account_id = z.account_id and b.arn = z.arn
left join (select distinct account_id, resource_arn from unreadable) as u on u.account_id = z.account_id and (u.resource_arn is null or u.resource_arn = z.arn)
order by z.account_id, z.arn
