/*
title = "Nobody may destroy both critical data and its backups"
severity = "high"
tables = [
    "aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy", "relationships", "resources",
    # Backups that are not in the run could be in the same hands.
    "aws_backup_recovery_point", "aws_dynamodb_backup", "aws_ec2_image", "aws_ec2_snapshot", "aws_elasticache_snapshot",
    "aws_rds_db_cluster_snapshot", "aws_rds_db_instance_automated_backup", "aws_rds_db_snapshot", "aws_redshift_cluster_snapshot",
    # Nor is it known what they are backups of without these.
    "aws_dynamodb_table", "aws_ec2_volume", "aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_rds_db_cluster",
    "aws_rds_db_instance", "aws_redshift_cluster",
]
remediation = "Split it: whoever may delete the data must not delete snapshots, recovery points and versions, nor stop the trail. Give one half to a role of its own with MFA, keep copies in a vault of another account, and lock the vault."
links = ["https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html"]
*/
-- Data stores, and what else has backups. What is restored from lies beside the resource (snapshots, images, recovery points) or in it (versions, point-in-time recovery).
-- Administrators may do both by nature and are left out; so is the role by which AWS Backup and the lifecycle manager do their work.
with ways as (
    select
        principal_class, is_admin, verdict <> 'unknown' as is_certain,
        case when actor_kind in ('service', 'federated') then path[1] else actor_arn end as acting_arn
    from access_paths
    where is_admin is distinct from true and actor_arn not in ('backup.amazonaws.com', 'dlm.amazonaws.com')
),
-- A snapshot that AWS Backup made is deleted as a recovery point only.
backup_types as (
    select account_id, resource_arn, resource_class, resource_type
    from resource_classes
    qualify resource_type = 'backup:recovery-point' or not bool_or(resource_type = 'backup:recovery-point') over (partition by account_id, resource_arn)
),
backups as (
    select distinct x.account_id, x.arn, x.resource_class as data_class, b.resource_class, b.resource_type
    from relationships as r
    join critical_resources as x on x.account_id = r.account_id and x.arn = r.to_arn
    join backup_types as b on b.account_id = r.account_id and b.resource_arn = r.from_arn
    where r.kind = 'backup_of'
),
-- Whose hands what is in.
granted as (
    select resource_class, principal_class, kind, bool_or(verdict <> 'unknown') as is_certain
    from critical_grants
    where case when resource_type = 'cloudtrail:trail'
        then action in ('cloudtrail:DeleteTrail', 'cloudtrail:StopLogging', 'cloudtrail:PutEventSelectors', 'cloudtrail:UpdateTrail')
        else kind in ('destroy', 'recovery') end
    group by resource_class, principal_class, kind
),
hands as (
    select
        g.resource_class, w.acting_arn, g.kind, bool_or(g.is_certain and w.is_certain) as is_certain
    from granted as g
    join ways as w on w.principal_class = g.principal_class
    group by g.resource_class, w.acting_arn, g.kind
),
destroying as (
    select h.resource_class, h.acting_arn, h.is_certain
    from hands as h
    where h.kind = 'destroy' and h.resource_class in (select resource_class from critical_resources)
),
-- In the same hands: all backups of a resource, some of them, or what it keeps of itself.
beside as (
    select
        b.account_id, b.arn, d.acting_arn, bool_and(d.is_certain and h.is_certain) as is_certain,
        count(distinct b.resource_class) = any_value(n.classes) as all_of_them
    from backups as b
    join (select account_id, arn, count(distinct resource_class) as classes from backups group by account_id, arn) as n on n.account_id = b.account_id and n.arn = b.arn
    join destroying as d on d.resource_class = b.data_class
    join hands as h on h.resource_class = b.resource_class and h.acting_arn = d.acting_arn
    group by b.account_id, b.arn, d.acting_arn
),
within as (
    select x.account_id, x.arn, d.acting_arn, d.is_certain and h.is_certain as is_certain, true as all_of_them
    from destroying as d
    join hands as h on h.resource_class = d.resource_class and h.acting_arn = d.acting_arn and h.kind = 'recovery'
    join critical_resources as x on x.resource_class = d.resource_class
    -- What lies beside it counts where there is something.
    anti join backups as b on b.account_id = x.account_id and b.arn = x.arn
    where x.resource_type in ('s3:bucket', 'dynamodb:table')
),
resources_judged as (
    select
        account_id, arn,
        list_sort(list(distinct actor_label(acting_arn)) filter (where is_certain and all_of_them)) as wholly,
        list_sort(list(distinct actor_label(acting_arn)) filter (where is_certain and not all_of_them)) as partly,
        list_sort(list(distinct actor_label(acting_arn)) filter (where not is_certain)) as uncertain
    from (select * from beside union all by name select * from within)
    group by account_id, arn
),
-- Who may stop what records it and destroy something.
untraced as (
    select t.account_id, h.acting_arn, bool_or(h.is_certain and d.is_certain) as is_certain
    from (select distinct account_id, resource_class from resource_classes where resource_type = 'cloudtrail:trail') as t
    join hands as h on h.resource_class = t.resource_class and h.kind = 'logging'
    join (select acting_arn, bool_or(is_certain) as is_certain from destroying group by acting_arn) as d on d.acting_arn = h.acting_arn
    group by t.account_id, h.acting_arn
),
accounts_judged as (
    select
        account_id,
        list_sort(list(actor_label(acting_arn)) filter (where is_certain)) as wholly,
        list_sort(list(actor_label(acting_arn)) filter (where not is_certain)) as uncertain
    from untraced
    group by account_id
)
select
    x.account_id,
    x.region,
    x.arn as resource_arn,
    case when len(j.wholly) > 0 or len(j.partly) > 0 then true when len(j.uncertain) > 0 then null else false end as failed,
    case when j.wholly is null and len(j.partly) > 0 then 'medium' end as severity,
    case
        when len(j.wholly) > 0 then some_of(j.wholly) || ' may destroy it and all that it could be restored from'
        when len(j.partly) > 0 then some_of(j.partly) || ' may destroy it and some of its backups'
        when len(j.uncertain) > 0 then 'whether ' || some_of(j.uncertain) || ' may destroy it and its backups is not known'
        else 'nobody but administrators may destroy it and its backups'
    end as reason,
    {'all_backups': j.wholly[:50], 'some_backups': j.partly[:50], 'not_known': j.uncertain[:50], 'importance': x.importance} as evidence
from critical_resources as x
left join resources_judged as j on j.account_id = x.account_id and j.arn = x.arn
where x.data_store or x.arn in (select arn from backups)
union all by name
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when len(j.wholly) > 0 then true when len(j.uncertain) > 0 then null else false end as failed,
    case
        when len(j.wholly) > 0 then some_of(j.wholly) || ' may stop the trail and destroy critical resources'
        when len(j.uncertain) > 0 then 'whether ' || some_of(j.uncertain) || ' may stop the trail and destroy critical resources is not known'
        else 'nobody but administrators may stop a trail and destroy critical resources'
    end as reason,
    {'all_backups': j.wholly[:50], 'not_known': j.uncertain[:50]} as evidence
from accounts as a
left join accounts_judged as j on j.account_id = a.account_id
