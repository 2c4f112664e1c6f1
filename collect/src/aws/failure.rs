//! Why a call has no answer, sorted into the kinds that the rest of the project tells apart.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use handoff::text::is_unprintable;

use super::model::ServiceModel;
use super::protocol::{Failure, ServiceError};

/// Longest message that is kept, in characters. Services quote policies and identifiers of any length.
const MAX_MESSAGE: usize = 600;

/// What kept a call from being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The principal may not make this call.
    Denied,
    /// The service kept refusing because of the rate of calls.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The credentials are missing, wrong or expired.
    Credentials,
    /// The resource is gone, or the setting asked for was never made.
    NotFound,
    /// The service, or this operation, is not there in this region, or not for this account.
    NotOffered,
    /// The answer cannot be read, in whole or in part.
    Malformed,
    /// The recording does not hold this call.
    NotRecorded,
    /// Anything else.
    Other,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CallError {
    /// What to make of it.
    pub kind: ErrorKind,
    /// The service's code, e.g. `AccessDenied`, or one of ours: `Timeout`, `ConnectionFailed`, `DnsFailure`,
    /// `CredentialsUnavailable`, `MalformedResponse`, `InvalidParameter`, `UnknownOperation`.
    pub code: String,
    /// One line in the service's words or ours.
    pub message: String,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
}

impl CallError {
    /// An error of our own making. Code and message become one line each.
    pub fn new(kind: ErrorKind, code: &str, message: &str) -> Self {
        Self {
            kind,
            code: one_line(code),
            message: one_line(message),
            status: None,
        }
    }

    /// An error that a recording holds, sorted as if the service had just sent it.
    pub fn recorded(service: &str, code: &str, message: &str) -> Self {
        // HEAD answers have no body, and their status for a code.
        let status = code.parse().unwrap_or(400);
        let error = ServiceError {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        };
        Self {
            kind: kind_of(service, &error),
            status: Some(status),
            ..Self::new(ErrorKind::Other, code, message)
        }
    }

    /// A call that cannot be made as it is written.
    pub(super) fn refused(problem: &dyn Error) -> Self {
        Self::new(ErrorKind::Other, "UnknownOperation", &problem.to_string())
    }

    pub(super) fn from_failure(model: &ServiceModel, failure: Failure, status: u16) -> Self {
        let error = match failure {
            Failure::Service(error) => Self {
                kind: kind_of(&model.service, &error),
                ..Self::new(ErrorKind::Other, &error.code, &error.message)
            },
            Failure::Malformed(problem) => Self::new(
                ErrorKind::Malformed,
                "MalformedResponse",
                &problem.to_string(),
            ),
        };
        Self {
            status: Some(status),
            ..error
        }
    }

    /// Sorts what went wrong before or instead of a response. `listed` is whether the service is known to be
    /// offered in the region: then a name that does not resolve is trouble with the network.
    pub(super) fn from_transport<E>(error: &SdkError<E, HttpResponse>, listed: bool) -> Self
    where
        E: Error + 'static,
    {
        let words = chain(error);
        if find::<CredentialsError>(error).is_some() || words.contains("failed to resolve identity")
        {
            return Self::without_credentials(error, &words);
        }
        let dns = ["dns error", "failed to lookup address"]
            .iter()
            .any(|sign| words.contains(sign));
        let (kind, code) = match error {
            SdkError::TimeoutError(_) => (ErrorKind::Timeout, "Timeout"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                (ErrorKind::Timeout, "Timeout")
            }
            SdkError::DispatchFailure(_) if dns && !listed => (ErrorKind::NotOffered, "DnsFailure"),
            SdkError::DispatchFailure(_) if dns => (ErrorKind::Other, "DnsFailure"),
            SdkError::DispatchFailure(_) => (ErrorKind::Other, "ConnectionFailed"),
            SdkError::ResponseError(_) if words.contains("throughput") => {
                (ErrorKind::Timeout, "Timeout")
            }
            SdkError::ResponseError(_) => (ErrorKind::Malformed, "MalformedResponse"),
            _ => (ErrorKind::Other, "RequestFailed"),
        };
        let status = error
            .raw_response()
            .map(|response| response.status().as_u16());
        Self {
            status,
            ..Self::new(kind, code, &words)
        }
    }

    /// In STS's own words where a role could not be assumed; else without the list of places that were looked at.
    fn without_credentials(error: &(dyn Error + 'static), words: &str) -> Self {
        if let Some(refusal) = find::<ErrorMetadata>(error)
            && let Some(code) = refusal.code()
        {
            return Self::new(
                ErrorKind::Credentials,
                code,
                refusal.message().unwrap_or("no message"),
            );
        }
        let words = words.split(" Attempted:").next().unwrap_or(words);
        let words = words.trim_start_matches("dispatch failure: other: ");
        Self::new(ErrorKind::Credentials, "CredentialsUnavailable", words)
    }
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        current = error.source();
    }
    None
}

/// The messages of an error and its causes, each once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut current = Some(error);
    while let Some(error) = current {
        let message = error.to_string();
        if !words.iter().any(|known| known.contains(&message)) {
            words.push(message);
        }
        current = error.source();
    }
    words.join(": ")
}

/// Error texts quote names that strangers chose: no control characters and no changes of writing direction.
fn one_line(text: &str) -> String {
    let shown = |character: char| {
        if is_unprintable(character) {
            ' '
        } else {
            character
        }
    };
    let text: String = text.chars().map(shown).take(MAX_MESSAGE).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "AccountAccessDenied",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Forbidden",
    "ForbiddenException",
    "InsufficientPrivilegesException",
    "NotAuthorized",
    "NotAuthorizedException",
    "OperationNotPermittedException",
    "UnauthorizedAccess",
    "UnauthorizedException",
    "UnauthorizedOperation",
];

const CREDENTIALS: &[&str] = &[
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

const NOT_OFFERED: &[&str] = &[
    "InvalidAction",
    "NotImplemented",
    "OptInRequired",
    "SubscriptionRequiredException",
    "UnknownOperationException",
    "UnsupportedOperation",
    "UnsupportedOperationException",
];

/// Resources that are gone, settings that were never made and services that were never switched on, where the code
/// does not say "not found".
const NOT_SET: &[(&str, &str, &str)] = &[
    ("cloudformation", "ValidationError", "does not exist"),
    ("ec2", "InvalidAMIID.Unavailable", ""),
    (
        "guardduty",
        "BadRequestException",
        "not owned by the current account",
    ),
    ("ssm", "InvalidResourceId", ""),
    ("macie2", "AccessDeniedException", "not enabled"),
    ("securityhub", "InvalidAccessException", "not subscribed"),
    ("organizations", "AWSOrganizationsNotInUseException", ""),
    ("wafv2", "WAFNonexistentItemException", ""),
];

/// Sorts a service's own error. What only reads as a refusal of these arguments stays `Other`.
fn kind_of(service: &str, error: &ServiceError) -> ErrorKind {
    let code = error.code.as_str();
    let not_set = |(where_to, known, words): &(&str, &str, &str)| {
        service == *where_to && code == *known && error.message.contains(words)
    };
    if NOT_SET.iter().any(not_set) {
        ErrorKind::NotFound
    } else if THROTTLING_ERRORS.contains(&code)
        || code == "RequestRateExceeded"
        || error.status == 429
    {
        ErrorKind::Throttled
    } else if CREDENTIALS.contains(&code) {
        ErrorKind::Credentials
    } else if DENIED.contains(&code) {
        ErrorKind::Denied
    } else if NOT_OFFERED.contains(&code) {
        ErrorKind::NotOffered
    } else if ["NotFound", "NoSuch", "DoesNotExist", "NonExistent"]
        .iter()
        .any(|sign| code.contains(sign))
    {
        ErrorKind::NotFound
    } else {
        match error.status {
            _ if error.code != error.status.to_string() => ErrorKind::Other,
            401 | 403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            408 | 504 => ErrorKind::Timeout,
            503 => ErrorKind::Throttled,
            _ => ErrorKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(service: &str, code: &str, message: &str, status: u16) -> ErrorKind {
        let error = ServiceError {
            code: code.to_owned(),
            message: message.to_owned(),
            status,
        };
        kind_of(service, &error)
    }

    #[test]
    fn codes_are_sorted() {
        assert_eq!(
            kind("ec2", "UnauthorizedOperation", "", 403),
            ErrorKind::Denied
        );
        assert_eq!(
            kind("ec2", "RequestLimitExceeded", "", 503),
            ErrorKind::Throttled
        );
        assert_eq!(kind("s3", "SlowDown", "", 503), ErrorKind::Throttled);
        assert_eq!(
            kind("s3", "NoSuchBucketPolicy", "", 404),
            ErrorKind::NotFound
        );
        assert_eq!(
            kind(
                "s3",
                "ServerSideEncryptionConfigurationNotFoundError",
                "",
                404
            ),
            ErrorKind::NotFound
        );
        assert_eq!(
            kind("sqs", "AWS.SimpleQueueService.NonExistentQueue", "", 400),
            ErrorKind::NotFound
        );
        assert_eq!(
            kind(
                "cloudformation",
                "ValidationError",
                "Stack with id shop does not exist",
                400
            ),
            ErrorKind::NotFound
        );
        assert_eq!(
            kind("cloudformation", "ValidationError", "1 error detected", 400),
            ErrorKind::Other
        );
        assert_eq!(
            kind("kms", "UnrecognizedClientException", "", 400),
            ErrorKind::Credentials
        );
        assert_eq!(
            kind("dynamodb", "ExpiredTokenException", "", 400),
            ErrorKind::Credentials
        );
        assert_eq!(
            kind(
                "macie2",
                "AccessDeniedException",
                "Macie is not enabled",
                403
            ),
            ErrorKind::NotFound
        );
        assert_eq!(
            kind("macie2", "AccessDeniedException", "no permission", 403),
            ErrorKind::Denied
        );
        assert_eq!(
            kind("iam", "SubscriptionRequiredException", "", 400),
            ErrorKind::NotOffered
        );
        assert_eq!(
            kind("rds", "InvalidParameterValue", "", 400),
            ErrorKind::Other
        );
        assert_eq!(kind("rds", "403", "", 403), ErrorKind::Denied);
        assert_eq!(kind("rds", "503", "", 503), ErrorKind::Throttled);
        assert_eq!(kind("rds", "InternalFailure", "", 500), ErrorKind::Other);
    }

    #[test]
    fn messages_are_one_printable_line() {
        let error = CallError::new(
            ErrorKind::Other,
            "A\u{1b}[31m",
            "user\r\n\tname \u{202e}evil",
        );
        assert_eq!(error.to_string(), "A [31m: user name evil");
        let long = CallError::new(ErrorKind::Other, "A", &"x".repeat(10_000));
        assert_eq!(long.message.len(), MAX_MESSAGE);
    }
}
