-- Buckets of this account that receive trails.
select distinct b.*
from aws_s3_bucket as b
join aws_cloudtrail_trail as t on t.account_id = b.account_id and t.s3_bucket_name = b.bucket_name
