/*
title = "Volumes are encrypted"
severity = "high"
tables = ["aws_ec2_volume"]
frameworks = { fsbp = ["EC2.3"] }
remediation = "Copy the volume's snapshot with encryption, make a volume of it, and exchange the two; switch on encryption by default."
command = "aws ec2 create-snapshot --region {region} --volume-id {volume_id}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not encrypted as failed,
    case when not encrypted then 'not encrypted' when not (not encrypted) then 'encrypted' end as reason,
    {'volume_id': volume_id} as evidence
from aws_ec2_volume
