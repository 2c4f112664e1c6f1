/*
title = "No key is about to be deleted"
severity = "critical"
tables = ["aws_kms_key"]
frameworks = { fsbp = ["KMS.3"] }
remediation = "Cancel the deletion, unless nothing that it encrypted is needed any more, backups included."
command = "aws kms cancel-key-deletion --region {region} --key-id {key_id}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    key_state = 'PendingDeletion' as failed,
    case when key_state = 'PendingDeletion' then 'will be deleted on ' || coalesce(strftime(deletion_at, '%Y-%m-%d'), 'a day that is not known') when not (key_state = 'PendingDeletion') then 'not pending deletion' end as reason,
    {'key_id': key_id, 'deletion_at': deletion_at} as evidence
from aws_kms_key
where key_manager is distinct from 'AWS'
