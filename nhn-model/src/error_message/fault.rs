//! Reports in the form of a SOAP 1.2 fault (contract 01 section 5.1, form B).

use roxmltree::Node;

use super::{ErrorCondition, ErrorMessage};
use crate::amqp;
use crate::xml::{self, Limits, Xml, is};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const DETAIL: &str = "http://www.kith.no/xmlstds/digitaldialog/2013-10-08";

const LIMITS: Limits = Limits {
    bytes: 256 * 1024,
    depth: 64,
    nodes: 4096,
    ..Limits::MESSAGE
};

/// Reads a fault into a report, where the report's properties do not say it already. A body that is no fault changes nothing.
pub(super) fn read_into(body: &[u8], message: &mut ErrorMessage) {
    let Ok(text) = xml::decode(body, LIMITS.bytes) else {
        return;
    };
    let Ok(document) = xml::parse(&text, &LIMITS) else {
        return;
    };
    // As the official client does: anywhere below the fault, or in the document.
    let root = document.root_element();
    let fault = root.descendants().find(|node| is(*node, SOAP, "Fault"));
    let within = |name: &str| {
        let mut nodes = fault.into_iter().flat_map(|fault| fault.descendants());
        nodes.find(|node| is(*node, SOAP, name)).map(content)
    };
    let detail = |name: &str| {
        root.descendants()
            .find(|node| is(*node, DETAIL, name))
            .map(content)
    };
    if message.condition.as_str().is_empty() {
        message.condition = ErrorCondition::from(within("Value").unwrap_or_default().as_str());
    }
    if message.description.is_empty() {
        message.description = within("Text").unwrap_or_default();
    }
    if message.original_message_id.is_none() {
        message.original_message_id = detail("messageId").filter(|id| !id.is_empty());
    }
    if message.application_time_stamp.is_none() {
        let text = detail("applicationTimeStamp");
        message.application_time_stamp = text.as_deref().and_then(amqp::parse_time);
    }
}

fn content(node: Node<'_, '_>) -> String {
    xml::text(node).trim().to_owned()
}

/// Writes a report as a fault, UTF-8. Its code is always `s:Sender`, which is what a SOAP stack expects there.
pub(super) fn write(message: &ErrorMessage) -> Vec<u8> {
    let mut xml = Xml::default();
    xml.within("s:Envelope", &[("xmlns:s", SOAP)], |xml| {
        xml.within("s:Body", &[], |xml| {
            xml.within("s:Fault", &[], |xml| write_fault(xml, message));
        });
    });
    xml.into_string().into_bytes()
}

fn write_fault(xml: &mut Xml, message: &ErrorMessage) {
    xml.within("s:Code", &[], |xml| {
        xml.element("s:Value", "s:Sender");
    });
    xml.within("s:Reason", &[], |xml| {
        let text = |xml: &mut Xml| {
            xml.text(&message.description);
        };
        xml.within("s:Text", &[("xml:lang", "en")], text);
    });
    xml.within("s:Detail", &[], |xml| {
        let namespace = [("xmlns:d", DETAIL)];
        if let Some(id) = &message.original_message_id {
            xml.within("d:messageId", &namespace, |xml| {
                xml.text(id);
            });
        }
        if let Some(time) = message.application_time_stamp {
            xml.within("d:applicationTimeStamp", &namespace, |xml| {
                xml.text(&amqp::application_time_stamp(time));
            });
        }
    });
}
