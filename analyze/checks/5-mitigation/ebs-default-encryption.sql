/*
title = "New volumes are encrypted in every region"
severity = "high"
tables = ["aws_ec2_ebs_default"]
frameworks = { "cis_v3.0" = ["2.2.1"], "cis_v5.0" = ["5.1.1"], fsbp = ["EC2.7"] }
remediation = "Switch on encryption by default in every region."
command = "aws ec2 enable-ebs-encryption-by-default --region {region}"
*/
select
    d.account_id,
    d.region,
    a.arn as resource_arn,
    d.region as discriminator,
    not d.ebs_encryption_by_default as failed,
    case when d.ebs_encryption_by_default then 'new volumes are encrypted in ' else 'EBS encryption by default is off in ' end || d.region as reason,
    {'region': d.region} as evidence
from aws_ec2_ebs_default as d
join accounts as a on a.account_id = d.account_id
