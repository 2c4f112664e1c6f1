//! The data dictionary: every table of the lake, as markdown or JSON.

use std::fmt::Write as _;

use handoff::contract::{self, TableSchema};
use serde_json::{Value, json};

use super::tablefile::{Scope, TableFile};

/// Says what all tables hold, in markdown.
pub fn markdown(tables: &[TableFile]) -> String {
    let mut text = format!(
        "# Tables of the lake\n\nContract {}. Every column may be null: null is \"not known\".\n\n",
        contract::VERSION
    );
    text.push_str("## Tables of the pipeline\n\n");
    for schema in contract::fixed_tables() {
        text.push_str(&contract::markdown(&schema));
        text.push('\n');
    }
    text.push_str("## Inventory tables\n\nEvery inventory table starts with these columns:\n\n");
    text.push_str("| column | type | meaning |\n| --- | --- | --- |\n");
    for column in contract::inventory_columns() {
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            column.name,
            column.kind.sql(),
            column.doc
        );
    }
    for table in tables {
        text.push('\n');
        text.push_str(&contract::markdown(&own(table)));
        let _ = writeln!(text, "\nFrom {}.", calls(table).join(", "));
    }
    text
}

/// The same as JSON: name, title, columns; for inventory tables also resource type, scope and the calls behind it.
pub fn json(tables: &[TableFile]) -> Value {
    let columns = |schema: &TableSchema| -> Vec<Value> {
        let each = schema.columns.iter();
        each.map(
            |column| json!({"name": column.name, "type": column.kind.sql(), "doc": column.doc}),
        )
        .collect()
    };
    let fixed = contract::fixed_tables();
    let fixed = fixed.iter().map(
        |schema| json!({"name": schema.name, "title": schema.title, "columns": columns(schema)}),
    );
    let inventory = tables.iter().map(|table| {
        json!({
            "name": table.name,
            "title": table.title,
            "resource_type": table.resource_type,
            "scope": if table.scope == Scope::Global { "global" } else { "regional" },
            "calls": calls(table),
            "columns": columns(&table.schema()),
        })
    });
    json!({
        "contract": contract::VERSION,
        "tables": fixed.collect::<Vec<_>>(),
        "inventory": inventory.collect::<Vec<_>>(),
    })
}

/// A table without the columns that all have.
fn own(table: &TableFile) -> TableSchema {
    let mut schema = table.schema();
    schema.columns.drain(..contract::inventory_columns().len());
    schema
}

/// The calls that a row is made of, each once.
fn calls(table: &TableFile) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for operation in table.operations() {
        let call = format!("{}:{operation}", table.service);
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}
