/*
title = "Domains are locked and renew themselves"
severity = "high"
tables = ["aws_route53domains_domain"]
remediation = "Switch on the transfer lock and automatic renewal."
command = "aws route53domains enable-domain-transfer-lock --region us-east-1 --domain-name {domain_name}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not (transfer_lock and auto_renew) as failed,
    case when not (transfer_lock and auto_renew) then 'transfer lock ' || case when transfer_lock then 'on' else 'off' end || ', renewal ' || case when auto_renew then 'on' else 'off' end when not (not (transfer_lock and auto_renew)) then 'locked, and renews itself' end as reason,
    {'domain_name': domain_name, 'expires_at': expires_at} as evidence
from aws_route53domains_domain
