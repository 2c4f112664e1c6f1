/*
title = "Web ACLs have rules"
severity = "high"
tables = ["aws_wafv2_web_acl", "aws_wafv2_cloudfront_web_acl"]
operations = ["GetWebACL"]
frameworks = { fsbp = ["WAF.10"] }
remediation = "Add rules, to begin with AWS's managed core rule set and a rate limit; delete the web ACL if nothing needs it."
command = "aws wafv2 get-web-acl --region {acl_region} --scope {scope} --name {web_acl_name} --id {web_acl_id}"
*/
with acls as (
    select account_id, region, arn, web_acl_id, web_acl_name, rule_count, default_action, config, 'REGIONAL' as scope
    from aws_wafv2_web_acl
    union all by name
    select account_id, region, arn, web_acl_id, web_acl_name, rule_count, default_action, config, 'CLOUDFRONT' as scope
    from aws_wafv2_cloudfront_web_acl
),
-- Rule groups of Firewall Manager stand beside the rules, and may be all there is.
counted as (
    select
        *,
        rule_count
            + coalesce(json_array_length(config, '$.Acl.WebACL.PreProcessFirewallManagerRuleGroups'), 0)
            + coalesce(json_array_length(config, '$.Acl.WebACL.PostProcessFirewallManagerRuleGroups'), 0) as rules,
        default_action ->> '$.Block' is not null as blocks
    from acls
)
select
    account_id,
    region,
    arn as resource_arn,
    rules = 0 as failed,
    case
        when rules = 0 and blocks then 'it has no rules and blocks every request'
        when rules = 0 then 'it has no rules and lets every request through'
        when rules > 0 then 'it has ' || rules || case when rules = 1 then ' rule' else ' rules' end
        else 'its rules are not known'
    end as reason,
    -- The CLI asks for web ACLs of CloudFront in the region that the ARN names.
    {'web_acl_id': web_acl_id, 'web_acl_name': web_acl_name, 'scope': scope, 'rules': rules, 'default_action': default_action, 'acl_region': split_part(arn, ':', 4)} as evidence,
    case when rules = 0 and blocks then 'low' end as severity
from counted
