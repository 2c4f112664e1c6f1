//! `system`: under construction in this commit's successor.
use super::Request;
use crate::facts::Facts;
use crate::layout::Format;
use crate::picture::Picture;
pub fn draw(_: &Facts, _: &Request) -> Vec<Picture> { Vec::new() }
pub fn index(_: &Facts, _: &[Picture], _: Option<Format>) -> String { String::new() }
