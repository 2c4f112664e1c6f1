/*
title = "File systems are encrypted"
severity = "medium"
tables = ["aws_efs_file_system"]
frameworks = { "cis_v3.0" = ["2.4.1"], "cis_v5.0" = ["2.3.1"], fsbp = ["EFS.1"] }
remediation = "Make an encrypted file system and copy the files."
*/
select
    account_id,
    region,
    arn as resource_arn,
    not encrypted as failed,
    case when not encrypted then 'not encrypted' when not (not encrypted) then 'encrypted' end as reason,
    {'file_system_id': file_system_id} as evidence
from aws_efs_file_system
