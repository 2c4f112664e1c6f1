/*
title = "Listeners speak current TLS only"
severity = "medium"
tables = ["aws_elbv2_listener"]
frameworks = { fsbp = ["ELB.17"] }
remediation = "Set a policy with TLS 1.2 and 1.3."
command = "aws elbv2 modify-listener --region {region} --listener-arn {listener} --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06"
*/
with listeners as (
    select account_id, region, load_balancer_arn, arn, port, ssl_policy, not regexp_matches(ssl_policy, '(TLS13-1-[23]|TLS-1-2|FS-1-2|TLS12)') as failing
    from aws_elbv2_listener
    where protocol in ('HTTPS', 'TLS') or protocol is null
)
select
    account_id,
    region,
    load_balancer_arn as resource_arn,
    case when bool_or(coalesce(failing, false)) then true when bool_or(failing is null) then null else false end as failed,
    case
        when bool_or(coalesce(failing, false)) then 'outdated TLS is allowed by ' || string_agg(distinct ssl_policy, ', ' order by ssl_policy) filter (where failing)
        when not bool_or(failing is null) then 'current TLS only'
    end as reason,
    {'listeners': list(arn order by arn) filter (where failing), 'listener': min(arn) filter (where failing)} as evidence
from listeners
group by account_id, region, load_balancer_arn
