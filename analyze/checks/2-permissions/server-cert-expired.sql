/*
title = "No expired certificate is kept in IAM"
severity = "high"
tables = ["aws_iam_server_certificate"]
frameworks = { "cis_v3.0" = ["1.19"], "cis_v5.0" = ["1.18"], fsbp = ["IAM.26"] }
remediation = "Move to a certificate of Certificate Manager, and delete this one."
command = "aws iam delete-server-certificate --server-certificate-name {name}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    expires_at < as_of() as failed,
    case when expires_at < as_of() then 'expired on ' else 'valid until ' end || strftime(expires_at, '%Y-%m-%d') as reason,
    {'name': server_certificate_name, 'expires_at': expires_at} as evidence
from aws_iam_server_certificate
