/*
title = "Listeners speak current TLS only"
severity = "medium"
tables = ["aws_elbv2_listener"]
frameworks = { fsbp = ["ELB.17"] }
remediation = "Set a policy with TLS 1.2 and 1.3."
command = "aws elbv2 modify-listener --region {region} --listener-arn {resource_arn} --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not regexp_matches(ssl_policy, '(TLS13-1-[23]|TLS-1-2|FS-1-2|TLS12)') as failed,
    case when not regexp_matches(ssl_policy, '(TLS13-1-[23]|TLS-1-2|FS-1-2|TLS12)') then 'its policy ' || ssl_policy || ' allows outdated TLS' when not (not regexp_matches(ssl_policy, '(TLS13-1-[23]|TLS-1-2|FS-1-2|TLS12)')) then 'its policy is ' || ssl_policy end as reason,
    {'ssl_policy': ssl_policy, 'port': port, 'load_balancer': load_balancer_arn} as evidence
from aws_elbv2_listener
where protocol in ('HTTPS', 'TLS') or protocol is null
