/*
title = "CloudTrail's signatures prove the whole log"
severity = "high"
kind = "detection"
needs = "verification"
tables = ["cloudtrail_verification"]
remediation = "Find out who could write to the trail's bucket at that time, compare with a copy if there is one, and keep the bucket's objects from being changed with Object Lock. Hours without digests come of a trail that was stopped or that does not sign: switch on log file validation."
command = "aws cloudtrail validate-logs --trail-arn <trail> --start-time <time> --account-id {account_id}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html"]
*/
with problems as (
    select
        account_id,
        coalesce(region, 'global') as region,
        kind,
        status,
        count(*) as amount,
        min(starts_at) as first_time,
        max(coalesce(ends_at, starts_at)) as last_time,
        min(coalesce(source_key, starts_at || ' to ' || ends_at)) as example
    from cloudtrail_verification
    where account_id is not null and status in ('changed', 'missing', 'unproven')
    group by all
)
select
    account_id,
    region,
    'arn:aws:iam::' || account_id || ':root' as resource_arn,
    region || ' ' || kind || ' ' || status as discriminator,
    true as failed,
    case when status = 'unproven' then 'medium' else 'critical' end as severity,
    amount || case kind
        when 'log' then ' log objects of the trail are '
        when 'digest' then ' digests of the trail are '
        else ' stretches of time of the trail are '
    end || status || ' in ' || region || ', such as ' || example as reason,
    {'kind': kind, 'status': status, 'amount': amount, 'first_time': first_time, 'last_time': last_time, 'example': example} as evidence
from problems
union all by name
-- Silence proves nothing: an account whose log nobody verified is open.
select
    c.account_id,
    'global' as region,
    'arn:aws:iam::' || c.account_id || ':root' as resource_arn,
    'not verified' as discriminator,
    null::boolean as failed,
    'the trail was not verified: `collect cloudtrail --verify` does' as reason
from event_coverage as c
where not exists (from cloudtrail_verification as v where v.account_id = c.account_id)
