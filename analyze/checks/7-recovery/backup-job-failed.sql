/*
title = "The last backup of each resource succeeded"
severity = "high"
tables = ["aws_backup_job"]
remediation = "Read the job's message, mend its cause, most often the role or the key, and start the backup again."
command = "aws backup describe-backup-job --region {region} --backup-job-id {backup_job_id}"
*/
with latest as (
    select *
    from aws_backup_job
    where state is null or state in ('COMPLETED', 'FAILED', 'ABORTED', 'EXPIRED', 'PARTIAL')
    qualify row_number() over (partition by account_id, resource_arn order by created_at desc, backup_job_id) = 1
)
select
    account_id,
    region,
    resource_arn,
    state <> 'COMPLETED' as failed,
    case when state = 'COMPLETED' then 'the last backup succeeded' when state is not null then 'the last backup ' || lower(state) || coalesce(': ' || status_message, '') end as reason,
    {'backup_job_id': backup_job_id, 'state': state, 'created_at': created_at} as evidence
from latest
where resource_arn is not null
