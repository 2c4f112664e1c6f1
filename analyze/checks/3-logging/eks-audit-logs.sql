/*
title = "Kubernetes clusters log what their API is asked"
severity = "medium"
tables = ["aws_eks_cluster"]
frameworks = { fsbp = ["EKS.8"] }
remediation = "Switch on the audit log of the control plane, and the authenticator's, which tells which IAM identity a Kubernetes user is."
command = "aws eks update-cluster-config --region {region} --name {cluster_name} --logging file://logging.json"
links = ["https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html"]
*/
select
    account_id,
    region,
    arn as resource_arn,
    not list_contains(enabled_log_types, 'audit') as failed,
    case
        when list_contains(enabled_log_types, 'audit') then 'the audit log is on'
        when len(enabled_log_types) > 0 then 'the audit log is off, ' || array_to_string(list_sort(enabled_log_types), ', ') || ' on'
        when enabled_log_types is not null then 'no log of the control plane is on'
    end as reason,
    {'cluster_name': cluster_name, 'log_types': enabled_log_types} as evidence
from aws_eks_cluster
where status is distinct from 'DELETING'
