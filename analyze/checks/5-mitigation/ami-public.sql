/*
title = "No machine image is open to all AWS accounts"
severity = "critical"
tables = ["aws_ec2_image"]
remediation = "Take the permission away and name the accounts that need the image; what it holds has been published, so change the secrets in it."
command = "aws ec2 modify-image-attribute --region {region} --image-id {image_id} --attribute launchPermission --operation-type remove --user-groups all"
links = ["https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html"]
*/
select
    account_id,
    region,
    arn as resource_arn,
    public as failed,
    case when public then 'all AWS accounts may start it and read its disks' when not public then 'not open to everyone' end as reason,
    {'image_id': image_id, 'image_name': image_name, 'snapshot_ids': snapshot_ids} as evidence
from aws_ec2_image
-- An image that is gone or failed can't be started by anybody.
where state is null or state not in ('deregistered', 'failed', 'error', 'invalid')
