/*
title = "Secrets are rotated, and the rotation works"
severity = "high"
tables = ["aws_secretsmanager_secret"]
operations = ["ListSecrets"]
frameworks = { fsbp = ["SecretsManager.1", "SecretsManager.2"] }
remediation = "Switch on rotation, or let the database keep its own secret; where it fails, read the log of the function that rotates it."
command = "aws secretsmanager rotate-secret --region {region} --secret-id {resource_arn} --rotation-rules AutomaticallyAfterDays=30 --rotation-lambda-arn ..."
*/
with secrets as (
    select
        *,
        -- A day of grace: a rotation may begin any time on its day.
        next_rotation_at + interval 1 day < as_of() as is_late,
        -- Changing its rotation changes the secret, so that what was never rotated is counted from its last change.
        days_since(coalesce(last_rotated_at, last_changed_at, created_at)) > rotation_interval_days + 1 as is_overdue,
        coalesce(owning_service, '') in ('rds', 'redshift')
            or regexp_matches(lower(concat_ws(' ', secret_name, description)), '(^|[^a-z])(db|database|rds|aurora|mysql|mariadb|postgres|postgresql|oracle|sqlserver|mongodb?|docdb|redshift)([^a-z]|$)') as of_database
    from aws_secretsmanager_secret
    where deleted_at is null
        -- A replica follows its primary, and what another service makes it rotates itself, if at all.
        and (primary_region is null or primary_region = region)
        and (owning_service is null or coalesce(rotation_enabled, true))
)
select
    account_id,
    region,
    arn as resource_arn,
    case
        when not rotation_enabled or is_late or is_overdue then true
        when rotation_enabled and (is_late is not null or is_overdue is not null) then false
    end as failed,
    case
        when not rotation_enabled then 'rotation is off, ' || coalesce('last rotated ' || days_since(last_rotated_at) || ' days ago', 'never rotated')
        when is_late or is_overdue then coalesce('last rotated ' || days_since(last_rotated_at) || ' days ago', 'never rotated')
            || coalesce(', every ' || rotation_interval_days || ' days are asked for', '') || case when is_late then '; it was due on ' || strftime(next_rotation_at, '%Y-%m-%d') else '' end
        when is_late is not null or is_overdue is not null then coalesce('last rotated ' || days_since(last_rotated_at) || ' days ago', 'waits for its first rotation')
        else 'when it was and will be rotated is not known'
    end as reason,
    {'rotation_enabled': rotation_enabled, 'rotation_interval_days': rotation_interval_days, 'last_rotated_at': last_rotated_at, 'next_rotation_at': next_rotation_at} as evidence,
    -- What opens no database may be a key of somebody else's, which no function can renew.
    case when not of_database then 'medium' end as severity
from secrets
