//! HTML-like labels: cards, captions, the legend. Everything from outside passes [`super::escape`].

use super::escape::{LINE_CHARACTERS, html, line};
use super::palette::{
    self, BLUE, BORDER, BROWN, EMPTY, FAINT, GREEN_TEXT, INK, OCHRE_TEXT, ORANGE, SKY, SOFT,
    VERMILION, VERMILION_TEXT,
};
use crate::facts::Findings;
use crate::picture::{Frame, Look, Node, Phrase, Picture, Shape, Sign, Verdict, grouped};
use handoff::text::elide_middle;

fn font(size: u8, color: &str, text: &str) -> String {
    format!("<FONT POINT-SIZE=\"{size}\" COLOR=\"{color}\">{text}</FONT>")
}

/// Title and caption of the picture.
pub(super) fn caption(picture: &Picture) -> String {
    let title = format!(
        "<FONT POINT-SIZE=\"18\"><B>{}</B></FONT>",
        line(&picture.title, 60)
    );
    let mut text = format!("{title}   ");
    let first = picture.title.chars().count().min(60) * 2;
    for (position, row) in rows(&picture.caption, first, |part| part.chars().count() + 3)
        .into_iter()
        .enumerate()
    {
        let parts: Vec<String> = row.iter().map(|part| html(part)).collect();
        if position > 0 {
            text.push_str("<BR ALIGN=\"LEFT\"/>");
        }
        text.push_str(&font(12, SOFT, &parts.join(" · ")));
    }
    for warning in &picture.warnings {
        text.push_str("<BR ALIGN=\"LEFT\"/>");
        text.push_str(&font(11, palette::VERMILION_TEXT, &html(warning)));
    }
    text.push_str("<BR ALIGN=\"LEFT\"/>");
    text
}

/// Characters of a caption's or legend's line; a longer one would be wider than most pictures.
const ROW: usize = 190;

/// Pieces of text in rows of a readable length, the first of which has so much in it already.
fn rows<T>(pieces: &[T], before: usize, width: impl Fn(&T) -> usize) -> Vec<Vec<&T>> {
    let mut rows: Vec<Vec<&T>> = Vec::new();
    let mut used = before;
    for piece in pieces {
        let wide = width(piece);
        match rows.last_mut() {
            Some(row) if used + wide <= ROW => row.push(piece),
            Some(_) => {
                rows.push(vec![piece]);
                used = 0;
            }
            None => rows.push(vec![piece]),
        }
        used += wide;
    }
    rows
}

pub(super) fn frame(frame: &Frame) -> String {
    let mut text = format!("<B>{}</B>", line(&frame.title, 40));
    if !frame.subtitle.is_empty() {
        text.push_str(&format!("  {}", line(&frame.subtitle, 48)));
    }
    if let Some(stars) = frame.stars {
        text.push_str(&format!("  {}", font(8, INK, &stars_text(stars))));
    }
    let marks = marks(frame.findings);
    if !marks.is_empty() {
        text.push_str(&format!("  {marks}"));
    }
    text
}

fn stars_text(filled: u8) -> String {
    (1..=3)
        .map(|star| if star <= filled { '★' } else { '☆' })
        .collect()
}

/// Counts of findings, each with a shape of its own; undecided checks have a question mark, so nothing looks clean that isn't known to be.
fn marks(findings: Findings) -> String {
    let mark = |color: &str, glyph: char, number: u64| {
        (number > 0).then(|| format!("<FONT COLOR=\"{color}\">{glyph}</FONT>{}", grouped(number)))
    };
    [
        mark(VERMILION, '▲', findings.critical),
        mark(ORANGE, '◆', findings.high),
        mark(SKY, '●', findings.medium),
        mark(SOFT, '○', findings.low),
        mark(SOFT, '?', findings.unknown),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" ")
}

pub(super) fn node(node: &Node) -> String {
    match &node.shape {
        Shape::Card { .. } => card(node),
        Shape::System { .. } => system(node),
        Shape::Junction => String::new(),
    }
}

fn table(node: &Node, rows: &str) -> String {
    let (border, color) = match node.look {
        Look::Missing => (2, VERMILION),
        Look::Added => (2, BLUE),
        Look::Changed => (2, BROWN),
        Look::Removed => (1, FAINT),
        Look::Faint => (1, EMPTY),
        _ if node.exposed => (2, VERMILION),
        _ => (1, BORDER),
    };
    let dashed = match node.look {
        Look::Missing | Look::Removed => true,
        Look::Added | Look::Changed => false,
        _ => node.dashed,
    };
    let style = if dashed { " STYLE=\"DASHED\"" } else { "" };
    format!(
        "<TABLE BORDER=\"{border}\"{style} CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"3\" COLOR=\"{color}\" \
         BGCOLOR=\"{}\">{rows}</TABLE>",
        palette::ground(node.look)
    )
}

fn card(node: &Node) -> String {
    let Shape::Card {
        badge,
        category,
        subtitle,
        stars,
        uses,
        names,
        lines,
    } = &node.shape
    else {
        return String::new();
    };
    let mut rows = format!(
        "<TR><TD ROWSPAN=\"2\" WIDTH=\"36\" BGCOLOR=\"{}\"><FONT COLOR=\"white\" POINT-SIZE=\"10\"><B>{}</B></FONT></TD>\
         <TD WIDTH=\"132\" ALIGN=\"LEFT\"><FONT POINT-SIZE=\"11\"{}</FONT></TD></TR>\
         <TR><TD ALIGN=\"LEFT\">{}</TD></TR>",
        match node.look {
            Look::Missing => VERMILION_TEXT,
            Look::Faint => FAINT,
            _ => palette::fill(*category),
        },
        html(badge),
        title(node),
        font(9, SOFT, &line(subtitle, LINE_CHARACTERS + 6)),
    );
    let marks = marks(node.findings);
    let words = words(uses, names);
    let length = words.chars().count();
    let inline = length + 4 * marks.matches("<FONT").count() <= LINE_CHARACTERS + 4;
    if stars.is_some() || !marks.is_empty() || (inline && length > 0) {
        let stars = stars.map_or_else(|| " ".to_owned(), stars_text);
        let mut third = format!("<FONT POINT-SIZE=\"9\">{marks} </FONT>");
        if inline && length > 0 {
            third.push_str(&font(8, SOFT, &line(&words, WORDS)));
        }
        rows.push_str(&format!(
            "<TR><TD ALIGN=\"CENTER\">{}</TD><TD ALIGN=\"LEFT\">{third}</TD></TR>",
            font(8, INK, &stars)
        ));
    }
    if !inline {
        rows.push_str(&format!(
            "<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\">{}</TD></TR>",
            font(8, SOFT, &line(&words, WORDS))
        ));
    }
    for phrases in lines {
        rows.push_str(&format!(
            "<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\">{}</TD></TR>",
            font(9, INK, &spoken(phrases))
        ));
    }
    if let Some((color, words)) = change(node.look) {
        let words = format!("<B>{words}</B>");
        rows.push_str(&format!(
            "<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\">{}</TD></TR>",
            font(9, color, &words)
        ));
    }
    table(node, &rows)
}

/// A card's first line, after the size of its letters.
fn title(node: &Node) -> String {
    let text = line(&node.title, LINE_CHARACTERS);
    match node.look {
        Look::Removed => format!(" COLOR=\"{FAINT}\"><S>{text}</S>"),
        Look::Faint => format!(" COLOR=\"{FAINT}\"><B>{text}</B>"),
        _ => format!("><B>{text}</B>"),
    }
}

/// What became of it from one run to the next, in words.
fn change(look: Look) -> Option<(&'static str, &'static str)> {
    match look {
        Look::Added => Some((BLUE, "+ added")),
        Look::Removed => Some((FAINT, "− removed")),
        Look::Changed => Some((BROWN, "~ changed")),
        _ => None,
    }
}

/// Phrases of a line, each after its mark.
fn spoken(phrases: &[Phrase]) -> String {
    let phrases: Vec<String> = phrases
        .iter()
        .map(|phrase| {
            let text = line(&phrase.text, WORDS);
            match phrase.verdict {
                Some(verdict) if phrase.text.is_empty() => mark(verdict),
                Some(verdict) => format!("{} {text}", mark(verdict)),
                None => text,
            }
        })
        .collect();
    phrases.join(" ")
}

fn mark(verdict: Verdict) -> String {
    let (color, glyph) = match verdict {
        Verdict::Met => (GREEN_TEXT, '✓'),
        Verdict::Missed => (VERMILION_TEXT, '✗'),
        Verdict::Unknown => (OCHRE_TEXT, '?'),
    };
    format!("<FONT COLOR=\"{color}\">{glyph}</FONT>")
}

/// Characters of a card's line on what it uses.
const WORDS: usize = LINE_CHARACTERS + 12;

/// What a card uses and is named, as far as it fits: each name shortened by itself, and the number of those left out.
fn words(uses: &[String], names: &[String]) -> String {
    let mut words: Vec<String> = names.to_vec();
    if let Some(first) = uses.first() {
        let all = uses.join(", ");
        let room = WORDS.saturating_sub(names.iter().map(|name| name.chars().count() + 3).sum());
        let room = room.saturating_sub(5).max(12);
        words.push(if uses.len() == 1 {
            format!("uses {}", elide_middle(first, room))
        } else if all.chars().count() <= room {
            format!("uses {all}")
        } else {
            let first = elide_middle(first, room.saturating_sub(3));
            format!("uses {first} +{}", uses.len() - 1)
        });
    }
    words.join(" · ")
}

/// Width of a coverage bar in points.
const BAR: u64 = 150;

fn system(node: &Node) -> String {
    let Shape::System {
        resources,
        owner,
        note,
        tags,
        dr,
        judged,
        uses,
    } = &node.shape
    else {
        return String::new();
    };
    let wide = |content: &str| format!("<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\">{content}</TD></TR>");
    let mut rows = format!(
        "<TR><TD ALIGN=\"LEFT\" WIDTH=\"120\"><FONT POINT-SIZE=\"12\"><B>{}</B></FONT></TD>\
         <TD ALIGN=\"RIGHT\">{}</TD></TR>",
        line(&node.title, LINE_CHARACTERS),
        font(11, SOFT, &grouped(*resources as u64)),
    );
    let answers = if note.is_empty() {
        line(owner, LINE_CHARACTERS + 6)
    } else {
        format!("{} · {}", line(owner, LINE_CHARACTERS / 2), html(note))
    };
    rows.push_str(&wide(&font(9, SOFT, &answers)));
    rows.push_str(&wide(&bar(*tags)));
    let mut last = Vec::new();
    let marks = marks(node.findings);
    if !marks.is_empty() {
        last.push(marks);
    } else if node.findings.is_clean() {
        last.push(format!("<FONT COLOR=\"{GREEN_TEXT}\">✓</FONT> clean"));
    } else {
        last.push(font(9, SOFT, "not judged"));
    }
    last.push(match dr {
        Some((met, demanded)) => format!("DR {met}/{demanded}"),
        None if *judged => format!("<FONT COLOR=\"{SOFT}\">no DR tags</FONT>"),
        None => " ".to_owned(),
    });
    rows.push_str(&wide(&format!(
        "<FONT POINT-SIZE=\"9\">{}</FONT>",
        last.join("   ")
    )));
    if !uses.is_empty() {
        rows.push_str(&wide(&font(
            8,
            SOFT,
            &format!("uses {}", line(&uses.join(", "), LINE_CHARACTERS + 6)),
        )));
    }
    table(node, &rows)
}

/// Tag coverage as a bar, in words where it is not known.
fn bar(tags: Option<(u64, u64)>) -> String {
    let Some((have, want)) = tags.filter(|(_, want)| *want > 0) else {
        return font(9, SOFT, "tags unknown");
    };
    let full = (have.min(want) * BAR) / want;
    let cell = |width: u64, color: &str| {
        let cell = format!(
            "<TD BGCOLOR=\"{color}\" WIDTH=\"{width}\" HEIGHT=\"4\" FIXEDSIZE=\"TRUE\"></TD>"
        );
        if width == 0 { String::new() } else { cell }
    };
    format!(
        "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\"><TR>{}{}</TR></TABLE>",
        cell(full, BLUE),
        cell(BAR - full, EMPTY)
    )
}

pub(super) fn legend(signs: &[Sign]) -> String {
    let width = |sign: &Sign| match sign {
        Sign::Category(category) => category.name().len() + 4,
        Sign::Exposed => 32,
        Sign::Findings => 52,
        Sign::Stars => 16,
        Sign::Verdicts => 48,
        Sign::Text(text) => text.chars().count() + 3,
    };
    let lines: String = rows(signs, 0, width)
        .into_iter()
        .map(|row| {
            let words: Vec<String> = row.into_iter().map(sign).collect();
            format!("{}<BR ALIGN=\"LEFT\"/>", font(9, SOFT, &words.join("    ")))
        })
        .collect();
    if lines.is_empty() {
        " ".to_owned()
    } else {
        lines
    }
}

fn sign(sign: &Sign) -> String {
    let glyph = |color: &str, glyph: char| format!("<FONT COLOR=\"{color}\">{glyph}</FONT>");
    match sign {
        Sign::Category(category) => {
            format!(
                "{} {}",
                glyph(palette::fill(*category), '■'),
                category.name()
            )
        }
        Sign::Exposed => format!("{} reachable from the internet", glyph(VERMILION, '□')),
        Sign::Findings => format!(
            "{}critical {}high {}medium ○low findings, ? undecided",
            glyph(VERMILION, '▲'),
            glyph(ORANGE, '◆'),
            glyph(SKY, '●')
        ),
        Sign::Stars => "★★★ importance".to_owned(),
        Sign::Verdicts => format!(
            "{} met {} not met {} not known or not tried",
            mark(Verdict::Met),
            mark(Verdict::Missed),
            mark(Verdict::Unknown)
        ),
        Sign::Text(text) => html(text),
    }
}
