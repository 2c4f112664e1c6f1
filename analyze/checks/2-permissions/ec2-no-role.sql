/*
title = "Instances have a role instead of keys"
severity = "medium"
tables = ["aws_ec2_instance"]
frameworks = { "cis_v3.0" = ["1.18"], "cis_v5.0" = ["1.17"] }
remediation = "Attach an instance profile with a role that allows what the instance needs; that also lets Systems Manager in."
command = "aws ec2 associate-iam-instance-profile --instance-id {instance_id} --iam-instance-profile Name=..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    iam_instance_profile_arn is null as failed,
    case when iam_instance_profile_arn is null then 'no instance profile' else 'has an instance profile' end as reason,
    {'instance_id': instance_id, 'instance_profile': iam_instance_profile_arn} as evidence
from aws_ec2_instance
where state is distinct from 'terminated' and state is distinct from 'shutting-down'
