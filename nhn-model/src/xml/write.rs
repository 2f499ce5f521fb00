//! Writing XML: elements in the order in which they are asked for, everything escaped.

use std::fmt::Display;

/// A growing piece of XML. Element and attribute names come from the program; values are escaped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// A document with a declaration.
    pub(crate) fn document() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// `<tag>value</tag>`.
    pub(crate) fn element(&mut self, tag: &str, value: impl Display) -> &mut Self {
        self.start(tag, &[]);
        self.0.push('>');
        escape_into(&mut self.0, &value.to_string());
        self.close(tag)
    }

    /// Text in the element that is open.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape_into(&mut self.0, text);
        self
    }

    /// `<tag .../>`.
    pub(crate) fn empty(&mut self, tag: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(tag, attributes);
        self.0.push_str("/>");
        self
    }

    /// An element around what `content` writes.
    pub(crate) fn within(
        &mut self,
        tag: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.start(tag, attributes);
        self.0.push('>');
        content(self);
        self.close(tag)
    }

    fn close(&mut self, tag: &str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        self
    }

    fn start(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            escape_into(&mut self.0, value);
            self.0.push('"');
        }
    }
}

fn escape_into(target: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => target.push_str("&amp;"),
            '<' => target.push_str("&lt;"),
            '>' => target.push_str("&gt;"),
            '"' => target.push_str("&quot;"),
            // A parser would turn a bare one into a line feed.
            '\r' => target.push_str("&#13;"),
            '\t' | '\n' => target.push(character),
            // Characters that XML 1.0 cannot hold in any form.
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => target.push('\u{fffd}'),
            _ => target.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_in_order() {
        let mut xml = Xml::default();
        xml.within("a", &[("x", "\"<")], |xml| {
            xml.element("b", "1 < 2 & 3").empty("c", &[("y", "z")]);
        });
        assert_eq!(
            xml.into_string(),
            "<a x=\"&quot;&lt;\"><b>1 &lt; 2 &amp; 3</b><c y=\"z\"/></a>"
        );
    }

    proptest! {
        #[test]
        fn any_text_survives_or_is_replaced(text in any::<String>()) {
            let mut xml = Xml::document();
            xml.element("a", &text);
            let xml = xml.into_string();
            let document = roxmltree::Document::parse(&xml).unwrap();
            let read = document.root_element().text().unwrap_or_default();
            let expected: String = text
                .chars()
                .map(|c| match c {
                    '\t' | '\n' | '\r' => c,
                    '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
                    _ => c,
                })
                .collect();
            prop_assert_eq!(read, expected);
        }
    }
}
