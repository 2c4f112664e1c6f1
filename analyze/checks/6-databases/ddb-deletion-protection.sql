/*
title = "Tables are protected from deletion"
severity = "medium"
tables = ["aws_dynamodb_table"]
frameworks = { fsbp = ["DynamoDB.6"] }
remediation = "Switch on deletion protection."
command = "aws dynamodb update-table --region {region} --table-name {table_name} --deletion-protection-enabled"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not deletion_protection as failed,
    case when not deletion_protection then 'deletion protection is off' when not (not deletion_protection) then 'deletion protection is on' end as reason,
    {'table_name': table_name} as evidence
from aws_dynamodb_table
