/*
title = "No resource policy lets everyone in"
severity = "critical"
tables = ["aws_kms_key", "aws_sqs_queue", "aws_sns_topic", "aws_lambda_function", "aws_ecr_repository", "aws_secretsmanager_secret", "aws_dynamodb_table", "aws_backup_vault", "aws_efs_file_system", "aws_opensearch_domain"]
operations = ["GetKeyPolicy", "GetQueueAttributes", "GetTopicAttributes", "GetPolicy", "GetRepositoryPolicy", "GetResourcePolicy", "GetBackupVaultAccessPolicy", "DescribeFileSystemPolicy", "DescribeDomains", "DescribeKey"]
frameworks = { fsbp = ["KMS.5", "SQS.3", "SNS.4", "Lambda.1"] }
remediation = "Name the accounts or roles that need it, or add a condition that only they meet, such as aws:PrincipalOrgID, aws:SourceAccount or aws:SourceArn; then look for who used it."
command = "aws {service} {operation} --region {region} {name_option} {name} {policy_option} {policy}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-concepts.html"]
*/
-- Buckets and roles have checks of their own. APIs and VPC endpoints are left out: theirs are open by design.
with documents as (
    select account_id, region, arn, service, name, has_policy and policy ->> '$' <> '' as has_policy, as_document(policy) as document
    from resource_policies
),
numbered as (
    select account_id, arn, service, unnest(statements) as statement, generate_subscripts(statements, 1) as position
    from (select account_id, arn, service, as_objects(document -> '$.Statement') as statements from documents)
),
-- Read once: a policy is text.
read as materialized (
    select
        account_id, arn, service, position,
        from_json(statement, '{"Sid": "VARCHAR", "Effect": "VARCHAR", "Principal": "JSON", "NotPrincipal": "VARCHAR", "Action": "JSON", "NotAction": "VARCHAR", "Resource": "JSON", "NotResource": "VARCHAR", "Condition": "JSON"}') as s
    from numbered
),
principals as (
    select
        *,
        case when json_type(s.Principal) = 'OBJECT' then from_json(s.Principal, '{"AWS": "JSON", "Service": "JSON", "Federated": "JSON", "CanonicalUser": "JSON"}') end as p
    from read
),
statements as materialized (
    select
        account_id, arn, service, position, s.Sid as sid, s.Effect as effect,
        s.Principal ->> '$' = '*' or list_contains(list_concat(as_list(p.AWS), as_list(p.Service), as_list(p.Federated), as_list(p.CanonicalUser)), '*') as names_everyone,
        s.NotPrincipal as not_principal,
        as_list(p.Service) as principal_services,
        case when s.NotAction is not null then ['*'] else as_list(s.Action) end as actions,
        case when s.NotResource is not null then ['*'] else as_list(s.Resource) end as resources,
        s.NotAction is not null or s.NotResource is not null as is_negated,
        s.Condition is not null and s.Condition ->> '$' <> '{}' as has_condition,
        from_json(s.Condition, '"MAP(VARCHAR, MAP(VARCHAR, JSON))"') as condition
    from principals
),
-- A condition holds when each of its keys does, and a key when one of its values does.
entries as (
    select account_id, arn, position, operator, unnest(map_entries(keys)) as entry
    from (
        select account_id, arn, position, operator_entry.key as operator, operator_entry.value as keys
        from (select account_id, arn, position, unnest(map_entries(condition)) as operator_entry from statements)
    )
),
keys as (
    select
        account_id, arn, position, lower(operator) as operator, lower(entry.key) as key,
        case when json_type(entry.value) = 'ARRAY' then entry.value ->> '$[*]' else [entry.value ->> '$'] end as values
    from entries
),
-- Values that name who or where in full: one account, organization, network or source, and no pattern for it.
named as (
    select
        account_id, arn, position, operator, key,
        len(values) > 0 and len(list_filter(values, lambda value: not coalesce(case
            when key in ('aws:principalorgid', 'aws:sourceorgid', 'aws:vpceorgid') then regexp_full_match(value, 'o-[a-z0-9]+')
            when key in ('aws:principalorgpaths', 'aws:sourceorgpaths', 'aws:vpceorgpaths') then regexp_matches(value, '^o-[a-z0-9]+/')
            when key in ('aws:principalaccount', 'aws:sourceaccount', 'aws:sourceowner', 'aws:vpceaccount', 'kms:calleraccount') then regexp_full_match(value, '[0-9]{12}')
            when key in ('aws:sourcevpc', 'aws:sourcevpce') then regexp_full_match(value, 'vpce?-[0-9a-z]+')
            -- A bucket's ARN has no account, and its name is unique.
            when key in ('aws:principalarn', 'aws:sourcearn', 'aws:sourcevpcarn', 'lambda:sourcefunctionarn') then regexp_matches(value, '^arn:[^:]*:[^:]*:[^:]*:[0-9]{12}:') or regexp_full_match(value, 'arn:[^:*?]+:s3:::[^*?$]+')
            when key = 'aws:userid' then regexp_matches(value, '^(A(ROA|IDA)[A-Z0-9]{8,}|[0-9]{12})(:|$)')
            when key = 'aws:sourceip' then regexp_full_match(value, '[0-9a-fA-F.:]+(/[0-9]+)?') and not (contains(value, '/') and is_world(value))
            when key = 'sns:endpoint' then regexp_full_match(value, '\*@[^*?]+|[^*?]+|https://[^*?/]+/.*') or regexp_matches(value, '^arn:[^:]*:[^:]*:[^:]*:[0-9]{12}:')
            when key = 'elasticfilesystem:accessedviamounttarget' then lower(value) = 'true'
        end, false))) = 0 as is_named
    from keys
),
conditions as materialized (
    select
        account_id, arn, position,
        -- A key that a request lacks fails these operators, but holds with `IfExists` and `ForAllValues`.
        bool_or(is_named and regexp_replace(operator, '^foranyvalue:', '') in ('stringequals', 'stringequalsignorecase', 'stringlike', 'arnequals', 'arnlike', 'ipaddress', 'bool')) as limits,
        -- A denial of all others limits as well, provided that nothing else in it but an exception for services narrows it.
        -- A key that a request lacks holds here.
        bool_or(is_named and regexp_matches(operator, '^(stringnot|arnnot|notip)'))
            and bool_and(is_named and regexp_matches(operator, '^(stringnot|arnnot|notip)') or key = 'aws:principalisawsservice' and operator in ('bool', 'boolifexists')) as spares_named,
        bool_or(key = 'aws:principalisawsservice') as spares_services
    from named
    group by account_id, arn, position
),
allowed as (
    select s.*, s.names_everyone or s.not_principal is not null as everyone
    from statements as s
    left join conditions as c on c.account_id = s.account_id and c.arn = s.arn and c.position = s.position
    where s.effect = 'Allow'
        -- These services carry messages for anybody's bucket, topic or API: without its source, anybody's are let in.
        and (s.names_everyone or s.not_principal is not null or s.service in ('lambda', 'sqs', 'sns') and list_has_any(s.principal_services, ['s3.amazonaws.com', 'sns.amazonaws.com', 'apigateway.amazonaws.com']))
        and not coalesce(c.limits, false)
),
denied as (
    select s.*, coalesce(c.spares_services, false) as spares_services
    from statements as s
    left join conditions as c on c.account_id = s.account_id and c.arn = s.arn and c.position = s.position
    where s.effect = 'Deny' and not s.is_negated
        and (s.names_everyone or s.not_principal is not null and not contains(s.not_principal, '*'))
        and (not s.has_condition or c.spares_named)
),
-- What a denial takes back as a whole; a part of it leaves the rest open.
open_statements as (
    select a.*
    from allowed as a
    anti join denied as d
        on d.account_id = a.account_id and d.arn = a.arn and (a.everyone or not d.spares_services)
        and len(list_filter(a.actions, lambda action: len(list_filter(d.actions, lambda denial: not contains(denial, '?') and pattern_covers(denial, action))) = 0)) = 0
        and len(list_filter(a.resources, lambda resource: len(list_filter(d.resources, lambda denial: not contains(denial, '?') and pattern_covers(denial, resource))) = 0)) = 0
),
by_resource as (
    select
        account_id, arn,
        bool_or(everyone) as everyone,
        list_sort(list_distinct(flatten(list(actions) filter (where everyone)))) as actions,
        list_sort(list_distinct(flatten(list(principal_services) filter (where not everyone)))) as services,
        min_by(sid, (not everyone, position)) as sid
    from open_statements
    group by account_id, arn
),
-- A domain in a VPC answers that network only, and fine-grained access control asks everyone for a name and password.
guarded as (
    select account_id, arn, in_vpc, advanced_security_enabled and coalesce(config ->> '$.Description.AdvancedSecurityOptions.AnonymousAuthEnabled', 'false') = 'false' as asks_who
    from aws_opensearch_domain
),
judged as (
    select
        d.*, o.everyone, o.actions, o.services, o.sid, g.in_vpc, g.asks_who,
        case
            when d.has_policy is null or d.has_policy and d.document is null then null
            when o.arn is null then false
            when d.service <> 'opensearch' then true
            when g.in_vpc or g.asks_who then false
            when g.in_vpc is null or g.asks_who is null then null
            else true
        end as failed
    from documents as d
    left join by_resource as o on o.account_id = d.account_id and o.arn = d.arn
    left join guarded as g on g.account_id = d.account_id and g.arn = d.arn and d.service = 'opensearch'
)
select
    account_id,
    region,
    arn as resource_arn,
    failed,
    case
        when failed and everyone then 'its policy allows everyone ' || array_to_string(actions[:5], ', ') || case when len(actions) > 5 then ' and more' else '' end
        when failed then 'its policy lets ' || array_to_string(services[:5], ', ') || ' in for whichever account asks it to: no condition on the source'
        when has_policy is null then 'its policy is not known'
        when has_policy and document is null then 'its policy can''t be read'
        when not has_policy then 'it has no policy'
        when failed is null then 'its policy lets everyone in; what else guards it is not known'
        when everyone and in_vpc then 'its policy lets everyone in, who reaches its VPC'
        when everyone then 'its policy lets everyone in, fine-grained access control asks who they are'
        else 'its policy names who is let in'
    end as reason,
    {
        'service': service, 'actions': actions, 'principal_services': services, 'statement': sid, 'name': name,
        'operation': case service
            when 'kms' then 'put-key-policy' when 'sns' then 'remove-permission' when 'sqs' then 'remove-permission' when 'lambda' then 'remove-permission'
            when 'ecr' then 'set-repository-policy' when 'secretsmanager' then 'put-resource-policy' when 'dynamodb' then 'put-resource-policy'
            when 'backup' then 'put-backup-vault-access-policy' when 'efs' then 'put-file-system-policy' when 'opensearch' then 'update-domain-config'
        end,
        'name_option': case service
            when 'kms' then '--key-id' when 'sns' then '--topic-arn' when 'sqs' then '--queue-url' when 'lambda' then '--function-name'
            when 'ecr' then '--repository-name' when 'secretsmanager' then '--secret-id' when 'dynamodb' then '--resource-arn'
            when 'backup' then '--backup-vault-name' when 'efs' then '--file-system-id' when 'opensearch' then '--domain-name'
        end,
        'policy_option': case service
            when 'sns' then '--label' when 'sqs' then '--label' when 'lambda' then '--statement-id' when 'ecr' then '--policy-text'
            when 'secretsmanager' then '--resource-policy' when 'opensearch' then '--access-policies' else '--policy'
        end,
        'policy': case when service in ('sns', 'sqs', 'lambda') then sid else 'file://policy.json' end
    } as evidence,
    case when failed and not everyone then 'medium' end as severity
from judged
