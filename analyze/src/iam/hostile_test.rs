//! Input that is broken or meant to do harm: patterns, lines, outputs that fail.

use std::io;

use super::pattern::Pattern;
use super::simulate::{SimulateError, SimulateOutcome, simulate};
use super::unit_test::Sequence;
use super::*;

/// The definition of wildcards, as slow as it is short.
fn matches_by_definition(pattern: &[char], value: &[char]) -> bool {
    match (pattern, value) {
        ([], rest) => rest.is_empty(),
        (['*', after @ ..], rest) => {
            (0..=rest.len()).any(|taken| matches_by_definition(after, &rest[taken..]))
        }
        (['?', after @ ..], [_, rest @ ..]) => matches_by_definition(after, rest),
        ([wanted, after @ ..], [character, rest @ ..]) if wanted == character => {
            matches_by_definition(after, rest)
        }
        _ => false,
    }
}

#[test]
fn patterns_match_by_definition() {
    let mut sequence = Sequence(0xa11);
    let mut matched = 0;
    for _ in 0..40_000 {
        let pattern: String = (0..sequence.below(8))
            .map(|_| *sequence.pick(&['a', 'b', 'é', '*', '*', '?']))
            .collect();
        let value: String = (0..sequence.below(9))
            .map(|_| *sequence.pick(&['a', 'b', 'é']))
            .collect();
        let by_definition = matches_by_definition(
            &pattern.chars().collect::<Vec<_>>(),
            &value.chars().collect::<Vec<_>>(),
        );
        assert_eq!(
            Pattern::glob(&pattern).matches(&value),
            by_definition,
            "{pattern:?} on {value:?}"
        );
        matched += usize::from(by_definition);
    }
    assert!(matched > 2_000, "only {matched} matched");
}

fn all_cases() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iam");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let texts = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("cases can be read"));
    texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Lines are broken at random; whatever comes of it, each gets one answer, and never a panic.
#[test]
fn broken_lines_get_an_answer_each() {
    let cases = all_cases();
    let splinters = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "*",
        "?",
        "${",
        "'",
        "}'",
        "arn:",
        "::::::",
        "-1",
        "1e999",
        "é",
        "\u{0}",
        "\\u0000",
        "ForAllValues:",
        "IfExists",
        "2012-10-17",
        "9999-99-99",
        "::/129",
        "IpAddress",
        "Deny",
    ];
    let mut sequence = Sequence(0xbad);
    let mut input = Vec::new();
    let mut lines = 0;
    for _ in 0..20_000 {
        let mut line = sequence.pick(&cases).clone().into_bytes();
        for _ in 0..1 + sequence.below(4) {
            let at = sequence.below(line.len());
            match sequence.below(4) {
                0 => drop(line.splice(at..at, sequence.pick(&splinters).bytes())),
                1 => drop(line.drain(at..(at + 1 + sequence.below(12)).min(line.len()))),
                2 => line[at] = u8::try_from(32 + sequence.below(224)).expect("below 256"),
                _ => {
                    let end = (at + sequence.below(40)).min(line.len());
                    let repeated = line[at..end].to_vec();
                    drop(line.splice(at..at, repeated));
                }
            }
            if line.is_empty() {
                line.push(b'{');
            }
        }
        line.retain(|byte| *byte != b'\n');
        lines += u64::from(!line.trim_ascii().is_empty());
        input.extend(line);
        input.push(b'\n');
    }
    let mut output = Vec::new();
    let outcome = simulate(input.as_slice(), &mut output).expect("memory can be read and written");
    assert_eq!(outcome.decided + outcome.failed, lines);
    assert!(
        outcome.decided > 1_000 && outcome.failed > 1_000,
        "{outcome:?}: both ways should be taken"
    );
    let answers = String::from_utf8(output).expect("answers are text");
    assert_eq!(answers.lines().count() as u64, lines);
    for answer in answers.lines() {
        let answer: serde_json::Value = serde_json::from_str(answer).expect("an answer is JSON");
        assert!(
            answer["decision"].is_string() != answer["error"].is_string(),
            "{answer}"
        );
    }
}

#[test]
fn lines_without_id_are_told_by_number() {
    let input =
        "\n{\"id\":7,\"request\":1}\n\nnonsense\n{\"id\":\"x\",\"id\":\"x\"}\n\u{fffd}[[[\n";
    let mut output = Vec::new();
    let outcome = simulate(input.as_bytes(), &mut output).expect("memory can be read and written");
    assert_eq!(
        outcome,
        SimulateOutcome {
            decided: 0,
            failed: 4
        }
    );
    let answers: Vec<serde_json::Value> = output
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let told: Vec<_> = answers
        .iter()
        .map(|answer| (answer["id"].clone(), answer["line"].clone()))
        .collect();
    assert_eq!(
        serde_json::json!(told),
        serde_json::json!([[7, null], [null, 4], [null, 5], [null, 6]])
    );
    assert!(
        answers[2]["error"]
            .as_str()
            .is_some_and(|error| error.contains("member \"id\" is given twice"))
    );
}

#[test]
fn a_member_given_twice_is_an_error() {
    let twice = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let error =
        Policy::from_json("p", PolicyKind::Principal, twice).expect_err("Effect is there twice");
    assert!(
        error
            .to_string()
            .contains("member \"Effect\" is given twice"),
        "{error}"
    );
}

struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn output_that_fails_is_an_error() {
    assert!(matches!(
        simulate(&b"x\n"[..], Full),
        Err(SimulateError::Write(_))
    ));
}
