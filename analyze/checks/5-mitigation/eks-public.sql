/*
title = "Kubernetes APIs do not answer the whole internet"
severity = "high"
tables = ["aws_eks_cluster"]
frameworks = { fsbp = ["EKS.1"] }
remediation = "Switch on private access and switch public access off, or name the networks that may reach it."
command = "aws eks update-cluster-config --region {region} --name {cluster_name} --resources-vpc-config endpointPrivateAccess=true,endpointPublicAccess=false"
links = ["https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"]
*/
with clusters as (
    select *, list_sort(list_filter(public_access_cidrs, lambda cidr: is_world(cidr))) as world_cidrs
    from aws_eks_cluster
    where status is distinct from 'DELETING'
)
select
    account_id,
    region,
    arn as resource_arn,
    endpoint_public_access and len(world_cidrs) > 0 as failed,
    case
        when endpoint_public_access and len(world_cidrs) > 0 then 'its API is open to ' || array_to_string(world_cidrs, ', ')
        when not endpoint_public_access then 'its API is reached within its VPC only'
        when len(public_access_cidrs) > 0 then 'its API is public for ' || array_to_string(list_sort(public_access_cidrs)[:10], ', ')
        when endpoint_public_access and len(public_access_cidrs) = 0 then 'its API is public, but no network may reach it'
        when endpoint_public_access then 'its API is public, for which networks is not known'
    end as reason,
    {'cluster_name': cluster_name, 'public_access_cidrs': public_access_cidrs, 'endpoint_private_access': endpoint_private_access} as evidence
from clusters
