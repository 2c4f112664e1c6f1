/*
title = "Services assume roles for this account or organization only"
severity = "medium"
tables = ["aws_iam_role"]
remediation = "Add a condition to the statement of the trust policy: StringEquals on aws:SourceAccount with the account, or ArnLike on aws:SourceArn with the resource that the service works for. Try it out, since a service sends the keys only where its documentation says so."
command = "aws iam update-assume-role-policy --role-name {role_name} --policy-document file://trust-policy.json"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"]
*/
-- A service that works for every customer is given the ARN of a role by each of them. Those below say for whom they act. Compute
-- services (EC2, Lambda, ECS, EKS) are not among them: they take a role only from whoever may pass it, in its own account.
with deputies (service) as (
    values
        ('amplify'), ('appsync'), ('autoscaling'), ('bedrock'), ('codebuild'),
        ('codepipeline'), ('comprehend'), ('config'), ('databrew'), ('datasync'), ('delivery.logs'), ('dms'), ('events'), ('firehose'), ('forecast'),
        ('frauddetector'), ('glue'), ('grafana'), ('greengrass'), ('imagebuilder'), ('iot'), ('iotevents'), ('iotsitewise'), ('kendra'), ('kinesisanalytics'),
        ('lexv2'), ('logs'), ('mediaconvert'), ('mobiletargeting'), ('monitoring.rds'), ('personalize'), ('pipes'), ('rds'), ('rekognition'),
        ('sagemaker'), ('scheduler'), ('ses'), ('sns'), ('ssm'), ('ssm-incidents'), ('states'), ('storagegateway'), ('textract'), ('transcribe'), ('transfer'),
        ('translate'), ('vpc-flow-logs')
),
trusted as (
    select account_id, arn, role_name, condition, principal_name, regexp_replace(principal_name, '(\.[a-z]{2}(-[a-z]+)+-[0-9])?\.amazonaws\.com(\.cn)?$', '') as service
    from trust_statements
    where principal_kind = 'Service'
),
-- Conditions that are met by nobody without the key: no IfExists, no ForAllValues, nothing negated.
limits as (
    select distinct account_id, arn, condition::varchar as condition, lower(key) as key, unnest(as_list(condition -> ('$."' || replace(operator, '"', '') || '"."' || key || '"'))) as value
    from (
        select account_id, arn, condition, operator, unnest(json_keys(condition, '$."' || replace(operator, '"', '') || '"')) as key
        from (select distinct account_id, arn, condition, unnest(json_keys(condition)) as operator from trusted where json_type(condition) = 'OBJECT')
        where regexp_full_match(lower(operator), '(foranyvalue:)?(stringequals|stringequalsignorecase|stringlike|arnequals|arnlike)')
    )
    where lower(key) in ('aws:sourceaccount', 'aws:sourcearn', 'aws:sourceorgid', 'aws:sourceorgpaths', 'sts:externalid') and not contains(key, '"')
),
limited as (
    select account_id, arn, condition, string_agg(distinct key, ', ' order by key) as keys
    from limits
    group by account_id, arn, condition, key
    -- One value that anybody has spoils the others.
    having bool_and(case
        when key = 'aws:sourcearn' then regexp_matches(value, '^arn:[^:]*:[^:]*:[^:]*:[0-9]{12}:') or regexp_matches(value, '^arn:[^:]*:s3:::[^*?]')
        when key = 'aws:sourceaccount' then regexp_full_match(value, '[0-9]{12}')
        else not regexp_full_match(value, '[*?/]*') end)
),
judged as (
    select t.account_id, t.arn, t.service, t.principal_name, d.service is not null as is_deputy, min(l.keys) as keys
    from trusted as t
    left join deputies as d on d.service = t.service
    left join limited as l on l.account_id = t.account_id and l.arn = t.arn and l.condition = t.condition::varchar
    -- One statement without a limit is enough.
    group by t.account_id, t.arn, t.service, t.principal_name, d.service, t.condition::varchar
),
roles as (
    select
        account_id, arn,
        list_sort(list(distinct principal_name) filter (where is_deputy and keys is null)) as open,
        string_agg(distinct keys, ', ' order by keys) filter (where is_deputy) as keys,
        bool_or(is_deputy) as has_deputy
    from judged
    group by account_id, arn
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when r.assume_role_policy is null or json_type(as_document(r.assume_role_policy)) is distinct from 'OBJECT' then null else coalesce(len(j.open), 0) > 0 end as failed,
    case
        when r.assume_role_policy is null or json_type(as_document(r.assume_role_policy)) is distinct from 'OBJECT' then 'its trust policy is not known'
        when len(j.open) > 0 then some_of(j.open) || case when len(j.open) = 1 then ' assumes it' else ' assume it' end || ' for whatever customer says its ARN: no condition on aws:SourceAccount or aws:SourceArn'
        when j.has_deputy then 'limited by ' || j.keys
        else 'of services, only those that take roles of their own account may assume it'
    end as reason,
    {'role_name': r.role_name, 'services': j.open} as evidence
from aws_iam_role as r
left join roles as j on j.account_id = r.account_id and j.arn = r.arn
where not coalesce(r.is_service_linked, false)
    and (j.arn is not null or r.assume_role_policy is null or json_type(as_document(r.assume_role_policy)) is distinct from 'OBJECT')
