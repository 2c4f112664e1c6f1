/*
title = "No disk snapshot is shared with all AWS accounts"
severity = "critical"
tables = ["aws_ec2_snapshot"]
operations = ["DescribeSnapshotAttribute"]
frameworks = { fsbp = ["EC2.1"] }
remediation = "Take the permission away, and treat what is in the snapshot as published; block public sharing for the account."
command = "aws ec2 modify-snapshot-attribute --region {region} --snapshot-id {snapshot_id} --attribute createVolumePermission --operation-type remove --group-names all"
links = ["https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html"]
*/
select
    account_id,
    region,
    arn as resource_arn,
    public as failed,
    case when public then 'anybody with an AWS account may make a volume of it' when not public then 'not shared with everyone' end as reason,
    {'snapshot_id': snapshot_id, 'volume_id': volume_id, 'encrypted': encrypted} as evidence
from aws_ec2_snapshot
