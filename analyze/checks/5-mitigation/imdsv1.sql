/*
title = "Instances hand out credentials through IMDSv2 only"
severity = "high"
tables = ["aws_ec2_instance"]
frameworks = { "cis_v3.0" = ["5.6"], "cis_v5.0" = ["5.7"], fsbp = ["EC2.8"] }
remediation = "Require tokens of the metadata service, and make that the default of the account."
command = "aws ec2 modify-instance-metadata-options --region {region} --instance-id {instance_id} --http-tokens required"
*/
select
    account_id,
    region,
    arn as resource_arn,
    case when metadata_http_endpoint = 'disabled' then false else metadata_http_tokens <> 'required' end as failed,
    case
        when metadata_http_endpoint = 'disabled' then 'the metadata service is off'
        when metadata_http_tokens = 'required' then 'tokens are required'
        when metadata_http_tokens is not null then 'tokens are ' || metadata_http_tokens
    end as reason,
    {'instance_id': instance_id, 'http_tokens': metadata_http_tokens} as evidence
from aws_ec2_instance
where state is distinct from 'terminated'
