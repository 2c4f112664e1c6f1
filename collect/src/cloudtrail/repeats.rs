//! Identities that came before: which row has the one that a text begins with.

use super::column::TextColumn;

/// Rows remembered; two identities that fall on one place take turns.
const PLACES: usize = 4_096;
/// Stands for no row.
const NO_ROW: u32 = u32::MAX;
/// Where what tells identities apart begins: behind the names of the first members and the type.
const SIGN_START: usize = 24;
/// How long it is: to within the session's name, as trails write it.
const SIGN_BYTES: usize = 64;

/// Rows by what their identities begin with.
pub struct Repeats(Vec<u32>);

impl Default for Repeats {
    fn default() -> Self {
        Self(vec![NO_ROW; PLACES])
    }
}

impl Repeats {
    /// Remembers that `row` has the identity `raw`.
    pub fn remember(&mut self, raw: &str, row: usize) {
        if let (Some(place), Ok(row)) = (place(raw), u32::try_from(row)) {
            self.0[place] = row;
        }
    }

    /// The row whose identity `text` begins with, and how long that is. An object ends where its last brace says: what
    /// begins with it can be nothing else.
    pub fn find(&self, text: &str, identities: &TextColumn) -> Option<(u32, usize)> {
        let row = self.0[place(text)?];
        let known = identities.long_text(row)?;
        let is_same = known.first() == Some(&b'{') && text.as_bytes().starts_with(known);
        is_same.then_some((row, known.len()))
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.0.fill(NO_ROW);
    }
}

fn place(text: &str) -> Option<usize> {
    let sign = text.as_bytes().get(SIGN_START..SIGN_START + SIGN_BYTES)?;
    let mixed = sign.as_chunks::<8>().0.iter().fold(0_u64, |mixed, word| {
        (mixed.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    // The highest bits depend on all others.
    Some((mixed >> (64 - PLACES.trailing_zeros())) as usize)
}
