//! Which members of an event have a column of their own.
//!
//! One list, in the order of the table's columns; the lookup by name and the list are made from the same lines.

/// What a member's column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// The string, unescaped.
    Text,
    /// `true` or `false`, or the same as a string.
    Flag,
    /// The value's own bytes.
    Json,
}

/// A member of an event, the column that holds it, and how.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Name in the event.
    pub key: &'static str,
    /// Column of `cloudtrail_events`.
    pub column: &'static str,
    /// What the column holds.
    pub kind: MemberKind,
}

/// Index of a member in [`MEMBERS`].
pub type Slot = usize;

macro_rules! members {
    ($($slot:ident $key:literal => $column:literal $kind:ident,)+) => {
        /// The promoted members.
        pub const MEMBERS: &[Member] =
            &[$(Member { key: $key, column: $column, kind: MemberKind::$kind },)+];

        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "numbers the lines of the list")]
        enum Line { $($slot,)+ }

        /// The slot of a member, `None` for one that nobody promoted.
        pub fn slot(key: &str) -> Option<Slot> {
            match key {
                $($key => Some(Line::$slot as Slot),)+
                _ => None,
            }
        }

        $(#[allow(dead_code, reason = "only a few slots are asked for by name")]
        pub const $slot: Slot = Line::$slot as Slot;)+
    };
}

members! {
    EVENT_ID "eventID" => "event_id" Text,
    EVENT_VERSION "eventVersion" => "event_version" Text,
    EVENT_SOURCE "eventSource" => "event_source" Text,
    EVENT_NAME "eventName" => "event_name" Text,
    EVENT_TYPE "eventType" => "event_type" Text,
    EVENT_CATEGORY "eventCategory" => "event_category" Text,
    AWS_REGION "awsRegion" => "aws_region" Text,
    RECIPIENT_ACCOUNT_ID "recipientAccountId" => "recipient_account_id" Text,
    ERROR_CODE "errorCode" => "error_code" Text,
    ERROR_MESSAGE "errorMessage" => "error_message" Text,
    SOURCE_IP_ADDRESS "sourceIPAddress" => "source_ip_address" Text,
    USER_AGENT "userAgent" => "user_agent" Text,
    REQUEST_ID "requestID" => "request_id" Text,
    SHARED_EVENT_ID "sharedEventID" => "shared_event_id" Text,
    API_VERSION "apiVersion" => "api_version" Text,
    VPC_ENDPOINT_ID "vpcEndpointId" => "vpc_endpoint_id" Text,
    VPC_ENDPOINT_ACCOUNT_ID "vpcEndpointAccountId" => "vpc_endpoint_account_id" Text,
    READ_ONLY "readOnly" => "read_only" Flag,
    MANAGEMENT_EVENT "managementEvent" => "management_event" Flag,
    SESSION_CREDENTIAL_FROM_CONSOLE "sessionCredentialFromConsole" => "session_credential_from_console" Flag,
    USER_IDENTITY "userIdentity" => "user_identity" Json,
    REQUEST_PARAMETERS "requestParameters" => "request_parameters" Json,
    RESPONSE_ELEMENTS "responseElements" => "response_elements" Json,
    ADDITIONAL_EVENT_DATA "additionalEventData" => "additional_event_data" Json,
    RESOURCES "resources" => "resources" Json,
    SERVICE_EVENT_DETAILS "serviceEventDetails" => "service_event_details" Json,
    TLS_DETAILS "tlsDetails" => "tls_details" Json,
    ADDENDUM "addendum" => "addendum" Json,
    EVENT_CONTEXT "eventContext" => "event_context" Json,
    INSIGHT_DETAILS "insightDetails" => "insight_details" Json,
    EDGE_DEVICE_DETAILS "edgeDeviceDetails" => "edge_device_details" Json,
}

/// The event's time, which has a column of another type and another name in some exports.
pub const EVENT_TIME: &str = "eventTime";
/// What exports to search engines call [`EVENT_TIME`].
pub const AT_TIMESTAMP: &str = "@timestamp";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_under_its_own_key_and_has_its_own_column() {
        let mut columns = std::collections::BTreeSet::new();
        for (index, member) in MEMBERS.iter().enumerate() {
            assert_eq!(slot(member.key), Some(index), "{}", member.key);
            assert!(columns.insert(member.column), "{}", member.column);
        }
        assert_eq!(slot("eventTime"), None);
        assert_eq!(MEMBERS[EDGE_DEVICE_DETAILS].key, "edgeDeviceDetails");
    }
}
