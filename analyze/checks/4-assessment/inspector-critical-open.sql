/*
title = "No vulnerability is left open that is critical or exploited"
severity = "critical"
tables = ["aws_inspector2_finding", "aws_inspector2_coverage"]
remediation = "Install the fixed version, build the image anew or replace the instance; where there is no fix, take away the way to it."
links = ["https://docs.aws.amazon.com/inspector/latest/user/findings-understanding.html"]
*/
with findings as (
    select
        coalesce(o.account_id, f.account_id) as account_id, f.region, f.severity, coalesce(f.vulnerability_id, f.title) as vulnerability,
        f.exploit_available = 'YES' as exploited, f.fix_available,
        inspected_arn(f.resource_id, a.partition, f.region, coalesce(f.finding_account_id, f.account_id)) as arn
    from (select *, unnest(resource_ids) as resource_id from aws_inspector2_finding where coalesce(status, 'ACTIVE') = 'ACTIVE') as f
    join accounts as a on a.account_id = f.account_id
    -- An administrator of Inspector sees the findings of other accounts; they belong to their own account if that is here.
    left join accounts as o on o.account_id = f.finding_account_id
),
by_resource as (
    select
        account_id, region, arn,
        count(distinct vulnerability) filter (where severity = 'CRITICAL') as critical,
        count(distinct vulnerability) filter (where severity in ('CRITICAL', 'HIGH') and exploited) as exploited,
        count(distinct vulnerability) filter (where severity in ('CRITICAL', 'HIGH') and fix_available in ('YES', 'PARTIAL') and (severity = 'CRITICAL' or exploited)) as fixable,
        list(distinct vulnerability order by vulnerability) filter (where severity = 'CRITICAL' or severity = 'HIGH' and exploited) as vulnerabilities,
        bool_or(severity is null) as unread
    from findings
    group by account_id, region, arn
),
judged as (
    select
        coalesce(b.account_id, i.account_id) as account_id, coalesce(b.region, i.region) as region, coalesce(b.arn, i.arn) as arn,
        coalesce(b.critical, 0) as critical, coalesce(b.exploited, 0) as exploited, b.fixable, b.vulnerabilities, coalesce(b.unread, false) as unread
    from by_resource as b
    -- What Inspector does not scan has no findings, which says nothing about it.
    full join (select * from inspected_resources where is_scanned) as i on i.account_id = b.account_id and i.region = b.region and i.arn = b.arn
)
select
    account_id,
    region,
    arn as resource_arn,
    case when critical + exploited > 0 then true when not unread then false end as failed,
    case
        when critical + exploited > 0 then critical || ' critical, ' || exploited || ' exploited, ' || fixable || ' of them with a fix: '
            || array_to_string(vulnerabilities[:5], ', ') || if(len(vulnerabilities) > 5, ' and others', '')
        when unread then 'how severe its findings are is not known'
        else 'no critical or exploited vulnerability is known'
    end as reason,
    {'critical': critical, 'exploited': exploited, 'fixable': fixable, 'vulnerabilities': vulnerabilities} as evidence,
    case when critical = 0 then 'high' end as severity
from judged
