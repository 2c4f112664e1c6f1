//! Columns of values by row, read in any order: sorting moves places, not texts.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewArray, BooleanArray, Int64Array, TimestampMicrosecondArray, make_view,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

/// Texts that a column looks for a value among before it stores it again.
const RECENT: usize = 64;
/// Length up to which that is worth the while.
const REPEATED: usize = 512;

/// Rows of which no two must be alike for a column to be taken for one without repetition.
const SAMPLE: usize = 256;

/// A column of whatever type.
pub enum AnyColumn<'a> {
    /// Texts.
    Texts(&'a mut TextColumn),
    /// Flags.
    Flags(&'a Column<bool>),
    /// A time in each row, in microseconds.
    Times(&'a [i64]),
    /// Times in some.
    SomeTimes(&'a Column<i64>),
    /// The same time in all.
    SameTime(i64),
    /// A number in each row.
    Numbers(&'a [i64]),
}

impl AnyColumn<'_> {
    /// Gives `each` the values of these rows, in this order, as an array, which it must not keep.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn with_array(
        self,
        order: &[u32],
        each: impl FnOnce(ArrayRef) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let pick = |values: &[i64]| -> Vec<i64> {
            order.iter().map(|&row| values[row as usize]).collect()
        };
        let array: ArrayRef = match self {
            Self::Texts(texts) => return texts.with_array(order, each),
            Self::Flags(flags) => {
                let flags = order.iter().map(|&row| flags.get(row));
                Arc::new(flags.collect::<BooleanArray>())
            }
            Self::Times(times) => Arc::new(TimestampMicrosecondArray::from(pick(times))),
            Self::SomeTimes(times) => {
                let times = order.iter().map(|&row| times.get(row));
                Arc::new(times.collect::<TimestampMicrosecondArray>())
            }
            Self::SameTime(time) => {
                Arc::new(TimestampMicrosecondArray::from_value(time, order.len()))
            }
            Self::Numbers(numbers) => Arc::new(Int64Array::from(pick(numbers))),
        };
        each(array)
    }

    /// Whether texts seem not to come again in these rows: a dictionary of them is work for nothing.
    pub fn looks_unique(&self, order: &[u32]) -> bool {
        let Self::Texts(texts) = self else {
            return false;
        };
        let step = (order.len() / SAMPLE).max(1);
        let rows = order.iter().step_by(step).take(SAMPLE);
        let mut seen = HashSet::new();
        let mut sampled = rows.filter_map(|&row| texts.get(row));
        sampled.all(|view| seen.insert(texts.identity(view))) && seen.len() >= SAMPLE / 4
    }
}

/// Values by row; rows behind the last value have none.
pub struct Column<T>(Vec<Option<T>>);

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Column<T> {
    /// Gives `row` its value. No row from there on has one yet.
    pub fn set(&mut self, row: usize, value: Option<T>) {
        if value.is_some() {
            self.0.resize(row, None);
            self.0.push(value);
        }
    }

    /// Forgets the values.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The value of a row.
    pub fn get(&self, row: u32) -> Option<T> {
        self.0.get(row as usize).copied().flatten()
    }
}

/// A text as arrow's arrays of views have it: its length in the lowest four bytes, then all of a short text, or the first
/// four bytes of a long one and, highest, where it stands.
type View = u128;

/// Stands for no text; none is that long.
const NO_TEXT: View = View::MAX;
/// The length and the first four bytes.
const BEGINNING: View = u64::MAX as View;
/// The longest text that is all in its view.
const SHORT: usize = 12;

/// Texts by row. Of those that come again and again most are stored once, which keeps the column in the processor's
/// cache while it is sorted and encoded: a tenth of all time.
pub struct TextColumn {
    views: Vec<View>,
    texts: Vec<u8>,
    recent: [View; RECENT],
}

impl Default for TextColumn {
    fn default() -> Self {
        Self {
            views: Vec::new(),
            texts: Vec::new(),
            recent: [NO_TEXT; RECENT],
        }
    }
}

impl TextColumn {
    /// Gives `row` its text, and returns how many bytes that took. No row from there on has one yet.
    pub fn set(&mut self, row: usize, text: &str) -> usize {
        let before = self.texts.len();
        let view = self.view(text.as_bytes());
        self.views.resize(row, NO_TEXT);
        self.views.push(view);
        self.texts.len() - before
    }

    /// Gives `row` the text of an earlier row. No row from there on has one yet.
    pub fn repeat(&mut self, row: usize, earlier: u32) {
        if let Some(view) = self.get(earlier) {
            self.views.resize(row, NO_TEXT);
            self.views.push(view);
        }
    }

    /// The text of a row, unless it is a short one.
    pub fn long_text(&self, row: u32) -> Option<&[u8]> {
        let view = self.get(row)?;
        (view as u32 as usize > SHORT).then(|| long(&self.texts, view))
    }

    fn view(&mut self, text: &[u8]) -> View {
        if text.len() <= SHORT {
            return make_view(text, 0, 0);
        }
        // A column of four gigabytes has no place for more; batches are written long before.
        let Ok(start) = u32::try_from(self.texts.len()) else {
            return NO_TEXT;
        };
        let view = make_view(text, 0, start);
        if text.len() <= REPEATED {
            let recent = &mut self.recent[sign(text)];
            if *recent & BEGINNING == view & BEGINNING && long(&self.texts, *recent) == text {
                return *recent;
            }
            *recent = view;
        }
        self.texts.extend_from_slice(text);
        view
    }

    fn get(&self, row: u32) -> Option<View> {
        let view = self.views.get(row as usize).copied();
        view.filter(|view| *view != NO_TEXT)
    }

    /// What tells the text of a view from others.
    fn identity(&self, view: View) -> (View, &[u8]) {
        if view as u32 as usize <= SHORT {
            (view, &[])
        } else {
            (0, long(&self.texts, view))
        }
    }

    /// Gives `each` the texts of these rows, in this order, as an array, which it must not keep. They are UTF-8, which
    /// an array of bytes asks no second proof of.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn with_array(
        &mut self,
        order: &[u32],
        each: impl FnOnce(ArrayRef) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.views.is_empty() {
            return each(Arc::new(BinaryViewArray::new_null(order.len())));
        }
        let views = order.iter().map(|&row| self.get(row).unwrap_or_default());
        let views: ScalarBuffer<View> = views.collect();
        let is_there = |at: usize| self.get(order[at]).is_some();
        let nulls = NullBuffer::new(BooleanBuffer::collect_bool(order.len(), is_there));
        let texts = Buffer::from_vec(std::mem::take(&mut self.texts));
        let array = BinaryViewArray::try_new(views, [texts.clone()], Some(nulls))?;
        each(Arc::new(array))?;
        let kept = |_| anyhow::anyhow!("an array was kept");
        self.texts = texts.into_vec().map_err(kept)?;
        Ok(())
    }

    /// Forgets the texts, but not their memory.
    pub fn clear(&mut self) {
        self.views.clear();
        self.texts.clear();
        self.recent = [NO_TEXT; RECENT];
    }
}

/// The text of a view that is not short.
fn long(texts: &[u8], view: View) -> &[u8] {
    let (start, length) = ((view >> 96) as usize, view as u32 as usize);
    &texts[start..start + length]
}

/// Equal texts have equal signs, and different ones mostly different ones: both ends and the length make it.
fn sign(text: &[u8]) -> usize {
    let first = text
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let last = text
        .last_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mixed =
        (first ^ last.rotate_left(29) ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The highest bits depend on all others.
    (mixed >> (64 - RECENT.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array as _, AsArray as _};

    #[test]
    fn texts_come_back_in_any_order_and_repeated_ones_are_stored_once() {
        let mut column = TextColumn::default();
        let long = "x".repeat(600);
        let texts = [
            "",
            "short",
            "twelve bytes",
            "a text beyond the view",
            long.as_str(),
            "a text beyond the view",
            "a text behind the view",
            "another one, also long",
            long.as_str(),
            "thirteen byte",
            "short",
            "thirteen byte",
        ];
        for (row, text) in texts.iter().enumerate() {
            column.set(row * 2, text);
        }
        assert_eq!(column.texts.len(), 3 * 22 + 2 * 600 + 13);
        let order: Vec<u32> = (0..24).rev().collect();
        for _ in 0..2 {
            let mut read = Vec::new();
            column
                .with_array(&order, |array| {
                    let array = array.as_binary_view();
                    read = (0..array.len())
                        .map(|row| array.is_valid(row).then(|| array.value(row).to_vec()))
                        .collect();
                    Ok(())
                })
                .unwrap();
            read.reverse();
            let expected = |row: usize| {
                row.is_multiple_of(2)
                    .then(|| texts[row / 2].as_bytes().to_vec())
            };
            assert_eq!(read, (0..24).map(expected).collect::<Vec<_>>());
        }
        column.clear();
        assert_eq!(column.set(0, "a text beyond the view"), 22);
    }

    #[test]
    fn a_dictionary_is_spared_where_no_text_comes_again() {
        let looks_unique = |text: &dyn Fn(u32) -> String| {
            let mut column = TextColumn::default();
            for row in 0..2_000 {
                column.set(row as usize, &text(row));
            }
            let order: Vec<u32> = (0..2_000).collect();
            AnyColumn::Texts(&mut column).looks_unique(&order)
        };
        assert!(looks_unique(&|row| format!("{row}")));
        assert!(looks_unique(&|row| format!(
            "a longer text with number {row}"
        )));
        assert!(!looks_unique(&|row| format!("{}", row % 100)));
        assert!(!looks_unique(&|row| format!(
            "a longer text with number {}",
            row % 100
        )));
        assert!(!AnyColumn::Texts(&mut TextColumn::default()).looks_unique(&[0, 1]));
    }
}
