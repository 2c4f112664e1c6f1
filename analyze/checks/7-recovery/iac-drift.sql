/*
title = "Stacks are what their templates say"
severity = "medium"
tables = ["aws_cloudformation_stack"]
remediation = "Look for drift regularly; take what was changed by hand into the template, or undo it."
command = "aws cloudformation detect-stack-drift --region {region} --stack-name {stack_name}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    case drift_status
        when 'DRIFTED' then true
        when 'NOT_CHECKED' then true
        when 'IN_SYNC' then days_since(drift_checked_at) > setting('scan_age_days')
    end as failed,
    case drift_status
        when 'DRIFTED' then 'its resources differ from its template' || coalesce(', as of ' || strftime(drift_checked_at, '%Y-%m-%d'), '')
        when 'NOT_CHECKED' then 'nobody ever looked whether it drifted'
        when 'IN_SYNC' then 'in sync ' || coalesce(days_since(drift_checked_at) || ' days ago', 'at an unknown time')
        else 'whether it drifted could not be determined'
    end as reason,
    {'stack_name': stack_name, 'drift_status': drift_status, 'drift_checked_at': drift_checked_at} as evidence,
    case when drift_status <> 'DRIFTED' then 'low' end as severity
from aws_cloudformation_stack
-- What was rolled back or is only being reviewed has no resources that could drift.
where stack_status is null or stack_status not in ('DELETE_COMPLETE', 'DELETE_IN_PROGRESS', 'REVIEW_IN_PROGRESS', 'ROLLBACK_COMPLETE', 'CREATE_FAILED', 'CREATE_IN_PROGRESS')
