/*
title = "Macie looks for personal data in buckets"
severity = "low"
tables = ["aws_macie2_session"]
absence = true
frameworks = { "cis_v3.0" = ["2.1.3"], "cis_v5.0" = ["2.1.3"], fsbp = ["Macie.1"] }
remediation = "Switch Macie on in the regions that hold buckets."
command = "aws macie2 enable-macie --region {region}"
*/
with sessions as (
    select account_id, region, bool_or(coalesce(enabled and coalesce(status, 'ENABLED') = 'ENABLED', false)) as enabled, bool_or(enabled is null) as unread
    from aws_macie2_session
    group by account_id, region
)
select
    c.account_id,
    c.region,
    a.arn as resource_arn,
    c.region as discriminator,
    case when s.enabled then false when s.unread then null else true end as failed,
    case when s.enabled then 'on' when s.unread then 'its status is not known' else 'off' end || ' in ' || c.region as reason,
    {'region': c.region} as evidence
from collected as c
join accounts as a on a.account_id = c.account_id
left join sessions as s on s.account_id = c.account_id and s.region = c.region
where c.table_name = 'aws_macie2_session'
