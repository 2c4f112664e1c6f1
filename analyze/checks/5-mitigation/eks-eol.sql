/*
title = "Kubernetes clusters run a version that is supported"
severity = "high"
tables = ["aws_eks_cluster"]
frameworks = { fsbp = ["EKS.2"] }
remediation = "Upgrade the control plane one minor version at a time, then its nodes and add-ons."
command = "aws eks update-cluster-version --region {region} --name {cluster_name} --kubernetes-version {next_version}"
links = ["https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"]
*/
-- Days on which support ends, from the release calendar of the EKS user guide (the page linked above) as of April 2026,
-- earlier versions from its former editions. Versions up to 1.20 had no extended support.
with calendar (minor, standard_until, extended_until) as (
    values
        (18, date '2022-03-31', date '2022-03-31'),
        (19, date '2022-08-01', date '2022-08-01'),
        (20, date '2022-11-01', date '2022-11-01'),
        (21, date '2023-02-16', date '2024-07-15'),
        (22, date '2023-06-04', date '2024-09-01'),
        (23, date '2023-10-11', date '2024-10-11'),
        (24, date '2024-01-31', date '2025-01-31'),
        (25, date '2024-05-01', date '2025-05-01'),
        (26, date '2024-06-11', date '2025-06-11'),
        (27, date '2024-07-24', date '2025-07-24'),
        (28, date '2024-11-26', date '2025-11-26'),
        (29, date '2025-03-23', date '2026-03-23'),
        (30, date '2025-07-23', date '2026-07-23'),
        (31, date '2025-11-26', date '2026-11-26'),
        (32, date '2026-03-23', date '2027-03-23'),
        (33, date '2026-07-29', date '2027-07-29'),
        (34, date '2026-12-02', date '2027-12-02'),
        (35, date '2027-03-27', date '2028-03-27')
),
ends as (
    select min(minor) as oldest, max(minor) as newest, max(standard_until) as newest_until
    from calendar
),
clusters as (
    select *, try_cast(regexp_extract(kubernetes_version, '^1\.([0-9]{1,4})$', 1) as integer) as minor
    from aws_eks_cluster
    where status is distinct from 'DELETING'
),
judged as (
    select
        c.*,
        case
            when as_of() < k.standard_until then 'standard'
            when as_of() < k.extended_until then 'extended'
            when k.minor is not null then 'none'
            when c.minor < e.oldest then 'ancient'
            -- What came after a version that is supported is supported for longer.
            when c.minor > e.newest and as_of() < e.newest_until then 'newer'
        end as support,
        k.standard_until, k.extended_until
    from clusters as c
    cross join ends as e
    left join calendar as k on k.minor = c.minor
)
select
    account_id,
    region,
    arn as resource_arn,
    support in ('extended', 'none', 'ancient') as failed,
    case support
        when 'none' then 'Kubernetes ' || kubernetes_version || ' has had no support since ' || extended_until || ': AWS may upgrade it at any time'
        when 'ancient' then 'Kubernetes ' || kubernetes_version || ' has had no support for years'
        when 'extended' then 'Kubernetes ' || kubernetes_version || ' left standard support on ' || standard_until || '; patches cost extra and end on ' || extended_until
        when 'standard' then 'Kubernetes ' || kubernetes_version || ' is supported until ' || standard_until
        when 'newer' then 'Kubernetes ' || kubernetes_version || ' is newer than a version that is supported'
        else case when kubernetes_version is not null then 'until when Kubernetes ' || kubernetes_version || ' is supported is not known' else 'its version is not known' end
    end as reason,
    {'cluster_name': cluster_name, 'kubernetes_version': kubernetes_version, 'support_type': support_type, 'standard_until': standard_until, 'extended_until': extended_until, 'next_version': '1.' || (minor + 1)} as evidence,
    -- Extended support brings patches.
    case when support = 'extended' then 'medium' end as severity
from judged
