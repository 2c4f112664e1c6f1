-- One row per thing that runs with a role, whose credentials are those of whoever gets into it.
select i.account_id, i.arn, coalesce(p.role_arn, i.iam_instance_profile_arn) as role_arn, 'instance profile' as detail,
    case when p.role_arn is not null then true end as open
from aws_ec2_instance as i
left join (select arn, unnest(role_arns) as role_arn, true as is_known from aws_iam_instance_profile) as p on p.arn = i.iam_instance_profile_arn
left join (select distinct arn from aws_iam_instance_profile where len(role_arns) = 0) as e on e.arn = i.iam_instance_profile_arn
where i.iam_instance_profile_arn is not null and e.arn is null
union all
select account_id, arn, role_arn, 'execution role', true
from aws_lambda_function
where role_arn is not null
union all
select account_id, arn, task_role_arn, 'task role', true
from aws_ecs_service
where task_role_arn is not null
