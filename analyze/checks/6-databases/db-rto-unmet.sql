/*
title = "Databases can be back within their recovery time objective"
severity = "high"
tables = ["aws_rds_db_instance", "aws_rds_db_cluster", "aws_backup_recovery_point"]
absence = true
remediation = "Give it a standby in another zone or a replica to promote, or agree on a longer objective and try the restore."
links = ["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html"]
*/
-- What the topology allows when the machine or its zone is lost, counted generously, so that what fails can't be made
-- in time: a standby takes over within 2 minutes; a replica is promoted, or a new machine joins a cluster whose storage
-- lies in three zones, within 15; a restore takes half an hour and 200 GiB an hour.
with fleet as (
    select
        d.*,
        coalesce(i.multi_az, c.multi_az) as standby,
        coalesce(c.engine in ('aurora', 'aurora-mysql', 'aurora-postgresql', 'docdb', 'neptune'), false) as shared_storage,
        i.allocated_storage_gib
    from databases as d
    left join aws_rds_db_instance as i on i.account_id = d.account_id and i.arn = d.arn
    left join aws_rds_db_cluster as c on c.account_id = d.account_id and c.arn = d.arn
    where not coalesce(d.is_replica, false)
),
wanted as (
    select f.*, x.rto_seconds
    from fleet as f
    join resource_context as x on x.account_id = f.account_id and x.arn = f.arn
    where x.rto_seconds is not null
),
ways as (
    select
        *,
        case
            when standby then 'a standby takes over'
            when replicated then 'a replica can be promoted'
            when shared_storage then 'a new machine has to join its storage'
            when not replicated and (backup_retention_days > 0 or newest_recovery_point_at is not null) then 'one machine, to be restored from a backup'
            when not replicated and backup_retention_days = 0 then 'nothing'
        end as way
    from wanted
),
measured as (
    select
        *,
        case way
            when 'a standby takes over' then 120
            when 'a replica can be promoted' then 900
            when 'a new machine has to join its storage' then 900
            when 'one machine, to be restored from a backup' then 1800 + allocated_storage_gib * 18
        end as recovery_seconds
    from ways
)
select
    account_id,
    region,
    arn as resource_arn,
    case
        when way = 'nothing' then true
        when recovery_seconds is not null then recovery_seconds > rto_seconds
        -- Of whatever size it is, nothing is restored sooner.
        when way = 'one machine, to be restored from a backup' and rto_seconds < 1800 then true
    end as failed,
    case
        when way = 'nothing' then 'one machine without a standby, replica or backup: nothing brings it back'
        when way is null then 'what it could be recovered from is not known'
        else way || coalesce(' (' || case when way like 'one machine%' then allocated_storage_gib end || ' GiB)', '')
            || coalesce(': about ' || recovery_seconds // 60 || ' minutes', '') || ', ' || rto_seconds // 60 || ' are allowed'
    end as reason,
    {'identifier': identifier, 'rto_seconds': rto_seconds, 'recovery_seconds': recovery_seconds, 'allocated_storage_gib': allocated_storage_gib, 'standby': standby} as evidence
from measured
