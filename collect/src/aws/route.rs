//! Where a request goes and what region it is signed for.

use super::endpoints;
use super::failure::{CallError, ErrorKind};
use super::model::ServiceModel;
use super::protocol::Request;

/// Settings that decide on hosts.
#[derive(Debug, Clone, Default)]
pub struct Addressing {
    /// An endpoint that the user set, e.g. `http://127.0.0.1:5000`; everything goes there.
    pub custom: Option<String>,
    /// Use FIPS 140 endpoints.
    pub fips: bool,
    /// Use endpoints with IPv6.
    pub dualstack: bool,
}

/// The way of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Scheme and host, possibly with a path.
    pub url: String,
    /// Path and query string behind it.
    pub path_and_query: String,
    /// Region of the signature.
    pub signing_region: String,
}

/// Finds the way. S3 buckets are in the host's name at AWS, where their name fits one, and in the path elsewhere.
pub fn route(
    model: &ServiceModel,
    operation: &str,
    region: &str,
    request: &Request,
    bucket: Option<&str>,
    addressing: &Addressing,
) -> Result<Route, CallError> {
    let public = endpoints::endpoint(
        &model.service,
        region,
        addressing.fips,
        addressing.dualstack,
    );
    if let Some(custom) = &addressing.custom {
        return Ok(Route {
            url: custom.trim_end_matches('/').to_owned(),
            path_and_query: request.path_and_query.clone(),
            signing_region: public
                .map_or_else(|| region.to_owned(), |endpoint| endpoint.signing_region),
        });
    }
    let public = public.ok_or_else(|| {
        let message = format!("{} has no such endpoint in {region}", model.service);
        CallError::new(ErrorKind::NotOffered, "NoEndpoint", &message)
    })?;
    let mut host = public.host;
    if let Some(prefix) = &request.host_prefix {
        host.insert_str(0, prefix);
    }
    let mut path_and_query = request.path_and_query.clone();
    // A request to the bucket's own host name needs the bucket's region, which GetBucketLocation is asked for.
    let own_host =
        bucket.filter(|bucket| operation != "GetBucketLocation" && fits_host_name(bucket));
    if let Some(bucket) = own_host
        && let Some(rest) = path_and_query.strip_prefix(&format!("/{bucket}"))
    {
        path_and_query = if rest.starts_with('/') {
            rest.to_owned()
        } else {
            format!("/{rest}")
        };
        host = format!("{bucket}.{host}");
    }
    Ok(Route {
        url: format!("https://{host}"),
        path_and_query,
        signing_region: public.signing_region,
    })
}

/// A dot in the name would not fit the certificate's wildcard.
fn fits_host_name(bucket: &str) -> bool {
    let plain = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
    };
    (3..=63).contains(&bucket.len())
        && bucket.chars().all(plain)
        && !bucket.starts_with('-')
        && !bucket.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::model::model;
    use crate::aws::protocol::serialize;
    use serde_json::{Value, json};

    fn way(
        service: &str,
        operation: &str,
        region: &str,
        params: &Value,
        addressing: &Addressing,
    ) -> String {
        let model = model(service).unwrap();
        let params = params.as_object().unwrap();
        let request = serialize(
            model,
            operation,
            model.operation(operation).unwrap(),
            params,
        )
        .unwrap();
        let bucket = params.get("Bucket").and_then(Value::as_str);
        let route = route(model, operation, region, &request, bucket, addressing).unwrap();
        format!(
            "{}{} {}",
            route.url, route.path_and_query, route.signing_region
        )
    }

    #[test]
    fn buckets_are_in_the_host_or_the_path() {
        let aws = Addressing::default();
        let versioning = |bucket| {
            way(
                "s3",
                "GetBucketVersioning",
                "eu-west-1",
                &json!({"Bucket": bucket}),
                &aws,
            )
        };
        assert_eq!(
            versioning("logs"),
            "https://logs.s3.eu-west-1.amazonaws.com/?versioning eu-west-1"
        );
        assert_eq!(
            versioning("a.dotted.name"),
            "https://s3.eu-west-1.amazonaws.com/a.dotted.name?versioning eu-west-1"
        );
        assert_eq!(
            versioning("Old_Name"),
            "https://s3.eu-west-1.amazonaws.com/Old_Name?versioning eu-west-1"
        );
        assert_eq!(
            way(
                "s3",
                "GetBucketLocation",
                "us-east-1",
                &json!({"Bucket": "logs"}),
                &aws
            ),
            "https://s3.us-east-1.amazonaws.com/logs?location us-east-1"
        );
    }

    #[test]
    fn a_custom_endpoint_takes_everything() {
        let local = Addressing {
            custom: Some("http://127.0.0.1:5000/".to_owned()),
            ..Addressing::default()
        };
        let bucket = json!({"Bucket": "logs"});
        assert_eq!(
            way("s3", "GetBucketAcl", "eu-west-1", &bucket, &local),
            "http://127.0.0.1:5000/logs?acl eu-west-1"
        );
        assert_eq!(
            way("iam", "ListUsers", "eu-west-1", &json!({}), &local),
            "http://127.0.0.1:5000/ us-east-1"
        );
    }

    #[test]
    fn prefixes_and_variants() {
        let aws = Addressing::default();
        let account = json!({"AccountId": "111122223333"});
        assert_eq!(
            way(
                "s3control",
                "GetPublicAccessBlock",
                "us-east-1",
                &account,
                &aws
            ),
            "https://111122223333.s3-control.us-east-1.amazonaws.com/v20180820/configuration/publicAccessBlock us-east-1"
        );
        let fips = Addressing {
            fips: true,
            ..Addressing::default()
        };
        assert_eq!(
            way("sts", "GetCallerIdentity", "us-west-2", &json!({}), &fips),
            "https://sts-fips.us-west-2.amazonaws.com/ us-west-2"
        );
    }
}
