/*
title = "Nobody outside reads the trail's bucket"
severity = "critical"
tables = ["aws_s3_bucket", "resources", "aws_cloudtrail_trail", "aws_s3control_account_public_access_block"]
operations = ["GetBucketPolicyStatus", "GetBucketAcl", "GetPublicAccessBlock", "GetBucketOwnershipControls", "GetTrailStatus"]
frameworks = { fsbp = ["CloudTrail.6"] }
remediation = "Block public access to the bucket, then look for who read it."
command = "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
*/
select
    b.account_id,
    b.region,
    b.arn as resource_arn,
    a.public_by_policy or a.public_by_acl as failed,
    case
        when a.public_by_policy then 'its policy lets everyone in'
        when a.public_by_acl then 'its access control list lets everyone in'
        when not (a.public_by_policy or a.public_by_acl) then 'not public'
    end as reason,
    {'bucket': b.bucket_name} as evidence
from trail_buckets as b
join bucket_access as a on a.account_id = b.account_id and a.arn = b.arn
