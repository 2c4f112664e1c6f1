/*
title = "Access Analyzer looks for access from outside in every region"
severity = "low"
tables = ["aws_accessanalyzer_analyzer"]
absence = true
frameworks = { "cis_v3.0" = ["1.20"], "cis_v5.0" = ["1.19"], fsbp = ["IAM.28"] }
remediation = "Make an analyzer for external access in every region; it costs nothing."
command = "aws accessanalyzer create-analyzer --region {region} --analyzer-name external --type ACCOUNT"
*/
with analyzers as (
    select account_id, region, bool_or(coalesce(status = 'ACTIVE' and type in ('ACCOUNT', 'ORGANIZATION'), false)) as active
    from aws_accessanalyzer_analyzer
    group by account_id, region
)
select
    c.account_id,
    c.region,
    a.arn as resource_arn,
    c.region as discriminator,
    not coalesce(z.active, false) as failed,
    case when z.active then 'an analyzer for external access in ' else 'no active analyzer for external access in ' end || c.region as reason,
    {'region': c.region} as evidence
from collected as c
join accounts as a on a.account_id = c.account_id
left join analyzers as z on z.account_id = c.account_id and z.region = c.region
where c.table_name = 'aws_accessanalyzer_analyzer'
