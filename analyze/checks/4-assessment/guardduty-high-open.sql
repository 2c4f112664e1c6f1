/*
title = "No serious GuardDuty finding is left open"
severity = "high"
tables = ["aws_guardduty_detector", "aws_guardduty_finding"]
operations = ["ListDetectors", "ListFindings", "GetFindings"]
remediation = "Look into it now: isolate what is affected, change its credentials, and archive the finding when it is explained."
command = "aws guardduty get-findings --region {region} --detector-id {detector_id} --finding-ids {finding_id}"
links = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_remediate.html"]
*/
-- Severity 7 and above is high, 9 and above critical.
with findings as (
    select
        f.account_id, f.region, f.finding_id, f.type, f.title, f.severity, f.last_seen_at, f.occurrences, f.affected_resource, f.affected_resource_type,
        coalesce(f.finding_account_id, f.account_id) as owner_id, f.affected_instance_id, f.affected_bucket_arns, a.partition, a.arn as account_arn,
        regexp_extract(f.arn, ':detector/([^/]+)/', 1) as detector_id
    from aws_guardduty_finding as f
    join accounts as a on a.account_id = f.account_id
    where f.archived is distinct from true
    -- An administrator of GuardDuty sees the findings of other accounts; each counts once, with its own account if that is here.
    qualify row_number() over (partition by f.finding_id order by f.account_id = f.finding_account_id desc, f.account_id, f.region) = 1
),
named as (
    select
        * exclude (affected_resource, affected_instance_id, affected_bucket_arns, account_arn),
        coalesce(
            'arn:' || partition || ':ec2:' || region || ':' || owner_id || ':instance/' || affected_instance_id,
            affected_bucket_arns[1],
            affected_resource ->> '$.EksClusterDetails.Arn',
            affected_resource ->> '$.EcsClusterDetails.Arn',
            affected_resource ->> '$.LambdaDetails.FunctionArn',
            affected_resource ->> '$.RdsDbInstanceDetails.DbInstanceArn',
            case affected_resource ->> '$.AccessKeyDetails.UserType'
                when 'IAMUser' then 'arn:' || partition || ':iam::' || owner_id || ':user/' || (affected_resource ->> '$.AccessKeyDetails.UserName')
                when 'AssumedRole' then 'arn:' || partition || ':iam::' || owner_id || ':role/' || (affected_resource ->> '$.AccessKeyDetails.UserName')
                when 'Role' then 'arn:' || partition || ':iam::' || owner_id || ':role/' || (affected_resource ->> '$.AccessKeyDetails.UserName')
                when 'Root' then 'arn:' || partition || ':iam::' || owner_id || ':root'
            end,
            account_arn
        ) as affected_arn
    from findings
),
-- Users and roles are known by name here, their ARN has a path.
identities as (
    select account_id, resource_type, arn_tail(arn) as name, min(arn) as arn
    from resource_context
    where resource_type in ('iam:user', 'iam:role')
    group by account_id, resource_type, arn_tail(arn)
),
open as (
    select n.account_id, n.region, coalesce(i.arn, n.affected_arn) as resource_arn, n.* exclude (account_id, region, affected_arn)
    from named as n
    left join identities as i
        on i.account_id = n.owner_id and i.name = arn_tail(n.affected_arn)
        and i.resource_type = case when n.affected_arn like '%:user/%' then 'iam:user' when n.affected_arn like '%:iam::%:role/%' then 'iam:role' end
    where n.severity >= 7 or n.severity is null
)
select
    account_id,
    region,
    resource_arn,
    finding_id as discriminator,
    case when severity >= 7 then true end as failed,
    case
        when severity >= 7 then coalesce(title, type, 'an open finding') || coalesce(' (last seen on ' || strftime(last_seen_at, '%Y-%m-%d') || ')', '')
        else 'the finding could not be read'
    end as reason,
    {'detector_id': detector_id, 'finding_id': finding_id, 'type': type, 'severity': severity, 'occurrences': occurrences, 'last_seen_at': last_seen_at} as evidence,
    case when severity >= 9 then 'critical' end as severity
from open
union all by name
select
    d.account_id,
    d.region,
    d.arn as resource_arn,
    null as discriminator,
    false as failed,
    'no finding of high severity is open' as reason,
    {'detector_id': d.detector_id} as evidence
from aws_guardduty_detector as d
anti join open as o on o.account_id = d.account_id and o.region = d.region
