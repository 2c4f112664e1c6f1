//! A small tree of an XML document: names without namespace, attributes, text, children.
//!
//! Bodies come from the network: nesting is limited, document types (and so entity expansion) are refused, and a
//! document that ends early is an error.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::Malformed;

/// AWS's deepest answers nest some twenty elements; deeper than this is an attack on the stack.
const MAX_DEPTH: usize = 128;

/// One element.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Element {
    /// Name without namespace prefix.
    pub name: String,
    /// Attributes in document order, namespace declarations left out.
    pub attributes: Vec<Attribute>,
    /// The text before the first child element.
    pub text: String,
    /// Child elements in document order.
    pub children: Vec<Element>,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Whether the name has a namespace prefix.
    pub qualified: bool,
    /// Name without prefix.
    pub name: String,
    /// Value with references resolved.
    pub value: String,
}

impl Element {
    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads a whole document.
pub fn parse(body: &[u8]) -> Result<Element, Malformed> {
    let text = std::str::from_utf8(body).map_err(|problem| {
        Malformed::new(format!(
            "XML: not UTF-8 after byte {}",
            problem.valid_up_to()
        ))
    })?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let position = reader.buffer_position();
        let malformed = |what: &str| Malformed::new(format!("XML: {what} at byte {position}"));
        let event = reader
            .read_event()
            .map_err(|problem| malformed(&problem.to_string()))?;
        match event {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(malformed("nested too deeply"));
                }
                open.push(element(&start).map_err(|problem| malformed(&problem))?);
            }
            Event::Empty(start) => {
                let closed = element(&start).map_err(|problem| malformed(&problem))?;
                close(closed, &mut open, &mut root).map_err(malformed)?;
            }
            Event::End(_) => {
                let closed = open
                    .pop()
                    .ok_or_else(|| malformed("end tag without start"))?;
                close(closed, &mut open, &mut root).map_err(malformed)?;
            }
            Event::Text(text) => append(&mut open, &text.xml10_content()).map_err(malformed)?,
            Event::CData(text) => append(&mut open, &text.xml10_content()).map_err(malformed)?,
            Event::GeneralRef(reference) => {
                let character = reference
                    .resolve_char_ref()
                    .map_err(|problem| malformed(&problem.to_string()))?;
                let resolved = match character {
                    Some(character) => character.to_string(),
                    None => resolve_predefined_entity(&reference)
                        .ok_or_else(|| malformed("unknown entity"))?
                        .to_owned(),
                };
                append(&mut open, &resolved).map_err(malformed)?;
            }
            Event::DocType(_) => return Err(malformed("document type declaration")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    if let Some(unclosed) = open.last() {
        return Err(Malformed::new(format!(
            "XML: ends inside <{}>",
            unclosed.name
        )));
    }
    root.ok_or_else(|| Malformed::new("XML: no element"))
}

fn element(start: &BytesStart) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|problem| problem.to_string())?;
        let key: &str = attribute.key.as_ref();
        if key == "xmlns" || key.starts_with("xmlns:") {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|problem| problem.to_string())?;
        attributes.push(Attribute {
            qualified: key.contains(':'),
            name: local_name(key).to_owned(),
            value: value.into_owned(),
        });
    }
    Ok(Element {
        name: local_name(start.name().as_ref()).to_owned(),
        attributes,
        ..Element::default()
    })
}

fn local_name(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn close(
    closed: Element,
    open: &mut [Element],
    root: &mut Option<Element>,
) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(parent) => parent.children.push(closed),
        None if root.is_none() => *root = Some(closed),
        None => return Err("second root element"),
    }
    Ok(())
}

fn append(open: &mut [Element], text: &str) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(parent) if parent.children.is_empty() => parent.text.push_str(text),
        Some(_) => {}
        None if text.trim().is_empty() => {}
        None => return Err("text outside the root element"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_text_references_and_attributes() {
        let root = parse(
            b"<?xml version=\"1.0\"?>\n<s:A xmlns:s='urn:x' xsi:type='Group' plain='a&amp;b'>\n<B>x &lt; &#x20AC;<![CDATA[<y>]]></B><B/></s:A>\n",
        )
        .unwrap();
        assert_eq!(root.name, "A");
        assert_eq!(root.text, "\n");
        assert_eq!(root.children[0].text, "x < \u{20ac}<y>");
        assert_eq!(root.children[1].text, "");
        assert!(root.attributes[0].qualified && root.attributes[0].name == "type");
        assert_eq!(root.attributes[1].value, "a&b");
    }

    #[test]
    fn damaged_documents_are_errors() {
        let deep = "<a>".repeat(5000) + &"</a>".repeat(5000);
        for body in [
            "",
            "text",
            "<a>",
            "<a><b></a>",
            "<a/><b/>",
            "<a/>tail",
            "<a>&nope;</a>",
            "<a",
            "<a>&#0;</a>",
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "<a b=></a>",
            &deep,
        ] {
            assert!(
                parse(body.as_bytes()).is_err(),
                "{}",
                &body[..body.len().min(60)]
            );
        }
        assert!(parse(b"<a>\xff</a>").is_err());
    }
}
