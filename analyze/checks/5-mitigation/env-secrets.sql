/*
title = "Environments hold no credentials"
severity = "critical"
tables = ["aws_lambda_function", "aws_ecs_task_definition", "aws_codebuild_project"]
remediation = "Keep the value in Secrets Manager, let the code read it there, and change it."
*/
with environments as (
    select account_id, region, arn, environment_variable_names as names
    from aws_lambda_function
    union all
    select account_id, region, arn, environment_names
    from aws_ecs_task_definition
    union all
    select account_id, region, arn, plaintext_variable_names
    from aws_codebuild_project
),
-- By name: values are fingerprints in the lake. What only points to a secret is none.
judged as (
    select
        *,
        list_sort(list_distinct(list_filter(names, lambda name:
            regexp_matches(name, '(passw(or)?d|passphrase|secret|token|api_?key|access_?key|private_?key|credential)', 'i')
            and not regexp_matches(name, '(_arn|_name|_id|_path|_url|_file|_ttl|_region|_length)$', 'i')))) as suspects
    from environments
)
select
    account_id,
    region,
    arn as resource_arn,
    len(suspects) > 0 as failed,
    case when len(suspects) > 0 then 'in its environment: ' || array_to_string(suspects, ', ') when names is not null then 'no variable is named like a credential' end as reason,
    {'variables': suspects} as evidence
from judged
