/*
title = "No container has the rights of its host"
severity = "high"
tables = ["aws_ecs_task_definition", "aws_ecs_service"]
frameworks = { fsbp = ["ECS.4"] }
remediation = "Register a revision without privileged containers that adds only the Linux capabilities they need, and move the services to it."
command = "aws ecs describe-task-definition --region {region} --task-definition {resource_arn}"
*/
with services as (
    select account_id, region, arn, service_name, task_definition_arn, privileged_containers, config
    from aws_ecs_service
    where status is distinct from 'INACTIVE'
),
-- What runs: a service can keep to a revision that is deregistered, and run several while it deploys.
running as (
    select account_id, region, service_name, task_definition_arn as arn, privileged_containers
    from services
    union all
    select account_id, region, service_name, unnest(config ->> '$.Service.services[0].deployments[*].taskDefinition'), null
    from services
    union all
    select account_id, region, service_name, unnest(config ->> '$.Service.services[0].taskSets[*].taskDefinition'), null
    from services
),
used as (
    select account_id, region, arn, list(distinct service_name order by service_name) as services, any_value(privileged_containers) as privileged_containers
    from running
    where arn is not null
    group by account_id, region, arn
),
definitions as (
    select
        account_id, region, arn, privileged_containers,
        -- By the ARN, which is there when the revision could not be described.
        row_number() over (
            partition by account_id, region, regexp_extract(arn, '^(.*):[0-9]+$', 1)
            order by try_cast(regexp_extract(arn, ':([0-9]+)$', 1) as bigint) desc
        ) = 1 as is_newest
    from aws_ecs_task_definition
),
judged as (
    select
        coalesce(d.account_id, u.account_id) as account_id,
        coalesce(d.region, u.region) as region,
        coalesce(d.arn, u.arn) as arn,
        coalesce(d.privileged_containers, u.privileged_containers) as containers,
        u.services
    from definitions as d
    full join used as u on u.account_id = d.account_id and u.arn = d.arn
    -- An older revision that no service runs is history.
    where d.is_newest or u.arn is not null
)
select
    account_id,
    region,
    arn as resource_arn,
    len(containers) > 0 as failed,
    case
        when len(containers) > 0 then 'runs privileged: ' || array_to_string(list_sort(containers), ', ') || case when len(services) > 0 then ', in service ' || array_to_string(services[:5], ', ') else '' end
        when containers is not null then 'no container is privileged'
        else 'its containers are not known'
    end as reason,
    {'containers': list_sort(containers), 'services': services} as evidence
from judged
