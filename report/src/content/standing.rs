//! How what people attest stands, in a word and a sentence, for the formats that programs read.

use serde::Serialize;

use super::Content;
use super::attest::{Attestation, KINDS, Scope, Standing};
use crate::markdown::words::some_of;

/// Scopes named in a sentence.
const NAMED: usize = 8;

/// How something that can be attested stands.
#[derive(Debug, Serialize)]
pub struct Outcome<'a> {
    /// Its word in the file of attestations.
    pub what: &'static str,
    /// Step of hardening it belongs to.
    pub rule: u8,
    /// What it says.
    pub says: &'static str,
    /// `attested`, `partial`, `fail` or `not evaluated`.
    pub status: &'static str,
    /// Why it is not attested for everything; nothing when it is.
    pub why: Option<String>,
    /// What was attested.
    pub attestations: Vec<&'a Attestation>,
}

/// How everything stands that can be attested, in the order of the rules; nothing when the report was told of no file.
pub fn outcomes(content: &Content) -> Vec<Outcome<'_>> {
    if !content.attestations.given {
        return Vec::new();
    }
    KINDS
        .iter()
        .map(|kind| {
            let (status, why) = judged(&content.attestations.standing(kind.what, content));
            Outcome {
                what: kind.what,
                rule: kind.rule,
                says: kind.says,
                status,
                why,
                attestations: content.attestations.of(kind.what).collect(),
            }
        })
        .collect()
}

fn judged(standing: &Standing<'_>) -> (&'static str, Option<String>) {
    match standing {
        Standing::Attested => ("attested", None),
        Standing::NotEvaluated => ("not evaluated", Some("nobody attested it".to_owned())),
        Standing::Partly(scopes) => {
            let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
            let why = format!(
                "attested for {}, not evaluated for the rest",
                some_of(&scopes, NAMED)
            );
            ("partial", Some(why))
        }
        Standing::Expired(scopes) => {
            let scopes: Vec<String> = scopes
                .iter()
                .map(|(scope, day)| match scope {
                    Scope::Account(account) => format!("account {account} since {day}"),
                    Scope::System(system) => format!("system {system} since {day}"),
                })
                .collect();
            (
                "fail",
                Some(format!("over for {}", some_of(&scopes, NAMED))),
            )
        }
    }
}
