/*
title = "Nobody takes the web application firewall away"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Associate the web ACL again, look at the access logs of what it protected, and ask who took it away."
command = "aws wafv2 list-web-acls --region {region} --scope REGIONAL"
links = ["https://docs.aws.amazon.com/waf/latest/APIReference/API_DisassociateWebACL.html"]
*/
-- AWS WAF of today (wafv2), of yesterday (waf, waf-regional), and Shield. What gets another web ACL within the hour, or is deleted
-- itself, loses nothing.
with calls as (
    select
        *,
        split_part(event_source, '.', 1) as service,
        denied_resource as denied_name,
        case event_source
            when 'elasticloadbalancing.amazonaws.com' then request_parameters ->> '$.loadBalancerArn'
            when 'apigateway.amazonaws.com' then request_parameters ->> '$.restApiId'
            else request_parameters ->> '$.resourceArn'
        end as protected
    from events
    where (
            event_source = 'wafv2.amazonaws.com' and event_name in ('DeleteWebACL', 'DisassociateWebACL', 'DeleteRuleGroup', 'DeleteLoggingConfiguration', 'AssociateWebACL')
            or event_source in ('waf.amazonaws.com', 'waf-regional.amazonaws.com') and event_name in ('DeleteWebACL', 'DisassociateWebACL', 'DeleteLoggingConfiguration', 'AssociateWebACL')
            or event_source = 'shield.amazonaws.com' and event_name in ('DeleteProtection', 'DeleteSubscription')
            or event_source = 'elasticloadbalancing.amazonaws.com' and event_name = 'DeleteLoadBalancer'
            or event_source = 'apigateway.amazonaws.com' and event_name = 'DeleteRestApi'
        )
        and (succeeded or denied)
),
removed as (
    select
        *,
        coalesce(
            case when event_name in ('DisassociateWebACL', 'DeleteLoggingConfiguration') then protected end,
            case when service = 'wafv2' then 'arn:' || arn_partition(principal) || ':wafv2:' || region || ':' || account_id
                || case request_parameters ->> '$.scope' when 'CLOUDFRONT' then ':global/' else ':regional/' end
                || case event_name when 'DeleteRuleGroup' then 'rulegroup/' else 'webacl/' end
                || (request_parameters ->> '$.name') || '/' || (request_parameters ->> '$.id') end,
            'arn:' || arn_partition(principal) || ':' || service || ':' || case service when 'waf-regional' then region else '' end || ':' || account_id || ':webacl/' || (request_parameters ->> '$.webACLId'),
            'arn:' || arn_partition(principal) || ':shield::' || account_id || ':protection/' || (request_parameters ->> '$.protectionId'),
            case when denied_name like 'arn:%' then denied_name end,
            'arn:' || arn_partition(principal) || ':iam::' || account_id || ':root'
        ) as arn,
        case event_name
            when 'DisassociateWebACL' then 'a web ACL protected it no longer'
            when 'DeleteWebACL' then 'the web ACL was deleted'
            when 'DeleteRuleGroup' then 'the rule group was deleted'
            when 'DeleteLoggingConfiguration' then 'its requests are no longer logged'
            when 'DeleteProtection' then 'Shield protects no longer'
            else 'the subscription to Shield was ended'
        end as what,
        event_name in ('DeleteRuleGroup', 'DeleteLoggingConfiguration') as partial
    from calls
    where event_source in ('wafv2.amazonaws.com', 'waf.amazonaws.com', 'waf-regional.amazonaws.com', 'shield.amazonaws.com') and event_name <> 'AssociateWebACL'
        and deliberate
),
marked as (
    select
        r.*,
        exists (
            select 1
            from calls as c
            where c.event_name = 'AssociateWebACL' and c.succeeded and c.account_id = r.account_id and c.protected = r.protected
                and c.event_time between r.event_time and r.event_time + interval 1 hour
        ) as replaced
    from removed as r
    where not exists (
        select 1
        from calls as c
        where c.event_name in ('DeleteLoadBalancer', 'DeleteRestApi') and c.succeeded and c.account_id = r.account_id and c.region = r.region
            and (c.protected = r.protected or contains(r.protected, '/restapis/' || c.protected || '/'))
            and c.event_time between r.event_time - interval 1 hour and r.event_time + interval 1 hour
    )
)
select
    account_id,
    region,
    arn as resource_arn,
    coalesce(principal, '') || case when ends_with(arn, ':root') then ' ' || region else '' end as discriminator,
    true as failed,
    case
        when bool_and(replaced or is_automation(principal)) then 'low'
        when not bool_or(succeeded and not partial) then 'medium'
        else 'high'
    end as severity,
    array_to_string(list_sort(list(distinct what)), ', ') || case when bool_and(replaced) then ', then another' else '' end
        || case when bool_or(succeeded) then ': ' else ', or was to be so: ' end || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct event_name))} as evidence
from marked
group by account_id, region, arn, principal
having bool_or(judged)
