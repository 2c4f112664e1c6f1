//! The colours of pictures. One meaning each, and never the only sign of it.
//!
//! Fills carry white text at a contrast of 4.5:1 or more and stay apart for readers who are red-, green- or
//! blue-blind; `tests/palette.rs` measures both.

use crate::kinds::Category;
use crate::picture::Look;

/// Critical findings, and the border of what is reachable from the internet.
pub const VERMILION: &str = "#D55E00";
/// Vermilion, dark enough for text.
pub const VERMILION_TEXT: &str = "#A04000";
/// High findings.
pub const ORANGE: &str = "#E69F00";
/// Medium findings, and the border of public subnets.
pub const SKY: &str = "#56B4E9";
/// Tag coverage.
pub const BLUE: &str = "#0072B2";
/// Nothing found; dark enough for text.
pub const GREEN_TEXT: &str = "#00705A";
/// Not known; dark enough for text.
pub const OCHRE_TEXT: &str = "#7A5600";
/// Different in two runs; dark enough for text.
pub const BROWN: &str = "#8F4E00";
/// What is there for orientation only, still dark enough for text and under it.
pub const FAINT: &str = "#656D76";
/// Text.
pub const INK: &str = "#1F2328";
/// Second lines.
pub const SOFT: &str = "#57606A";
/// Edges.
pub const LINE: &str = "#6B7280";
/// Borders of cards.
pub const BORDER: &str = "#B8BEC6";
/// Borders of pale frames.
pub const FRAME: &str = "#C9CED6";
/// The missing part of a bar.
pub const EMPTY: &str = "#E1E4E8";

/// Fill of a card, under text.
pub fn ground(look: Look) -> &'static str {
    match look {
        Look::Missing => "#FFF4EC",
        Look::Added => "#EAF3FA",
        Look::Changed => "#FDF3E7",
        Look::Removed => "#F4F5F7",
        Look::Plain | Look::Hot | Look::Unknown | Look::Faint => "white",
    }
}

/// Fill of a category's badge, under white text.
pub fn fill(category: Category) -> &'static str {
    match category {
        Category::Network => "#004B96",
        Category::Compute => "#7D4B00",
        Category::Data => "#4900B0",
        Category::Messaging => "#4A000C",
        Category::Backup => "#17804B",
        Category::Security => "#444444",
        Category::External => "#5F6670",
    }
}
