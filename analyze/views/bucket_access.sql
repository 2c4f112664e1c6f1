-- One row per bucket and whether anybody may reach it: the policy or the access control list lets everyone in, and no
-- block of the bucket or of the account stands before it; nor does, before the policy, a denial of its own or of the organization.
-- Null: an answer is missing.
with account as (
    select account_id, bool_or(ignore_public_acls) as ignore_public_acls, bool_or(restrict_public_buckets) as restrict_public_buckets
    from aws_s3control_account_public_access_block
    group by account_id
),
-- What AWS calls public is what statements allow; whom they are taken back from, the evaluator knows. It judges what is among the
-- resources; of a policy that it can't read it says that outsiders may or may not come in.
denied as (
    select r.account_id, r.arn
    from resources as r
    join (select account_id, arn from aws_s3_bucket where has_policy) as b on b.account_id = r.account_id and b.arn = r.arn
    anti join outside_access as o on o.account_id = r.account_id and o.resource_arn = r.arn and o.from_kind <> 'service'
    where r.resource_type = 's3:bucket' and starts_with(r.arn, 'arn:')
)
select
    b.account_id, b.region, b.arn, b.bucket_name,
    b.policy_is_public and not (b.restrict_public_buckets or coalesce(a.restrict_public_buckets, false)) and d.arn is null as public_by_policy,
    (len(b.acl_all_users_permissions) > 0 or len(b.acl_authenticated_users_permissions) > 0)
        and not (b.ignore_public_acls or coalesce(a.ignore_public_acls, false))
        and b.object_ownership is distinct from 'BucketOwnerEnforced' as public_by_acl
from aws_s3_bucket as b
left join account as a on a.account_id = b.account_id
left join denied as d on d.account_id = b.account_id and d.arn = b.arn
