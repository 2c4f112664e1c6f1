/*
title = "GuardDuty watches every region"
severity = "high"
tables = ["aws_guardduty_detector"]
absence = true
frameworks = { fsbp = ["GuardDuty.1"] }
remediation = "Switch GuardDuty on in every region, also in those you don't use: that is where intruders work."
command = "aws guardduty create-detector --region {region} --enable"
*/
with detectors as (
    select account_id, region, bool_or(coalesce(status = 'ENABLED', false)) as enabled, bool_or(status is null) as unread
    from aws_guardduty_detector
    group by account_id, region
)
select
    c.account_id,
    c.region,
    a.arn as resource_arn,
    c.region as discriminator,
    case when d.enabled then false when d.unread then null else true end as failed,
    case when d.enabled then 'on' when d.unread then 'its status is not known' when d.account_id is not null then 'suspended' else 'off' end || ' in ' || c.region as reason,
    {'region': c.region} as evidence
from collected as c
join accounts as a on a.account_id = c.account_id
left join detectors as d on d.account_id = c.account_id and d.region = c.region
where c.table_name = 'aws_guardduty_detector'
