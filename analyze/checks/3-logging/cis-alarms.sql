/*
title = "Somebody is told of the events that CIS names"
severity = "medium"
tables = ["aws_cloudtrail_trail", "aws_cloudtrail_trail_by_region", "aws_logs_metric_filter", "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "aws_sns_subscription"]
operations = ["DescribeTrails", "GetTrailStatus", "GetEventSelectors", "DescribeMetricFilters", "DescribeAlarms", "ListSubscriptions"]
absence = true
remediation = "Send a trail of all regions to a log group, count the events there by a metric filter, and set an alarm on the metric whose topic somebody has confirmed to read."
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html"]

[frameworks]
"cis_v3.0" = ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11", "4.12", "4.13", "4.14", "4.15"]
"cis_v5.0" = ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11", "4.12", "4.13", "4.14", "4.15"]
*/
-- A filter is judged by what it does to events: it must match a sample of each that the benchmark names. Calls about
-- EC2-Classic are left out, which nobody can make any more.
with watched_calls as (
    from (values
        ('4.1', 'unauthorized-calls', 'ec2', ['DescribeInstances'], map {'errorCode': 'Client.UnauthorizedOperation'}),
        ('4.1', 'unauthorized-calls', 'iam', ['ListUsers'], map {'errorCode': 'AccessDenied'}),
        ('4.1', 'unauthorized-calls', 'dynamodb', ['DescribeTable'], map {'errorCode': 'AccessDeniedException'}),
        ('4.2', 'sign-in-without-mfa', 'signin', ['ConsoleLogin'], map {
            'eventType': 'AwsConsoleSignIn', 'userIdentity.type': 'IAMUser', 'additionalEventData.MFAUsed': 'No', 'responseElements.ConsoleLogin': 'Success'}),
        ('4.3', 'root-use', 'iam', ['CreateAccessKey'], map {'userIdentity.type': 'Root'}),
        ('4.3', 'root-use', 'signin', ['ConsoleLogin'], map {
            'eventType': 'AwsConsoleSignIn', 'userIdentity.type': 'Root', 'additionalEventData.MFAUsed': 'Yes', 'responseElements.ConsoleLogin': 'Success'}),
        ('4.4', 'iam-policy-changes', 'iam', [
            'DeleteGroupPolicy', 'DeleteRolePolicy', 'DeleteUserPolicy', 'PutGroupPolicy', 'PutRolePolicy', 'PutUserPolicy', 'CreatePolicy', 'DeletePolicy',
            'CreatePolicyVersion', 'DeletePolicyVersion', 'AttachRolePolicy', 'DetachRolePolicy', 'AttachUserPolicy', 'DetachUserPolicy', 'AttachGroupPolicy',
            'DetachGroupPolicy'], null),
        ('4.5', 'trail-changes', 'cloudtrail', ['CreateTrail', 'UpdateTrail', 'DeleteTrail', 'StartLogging', 'StopLogging'], null),
        ('4.6', 'failed-sign-in', 'signin', ['ConsoleLogin'], map {
            'eventType': 'AwsConsoleSignIn', 'userIdentity.type': 'IAMUser', 'additionalEventData.MFAUsed': 'No', 'responseElements.ConsoleLogin': 'Failure',
            'errorMessage': 'Failed authentication'}),
        ('4.7', 'key-disabled', 'kms', ['DisableKey', 'ScheduleKeyDeletion'], null),
        ('4.8', 'bucket-policy-changes', 's3', [
            'PutBucketAcl', 'PutBucketPolicy', 'PutBucketCors', 'PutBucketLifecycle', 'PutBucketReplication', 'DeleteBucketPolicy', 'DeleteBucketCors',
            'DeleteBucketLifecycle', 'DeleteBucketReplication'], null),
        ('4.9', 'config-changes', 'config', ['StopConfigurationRecorder', 'DeleteDeliveryChannel', 'PutDeliveryChannel', 'PutConfigurationRecorder'], null),
        ('4.10', 'security-group-changes', 'ec2', [
            'AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupIngress', 'RevokeSecurityGroupEgress', 'CreateSecurityGroup',
            'DeleteSecurityGroup'], null),
        ('4.11', 'network-acl-changes', 'ec2', [
            'CreateNetworkAcl', 'CreateNetworkAclEntry', 'DeleteNetworkAcl', 'DeleteNetworkAclEntry', 'ReplaceNetworkAclEntry', 'ReplaceNetworkAclAssociation'], null),
        ('4.12', 'gateway-changes', 'ec2', [
            'CreateCustomerGateway', 'DeleteCustomerGateway', 'AttachInternetGateway', 'CreateInternetGateway', 'DeleteInternetGateway', 'DetachInternetGateway'], null),
        ('4.13', 'route-changes', 'ec2', [
            'CreateRoute', 'CreateRouteTable', 'ReplaceRoute', 'ReplaceRouteTableAssociation', 'DeleteRouteTable', 'DeleteRoute', 'DisassociateRouteTable'], null),
        ('4.14', 'vpc-changes', 'ec2', [
            'CreateVpc', 'DeleteVpc', 'ModifyVpcAttribute', 'AcceptVpcPeeringConnection', 'CreateVpcPeeringConnection', 'DeleteVpcPeeringConnection',
            'RejectVpcPeeringConnection'], null),
        ('4.15', 'organization-changes', 'organizations', [
            'AcceptHandshake', 'AttachPolicy', 'CreateAccount', 'CreateOrganizationalUnit', 'CreatePolicy', 'DeclineHandshake', 'DeleteOrganization',
            'DeleteOrganizationalUnit', 'DeletePolicy', 'DetachPolicy', 'DisablePolicyType', 'EnablePolicyType', 'InviteAccountToOrganization', 'LeaveOrganization',
            'MoveAccount', 'RemoveAccountFromOrganization', 'UpdatePolicy', 'UpdateOrganizationalUnit'], null)
    ) as t(control, event, source, names, fields)
),
samples as (
    select
        control, event, event_name, source, coalesce(fields['errorCode'], event_name) as label,
        map_concat(map {
            'eventName': event_name,
            'eventSource': source || '.amazonaws.com',
            'eventType': 'AwsApiCall',
            'eventCategory': 'Management',
            'managementEvent': 'true',
            'sourceIPAddress': '198.51.100.7',
            'userAgent': 'aws-cli/2.0',
            'userIdentity.type': 'AssumedRole',
            'userIdentity.userName': 'somebody',
            'userIdentity.principalId': 'AROAEXAMPLE:somebody',
            'userIdentity.arn': 'arn:aws:sts::000000000000:assumed-role/somebody/somebody',
            'userIdentity.sessionContext.sessionIssuer.userName': 'somebody',
            'userIdentity.sessionContext.sessionIssuer.arn': 'arn:aws:iam::000000000000:role/somebody'
        }, coalesce(fields, map {})) as fields,
        ['userIdentity.invokedBy', 'errorCode', 'errorMessage', 'additionalEventData.MFAUsed', 'responseElements.ConsoleLogin'] as absent
    from (select * exclude (names), unnest(names) as event_name from watched_calls)
),
-- Log groups that receive the events of all regions, those of the account that made the organization's trail among them.
-- Null: that is not known.
trails as (
    select
        account_id,
        split_part(cloudwatch_logs_group_arn, ':', 5) as group_account_id,
        split_part(cloudwatch_logs_group_arn, ':', 4) as region,
        split_part(cloudwatch_logs_group_arn, ':', 7) as log_group_name,
        is_multi_region_trail and is_logging and coalesce(latest_cloudwatch_logs_delivery_error, '') = ''
            and records_management_events(event_selectors, advanced_event_selectors, has_custom_event_selectors) as receives,
        -- Trails may leave out the many calls of KMS.
        contains(concat(event_selectors::varchar, advanced_event_selectors::varchar), 'kms.amazonaws.com') as without_kms
    from aws_cloudtrail_trail
    where cloudwatch_logs_group_arn is not null
    union all
    select
        b.account_id,
        split_part(b.cloudwatch_logs_group_arn, ':', 5),
        split_part(b.cloudwatch_logs_group_arn, ':', 4),
        split_part(b.cloudwatch_logs_group_arn, ':', 7),
        b.is_multi_region_trail and b.is_logging and coalesce(t.latest_cloudwatch_logs_delivery_error, '') = ''
            and records_management_events(b.event_selectors, b.advanced_event_selectors, b.has_custom_event_selectors),
        contains(concat(b.event_selectors::varchar, b.advanced_event_selectors::varchar), 'kms.amazonaws.com')
    from aws_cloudtrail_trail_by_region as b
    left join aws_cloudtrail_trail as t on t.arn = b.arn
    where b.cloudwatch_logs_group_arn is not null and split_part(b.arn, ':', 5) <> b.account_id
),
log_groups as (
    select
        account_id, group_account_id, region, log_group_name,
        case when bool_or(receives) then true when bool_or(receives is null) then null else false end as receives,
        coalesce(bool_and(without_kms) filter (where receives), bool_and(without_kms)) as without_kms
    from trails
    group by account_id, group_account_id, region, log_group_name
),
-- Log groups of other accounts whose filters and alarms are not all in the run.
unseen as (
    select account_id, min(group_account_id) as group_account_id
    from log_groups as g
    where group_account_id <> account_id and receives is distinct from false
        and (
            group_account_id not in (select account_id from accounts)
            or exists (
                from gaps as p
                where p.account_id = g.group_account_id and p.region in (g.region, 'global')
                    and p.table_name in ('aws_logs_metric_filter', 'aws_cloudwatch_metric_alarm', 'aws_cloudwatch_composite_alarm', 'aws_sns_subscription')
            )
        )
    group by account_id
),
-- Metrics that an alarm watches as a whole, and whether its topics have a confirmed subscription.
metrics as (
    select account_id, region, arn, namespace, metric_name, dimensions
    from aws_cloudwatch_metric_alarm
    where metric_name is not null and not coalesce(starts_with(comparison_operator, 'LessThan'), false)
    union all
    select account_id, region, arn, metric ->> '$.Namespace', metric ->> '$.MetricName', metric -> '$.Dimensions'
    from (
        select account_id, region, arn, comparison_operator, unnest(as_objects(metrics)) -> '$.MetricStat.Metric' as metric
        from aws_cloudwatch_metric_alarm
    )
    where metric is not null and not coalesce(starts_with(comparison_operator, 'LessThan'), false)
),
confirmed as (
    select account_id, topic_arn, bool_or(coalesce(is_confirmed, false)) as is_confirmed, bool_or(is_confirmed is null) as unread
    from aws_sns_subscription
    group by account_id, topic_arn
),
told as (
    select
        a.account_id, a.arn,
        bool_or(coalesce(c.is_confirmed, false)) as told,
        -- Who reads a topic of another account is not to be seen from here.
        bool_or(c.unread or c.topic_arn is null and split_part(a.action, ':', 5) <> a.account_id) as unread
    from alarm_actions as a
    left join confirmed as c on c.account_id = a.account_id and c.topic_arn = a.action
    where a.action like 'arn:%:sns:%'
    group by a.account_id, a.arn
),
watched as (
    select
        m.account_id, m.region, m.namespace, m.metric_name,
        case when bool_or(t.told) then true when bool_or(t.unread) then null else false end as told
    from metrics as m
    left join told as t on t.account_id = m.account_id and t.arn = m.arn
    where len(as_objects(m.dimensions)) = 0
    group by m.account_id, m.region, m.namespace, m.metric_name
),
transformed as (
    select account_id, region, log_group_name, filter_name, filter_pattern, unnest(as_objects(metric_transformations)) as metric
    from aws_logs_metric_filter
),
filters as (
    select
        f.account_id, f.region, f.log_group_name, f.filter_name, f.filter_pattern,
        w.metric_name is not null as watched,
        case when w.metric_name is null then false else w.told end as told,
        -- Terms such as `$.eventName = "ConsoleLogin"` at the even places, what stands between them at the odd ones.
        string_split(regexp_replace(replace(f.filter_pattern, chr(1), ''),
            '\$\.[^\s=!<>()&|"]+\s*(?:(?:!=|<=|>=|=|<|>)\s*(?:"(?:[^"\\]|\\.)*"|%[^%]*%|[^\s()&|{}]+)|NOT\s+EXISTS|EXISTS|IS\s+(?:NOT\s+)?(?:NULL|TRUE|FALSE))',
            chr(1) || '\0' || chr(1), 'gi'), chr(1)) as pieces
    from transformed as f
    semi join log_groups as g
        on g.group_account_id = f.account_id and g.region = f.region and g.log_group_name = f.log_group_name and g.receives is distinct from false
    left join watched as w
        on w.account_id = f.account_id and w.region = f.region
        and w.namespace = f.metric ->> '$.metricNamespace' and w.metric_name = f.metric ->> '$.metricName'
        and len(json_keys(coalesce(f.metric -> '$.dimensions', '{}'::json))) = 0
    where f.metric ->> '$.metricValue' is distinct from '0'
),
parsed as (
    select
        * exclude (pieces),
        list_transform(pieces, lambda piece, place: {
            'is_term': place % 2 = 0,
            'joint': replace(replace(regexp_replace(piece, '[\s{}]', '', 'g'), '&&', '&'), '||', '|'),
            'field': regexp_extract(piece, '^\$\.([^\s=!<>]+)', 1),
            'operator': upper(trim(regexp_replace(regexp_extract(piece, '^\$\.[^\s=!<>]+\s*([=!<>]+|[A-Za-z\s]+)', 1), '\s+', ' ', 'g'))),
            'value': regexp_extract(regexp_extract(piece, '^[^=!<>]*[=!<>]+\s*(.*)$', 1), '^"?(.*?)"?$', 1)
        }) as pieces
    from filters
),
-- The pattern for each sample, its terms replaced by T, F or U (not understood).
translated as (
    select
        p.* exclude (pieces), s.control, s.event_name, s.label,
        case
            when not starts_with(trim(p.filter_pattern), '{') then if(contains(p.filter_pattern, s.event_name), '(U)', '(F)')
            else '(' || array_to_string(list_transform(p.pieces, lambda piece: case
                when not piece.is_term then piece.joint
                when piece.operator in ('EXISTS', 'NOT EXISTS') and (s.fields[piece.field] is not null or list_contains(s.absent, piece.field))
                    then if((s.fields[piece.field] is null) = (piece.operator = 'NOT EXISTS'), 'T', 'F')
                when piece.operator not in ('=', '!=') or starts_with(piece.value, '%') then 'U'
                -- A choice by a field that the sample leaves open, such as one bucket, is too narrow.
                when s.fields[piece.field] is null then if(piece.operator = '=' and piece.value <> '*', 'F', 'U')
                when (case
                    when contains(piece.value, '*') then regexp_full_match(s.fields[piece.field], replace(regexp_escape(piece.value), '\*', '.*'))
                    else s.fields[piece.field] = piece.value
                end) = (piece.operator = '=') then 'T'
                else 'F'
            end), '') || ')'
        end as expression
    from parsed as p
    cross join samples as s
),
-- With what is not understood taken for true, then for false. Innermost parentheses first: a group is true when one side
-- of an | is all true, false when every side has something false; && binds closer.
guessed as (
    select
        * exclude (expression),
        list_transform(['T', 'F'], lambda guess: list_reduce([replace(expression, 'U', guess), '', '', '', '', '', '', '', ''], lambda text, step:
            regexp_replace(regexp_replace(text,
                '\((?:[TF&|]*\|)?T(?:&T)*(?:\|[TF&|]*)?\)', 'T', 'g'),
                '\([TF&]*F[TF&]*(?:\|[TF&]*F[TF&]*)*\)', 'F', 'g'))) as outcomes
    from translated
),
matches as (
    select *, case when outcomes = ['T', 'T'] then 'T' when outcomes = ['F', 'F'] then 'F' else 'U' end as outcome
    from guessed
),
accounts_samples as (
    select a.account_id, a.arn, s.*
    from accounts as a
    cross join samples as s
),
covered as (
    select
        a.account_id, a.arn, a.control, a.event, a.label,
        bool_or(coalesce(m.outcome = 'T' and g.receives and m.told, false)) as covered,
        bool_or(coalesce(m.outcome <> 'F' and coalesce(g.receives, true) and coalesce(m.told, true), false)) as possible,
        bool_or(coalesce(m.outcome <> 'F', false)) as counted,
        bool_or(coalesce(m.outcome <> 'F' and m.watched, false)) as watched,
        min(m.region) filter (where m.outcome = 'T' and g.receives and m.told) as region,
        list(distinct m.filter_name order by m.filter_name) filter (where m.outcome <> 'F') as filters
    from accounts_samples as a
    left join log_groups as g on g.account_id = a.account_id and g.receives is distinct from false and not (g.without_kms and a.source = 'kms')
    left join matches as m
        on m.account_id = g.group_account_id and m.region = g.region and m.log_group_name = g.log_group_name
        and m.control = a.control and m.label = a.label and m.event_name = a.event_name
    group by a.account_id, a.arn, a.control, a.event, a.label, a.event_name
),
by_event as (
    select
        account_id, arn, control, event,
        bool_and(covered) as covered, bool_and(possible) as possible, bool_or(counted) as counted, bool_and(watched) as watched,
        string_agg(label, ', ' order by label) filter (where not counted) as missed,
        min(region) as region,
        list_sort(list_distinct(flatten(list(coalesce(filters, []))))) as filters
    from covered
    group by account_id, arn, control, event
),
receiving as (
    select account_id, bool_or(receives is distinct from false) as receives
    from log_groups
    group by account_id
)
select
    e.account_id,
    case when e.covered then e.region else 'global' end as region,
    e.arn as resource_arn,
    e.event as discriminator,
    case when e.covered then false when u.account_id is null and not e.possible then true end as failed,
    case
        when e.covered then 'counted by ' || array_to_string(e.filters, ', ') || ', and somebody is told'
        when not coalesce(r.receives, false) then 'no trail of all regions is sent to CloudWatch Logs'
        when u.account_id is not null then 'the organization''s trail is sent to a log group of account ' || u.group_account_id || ', whose filters and alarms are not all in the run'
        when not e.counted then 'no metric filter counts it'
        when e.missed is not null then 'metric filters miss ' || e.missed
        when not e.watched then 'no alarm watches the metric of ' || array_to_string(e.filters, ', ')
        when not e.possible then 'the alarm on ' || array_to_string(e.filters, ', ') || ' reaches no confirmed subscription'
        else 'whether somebody is told by ' || array_to_string(e.filters, ', ') || ' could not be decided'
    end as reason,
    {'control': e.control, 'event': e.event, 'filters': e.filters, 'missed': e.missed} as evidence
from by_event as e
left join receiving as r on r.account_id = e.account_id
left join unseen as u on u.account_id = e.account_id
