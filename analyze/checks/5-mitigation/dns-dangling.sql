/*
title = "No record leads to something that was given up"
severity = "high"
tables = ["aws_route53_hosted_zone", "aws_route53_record", "aws_ec2_eip", "aws_ec2_network_interface", "aws_elbv2_load_balancer", "aws_elb_load_balancer", "aws_s3_bucket", "aws_cloudfront_distribution", "aws_apigateway_rest_api", "aws_apigatewayv2_api", "aws_organizations_organization"]
operations = ["ListResourceRecordSets"]
remediation = "Delete the record, or make what it leads to again; whoever gets that address, bucket or name answers under yours. From now on delete the record first."
command = "aws route53 change-resource-record-sets --hosted-zone-id {zone_id} --change-batch file://changes.json"
links = ["https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/protection-from-dangling-dns.html"]
*/
with records as (
    select
        account_id, arn, record_type as type,
        replace(lower(rtrim(record_name, '.')), '\052', '*') as name,
        coalesce(is_alias, alias_target is not null) as is_alias,
        lower(rtrim(unnest(case when alias_target is not null then [alias_target] else record_values end), '.')) as target
    from aws_route53_record
    where record_type in ('A', 'AAAA', 'CNAME')
),
-- What the target says of itself. Names that are not here belong to others, and are not judged.
parsed as (
    select
        *,
        -- With dualstack, ipv6 or a zone before it.
        regexp_extract(target, '^([^.]+\.)*(([^.]+)\.([a-z0-9-]+)\.elb\.amazonaws\.com(\.cn)?)$', ['prefix', 'name', 'first', 'region']) as balancer,
        regexp_extract(target, '^([^.]+\.)*(([^.]+)\.elb\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?)$', ['prefix', 'name', 'first', 'region']) as network_balancer,
        regexp_extract(target, '^((.+)\.)?(s3(-website|-accelerate|-fips)?([.-]dualstack)?([.-][a-z]{2,4}(-[a-z]+)+-[0-9]+|-external-1)?\.amazonaws\.(com|com\.cn|eu))$', ['dotted', 'bucket', 'host']) as storage,
        regexp_extract(target, '^([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$', ['id', 'region']) as api,
        regexp_extract(target, '^ec2-([0-9]+-[0-9]+-[0-9]+-[0-9]+)\.(([a-z0-9-]+)\.)?compute(-1)?\.amazonaws\.com(\.cn)?$', ['address', 'dotted', 'region']) as machine
    from records
),
targets as (
    select account_id, arn, name, type, target, 'load balancer' as kind, balancer.name as id, balancer.first as label, balancer.region as region from parsed where balancer.name <> ''
    union all
    select account_id, arn, name, type, target, 'load balancer', network_balancer.name, network_balancer.first, network_balancer.region from parsed where network_balancer.name <> ''
    union all
    -- Aliases of access points are made by S3: nobody else can have one.
    select account_id, arn, name, type, target, 'bucket', storage.bucket, storage.bucket, 'global' from parsed where storage.bucket <> '' and not is_alias and not regexp_matches(storage.bucket, '(-s3alias|--ol-s3)$')
    union all
    -- S3 goes by the name that was asked for, whatever bucket the record names.
    select account_id, arn, name, type, target, 'bucket', name, name || ' (where S3 looks for it)', 'global' from parsed where storage.host <> '' and storage.bucket is distinct from name and regexp_full_match(name, '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]')
    union all
    select account_id, arn, name, type, target, 'API', api.id || '/' || api.region, api.id, api.region from parsed where api.id <> ''
    union all
    select account_id, arn, name, type, target, 'machine', replace(machine.address, '-', '.'), target, case when machine.region = '' then 'us-east-1' else machine.region end from parsed where machine.address <> ''
    union all
    select account_id, arn, name, type, target, 'distribution', target, target, 'global' from parsed where regexp_matches(target, '\.cloudfront\.(net|cn)$')
    union all
    select account_id, arn, name, type, target, 'environment', target, target, null from parsed where ends_with(target, '.elasticbeanstalk.com')
    union all
    select account_id, arn, name, type, target, 'API domain', target, target, null from parsed where regexp_matches(target, '^d-[a-z0-9]+\.execute-api\.')
    union all
    -- Private, shared and link-local addresses are nobody's to take.
    select account_id, arn, name, type, target, 'address', target, target, null
    from parsed
    where type in ('A', 'AAAA') and not is_alias
        and not regexp_matches(target, '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^(f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|::)')
),
-- What the collected accounts have.
present as (
    select 'load balancer' as kind, lower(dns_name) as id from aws_elbv2_load_balancer
    union
    select 'load balancer', lower(dns_name) from aws_elb_load_balancer
    union
    select 'bucket', lower(bucket_name) from aws_s3_bucket
    union
    select 'API', api_id || '/' || region from aws_apigateway_rest_api
    union
    select 'API', api_id || '/' || region from aws_apigatewayv2_api
    union
    select 'distribution', lower(domain_name) from aws_cloudfront_distribution
    union
    select unnest(['address', 'machine']), address
    from (
        select public_ip as address from aws_ec2_eip
        union
        select unnest(list_concat(public_ips, list_transform(ipv6_addresses, lambda address: lower(address)))) from aws_ec2_network_interface
    )
),
-- What they had in the run before and have no more. Only a name tells: a bucket's, a load balancer's, that of a
-- distribution is its first alias, that of an address without a Name tag the address.
lost as (
    select kind, id, max(run) as run
    from (
        select
            case resource_type when 's3:bucket' then 'bucket' when 'elasticloadbalancing:loadbalancer' then 'load balancer' when 'ec2:elastic-ip' then 'address' when 'cloudfront:distribution' then 'distribution' when 'route53:hostedzone' then 'zone' end as kind,
            case resource_type
                when 's3:bucket' then lower(arn_tail(arn))
                when 'elasticloadbalancing:loadbalancer' then lower(regexp_extract(arn, ':loadbalancer/((app|net|gwy)/)?([^/]+)', 3)) || '/' || region
                else lower(rtrim(name, '.'))
            end as id,
            run
        from (from previous_resources as p anti join resource_context as c on c.arn = p.arn)
    )
    where kind is not null
    group by kind, id
),
-- Where every account was asked for all that a target may be.
asked (kind, table_name) as (
    values
        ('load balancer', 'aws_elbv2_load_balancer'), ('load balancer', 'aws_elb_load_balancer'), ('bucket', 'aws_s3_bucket'),
        ('API', 'aws_apigateway_rest_api'), ('API', 'aws_apigatewayv2_api'), ('machine', 'aws_ec2_eip'), ('machine', 'aws_ec2_network_interface'),
        ('zone', 'aws_route53_hosted_zone')
),
answered as (
    select a.kind, c.region, count(distinct c.account_id || c.table_name) as answers
    from asked as a
    join collected as c on c.table_name = a.table_name
    anti join gaps as g on g.account_id = c.account_id and g.resource_arn is null and (g.table_name = c.table_name or g.table_name is null) and g.region in (c.region, 'global')
    group by a.kind, c.region
),
complete as (
    select r.kind, r.region
    from answered as r
    join (select kind, count(*) as tables from asked group by kind) as a on a.kind = r.kind
    where r.answers = a.tables * (select count(*) from accounts)
),
-- What belongs to an account that was not collected looks like what is gone. Accounts of an organization are all known
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
-- Delegations to name servers of Route 53: the zone must be there, and answer from these servers.
delegations as (
    select account_id, arn, lower(rtrim(record_name, '.')) as name, list_transform(record_values, lambda value: lower(rtrim(value, '.'))) as servers
    from aws_route53_record
    where record_type = 'NS' and zone_is_private is distinct from true and lower(rtrim(record_name, '.')) <> lower(rtrim(zone_name, '.'))
        and len(list_filter(record_values, lambda value: not regexp_matches(lower(value), '^ns-[0-9]+\.awsdns-(cn-)?[0-9]+\.'))) = 0
),
delegated as (
    select
        d.account_id, d.arn, d.name,
        count(z.arn) as zones,
        bool_or(list_has_any(list_transform(z.name_servers, lambda server: lower(rtrim(server, '.'))), d.servers)) as served,
        bool_or(z.arn is not null and z.name_servers is null) as unread
    from delegations as d
    left join aws_route53_hosted_zone as z on lower(rtrim(z.zone_name, '.')) = d.name and z.is_private is distinct from true
    group by d.account_id, d.arn, d.name
),
found as (
    select
        t.account_id, t.arn, t.name, t.type, t.kind, t.label, p.id is not null as is_present,
        -- Which of them could be somebody's, or is of a kind that is not collected: their absence proves nothing. An
        -- address may be an office's; a name of CloudFront also an API's, a user pool's or an application's.
        t.kind in ('address', 'distribution', 'environment', 'API domain') as is_opaque,
        c.kind is not null as is_complete, t.region, l.run as lost_in
    from targets as t
    left join present as p on p.kind = t.kind and p.id = t.id
    left join complete as c on c.kind = t.kind and c.region = t.region
    left join lost as l
        on l.kind = case t.kind when 'machine' then 'address' else t.kind end
        and l.id = case t.kind when 'load balancer' then regexp_replace(regexp_replace(t.label, '^internal-', ''), '-[0-9a-f]+$', '') || '/' || t.region when 'distribution' then t.name else t.id end
    union all
    select
        d.account_id, d.arn, d.name, 'NS', 'zone', case when d.zones > 0 then d.name || ' with these name servers' else d.name end,
        coalesce(d.served, false), d.unread, c.kind is not null, 'global', l.run
    from delegated as d
    left join complete as c on c.kind = 'zone' and c.region = 'global'
    left join lost as l on l.kind = 'zone' and l.id = d.name
),
judged as (
    select
        f.account_id, f.arn, f.name, f.type, f.kind, f.label,
        case
            when f.is_present then false
            when f.lost_in is not null then true
            when f.is_opaque or not f.is_complete or o.account_id is not null then null
            else true
        end as dangles,
        f.name || ' ' || f.type || ': ' || f.kind || ' ' || f.label || case
            when f.lost_in is not null then ' was there in run ' || f.lost_in || ' and is gone'
            when f.is_opaque then ' is not seen in the accounts that were collected; whose it is can''t be told'
            when not f.is_complete then ' was not found, but ' || case when f.region = 'global' then 'not all could be listed' else f.region || ' was not collected as a whole' end
            when o.account_id is not null then ' was not found; ' || o.whose || ' were not collected and may have it'
            else ' is in none of the accounts that were collected'
        end as finding
    from found as f
    left join others as o on o.account_id = f.account_id
),
by_zone as (
    select
        account_id, arn,
        list(distinct finding order by finding) filter (where dangles) as dangling,
        list(distinct finding order by finding) filter (where dangles is null) as unclear,
        count(*) as targets
    from judged
    group by account_id, arn
),
counted as (
    select account_id, arn, count(*) as records
    from aws_route53_record
    group by account_id, arn
)
select
    z.account_id,
    z.region,
    z.arn as resource_arn,
    case when len(b.dangling) > 0 then true when len(b.unclear) > 0 or z.record_count > 0 and n.arn is null then null else false end as failed,
    case
        when len(b.dangling) > 0 then array_to_string(b.dangling[:5], '; ') || case when len(b.dangling) > 5 then '; and ' || (len(b.dangling) - 5) || ' more' else '' end
        when z.record_count > 0 and n.arn is null then 'its records are not in the run'
        when len(b.unclear) > 0 then array_to_string(b.unclear[:5], '; ') || case when len(b.unclear) > 5 then '; and ' || (len(b.unclear) - 5) || ' more' else '' end
        when b.targets > 0 then 'what its records lead to exists'
        else 'no record leads to a resource of AWS'
    end as reason,
    {'zone_id': arn_tail(z.zone_id), 'zone': z.zone_name, 'dangling': b.dangling, 'unclear': b.unclear} as evidence,
    -- Only the own network asks a private zone.
    case when z.is_private then 'medium' end as severity
from aws_route53_hosted_zone as z
left join by_zone as b on b.account_id = z.account_id and b.arn = z.arn
left join counted as n on n.account_id = z.account_id and n.arn = z.arn
