//! Writing XML: elements in the order in which they are asked for, everything escaped.

use std::fmt::Display;

/// Namespace of `i:nil` and `i:type` as WCF writes them.
pub(crate) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A growing piece of XML. Element and attribute names come from the program; values are escaped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// `<tag>value</tag>`.
    pub(crate) fn element(&mut self, tag: &str, value: impl Display) -> &mut Self {
        self.open(tag, &[]);
        escape_into(&mut self.0, &value.to_string());
        self.close(tag)
    }

    /// The null of a data contract: `<tag i:nil="true"/>`; the prefix `i` must be in scope.
    pub(crate) fn nil(&mut self, tag: &str) -> &mut Self {
        self.empty(tag, &[("i:nil", "true")])
    }

    /// `<tag .../>`.
    pub(crate) fn empty(&mut self, tag: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(tag, attributes);
        self.0.push_str("/>");
        self
    }

    pub(crate) fn open(&mut self, tag: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(tag, attributes);
        self.0.push('>');
        self
    }

    pub(crate) fn close(&mut self, tag: &str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        self
    }

    /// An element around what `content` writes.
    pub(crate) fn within(
        &mut self,
        tag: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.open(tag, attributes);
        content(self);
        self.close(tag)
    }

    /// XML that is already well-formed.
    pub(crate) fn raw(&mut self, xml: &str) -> &mut Self {
        self.0.push_str(xml);
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

/// Text made fit for element content and attribute values.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    escape_into(&mut escaped, text);
    escaped
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
        let mut xml = Xml::new();
        xml.within("a", &[("x", "\"<")], |xml| {
            xml.element("b", "1 < 2 & 3").nil("c");
        });
        assert_eq!(
            xml.into_string(),
            "<a x=\"&quot;&lt;\"><b>1 &lt; 2 &amp; 3</b><c i:nil=\"true\"/></a>"
        );
    }

    proptest! {
        #[test]
        fn any_text_survives_or_is_replaced(text in any::<String>()) {
            let mut xml = Xml::new();
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
