/*
title = "Buckets refuse plain HTTP"
severity = "medium"
tables = ["aws_s3_bucket"]
operations = ["GetBucketPolicy"]
frameworks = { "cis_v3.0" = ["2.1.1"], "cis_v5.0" = ["2.1.1"], fsbp = ["S3.5"] }
remediation = "Add a statement to the bucket policy that denies s3:* to everyone when aws:SecureTransport is false."
command = "aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json"
*/
with statements as (
    select account_id, arn, unnest(as_objects(as_document(policy) -> '$.Statement')) as statement
    from aws_s3_bucket
),
denied as (
    select distinct account_id, arn
    from statements
    where statement ->> '$.Effect' = 'Deny'
        and (statement ->> '$.Principal' = '*' or list_contains(as_list(statement -> '$.Principal.AWS'), '*'))
        and list_has_any(as_list(statement -> '$.Action'), ['s3:*', '*'])
        and lower(coalesce(statement ->> '$.Condition.Bool."aws:SecureTransport"', statement ->> '$.Condition.Bool."aws:securetransport"')) = 'false'
)
select
    b.account_id,
    b.region,
    b.arn as resource_arn,
    case
        when d.arn is not null then false
        when not b.has_policy then true
        when as_document(b.policy) is not null then true
    end as failed,
    case
        when d.arn is not null then 'its policy denies HTTP'
        when not b.has_policy then 'it has no policy'
        when as_document(b.policy) is not null then 'its policy does not deny HTTP'
    end as reason,
    {'bucket': b.bucket_name, 'has_policy': b.has_policy} as evidence
from aws_s3_bucket as b
left join denied as d on d.account_id = b.account_id and d.arn = b.arn
