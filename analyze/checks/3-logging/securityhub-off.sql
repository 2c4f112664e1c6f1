/*
title = "Security Hub gathers findings in every region"
severity = "medium"
tables = ["aws_securityhub_hub"]
absence = true
frameworks = { "cis_v3.0" = ["4.16"], "cis_v5.0" = ["4.16"] }
remediation = "Switch Security Hub on in the regions you use, and send their findings to one."
command = "aws securityhub enable-security-hub --region {region}"
*/
with hubs as (
    select account_id, region, bool_or(coalesce(enabled, false)) as enabled, bool_or(enabled is null) as unread
    from aws_securityhub_hub
    group by account_id, region
)
select
    c.account_id,
    c.region,
    a.arn as resource_arn,
    c.region as discriminator,
    case when h.enabled then false when h.unread then null else true end as failed,
    case when h.enabled then 'on' when h.unread then 'its status is not known' else 'off' end || ' in ' || c.region as reason,
    {'region': c.region} as evidence
from collected as c
join accounts as a on a.account_id = c.account_id
left join hubs as h on h.account_id = c.account_id and h.region = c.region
where c.table_name = 'aws_securityhub_hub'
