//! Columns of values by row, read in any order: sorting moves places, not texts.

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewArray, BooleanArray, Int64Array, TimestampMicrosecondArray, make_view,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};

/// Texts that a column looks for a value among before it stores it again.
const RECENT: usize = 64;
/// Lengths of the texts for which that is worth the while.
const REPEATED: std::ops::RangeInclusive<usize> = 8..=512;

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
        let mut sampled = rows.filter_map(|&row| texts.places.get(row));
        sampled.all(|place| seen.insert(texts.at(place))) && seen.len() >= SAMPLE / 4
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

    fn get(&self, row: u32) -> Option<T> {
        self.0.get(row as usize).copied().flatten()
    }
}

/// Where a text stands, in eight bytes, also when it is optional.
#[derive(Clone, Copy)]
struct Place {
    start: u32,
    /// One more than its end.
    after_end: NonZero<u32>,
}

/// Texts by row. Of those that come again and again most are stored once, which keeps the column in the processor's
/// cache while it is sorted and encoded: a tenth of all time.
pub struct TextColumn {
    places: Column<Place>,
    texts: Vec<u8>,
    recent: [Option<Place>; RECENT],
}

impl Default for TextColumn {
    fn default() -> Self {
        Self {
            places: Column::default(),
            texts: Vec::new(),
            recent: [None; RECENT],
        }
    }
}

impl TextColumn {
    /// Gives `row` its text, and returns how many bytes that took.
    pub fn set(&mut self, row: usize, text: &str) -> usize {
        let before = self.texts.len();
        let place = self.place(text.as_bytes());
        self.places.set(row, place);
        self.texts.len() - before
    }

    fn place(&mut self, text: &[u8]) -> Option<Place> {
        let Some(sign) = sign(text).filter(|_| REPEATED.contains(&text.len())) else {
            return self.store(text);
        };
        let known = self.recent[sign].filter(|&place| self.at(place) == text);
        known.or_else(|| {
            self.recent[sign] = self.store(text);
            self.recent[sign]
        })
    }

    /// A column of four gigabytes has no place for more; batches are written long before.
    fn store(&mut self, text: &[u8]) -> Option<Place> {
        let start = u32::try_from(self.texts.len()).ok()?;
        self.texts.extend_from_slice(text);
        let after_end = NonZero::new(u32::try_from(self.texts.len() + 1).ok()?)?;
        Some(Place { start, after_end })
    }

    fn at(&self, place: Place) -> &[u8] {
        &self.texts[place.start as usize..place.after_end.get() as usize - 1]
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
        if self.places.0.is_empty() {
            return each(Arc::new(BinaryViewArray::new_null(order.len())));
        }
        let view = |&row: &u32| {
            let place = self.places.get(row);
            place.map_or(0, |place| make_view(self.at(place), 0, place.start))
        };
        let views: ScalarBuffer<u128> = order.iter().map(view).collect();
        let is_there = |&row: &u32| self.places.get(row).is_some();
        let nulls: NullBuffer = order.iter().map(is_there).collect();
        let texts = Buffer::from_vec(std::mem::take(&mut self.texts));
        let array = BinaryViewArray::try_new(views, [texts.clone()], Some(nulls))?;
        each(Arc::new(array))?;
        let kept = |_| anyhow::anyhow!("an array was kept");
        self.texts = texts.into_vec().map_err(kept)?;
        Ok(())
    }

    /// Forgets the texts, but not their memory.
    pub fn clear(&mut self) {
        self.places.clear();
        self.texts.clear();
        self.recent = [None; RECENT];
    }
}

/// Equal texts have equal signs, and different ones mostly different ones: both ends and the length make it.
fn sign(text: &[u8]) -> Option<usize> {
    let first = u64::from_le_bytes(*text.first_chunk()?);
    let last = u64::from_le_bytes(*text.last_chunk()?);
    let mixed = (first ^ last.rotate_left(29) ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The highest bits depend on all others.
    usize::try_from(mixed >> (64 - RECENT.trailing_zeros())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array as _, AsArray as _};

    #[test]
    fn texts_come_back_in_any_order_and_repeated_ones_are_stored_once() {
        let mut column = TextColumn::default();
        let long = "x".repeat(600);
        let texts = ["", "short", "a text beyond the view", long.as_str(), "a text beyond the view", "another one, also long", long.as_str()];
        for (row, text) in texts.iter().enumerate() {
            column.set(row * 2, text);
        }
        assert_eq!(column.texts.len(), 5 + 22 + 600 + 22 + 600);
        let order: Vec<u32> = (0..14).rev().collect();
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
            let expected = |row: usize| row.is_multiple_of(2).then(|| texts[row / 2].as_bytes().to_vec());
            assert_eq!(read, (0..14).map(expected).collect::<Vec<_>>());
        }
        column.clear();
        assert_eq!(column.set(0, "a text beyond the view"), 22);
    }
}
