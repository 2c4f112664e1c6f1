/*
title = "What was there in the run before is still there, and no more exposed"
severity = "medium"
tables = ["resources", "cloudtrail_events"]
optional = ["cloudtrail_events"]
remediation = "Ask who changed it whether it was meant. If not, restore it from its newest backup or from code, and close what was opened."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=ResourceName,AttributeValue={resource_id}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html"]
*/
-- Missing is deleted only where the collection looked for it without an error, or an event says so. What comes and goes by design is left
-- out: snapshots, revisions, machines of Auto Scaling groups, what AWS makes by itself. Of what was exposed, see `exposed` in
-- resource_context; protections that were switched off are findings of their own checks, new in this run.
with before as (
    select p.account_id, p.region, p.arn, p.resource_type, p.name, p.run, x.importance, x.importance_rank, x.exposed
    from previous_resources as p
    join accounts as a on a.account_id = p.account_id
    left join previous_context as x on x.account_id = p.account_id and x.arn = p.arn and x.run = p.run
    where coalesce(p.resource_type, '') not in (select resource_type from config_exempt_types)
        and coalesce(p.resource_type, '') not in (
            'ec2:snapshot', 'ec2:image', 'rds:snapshot', 'rds:cluster-snapshot', 'rds:auto-backup', 'redshift:snapshot', 'elasticache:snapshot', 'dynamodb:backup', 'ecs:task-definition', 'ecs:task', 'ecs:container-instance',
            'kms:alias', 'organizations:root', 'ssm:session', 'glue:session', 'codebuild:build'
        )
        and not coalesce(list_has_any(map_keys(p.tags), ['aws:autoscaling:groupName', 'aws:ec2spot:fleet-request-id', 'aws:ec2:fleet-id', 'karpenter.sh/nodepool', 'eks:nodegroup-name']), false)
),
runs as (
    select account_id, try_strptime(left(max(run), 16), '%Y%m%dT%H%M%SZ') as since
    from previous_resources
    group by account_id
),
-- Which table holds a type, as far as this run has one of it.
sources as (
    select distinct resource_type, source_table
    from resources
    where source_table in (from resource_tables)
),
gone as (
    select b.*
    from before as b
    anti join resources as r on r.account_id = b.account_id and r.arn = b.arn
),
looked as (
    select g.account_id, g.arn, bool_and(c.table_name is not null) as was_asked
    from gone as g
    left join sources as s on s.resource_type = g.resource_type
    left join (select distinct account_id, region, table_name from collected where table_name in (from resource_tables)) as c
        on c.account_id = g.account_id and (c.region = g.region or c.region = 'global' and s.source_table is not null) and c.table_name = coalesce(s.source_table, c.table_name)
    group by g.account_id, g.arn
),
doubts as (
    select g.account_id, g.arn, string_agg(distinct d.table_name || ' (' || d.why || ')', ', ' order by d.table_name || ' (' || d.why || ')') as why
    from gone as g
    left join sources as s on s.resource_type = g.resource_type
    join gaps as d
        on d.account_id = g.account_id and d.resource_arn is null and d.region in (g.region, 'global')
        and d.table_name in (from resource_tables) and d.table_name = coalesce(s.source_table, d.table_name)
    group by g.account_id, g.arn
),
deletions as (
    select d.account_id, d.resource_arn, d.principal, d.event_time, d.event_id, d.event_name
    from destructive_calls as d
    join runs as r on r.account_id = d.account_id and d.event_time >= r.since
    where d.succeeded and d.part is null and d.resource_arn is not null
    qualify row_number() over (partition by d.account_id, d.resource_arn order by d.event_time desc, d.event_id) = 1
),
judged as (
    select
        b.*, g.arn is not null as is_gone, l.was_asked, d.why, x.principal, x.event_time, x.event_id, x.event_name,
        case when g.arn is null and b.exposed = false then c.exposed else false end as is_opened
    from before as b
    left join gone as g on g.account_id = b.account_id and g.arn = b.arn
    left join looked as l on l.account_id = b.account_id and l.arn = b.arn
    left join doubts as d on d.account_id = b.account_id and d.arn = b.arn
    left join deletions as x on x.account_id = b.account_id and x.resource_arn = b.arn
    left join resource_context as c on c.account_id = b.account_id and c.arn = b.arn
)
select
    account_id,
    region,
    arn as resource_arn,
    case when is_gone and why is not null and principal is null then null else is_gone or is_opened end as failed,
    case
        when is_gone and principal is not null then 'was there in run ' || run || ' and was deleted by ' || principal_label(principal) || strftime(event_time, ', %Y-%m-%d %H:%M:%S')
        when is_gone and why is not null then 'was there in run ' || run || ' and is not in this one, which could not read ' || why
        when is_gone then 'was there in run ' || run || ' and is gone; who deleted it is not known'
        when is_opened then 'can be reached from the internet, which it could not in run ' || run
        when is_opened is null then 'could not be reached from the internet in run ' || run || '; whether it can now is not known'
        else 'is there as in run ' || run
    end as reason,
    {'run': run, 'name': name, 'actor': case when is_gone then coalesce(principal, 'not known') end, 'deleted_at': event_time, 'operation': event_name, 'event_id': event_id} as evidence,
    case
        when importance_rank >= (select min(rank) from config_importance where critical) then 'high'
        when is_opened or resource_type in ('rds:db', 'rds:cluster', 'dynamodb:table', 's3:bucket', 'ec2:volume', 'elasticfilesystem:file-system', 'redshift:cluster', 'es:domain', 'elasticache:replicationgroup', 'route53:hostedzone', 'kms:key', 'backup:backup-vault', 'backup:backup-plan', 'cloudtrail:trail') then null
        else 'low'
    end as severity
from judged
-- Where this run did not look, it says nothing.
where not is_gone or was_asked or principal is not null
