//! Cells of a file that spreadsheets open: text that they would take for a formula is kept from being one, and reads
//! back as what it was.

/// Whether a spreadsheet may take a cell that starts with this for a formula.
fn starts_formula(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'
    )
}

fn is_formula_behind_apostrophes(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(starts_formula)
}

/// The text as a cell: an apostrophe before what could be a formula, one more where there are some already.
pub(super) fn escaped(text: &str) -> String {
    if is_formula_behind_apostrophes(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// What [`escaped`] made of a text back into it. A cell that lost its apostrophe in the spreadsheet is the text already.
pub(super) fn unescaped(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula_behind_apostrophes(rest) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_starts_a_formula_and_everything_comes_back() {
        for text in [
            "=cmd|' /C calc'!A0",
            "+1",
            "-team",
            "@sum(1)",
            "\t=1",
            "＝1+1",
            "'=1",
            "''@x",
            "'quoted'",
            "'",
            "",
            "team-a",
            "$(reboot)",
            "a\"b,c;d",
            "Größe",
        ] {
            let cell = escaped(text);
            assert!(!cell.starts_with(starts_formula), "{cell:?}");
            assert_eq!(unescaped(&cell), text);
        }
    }

    #[test]
    fn a_lost_or_typed_apostrophe_is_understood() {
        assert_eq!(unescaped("=cmd"), "=cmd");
        assert_eq!(unescaped("-team"), "-team");
        assert_eq!(unescaped("'t Hooft"), "'t Hooft");
    }
}
