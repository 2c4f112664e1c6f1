/*
title = "Buckets block public access"
severity = "high"
tables = ["aws_s3_bucket", "aws_s3control_account_public_access_block"]
operations = ["GetPublicAccessBlock"]
frameworks = { "cis_v3.0" = ["2.1.4"], "cis_v5.0" = ["2.1.4"], fsbp = ["S3.8"] }
remediation = "Switch on all four blocks, best for the whole account."
command = "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
*/
with account as (
    select account_id, bool_or(block_public_acls and ignore_public_acls and block_public_policy and restrict_public_buckets) as blocks
    from aws_s3control_account_public_access_block
    group by account_id
)
select
    b.account_id,
    b.region,
    b.arn as resource_arn,
    case when a.blocks then false else not (b.block_public_acls and b.ignore_public_acls and b.block_public_policy and b.restrict_public_buckets) end as failed,
    case
        when a.blocks then 'the account blocks public access'
        when b.block_public_acls and b.ignore_public_acls and b.block_public_policy and b.restrict_public_buckets then 'blocks public access'
        when not (b.block_public_acls and b.ignore_public_acls and b.block_public_policy and b.restrict_public_buckets) then 'does not block all public access'
    end as reason,
    {'bucket': b.bucket_name, 'block_public_acls': b.block_public_acls, 'ignore_public_acls': b.ignore_public_acls, 'block_public_policy': b.block_public_policy, 'restrict_public_buckets': b.restrict_public_buckets} as evidence
from aws_s3_bucket as b
left join account as a on a.account_id = b.account_id
