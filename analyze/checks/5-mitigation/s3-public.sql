/*
title = "No bucket is open to everyone"
severity = "critical"
tables = ["aws_s3_bucket", "resources", "aws_s3control_account_public_access_block"]
operations = ["GetBucketPolicyStatus", "GetBucketAcl", "GetPublicAccessBlock", "GetBucketOwnershipControls"]
frameworks = { fsbp = ["S3.2", "S3.3"] }
remediation = "Block public access; serve what is meant for everyone through CloudFront."
command = "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
*/
select
    account_id,
    region,
    arn as resource_arn,
    public_by_policy or public_by_acl as failed,
    case
        when public_by_policy then 'its policy lets everyone in'
        when public_by_acl then 'its access control list lets everyone in'
        when not (public_by_policy or public_by_acl) then 'not open to everyone'
    end as reason,
    {'bucket': bucket_name, 'by_policy': public_by_policy, 'by_acl': public_by_acl} as evidence
from bucket_access
