/*
title = "Load balancers speak TLS, or redirect to it"
severity = "medium"
tables = ["aws_elbv2_listener"]
frameworks = { fsbp = ["ELB.1"] }
remediation = "Let the listener redirect to HTTPS."
command = "aws elbv2 modify-listener --region {region} --listener-arn {listener} --default-actions Type=redirect,RedirectConfig=..."
*/
with listeners as (
    select account_id, region, load_balancer_arn, arn, port, protocol, protocol = 'HTTP' and redirect_protocol is distinct from 'HTTPS' as failing
    from aws_elbv2_listener
    where load_balancer_type is distinct from 'network' and load_balancer_type is distinct from 'gateway'
)
select
    account_id,
    region,
    load_balancer_arn as resource_arn,
    case when bool_or(coalesce(failing, false)) then true when bool_or(failing is null) then null else false end as failed,
    case
        when bool_or(coalesce(failing, false)) then 'plain HTTP without a redirect on port ' || string_agg(port::varchar, ', ' order by port) filter (where failing)
        when not bool_or(failing is null) then 'plain HTTP is redirected or not spoken'
    end as reason,
    {'listeners': list(arn order by arn) filter (where failing), 'listener': min(arn) filter (where failing)} as evidence
from listeners
group by account_id, region, load_balancer_arn
