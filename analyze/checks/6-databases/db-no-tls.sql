/*
title = "Databases refuse connections without TLS"
severity = "high"
tables = ["aws_rds_db_instance", "aws_rds_db_cluster", "aws_rds_db_parameter_group", "aws_rds_db_cluster_parameter_group"]
frameworks = { fsbp = ["RDS.38", "RDS.39", "RDS.41", "RDS.44"] }
remediation = "Set the parameter in a parameter group of your own, since default groups can't be changed, and give that group to the database."
command = "aws rds modify-{kind}-parameter-group --region {region} --{kind}-parameter-group-name {parameter_group} --parameters ParameterName={parameter},ParameterValue={wanted},ApplyMethod={apply_method}"
*/
-- Judged are the engines that have such a parameter. Oracle and Db2 demand TLS by option groups, Neptune always.
with judged as (
    select
        account_id, region, arn, 'db' as kind, engine, db_parameter_group_names[1] as parameter_group,
        config ->> '$.DBParameterGroups[0].ParameterApplyStatus' as apply_status
    from aws_rds_db_instance
    where db_cluster_identifier is null
    union all
    select
        account_id, region, arn, 'db-cluster', engine, db_cluster_parameter_group_name,
        -- Each member tells by itself whether it runs with the group's values.
        case when list_contains(config ->> '$.DBClusterMembers[*].DBClusterParameterGroupStatus', 'pending-reboot') then 'pending-reboot' end
    from aws_rds_db_cluster
),
engines as (
    select
        *,
        case
            when engine in ('postgres', 'aurora-postgresql') or engine like 'sqlserver-%' then 'rds.force_ssl'
            when engine in ('mysql', 'mariadb', 'aurora-mysql') then 'require_secure_transport'
            when engine = 'docdb' then 'tls'
        end as parameter
    from judged
),
groups as (
    select
        account_id, region, 'db' as kind, db_parameter_group_name as parameter_group, family, force_ssl, require_secure_transport, null as tls,
        list_contains(incomplete, 'DescribeDBParameters') as unread
    from aws_rds_db_parameter_group
    union all
    select
        account_id, region, 'db-cluster', db_cluster_parameter_group_name, family, force_ssl, require_secure_transport, tls,
        list_contains(incomplete, 'DescribeDBClusterParameters')
    from aws_rds_db_cluster_parameter_group
),
settings as (
    select
        e.*, g.family, g.unread, g.parameter_group is not null as found,
        lower(case e.parameter when 'rds.force_ssl' then g.force_ssl when 'require_secure_transport' then g.require_secure_transport when 'tls' then g.tls end) as setting,
        try_cast(regexp_extract(g.family, '^[a-z-]+([0-9]+)', 1) as integer) as major,
        try_cast(regexp_extract(g.family, '^[a-z-]+[0-9]+\.([0-9]+)', 1) as integer) as minor
    from engines as e
    left join groups as g on g.account_id = e.account_id and g.region = e.region and g.kind = e.kind and g.parameter_group = e.parameter_group
    where e.parameter is not null or e.engine is null
),
-- A group says nothing where nobody changed the engine's own value: PostgreSQL demands TLS from 15, Aurora PostgreSQL
-- from 17, MySQL from 9, MariaDB from 11.8, DocumentDB always.
effective as (
    select
        *,
        case
            when unread or not found or setting is not null then setting
            when parameter = 'tls' then 'enabled'
            when engine = 'postgres' and major >= 15 or engine = 'aurora-postgresql' and major >= 17 then '1'
            when engine = 'mysql' and major >= 9 or engine = 'mariadb' and (major > 11 or major = 11 and minor >= 8) then '1'
            when major is not null then '0'
        end as effective_value
    from settings
),
verdicts as (
    select
        *,
        case when parameter = 'tls' then effective_value <> 'disabled' else effective_value in ('1', 'on', 'true') end as demands_tls,
        -- These engines read the parameter when they start, the others at once.
        apply_status = 'pending-reboot' and (parameter = 'tls' or engine like 'sqlserver-%') as waits
    from effective
)
select
    account_id,
    region,
    arn as resource_arn,
    case when demands_tls and coalesce(waits, false) then null else not demands_tls end as failed,
    case
        when engine is null then 'its engine is not known'
        when not found then 'its parameter group ' || coalesce(parameter_group, '') || ' is not in the run'
        when unread then 'the parameters of ' || parameter_group || ' could not be read'
        when demands_tls is null then 'what ' || parameter || ' stands for in ' || family || ' is not known'
        when demands_tls and coalesce(waits, false) then parameter || ' is on in ' || parameter_group || ', but the group waits for a restart'
        when demands_tls then parameter || ' is on in ' || parameter_group
        else parameter || ' is off in ' || parameter_group
    end as reason,
    {
        'kind': kind,
        'engine': engine,
        'parameter_group': parameter_group,
        'parameter': parameter,
        'value': effective_value,
        'wanted': case when parameter = 'tls' then 'enabled' else '1' end,
        'apply_method': case when parameter = 'tls' or engine like 'sqlserver-%' then 'pending-reboot' else 'immediate' end
    } as evidence
from verdicts
