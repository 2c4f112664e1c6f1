/*
title = "The account blocks public buckets"
severity = "high"
tables = ["aws_s3control_account_public_access_block"]
absence = true
frameworks = { "cis_v3.0" = ["2.1.4"], "cis_v5.0" = ["2.1.4"], fsbp = ["S3.1"] }
remediation = "Switch on all four blocks for the account; serve public files through CloudFront."
command = "aws s3control put-public-access-block --account-id {account_id} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
*/
with blocks as (
    select account_id, bool_and(block_public_acls and ignore_public_acls and block_public_policy and restrict_public_buckets) as blocks, count(*) as answers
    from aws_s3control_account_public_access_block
    group by account_id
)
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when b.answers is null then true else not b.blocks end as failed,
    case when b.blocks then 'the account blocks public access' when b.answers is null or not b.blocks then 'the account does not block all public access' end as reason,
    {'blocks': b.blocks} as evidence
from accounts as a
left join blocks as b on b.account_id = a.account_id
