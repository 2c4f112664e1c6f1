/*
title = "Volumes have snapshots as young as their recovery point objective"
severity = "high"
tables = ["aws_ec2_volume", "aws_ec2_snapshot", "aws_backup_recovery_point"]
absence = true
operations = ["DescribeVolumes", "DescribeSnapshots"]
remediation = "Let a backup plan or a lifecycle policy make snapshots as often as the objective asks for."
command = "aws ec2 create-snapshot --region {region} --volume-id {volume_id} --description backup"
*/
-- Judged are volumes whose RPO tag sets an objective, and those to which the default of their importance applies. The
-- default leaves out what is deleted with its machine: that comes back with the next one.
with snapshots as (
    select account_id, region, volume_id, max(started_at) as newest, count(*) as snapshots, count(*) filter (where started_at is null) as undated
    from aws_ec2_snapshot
    where state = 'completed'
    group by account_id, region, volume_id
),
points as (
    select account_id, resource_arn, max(created_at) as newest
    from aws_backup_recovery_point
    where status = 'COMPLETED'
    group by account_id, resource_arn
),
tagged as (
    select distinct v.account_id, v.arn
    from (select account_id, arn, unnest(map_keys(tags)) as key from aws_ec2_volume) as v
    join config_tag_keys as k on k.concept = 'rpo' and folded(k.key) = folded(v.key)
),
wanted as (
    select
        v.account_id, v.region, v.arn, v.volume_id, c.rpo_seconds,
        -- The youngest of both; greatest() skips nulls.
        greatest(s.newest, p.newest) as newest,
        coalesce(s.undated, 0) > 0 as is_undated
    from aws_ec2_volume as v
    join resource_context as c on c.account_id = v.account_id and c.arn = v.arn
    left join tagged as t on t.account_id = v.account_id and t.arn = v.arn
    left join snapshots as s on s.account_id = v.account_id and s.region = v.region and s.volume_id = v.volume_id
    left join points as p on p.account_id = v.account_id and p.resource_arn = v.arn
    where c.rpo_seconds is not null
        and (t.arn is not null or not coalesce(v.delete_on_termination, false))
        and (v.state is null or v.state in ('available', 'in-use'))
),
measured as (
    select *, case when newest is not null then greatest(date_diff('second', newest, as_of()), 0) end as behind_seconds
    from wanted
)
select
    account_id,
    region,
    arn as resource_arn,
    case
        when behind_seconds <= rpo_seconds then false
        when is_undated then null
        when behind_seconds is null then true
        else behind_seconds > rpo_seconds
    end as failed,
    case
        when behind_seconds <= rpo_seconds or behind_seconds is not null and not is_undated
            then 'its newest snapshot is ' || behind_seconds // 3600 || ' hours old, ' || round(rpo_seconds / 3600, 1)::decimal(12, 1) || ' are allowed'
        when is_undated then 'when its newest snapshot was made is not known'
        else 'there is no snapshot of it, ' || round(rpo_seconds / 3600, 1)::decimal(12, 1) || ' hours may be lost'
    end as reason,
    {'volume_id': volume_id, 'newest_snapshot_at': newest, 'behind_seconds': behind_seconds, 'rpo_seconds': rpo_seconds} as evidence
from measured
