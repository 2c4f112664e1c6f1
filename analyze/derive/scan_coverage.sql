-- What the scanners look at, and how long ago: Inspector for packages, Systems Manager for patches.
with scannable as (
    select account_id, region, arn, instance_id, 'instances' as kind
    from aws_ec2_instance
    where state = 'running' or state is null
    union all
    select account_id, region, arn, null, 'repositories'
    from aws_ecr_repository
    union all
    select account_id, region, arn, null, 'functions'
    from aws_lambda_function
),
-- Where the collection could not look, what is not listed is not known rather than not scanned.
looked as (
    select c.account_id, c.region, c.table_name
    from collected as c
    where c.table_name in ('aws_inspector2_coverage', 'aws_ssm_resource_compliance')
        and not exists (
            select 1
            from gaps as g
            where g.account_id = c.account_id and (g.region = c.region or g.region is null)
                and (g.table_name = c.table_name or g.table_name is null) and g.resource_arn is null
        )
),
patches as (
    select account_id, region, resource_id, max(executed_at) as executed_at
    from aws_ssm_resource_compliance
    where compliance_type = 'Patch'
    group by account_id, region, resource_id
),
judged as (
    select
        s.account_id, s.region, 'Inspector' as scanner, s.kind,
        case when i.arn is not null then i.is_scanned when l.account_id is not null then false end as is_covered,
        i.oldest_scan_at as scanned_at
    from scannable as s
    left join inspected_resources as i on i.account_id = s.account_id and i.arn = s.arn
    left join looked as l on l.account_id = s.account_id and l.region = s.region and l.table_name = 'aws_inspector2_coverage'
    union all
    select
        s.account_id, s.region, 'Systems Manager', s.kind,
        case when p.resource_id is not null then true when l.account_id is not null then false end,
        p.executed_at
    from scannable as s
    left join patches as p on p.account_id = s.account_id and p.region = s.region and p.resource_id = s.instance_id
    left join looked as l on l.account_id = s.account_id and l.region = s.region and l.table_name = 'aws_ssm_resource_compliance'
    where s.kind = 'instances'
)
select
    account_id, region, scanner, kind,
    count(*) as resources,
    count(*) filter (where is_covered) as covered,
    count(*) filter (where is_covered is null) as undecided,
    min(scanned_at) filter (where is_covered) as oldest_scan_at,
    max(scanned_at) filter (where is_covered) as newest_scan_at
from judged
group by account_id, region, scanner, kind
order by account_id, region, scanner, kind
