//! The markdown that chapters are written in: values made harmless, pages with a bound.

pub mod escape;
pub mod page;
pub mod words;

pub use escape::{code, fence, html, text};
pub use page::{Align, Page, Table};
