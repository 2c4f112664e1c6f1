//! The macros that SQL here may use, defined as far as they are needed: each takes DuckDB most of a millisecond.

use std::collections::BTreeSet;

/// Statements that define all macros.
pub(crate) const ALL: &str = include_str!("../macros.sql");

/// What each of them begins with.
const CREATE: &str = "create macro ";

/// Statements that define the macros that occur in `texts`, or in one another, in their order.
pub(crate) fn of(texts: &[&str]) -> String {
    let macros: Vec<(&str, &str)> = ALL
        .split(CREATE)
        .skip(1)
        .filter_map(|text| Some((text.split_once('(')?.0, text)))
        .collect();
    let mut needed = BTreeSet::new();
    let mut pending = texts.to_vec();
    while let Some(text) = pending.pop() {
        for (at, (name, definition)) in macros.iter().enumerate() {
            if calls(text, name) && needed.insert(at) {
                pending.push(definition);
            }
        }
    }
    let definitions = needed.into_iter().map(|at| macros[at].1);
    definitions.map(|text| format!("{CREATE}{text}")).collect()
}

/// Whether the name stands before a parenthesis somewhere: SQL folds case, and may have a space between the two.
fn calls(text: &str, name: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(name)
        .any(|(at, _)| text[at + name.len()..].trim_start().starts_with('('))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_come_with_those_they_use_and_in_an_order_that_works() {
        assert_eq!(of(&["select 1, setting, as_list"]), "");
        let one = of(&["select Days_Since (created_at) from things"]);
        assert!(one.starts_with("create macro days_since("), "{one}");
        assert_eq!(one.matches(CREATE).count(), 1);
        let nested = of(&["select denies_over_tls(policy)"]);
        for name in ["as_objects(", "as_document(", "denies_over_tls("] {
            assert!(nested.contains(&format!("{CREATE}{name}")), "{nested}");
        }
        // Each is complete: what a macro calls has to be there when it is made.
        let config = crate::config::Config::load(None).unwrap().sql();
        let names = ALL.split(CREATE).skip(1);
        for name in names.map(|text| text.split_once('(').unwrap().0) {
            let connection = duckdb::Connection::open_in_memory().unwrap();
            connection.execute_batch(&config).unwrap();
            let as_of = "create macro as_of() as timestamp '2026-11-16 06:00:00';";
            connection.execute_batch(as_of).unwrap();
            let text = of(&[&format!("{name}()")]);
            let made = connection.execute_batch(&text);
            made.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
