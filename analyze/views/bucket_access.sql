-- One row per bucket and whether anybody may reach it: the policy or the access control list lets everyone in, and no
-- block of the bucket or of the account stands before it. Null: an answer is missing.
with account as (
    select account_id, bool_or(ignore_public_acls) as ignore_public_acls, bool_or(restrict_public_buckets) as restrict_public_buckets
    from aws_s3control_account_public_access_block
    group by account_id
)
select
    b.account_id, b.region, b.arn, b.bucket_name,
    b.policy_is_public and not (b.restrict_public_buckets or coalesce(a.restrict_public_buckets, false)) as public_by_policy,
    (len(b.acl_all_users_permissions) > 0 or len(b.acl_authenticated_users_permissions) > 0)
        and not (b.ignore_public_acls or coalesce(a.ignore_public_acls, false))
        and b.object_ownership is distinct from 'BucketOwnerEnforced' as public_by_acl
from aws_s3_bucket as b
left join account as a on a.account_id = b.account_id
