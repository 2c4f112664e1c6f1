/*
title = "Images are scanned when they are pushed"
severity = "medium"
tables = ["aws_ecr_repository", "aws_ecr_registry_scanning"]
frameworks = { fsbp = ["ECR.1"] }
remediation = "Switch on enhanced scanning of the registry, or scanning on push of the repository."
command = "aws ecr put-image-scanning-configuration --region {region} --repository-name {repository} --image-scanning-configuration scanOnPush=true"
*/
with rules as (
    select account_id, region, scan_type, unnest(as_objects(rules)) as rule
    from aws_ecr_registry_scanning
),
filters as (
    select account_id, region, unnest(rule ->> '$.repositoryFilters[*].filter') as filter
    from rules
    where rule ->> '$.scanFrequency' in ('SCAN_ON_PUSH', 'CONTINUOUS_SCAN')
),
covered as (
    select distinct r.account_id, r.arn
    from aws_ecr_repository as r
    join filters as f on f.account_id = r.account_id and f.region = r.region and pattern_covers(f.filter, r.repository_name)
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when c.arn is not null then false else not r.scan_on_push end as failed,
    case when c.arn is not null then 'the registry scans it' when r.scan_on_push then 'scanned on push' when not r.scan_on_push then 'not scanned' end as reason,
    {'repository': r.repository_name} as evidence
from aws_ecr_repository as r
left join covered as c on c.account_id = r.account_id and c.arn = r.arn
