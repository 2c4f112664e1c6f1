/*
title = "Nobody works as root"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who holds root's credentials what this was for. What root did an administrator can do too; take root's access keys away and keep its password and MFA device locked up."
command = "aws iam get-account-summary --query 'SummaryMap.[AccountAccessKeysPresent,AccountMFAEnabled]'"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html"]
*/
-- Logins are root_login's. A session that the organization's management account assumed for a task (AssumeRoot) is root
-- too, with a fraction of its rights.
with calls as (
    select
        *,
        strftime(event_time, '%Y-%m-%d') as day,
        coalesce(user_identity ->> '$.sessionContext.assumedRoot' = 'true', false) as assumed
    from events
    where identity_type = 'Root' and not by_service and event_name <> 'ConsoleLogin' and principal is not null
)
select
    account_id,
    'global' as region,
    principal as resource_arn,
    case when assumed then 'assumed ' else '' end || day as discriminator,
    true as failed,
    case when assumed or not bool_or(succeeded) or bool_and(read_only is not distinct from true) then 'medium' else 'high' end as severity,
    case when assumed then 'a session of root that was assumed for a task' else 'root' end
        || ' called ' || array_to_string(list_sort(list(distinct event_name))[:5], ', ')
        || case when count(distinct event_name) > 5 then ' and ' || count(distinct event_name) - 5 || ' others' else '' end
        || ': ' || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct event_source || ':' || event_name))[:30]} as evidence
from calls
group by account_id, principal, assumed, day
having bool_or(judged)
