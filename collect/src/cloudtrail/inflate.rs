//! Objects as they lie in a trail's bucket into the text they hold.

use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;
use libdeflater::Decompressor;

/// Text that an object may hold at most. CloudTrail writes objects of some 10 MB; more than this is no trail, or made
/// to fill the memory of whoever reads it.
pub const MAX_TEXT: u64 = 1 << 30;

/// Text whose buffer is kept for the next object.
const KEPT: usize = 16 << 20;
/// What every member of a gzip begins with.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

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

/// Unpacks objects one after the other. Both ways compare the length and the checksum at the end of each member.
pub struct Inflater {
    /// Never shortened, so that what is unpacked next needs no zeroing and no new pages.
    buffer: Vec<u8>,
    decompressor: Decompressor,
}

impl Default for Inflater {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            decompressor: Decompressor::new(),
        }
    }
}

impl Inflater {
    /// The object's text: unpacked when it is gzip, of however many members, else the bytes themselves.
    ///
    /// # Errors
    /// When the gzip is damaged, truncated or too large.
    pub fn inflate<'a>(&'a mut self, object: &'a [u8]) -> Result<&'a [u8], InflateError> {
        if !object.starts_with(&MAGIC[..2]) {
            return Ok(object);
        }
        // One large object should not hold its memory for all that follow.
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
        let length = match self.inflate_at_once(object) {
            Some(length) => length,
            None => self.inflate_step_by_step(object)?,
        };
        Ok(&self.buffer[..length])
    }

    /// The length of the text of a gzip whose end says how long it is, as it does of one sound member; half the time
    /// of [`Inflater::inflate_step_by_step`]. `None` for all others.
    fn inflate_at_once(&mut self, object: &[u8]) -> Option<usize> {
        let said = u32::from_le_bytes(*object.last_chunk()?) as usize;
        // More than events shrink is a lie; and a second member would begin like the first one.
        if said > object.len().saturating_mul(64)
            || said as u64 > MAX_TEXT
            || memchr::memmem::find(object.get(1..)?, &MAGIC).is_some()
        {
            return None;
        }
        if self.buffer.len() < said {
            self.buffer.resize(said, 0);
        }
        let room = &mut self.buffer[..said];
        let length = self.decompressor.gzip_decompress(object, room).ok()?;
        (length == said).then_some(length)
    }

    fn inflate_step_by_step(&mut self, object: &[u8]) -> Result<usize, InflateError> {
        self.buffer.clear();
        let mut decoder = MultiGzDecoder::new(object).take(MAX_TEXT + 1);
        let length = decoder
            .read_to_end(&mut self.buffer)
            .map_err(InflateError::Corrupt)?;
        if length as u64 > MAX_TEXT {
            return Err(InflateError::TooLarge);
        }
        Ok(length)
    }
}
