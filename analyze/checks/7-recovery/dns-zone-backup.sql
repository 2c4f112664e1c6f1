/*
title = "An earlier run holds each zone as it is now"
severity = "high"
tables = ["aws_route53_hosted_zone", "aws_route53_record"]
remediation = "Collect regularly into the same lake, and export the zones: `analyze zones --export DIR` writes the change batches that restore them."
command = "aws route53 change-resource-record-sets --hosted-zone-id {zone_id} --change-batch file://{zone_id}.json"
*/
with now as (
    select b.account_id, b.arn, b.change_batch is not null as known, md5((b.change_batch -> '$.Changes')::varchar) as content, b.records, coalesce(len(b.concealed), 0) as concealed
    from zone_backups as b
),
before as (
    select account_id, arn, md5((change_batch -> '$.Changes')::varchar) as content, run
    from previous_zone_backups
    where change_batch is not null
)
select
    z.account_id,
    z.region,
    z.arn as resource_arn,
    case when n.known then b.content is distinct from n.content or n.concealed > 0 end as failed,
    case
        when not coalesce(n.known, false) then 'its records could not be read'
        when b.arn is null then 'no earlier run holds the zone: its ' || n.records || ' records could only be typed in from memory'
        when n.concealed > 0 then n.concealed || ' of its records hold what looks like a secret, which no run keeps'
        when b.content = n.content then 'run ' || b.run || ' holds the same records'
        else 'changed since run ' || b.run
    end as reason,
    {'zone_id': arn_tail(z.zone_id), 'zone': z.zone_name, 'records': n.records, 'backup_run': b.run, 'backup_table': 'zone_backups'} as evidence,
    case when not coalesce(i.critical, false) then 'medium' end as severity
from aws_route53_hosted_zone as z
left join now as n on n.account_id = z.account_id and n.arn = z.arn
left join before as b on b.account_id = z.account_id and b.arn = z.arn
left join resource_context as c on c.account_id = z.account_id and c.arn = z.arn
left join config_importance as i on i.level = c.importance
