//! Objects as they lie in a trail's bucket into the text they hold.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;

/// Text that an object may hold at most. CloudTrail writes objects of some 10 MB; more than this is no trail, or made
/// to fill the memory of whoever reads it.
pub const MAX_TEXT: u64 = 1 << 30;

/// Why an object can't be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum InflateError {
    /// Damaged, or not all there.
    #[error("corrupt or truncated gzip: {0}")]
    Corrupt(std::io::Error),
    /// Beyond [`MAX_TEXT`].
    #[error("unpacks to more than {MAX_TEXT} bytes")]
    TooLarge,
}

/// The object's text: unpacked when it is gzip, of however many members, else the bytes themselves.
///
/// # Errors
/// When the gzip is damaged, truncated or too large.
pub fn inflate<'a>(
    bytes: &'a [u8],
    buffer: &'a mut Vec<u8>,
) -> Result<Cow<'a, [u8]>, InflateError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    buffer.clear();
    buffer.reserve(expected_length(bytes));
    let mut decoder = MultiGzDecoder::new(bytes).take(MAX_TEXT + 1);
    let length = decoder.read_to_end(buffer).map_err(InflateError::Corrupt)?;
    if length as u64 > MAX_TEXT {
        return Err(InflateError::TooLarge);
    }
    Ok(Cow::Borrowed(buffer))
}

/// The last four bytes of a gzip say how long its last member is, which is a guess worth a reservation and no more.
fn expected_length(bytes: &[u8]) -> usize {
    let said = bytes
        .last_chunk()
        .map_or(0, |length: &[u8; 4]| u32::from_le_bytes(*length) as usize);
    said.min(bytes.len().saturating_mul(30)).min(256 << 20) + 1
}
