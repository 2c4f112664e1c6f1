/*
title = "Extracts read from replicas, not from the primary"
severity = "medium"
tables = ["aws_dms_endpoint", "aws_glue_connection", "aws_rds_db_instance", "aws_rds_db_cluster"]
remediation = "Let what only reads connect to a replica or to the cluster's reader endpoint."
*/
-- Judged are DMS sources and Glue connections that name the host of a database of the run. Whether a Glue connection
-- reads or writes stands in the scripts of its jobs, not in the connection.
with writers as (
    select
        account_id, region, arn, endpoint_address as host, 'primary' as role,
        case when len(read_replica_identifiers) > 0 then read_replica_identifiers[1] end as replica, len(read_replica_identifiers) > 0 as has_replica
    from aws_rds_db_instance
    where db_cluster_identifier is null and read_replica_source is null and read_replica_source_cluster is null
    union all
    select account_id, region, arn, endpoint_address, 'writer', reader_endpoint_address, len(member_identifiers) > 1
    from aws_rds_db_cluster
    union all
    select c.account_id, c.region, c.arn, i.endpoint_address, 'writer', c.reader_endpoint_address, len(c.member_identifiers) > 1
    from aws_rds_db_cluster as c
    join aws_rds_db_instance as i on i.account_id = c.account_id and i.region = c.region and i.db_cluster_identifier = c.db_cluster_identifier
        and i.db_instance_identifier = c.writer_identifier
),
readers as (
    select account_id, region, arn, endpoint_address as host
    from aws_rds_db_instance
    where read_replica_source is not null or read_replica_source_cluster is not null
    union all
    select account_id, region, arn, reader_endpoint_address
    from aws_rds_db_cluster
    union all
    select c.account_id, c.region, c.arn, i.endpoint_address
    from aws_rds_db_cluster as c
    join aws_rds_db_instance as i on i.account_id = c.account_id and i.region = c.region and i.db_cluster_identifier = c.db_cluster_identifier
        and i.db_instance_identifier <> c.writer_identifier
),
hosts as (
    select *, null as reader_arn from writers
    union all by name
    select account_id, region, host, 'reader' as role, arn as reader_arn from readers
),
by_host as (
    select lower(rtrim(host, '.')) as host, role, arn, account_id, replica, has_replica
    from hosts
    where host <> ''
    qualify row_number() over (partition by lower(rtrim(host, '.')) order by role <> 'reader', account_id, coalesce(arn, reader_arn)) = 1
),
urls as (
    -- A JDBC address without its parameters, which may hold anything.
    select
        account_id, region, arn, connection_name,
        lower(regexp_extract(coalesce(jdbc_url, config ->> '$.ConnectionProperties.CONNECTION_URL'), '^[^?;]*')) as url,
        lower(config ->> '$.ConnectionProperties.HOST') as host
    from aws_glue_connection
),
clients as (
    select account_id, region, arn, 'DMS source' as kind, endpoint_identifier as client, lower(server_name) as host,
        -- The server of an endpoint that logs in with a secret stands in the secret.
        server_name is null and engine_name in ('mysql', 'mariadb', 'aurora', 'aurora-postgresql', 'aurora-serverless', 'aurora-postgresql-serverless', 'postgres', 'oracle', 'sqlserver', 'docdb') as is_hidden
    from aws_dms_endpoint
    where upper(endpoint_type) = 'SOURCE'
    union all
    select account_id, region, arn, 'Glue connection', connection_name,
        coalesce(nullif(regexp_extract(url, case when contains(url, '@') then '@/*([a-z0-9][a-z0-9.-]*)' else '//([a-z0-9][a-z0-9.-]*)' end, 1), ''), host),
        false
    from urls
),
judged as (
    select k.*, h.role, h.arn as database_arn, h.replica, h.has_replica, x.importance, i.critical or i.level = 'high' as matters
    from clients as k
    left join by_host as h on h.host = rtrim(k.host, '.')
    left join resource_context as x on x.account_id = h.account_id and x.arn = h.arn
    left join config_importance as i on i.level = x.importance
    where h.host is not null or k.is_hidden
)
select
    account_id,
    region,
    arn as resource_arn,
    case
        when is_hidden then null
        when role = 'reader' then false
        else has_replica or coalesce(matters, false)
    end as failed,
    case
        when is_hidden then 'its server stands in a secret'
        when role = 'reader' then kind || ' of a replica'
        when has_replica then kind || ' of the ' || role || ' ' || arn_tail(database_arn) || ', although there is ' || coalesce(replica, 'a replica')
        when matters then kind || ' of the ' || role || ' ' || arn_tail(database_arn) || ', which is ' || importance || ' and has no replica'
        when not has_replica then kind || ' of the ' || role || ' ' || arn_tail(database_arn) || ', which has no replica'
        else kind || ' of the ' || role || ' ' || arn_tail(database_arn) || '; whether that has replicas is not known'
    end as reason,
    {'host': host, 'database_arn': database_arn, 'replica': replica, 'importance': importance} as evidence
from judged
