//! The tab-separated files of `analyze/actions`: comments, a line of column names, rows.

/// The rows, each of exactly `N` fields; lines that start with `#`, and the line of column names, are left out.
///
/// # Panics
/// When a row has another number of fields. The texts are part of the build, and the tests read them all.
pub(super) fn rows<const N: usize>(text: &str) -> impl Iterator<Item = [&str; N]> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .skip(1)
        .map(|line| {
            let mut fields = line.split('\t');
            let row = std::array::from_fn(|_| fields.next().unwrap_or("\u{0}"));
            assert!(
                row.last() != Some(&"\u{0}") && fields.next().is_none(),
                "a row of {N} fields was expected: {line:?}"
            );
            row
        })
}
