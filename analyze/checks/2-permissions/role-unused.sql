/*
title = "Roles nobody uses are gone"
severity = "medium"
tables = ["aws_iam_role"]
remediation = "Take its policies away first; when nothing breaks, delete it."
command = "aws iam delete-role --role-name {role_name}"
*/
with roles as (
    select account_id, region, arn, role_name, last_used_at, coalesce(days_since(last_used_at), days_since(created_at)) as idle_days
    from aws_iam_role
    where not coalesce(is_service_linked, false)
)
select
    account_id,
    region,
    arn as resource_arn,
    idle_days > setting('role_unused_days') as failed,
    case
        when last_used_at is not null then 'last used ' || idle_days || ' days ago'
        when idle_days is not null then 'never used in the ' || idle_days || ' days since it was made'
        else 'its age is not known'
    end as reason,
    {'role_name': role_name, 'last_used_at': last_used_at, 'idle_days': idle_days} as evidence
from roles
