/*
title = "The buckets that distributions serve exist"
severity = "high"
tables = ["aws_cloudfront_distribution", "aws_s3_bucket", "aws_organizations_organization"]
operations = []
frameworks = { fsbp = ["CloudFront.12"] }
remediation = "Take the origin out of the distribution; until then make a bucket of that name in your account, since whoever has the name serves your visitors."
command = "aws s3api head-bucket --bucket {bucket}"
links = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"]
*/
with origins as (
    select account_id, arn, lower(rtrim(origin ->> '$.DomainName', '.')) as domain, origin ->> '$.OriginPath' as origin_path
    from (
        select account_id, arn, unnest(as_objects(origins)) as origin
        from aws_cloudfront_distribution
        where enabled is distinct from false
    )
),
-- The bucket stands before S3's own name, dots and all, or in the path. S3's names: global, regional with a dot or a
-- hyphen, dual-stack, accelerated, FIPS, and those of websites.
named as (
    select
        account_id, arn, domain,
        case
            when regexp_full_match(domain, 's3(-fips)?([.-]dualstack)?([.-][a-z]{2,4}(-[a-z]+)+-[0-9]+|-external-1)?\.amazonaws\.(com|com\.cn|eu)') then split_part(origin_path, '/', 2)
            else regexp_extract(domain, '^(.+)\.s3(-website|-accelerate|-fips)?([.-]dualstack)?([.-][a-z]{2,4}(-[a-z]+)+-[0-9]+|-external-1)?\.amazonaws\.(com|com\.cn|eu)$', 1)
        end as bucket
    from origins
),
-- Aliases of access points are made by S3: nobody else can have one.
buckets as (
    select distinct account_id, arn, domain, bucket
    from named
    where bucket <> '' and not regexp_matches(bucket, '(-s3alias|--ol-s3)$')
),
present as (
    select distinct lower(bucket_name) as bucket
    from aws_s3_bucket
),
-- In an earlier run, and gone: the name is free for anybody.
lost as (
    select lower(arn_tail(arn)) as bucket, max(run) as run
    from previous_resources
    where resource_type = 's3:bucket'
    group by lower(arn_tail(arn))
),
unlisted as (
    select distinct account_id
    from gaps
    where resource_arn is null and (table_name = 'aws_s3_bucket' or table_name is null)
),
-- A bucket of an account that was not collected looks like one that is gone. Accounts of an organization are all known
-- where its members could be listed.
members as (
    select count(*) > 0 and bool_and(arn_tail(m.arn) in (select account_id from accounts)) as all_collected
    from resource_context as m
    where m.resource_type = 'organizations:account'
),
elsewhere as (
    select account_id, 'accounts of its organization' as whose
    from aws_organizations_organization
    where not (select all_collected from members)
    union
    select a.account_id, 'trusted accounts'
    from accounts as a
    cross join config_trusted_accounts as t
    where t.account_id not in (select account_id from accounts)
),
others as (
    select account_id, string_agg(whose, ' and ' order by whose) as whose
    from elsewhere
    group by account_id
),
judged as (
    select
        b.account_id, b.arn, b.domain, b.bucket,
        case
            when p.bucket is not null then false
            when l.bucket is not null then true
            when exists (select 1 from unlisted) or o.account_id is not null then null
            else true
        end as missing,
        case
            when l.bucket is not null then 'was there in run ' || l.run || ' and is gone'
            when exists (select 1 from unlisted) then 'was not found, but not all buckets could be listed'
            when o.account_id is not null then 'was not found; ' || o.whose || ' were not collected and may have it'
            else 'is in none of the accounts that were collected'
        end as why
    from buckets as b
    left join present as p on p.bucket = b.bucket
    left join lost as l on l.bucket = b.bucket
    left join others as o on o.account_id = b.account_id
),
by_distribution as (
    select
        account_id, arn,
        string_agg(bucket || ' ' || why, '; ' order by domain, bucket) filter (where missing) as missing,
        string_agg(bucket || ' ' || why, '; ' order by domain, bucket) filter (where missing is null) as unclear,
        min(bucket) filter (where missing) as bucket,
        list(domain order by domain, bucket) filter (where missing is distinct from false) as domains
    from judged
    group by account_id, arn
)
select
    d.account_id,
    d.region,
    d.arn as resource_arn,
    case when b.missing is not null then true when d.origins is null or b.unclear is not null then null else false end as failed,
    case
        when b.missing is not null then 'bucket ' || b.missing
        when d.origins is null then 'its origins are not known'
        when b.unclear is not null then 'bucket ' || b.unclear
        when b.arn is not null then 'the buckets it serves exist'
        else 'it serves no bucket'
    end as reason,
    {'distribution_id': d.distribution_id, 'aliases': d.aliases, 'bucket': b.bucket, 'origins': b.domains} as evidence
from aws_cloudfront_distribution as d
left join by_distribution as b on b.account_id = d.account_id and b.arn = d.arn
where d.enabled is distinct from false
