/*
title = "Certificates are renewed in time"
severity = "high"
tables = ["aws_acm_certificate"]
frameworks = { fsbp = ["ACM.1"] }
remediation = "Renew it, or validate it by DNS, so that it renews itself."
command = "aws acm renew-certificate --region {region} --certificate-arn {resource_arn}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not_after < as_of() + to_days(setting('certificate_days')::integer) as failed,
    case when not_after < as_of() + to_days(setting('certificate_days')::integer) then 'ends on ' || strftime(not_after, '%Y-%m-%d') when not (not_after < as_of() + to_days(setting('certificate_days')::integer)) then 'valid until ' || strftime(not_after, '%Y-%m-%d') end as reason,
    {'domain_name': domain_name, 'not_after': not_after, 'renewal_status': renewal_status} as evidence
from aws_acm_certificate
where status is null or status in ('ISSUED', 'EXPIRED')
