//! Which file of a recording holds the answer of a call.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::aws::{Call, model, partition_of_region};
use crate::inventory::tablefile::{Scope, TableFile};

/// What stays as it is in a file's name.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Longest name of a file, in bytes, before its extension; file systems take 255.
const LONGEST_NAME: usize = 240;

/// How the files of calls are named: by the tables that make the calls.
#[derive(Debug, Default)]
pub struct Layout {
    operations: HashMap<(String, String), Naming>,
}

#[derive(Debug, Default)]
struct Naming {
    /// Some table asks in every region.
    regional: bool,
    /// Parameters of which one names the file.
    params: Vec<String>,
    /// Parameters that take values of many rows: one file holds the answers for all.
    batches: Vec<String>,
}

impl Layout {
    /// The layout of recordings for these tables.
    pub fn new(tables: &[TableFile]) -> Self {
        let mut layout = Self::default();
        for table in tables {
            let first =
                |bind: &[(String, _)]| bind.first().map(|(name, _): &(String, _)| name.clone());
            layout.add(table, &table.list.operation, first(&table.list.bind), None);
            for detail in &table.details {
                match &detail.batch {
                    Some(batch) => layout.add(table, &detail.operation, None, Some(&batch.param)),
                    None => layout.add(table, &detail.operation, first(&detail.bind), None),
                }
            }
        }
        layout
    }

    fn add(
        &mut self,
        table: &TableFile,
        operation: &str,
        param: Option<String>,
        batch: Option<&String>,
    ) {
        let key = (table.service.clone(), operation.to_owned());
        let naming = self.operations.entry(key).or_default();
        naming.regional |= table.scope == Scope::Regional;
        naming.params.extend(param);
        naming.batches.extend(batch.cloned());
    }

    fn naming(&self, call: &Call) -> Option<&Naming> {
        self.operations
            .get(&(call.service.clone(), call.operation.clone()))
    }

    /// Path of a call's answer below the account's folder, without extension.
    pub fn path(&self, call: &Call) -> PathBuf {
        let naming = self.naming(call);
        let global = match naming {
            Some(naming) => !naming.regional,
            None => {
                model(&call.service).is_ok_and(|model| model.is_global()) || call.service == "sts"
            }
        };
        let region = if global {
            partition_of_region(&call.region).main_region
        } else {
            &call.region
        };
        let path =
            PathBuf::from(region).join(format!("{}-{}", call.service, kebab(&call.operation)));
        match naming.and_then(|naming| naming.parameter(call)) {
            Some(value) => path.join(file_name(&value)),
            None => path,
        }
    }

    /// Whether the call is one of several whose answers share a file.
    pub fn is_batch(&self, call: &Call) -> bool {
        self.naming(call)
            .is_some_and(|naming| naming.is_batch(call))
    }
}

impl Naming {
    fn is_batch(&self, call: &Call) -> bool {
        self.batches
            .iter()
            .any(|param| call.params.contains_key(param))
    }

    /// The value that names the file: of a list, its elements with commas between them.
    fn parameter(&self, call: &Call) -> Option<String> {
        if self.is_batch(call) {
            return None;
        }
        match self
            .params
            .iter()
            .find_map(|param| call.params.get(param))?
        {
            Value::String(text) => Some(text.clone()),
            Value::Array(elements) => {
                let texts = elements.iter().map(|element| {
                    element
                        .as_str()
                        .map_or_else(|| element.to_string(), str::to_owned)
                });
                Some(texts.collect::<Vec<_>>().join(","))
            }
            other => Some(other.to_string()),
        }
    }
}

/// A parameter's value as the name of a file. Long values end in a hash instead.
fn file_name(value: &str) -> String {
    let name = utf8_percent_encode(value, KEPT).to_string();
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let digest = Sha256::digest(value.as_bytes());
    let hash: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    // Percent-encoded text is ASCII.
    format!("{}~{hash}", &name[..LONGEST_NAME - 17])
}

// The expressions are constants; a test compiles them by use.
static PLURAL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Z]{2,}s$").ok());
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(.)([A-Z][a-z]+)").ok());
static END: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"([a-z0-9])([A-Z])").ok());

/// An operation's name as the AWS CLI spells it: `DescribeDBInstances` is `describe-db-instances`.
fn kebab(operation: &str) -> String {
    let (Some(plural), Some(word), Some(end)) = (PLURAL.as_ref(), WORD.as_ref(), END.as_ref())
    else {
        return operation.to_lowercase();
    };
    let spaced = match plural.find(operation) {
        Some(last) => format!(
            "{}-{}",
            &operation[..last.start()],
            last.as_str().to_lowercase()
        ),
        None => operation.to_owned(),
    };
    let spaced = word.replace_all(&spaced, "$1-$2");
    end.replace_all(&spaced, "$1-$2").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_spelled_as_the_command_line_does() {
        for (operation, spelled) in [
            ("DescribeDBInstances", "describe-db-instances"),
            ("ListWebACLs", "list-web-acls"),
            ("GetOpenIDConnectProvider", "get-open-id-connect-provider"),
            ("ListMFADeviceTags", "list-mfa-device-tags"),
            ("ListFindingsV2", "list-findings-v2"),
            ("DescribeVpcs", "describe-vpcs"),
        ] {
            assert_eq!(kebab(operation), spelled);
        }
    }

    #[test]
    fn parameters_never_leave_their_folder_and_fit_a_file_system() {
        assert_eq!(file_name("../a b/ü"), "..%2Fa%20b%2F%C3%BC");
        let long = file_name(&"/".repeat(300));
        assert!(long.len() <= LONGEST_NAME, "{}", long.len());
        assert_ne!(long, file_name(&"/".repeat(301)));
    }
}
