/*
title = "Nobody gives a domain away"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Cancel the transfer, lock the domain again, check its name servers and contacts, and call AWS Support when the domain has left: hours count."
command = "aws route53domains {operation} --region us-east-1 --domain-name {domain_name}"
links = ["https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/domain-transfer-between-aws-accounts.html", "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/domain-lock.html"]
*/
with calls as (
    select
        *,
        lower(coalesce(request_parameters ->> '$.domainName', request_parameters ->> '$.DomainName')) as domain_name,
        case event_name
            when 'TransferDomainToAnotherAwsAccount' then 'handed to account ' || coalesce(request_parameters ->> '$.accountId', 'not known')
            when 'PushDomain' then 'pushed to another registrar'
            when 'DeleteDomain' then 'deleted'
            when 'RetrieveDomainAuthCode' then 'opened for a transfer by its authorization code'
            when 'DisableDomainTransferLock' then 'unlocked for transfers'
            when 'UpdateDomainNameservers' then 'led to other name servers'
            when 'DisableDomainAutoRenew' then 'left to expire'
        end as deed
    from events
    where event_source = 'route53domains.amazonaws.com'
        and event_name in (values
            ('TransferDomainToAnotherAwsAccount'), ('PushDomain'), ('DeleteDomain'), ('RetrieveDomainAuthCode'), ('DisableDomainTransferLock'), ('UpdateDomainNameservers'), ('DisableDomainAutoRenew'),
            ('EnableDomainTransferLock'), ('EnableDomainAutoRenew'), ('CancelDomainTransferToAnotherAwsAccount')
        )
        and not by_service and (succeeded or denied)
),
marked as (
    select
        *,
        -- What undoes a call, within the day.
        case event_name
            when 'TransferDomainToAnotherAwsAccount' then min(case when event_name = 'CancelDomainTransferToAnotherAwsAccount' and succeeded then event_time end) over day_after
            when 'DisableDomainTransferLock' then min(case when event_name = 'EnableDomainTransferLock' and succeeded then event_time end) over day_after
            when 'DisableDomainAutoRenew' then min(case when event_name = 'EnableDomainAutoRenew' and succeeded then event_time end) over day_after
        end as undone_at
    from calls
    window day_after as (partition by account_id, domain_name order by event_time range between current row and interval 1 day following)
)
select
    account_id,
    'global' as region,
    coalesce('arn:' || arn_partition(principal) || ':route53domains:::domain/' || domain_name, principal) as resource_arn,
    principal as discriminator,
    true as failed,
    case
        when bool_and(not succeeded) then 'medium'
        when bool_and(undone_at is not null or not succeeded) then 'low'
        when bool_or(event_name in ('TransferDomainToAnotherAwsAccount', 'PushDomain', 'DeleteDomain') and succeeded) then 'critical'
        when bool_and(event_name = 'DisableDomainAutoRenew' or not succeeded) then 'medium'
    end as severity,
    coalesce('the domain ' || domain_name, 'a domain') || case when bool_or(succeeded) then ' was ' else ' was to be ' end
        || coalesce(string_agg(distinct deed, ', ' order by deed) filter (where succeeded), string_agg(distinct deed, ', ' order by deed)) || ' ' || traced(call)
        || case when bool_or(succeeded) and bool_and(undone_at is not null or not succeeded) then '; undone by ' || strftime(max(undone_at), '%Y-%m-%d %H:%M') else '' end as reason,
    {
        'trace': trace(call), 'domain_name': domain_name, 'operations': list_sort(list(distinct event_name)), 'undone_at': max(undone_at),
        'operation': case
            when bool_or(event_name = 'TransferDomainToAnotherAwsAccount') then 'cancel-domain-transfer-to-another-aws-account'
            when bool_or(event_name in ('DisableDomainTransferLock', 'RetrieveDomainAuthCode')) then 'enable-domain-transfer-lock'
            when bool_or(event_name = 'DisableDomainAutoRenew') then 'enable-domain-auto-renew'
            else 'get-domain-detail'
        end
    } as evidence
from marked
-- The request of a denied call may not be recorded.
where deed is not null and (domain_name is not null or denied) and principal is not null
group by account_id, domain_name, principal, arn_partition(principal)
having bool_or(judged)
