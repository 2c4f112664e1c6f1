/*
title = "Nobody opens a bucket to everyone or to strangers"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Put the policy or access control list back as it was, look in the access logs for who read what meanwhile, and block public access. Name accounts of yours under accounts.trusted."
command = "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
links = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"]
*/
-- A policy and an access control list are replaced as a whole: what the one before granted already is not new, and neither is
-- what a change takes away.
with calls as (
    select
        *,
        request_parameters ->> '$.bucketName' as bucket,
        case when contains(event_name, 'Policy') then 'policy' else 'access control list' end as way
    from events
    where event_source = 's3.amazonaws.com' and event_name in (values ('PutBucketPolicy'), ('DeleteBucketPolicy'), ('PutBucketAcl'), ('CreateBucket'))
        and deliberate and (succeeded or denied)
),
statements as (
    select *, unnest(as_objects(as_document(coalesce(request_parameters -> '$.bucketPolicy', request_parameters -> '$.policy')) -> '$.Statement')) as statement
    from calls
    where event_name = 'PutBucketPolicy'
),
allowed as (
    select
        event_id, account_id,
        list_sort(as_list(statement -> '$.Action')) as actions,
        as_list(statement -> '$.Resource') as resources,
        -- Operators that fail when a request lacks the key, on keys that say who or whence; a pattern for everything is no limit.
        coalesce(regexp_matches(lower(statement ->> '$.Condition'), '"(foranyvalue:)?(stringequals|stringequalsignorecase|stringlike|arnequals|arnlike|ipaddress)"\s*:\s*\{[^{}]*"(aws:principalorgid|aws:principalorgpaths|aws:principalaccount|aws:principalarn|aws:sourceaccount|aws:sourcearn|aws:sourcevpc|aws:sourcevpce|aws:sourceip|aws:userid|aws:sourceorgid)"')
            and not regexp_matches(statement ->> '$.Condition', '"(\*|0\.0\.0\.0/[0-7]|::/[0-9])"'), false) as is_limited,
        unnest(case
            when statement ->> '$.NotPrincipal' is not null or statement ->> '$.Principal' = '*' then ['*']
            else as_list(statement -> '$.Principal.AWS')
        end) as name
    from statements
    where statement ->> '$.Effect' = 'Allow'
),
policy_grants as (
    select
        event_id, account_id,
        case when name = '*' then 'everyone' else 'account ' || grantee_account_id end as grantee,
        name = '*' as is_public,
        array_to_string(actions, ', ') as actions
    from (select *, nullif(regexp_extract(name, '^(arn:[^:]*:[^:]*:[^:]*:)?([0-9]{12})(:|$)', 2), '') as grantee_account_id from allowed)
    where case
        when name = '*' then not is_limited
        else grantee_account_id <> account_id and grantee_account_id not in (select account_id from accounts union all select account_id from config_trusted_accounts where account_id is not null)
            -- Load balancers deliver their logs from accounts of AWS.
            and not (actions = ['s3:PutObject'] and len(list_filter(resources, lambda resource: not contains(resource, '/AWSLogs/'))) = 0)
    end
),
acl_grants as (
    select
        event_id, account_id,
        case when item ->> '$.Grantee.URI' is not null then 'everyone' else 'another canonical user' end as grantee,
        item ->> '$.Grantee.URI' is not null as is_public,
        item ->> '$.Permission' as actions
    from (
        select *, request_parameters ->> '$.AccessControlPolicy.Owner.ID' as owner_id, unnest(as_objects(request_parameters -> '$.AccessControlPolicy.AccessControlList.Grant')) as item
        from calls
        where way = 'access control list'
    )
    where regexp_matches(item ->> '$.Grantee.URI', '/(AllUsers|AuthenticatedUsers)$')
        or item ->> '$.Grantee.URI' is null and owner_id is not null and item ->> '$.Grantee.ID' <> owner_id
            -- The canonical user by which CloudFront delivers logs.
            and item ->> '$.Grantee.ID' <> 'c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0'
    union all
    -- In a header: a canned list, or grants.
    select event_id, account_id, 'everyone', true, header
    from (
        select event_id, account_id, unnest(flatten([
            as_list(request_parameters -> '$."x-amz-acl"'), as_list(request_parameters -> '$.accessControlList."x-amz-acl"'),
            as_list(request_parameters -> '$."x-amz-grant-read"'), as_list(request_parameters -> '$."x-amz-grant-write"'), as_list(request_parameters -> '$."x-amz-grant-full-control"'),
            as_list(request_parameters -> '$."x-amz-grant-read-acp"'), as_list(request_parameters -> '$."x-amz-grant-write-acp"')
        ])) as header
        from calls
        where way = 'access control list'
    )
    where header in ('public-read', 'public-read-write', 'authenticated-read') or regexp_matches(header, '/(AllUsers|AuthenticatedUsers)')
),
grants as (
    select event_id, account_id, list({'grantee': grantee, 'is_public': is_public, 'actions': actions} order by grantee, actions) as granted
    from (from policy_grants union all from acl_grants)
    group by event_id, account_id
),
changes as (
    select
        c.*,
        coalesce(g.granted, []) as granted,
        coalesce(lag(case when c.succeeded then coalesce(g.granted, []) end ignore nulls) over (partition by c.account_id, c.bucket, c.way order by c.event_time, c.event_id), []) as before
    from calls as c
    left join grants as g on g.event_id = c.event_id and g.account_id = c.account_id
    where c.bucket is not null
),
opened as (
    select *, unnest(list_filter(granted, lambda grant: not list_contains(before, grant))) as opening
    from changes
)
select
    account_id,
    'global' as region,
    'arn:' || arn_partition(principal) || ':s3:::' || bucket as resource_arn,
    principal as discriminator,
    true as failed,
    case when bool_and(not succeeded) then 'medium' when bool_or(opening.is_public and succeeded) then 'critical' end as severity,
    'the ' || array_to_string(list_sort(list(distinct way)), ' and the ') || ' of the bucket ' || bucket
        || case when bool_or(succeeded) then ' now ' else ' was to ' end || case when bool_or(succeeded) and count(distinct way) = 1 then 'lets in ' else 'let in ' end
        || array_to_string(list_sort(list(distinct opening.grantee || ' (' || left(opening.actions, 60) || ')'))[:3], ', ') || ', changed ' || traced(call) as reason,
    {'trace': trace(call), 'bucket': bucket, 'grants': list_sort(list(distinct opening.grantee || ': ' || opening.actions))[:20]} as evidence
from opened
where principal is not null
group by account_id, bucket, principal, arn_partition(principal)
having bool_or(judged)
