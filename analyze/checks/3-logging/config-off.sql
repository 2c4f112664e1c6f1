/*
title = "AWS Config records in every region"
severity = "medium"
tables = ["aws_config_configuration_recorder"]
absence = true
frameworks = { "cis_v3.0" = ["3.3"], "cis_v5.0" = ["3.3"], fsbp = ["Config.1"] }
remediation = "Make a recorder with a delivery channel in the region and start it; one region records the global resources."
command = "aws configservice start-configuration-recorder --region {region} --configuration-recorder-name default"
*/
with recorders as (
    select account_id, region, bool_or(coalesce(recording, false)) as recording, bool_or(recording is null) as unread
    from aws_config_configuration_recorder
    group by account_id, region
)
select
    c.account_id,
    c.region,
    a.arn as resource_arn,
    c.region as discriminator,
    case when r.recording then false when r.unread then null else true end as failed,
    case when r.recording then 'records' when r.unread then 'whether it records is not known' when r.account_id is not null then 'the recorder is stopped' else 'no recorder' end || ' in ' || c.region as reason,
    {'region': c.region} as evidence
from collected as c
join accounts as a on a.account_id = c.account_id
left join recorders as r on r.account_id = c.account_id and r.region = c.region
where c.table_name = 'aws_config_configuration_recorder'
