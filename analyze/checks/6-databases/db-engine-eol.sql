/*
title = "Database engines are within standard support"
severity = "high"
tables = [
    "aws_rds_db_instance", "aws_rds_db_cluster", "aws_rds_db_major_engine_version", "aws_elasticache_cluster",
    "aws_elasticache_replication_group", "aws_opensearch_domain",
]
remediation = "Upgrade to a supported major version: try it on a restored copy first, or with a blue/green deployment."
links = [
    "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support.html",
    "https://docs.aws.amazon.com/documentdb/latest/developerguide/extended-support.html",
    "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support.html",
    "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/what-is.html",
]
*/
-- RDS itself tells the dates of MySQL, MariaDB, PostgreSQL and Aurora. The other engines have no such call: these are the
-- ends that AWS (DocumentDB, ElastiCache, OpenSearch), Microsoft and Oracle have announced. A version of theirs that
-- has no announced end here is not judged.
with announced (engine, version, ends_on) as (
    values
        ('aurora', '5.6', date '2023-02-28'),
        ('docdb', '3.6', date '2026-03-30'),
        ('sqlserver', '11', date '2022-07-12'), ('sqlserver', '12', date '2024-07-09'), ('sqlserver', '13', date '2026-07-14'),
        ('sqlserver', '14', date '2027-10-12'), ('sqlserver', '15', date '2030-01-08'), ('sqlserver', '16', date '2033-01-11'),
        ('oracle', '11', date '2020-12-31'), ('oracle', '12', date '2022-07-31'), ('oracle', '18', date '2021-06-30'),
        ('oracle', '19', date '2029-12-31'), ('oracle', '21', date '2027-07-31'),
        ('redis', '2', date '2023-01-13'), ('redis', '3', date '2023-07-31'), ('redis', '4', date '2026-01-31'), ('redis', '5', date '2026-01-31'),
        ('elasticsearch', '1', date '2025-11-07'), ('elasticsearch', '2', date '2025-11-07'), ('elasticsearch', '5', date '2025-11-07'),
        ('elasticsearch', '6.0', date '2025-11-07'), ('elasticsearch', '6.2', date '2025-11-07'), ('elasticsearch', '6.3', date '2025-11-07'),
        ('elasticsearch', '6.4', date '2025-11-07'), ('elasticsearch', '6.5', date '2025-11-07'), ('elasticsearch', '6.7', date '2025-11-07'),
        ('elasticsearch', '7.1', date '2025-11-07'), ('elasticsearch', '7.4', date '2025-11-07'), ('elasticsearch', '7.7', date '2025-11-07'),
        ('elasticsearch', '7.8', date '2025-11-07'),
        ('opensearch', '1.0', date '2025-11-07'), ('opensearch', '1.1', date '2025-11-07'), ('opensearch', '1.2', date '2025-11-07'),
        ('opensearch', '2.3', date '2025-11-07'), ('opensearch', '2.5', date '2025-11-07'), ('opensearch', '2.7', date '2025-11-07'),
        ('opensearch', '2.9', date '2025-11-07')
),
fleet as (
    select account_id, region, arn, engine, engine_version, engine_lifecycle_support
    from aws_rds_db_instance
    where db_cluster_identifier is null
    union all by name
    select account_id, region, arn, engine, engine_version, engine_lifecycle_support
    from aws_rds_db_cluster
    union all by name
    -- A replication group has the version of its nodes.
    select k.account_id, k.region, coalesce(g.arn, k.arn) as arn, min(k.engine) as engine, min(k.engine_version) as engine_version
    from aws_elasticache_cluster as k
    left join aws_elasticache_replication_group as g on g.account_id = k.account_id and g.region = k.region and g.replication_group_id = k.replication_group_id
    group by k.account_id, k.region, coalesce(g.arn, k.arn)
    union all by name
    select account_id, region, arn, lower(engine_type) as engine, regexp_extract(engine_version, '[0-9.]+$') as engine_version
    from aws_opensearch_domain
    where not coalesce(deleted, false)
),
families as (
    select
        *,
        case when engine like 'oracle-%' then 'oracle' when engine like '%sqlserver-%' then 'sqlserver' else engine end as family,
        engine is null or engine in ('mysql', 'mariadb', 'postgres', 'aurora-mysql', 'aurora-postgresql') as rds_tells
    from fleet
),
told as (
    select f.account_id, f.arn, v.major_engine_version as version, v.standard_support_ends_at as ends_at, v.extended_support_ends_at as extended_until
    from families as f
    join aws_rds_db_major_engine_version as v on v.account_id = f.account_id and v.region = f.region and v.engine = f.engine
    where starts_with(f.engine_version || '.', v.major_engine_version || '.') and v.standard_support_ends_at is not null
    union all by name
    select f.account_id, f.arn, a.version, a.ends_on::timestamp + interval 1 day as ends_at
    from families as f
    join announced as a on a.engine = f.family
    where starts_with(f.engine_version || '.', a.version || '.')
),
ends as (
    select *
    from told
    qualify row_number() over (partition by account_id, arn order by length(version) desc, extended_until nulls last, ends_at) = 1
)
select
    f.account_id,
    f.region,
    f.arn as resource_arn,
    e.ends_at < as_of() as failed,
    case
        when e.ends_at < as_of() then 'standard support of ' || f.engine || ' ' || e.version || ' ended on ' || strftime(e.ends_at - interval 1 second, '%Y-%m-%d')
            || case
                when e.extended_until < as_of() then ', and extended support too'
                when f.engine_lifecycle_support = 'open-source-rds-extended-support-disabled' then ': it will be upgraded without being asked'
                when e.extended_until is not null then ', what follows is charged until ' || strftime(e.extended_until, '%Y-%m-%d')
                else ''
            end
        when e.ends_at is not null then 'standard support of ' || f.engine || ' ' || e.version || ' lasts until ' || strftime(e.ends_at - interval 1 second, '%Y-%m-%d')
        else 'until when ' || coalesce(f.engine || ' ' || f.engine_version, 'its engine') || ' is supported is not known'
    end as reason,
    {'engine': f.engine, 'engine_version': f.engine_version, 'standard_support_ends_at': e.ends_at, 'extended_support_ends_at': e.extended_until} as evidence
from families as f
left join ends as e on e.account_id = f.account_id and e.arn = f.arn
where f.rds_tells or e.ends_at is not null
