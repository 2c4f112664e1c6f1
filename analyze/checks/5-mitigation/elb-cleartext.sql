/*
title = "Load balancers speak TLS, or redirect to it"
severity = "medium"
tables = ["aws_elbv2_listener"]
frameworks = { fsbp = ["ELB.1"] }
remediation = "Let the listener redirect to HTTPS."
command = "aws elbv2 modify-listener --region {region} --listener-arn {resource_arn} --default-actions Type=redirect,RedirectConfig=..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    redirect_protocol is distinct from 'HTTPS' as failed,
    case when redirect_protocol is distinct from 'HTTPS' then 'plain HTTP on port ' || coalesce(port::varchar, 'unknown') || ' without a redirect' when not (redirect_protocol is distinct from 'HTTPS') then 'redirects to HTTPS' end as reason,
    {'port': port, 'load_balancer': load_balancer_arn} as evidence
from aws_elbv2_listener
where protocol = 'HTTP'
