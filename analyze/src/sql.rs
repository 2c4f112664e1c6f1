//! SQL as text: quoting, and what a statement reads.

use std::collections::BTreeSet;

use duckdb::Connection;
use handoff::shell::Hinted;
use handoff::text::elide_middle;
use serde_json::Value;

/// A string literal.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// SQL that is refused before it is run, or that DuckDB does not understand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    /// DuckDB's parser does not understand it.
    #[error("{0}")]
    Syntax(String),
    /// It is more than a question.
    #[error(
        "only one SELECT is allowed, nothing that changes anything (DESCRIBE, SUMMARIZE and SHOW TABLES are questions too)"
    )]
    NotASelect,
    /// It reads what can't be told from its text.
    #[error("the function {0} is not allowed: it hides which tables are read")]
    Hidden(String),
    /// DuckDB failed; its message without the excerpt it draws below.
    #[error("{0}")]
    Engine(String),
}

impl From<duckdb::Error> for SqlError {
    fn from(error: duckdb::Error) -> Self {
        Self::Engine(first_line(&error))
    }
}

/// What DuckDB says went wrong, without the excerpt it draws below.
pub(crate) fn first_line(error: &duckdb::Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or("failed without a word")
        .to_owned()
}

/// An error in one line, if DuckDB is its cause: what it says holds excerpts, and whatever is in a file that is damaged.
pub(crate) fn in_one_line(error: anyhow::Error) -> anyhow::Error {
    /// Characters that tell enough.
    const LONGEST: usize = 300;
    let mut causes = Vec::new();
    let mut said = None;
    for cause in error.chain() {
        if let Some(engine) = cause.downcast_ref::<duckdb::Error>() {
            said = Some(elide_middle(&first_line(engine), LONGEST).into_owned());
            break;
        }
        causes.push(cause.to_string());
    }
    let Some(said) = said else {
        return error;
    };
    causes.push(said);
    let text = causes.join(": ");
    if text.contains(".parquet") {
        return Hinted::new(
            text,
            "if the file is damaged, restore it, or remove it and collect again",
        )
        .into();
    }
    anyhow::Error::msg(text)
}

/// Every table and view that one SELECT reads.
///
/// # Errors
/// When the text is anything but one SELECT.
pub(crate) fn tables_read(
    connection: &Connection,
    sql: &str,
) -> Result<BTreeSet<String>, SqlError> {
    let text: String = connection.query_row(
        "select json_serialize_sql(?::varchar)::varchar",
        [sql],
        |row| row.get(0),
    )?;
    let tree: Value =
        serde_json::from_str(&text).map_err(|error| SqlError::Syntax(error.to_string()))?;
    if tree["error"].as_bool() != Some(false) {
        return Err(match tree["error_type"].as_str() {
            Some("not implemented") => SqlError::NotASelect,
            _ => SqlError::Syntax(
                tree["error_message"]
                    .as_str()
                    .unwrap_or("syntax error")
                    .to_owned(),
            ),
        });
    }
    if tree["statements"].as_array().map(Vec::len) != Some(1) {
        return Err(SqlError::NotASelect);
    }
    let mut names = BTreeSet::new();
    visit(&tree["statements"], &[], &mut names)?;
    Ok(names)
}

/// `ctes` are the common table expressions that can be seen from `node`: their names stand for no table.
fn visit(node: &Value, ctes: &[String], names: &mut BTreeSet<String>) -> Result<(), SqlError> {
    let members = match node {
        Value::Array(elements) => {
            return elements
                .iter()
                .try_for_each(|element| visit(element, ctes, names));
        }
        Value::Object(members) => members,
        _ => return Ok(()),
    };
    let mut seen = ctes.to_vec();
    match node["type"].as_str() {
        Some("BASE_TABLE") => names.extend(table(node, ctes)),
        Some("TABLE_FUNCTION") => {
            let name = node["function"]["function_name"]
                .as_str()
                .unwrap_or_default()
                .to_lowercase();
            if matches!(name.as_str(), "query" | "query_table") {
                return Err(SqlError::Hidden(name));
            }
        }
        // The anchor, on the left, does not see the expression that it begins.
        Some("RECURSIVE_CTE_NODE") => {
            visit(&node["left"], ctes, names)?;
            seen.extend(node["cte_name"].as_str().map(str::to_lowercase));
            return visit(&node["right"], &seen, names);
        }
        _ => {}
    }
    // An expression sees those before it, so that it may have the name of the table it reads.
    for cte in node["cte_map"]["map"].as_array().into_iter().flatten() {
        visit(&cte["value"], &seen, names)?;
        seen.extend(cte["key"].as_str().map(str::to_lowercase));
    }
    members
        .iter()
        .filter(|(name, _)| *name != "cte_map")
        .try_for_each(|(_, member)| visit(member, &seen, names))
}

/// The table that a reference names; none if it is one of `ctes`.
fn table(reference: &Value, ctes: &[String]) -> Option<String> {
    let name = reference["table_name"].as_str()?.to_lowercase();
    // `recurring` is where an expression finds all of its rows so far.
    let unqualified = matches!(
        reference["schema_name"].as_str(),
        None | Some("" | "recurring")
    );
    (!unqualified || !ctes.contains(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Result<Vec<String>, String> {
        let connection = Connection::open_in_memory().unwrap();
        tables_read(&connection, sql)
            .map(|names| names.into_iter().collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn tables_are_found_wherever_they_stand() {
        let sql = "with a as (select * from t1) select *, (select max(x) from T2) from a join t3 using (k) where exists (select 1 from t4)";
        assert_eq!(read(sql).unwrap(), ["t1", "t2", "t3", "t4"]);
    }

    #[test]
    fn a_common_table_expression_hides_the_table_of_its_name_from_what_follows_it() {
        for (sql, tables) in [
            ("with t as (select * from t) select * from t", &["t"][..]),
            ("with a as (from t) select * from A", &["t"]),
            (
                "with a as (from t), b as (from a) from b join main.a using (k)",
                &["a", "t"],
            ),
            ("with a as (from b), b as (from t) from a, b", &["b", "t"]),
            ("select * from (with a as (from t) from a), a", &["a", "t"]),
            (
                "select * from t where exists (with t as (from u) from t)",
                &["t", "u"],
            ),
            (
                "with recursive a as (from t union all select a.* from a join u using (k)) from a",
                &["t", "u"],
            ),
            (
                "with recursive a using key (k) as (from t union select a.* from a join recurring.a as b using (k)) from a",
                &["t"],
            ),
        ] {
            assert_eq!(read(sql).unwrap(), tables, "{sql}");
        }
    }

    #[test]
    fn anything_but_one_select_is_refused() {
        for sql in [
            "copy (select 1) to 'x'",
            "select 1; select 2",
            "create table t (a int)",
            "attach 'x'",
            "set threads = 1",
            "insert into t values (1)",
        ] {
            assert!(
                read(sql).unwrap_err().starts_with("only one SELECT"),
                "{sql}"
            );
        }
        assert!(read("selec 1").unwrap_err().contains("selec"));
        assert!(
            read("from query('select 1')")
                .unwrap_err()
                .contains("hides")
        );
        assert!(read("describe t").is_ok());
    }

    #[test]
    fn quotes_in_names_and_texts_are_doubled() {
        assert_eq!(quote("it's"), "'it''s'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }
}
