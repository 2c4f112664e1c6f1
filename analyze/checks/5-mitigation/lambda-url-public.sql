/*
title = "Function URLs ask who calls"
severity = "high"
tables = ["aws_lambda_function"]
remediation = "Set the URL's authentication to AWS_IAM, or put an API with an authorizer before it."
command = "aws lambda update-function-url-config --region {region} --function-name {function_name} --auth-type AWS_IAM"
*/
select
    account_id,
    region,
    arn as resource_arn,
    list_contains(url_auth_types, 'NONE') as failed,
    case when list_contains(url_auth_types, 'NONE') then 'anybody may call its URL' when len(url_auth_types) > 0 then 'its URL asks for a signature' when url_auth_types is not null then 'it has no URL' end as reason,
    {'function_name': function_name, 'urls': urls} as evidence
from aws_lambda_function
