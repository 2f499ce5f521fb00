//! Envelopes of answers in both SOAP versions, and faults (contract 02 sections 2.1, 2.2 and 2.8).

use testbed::http::{Answer, StatusCode};

use super::request::{ADDRESSING, Request};
use crate::xml::Xml;

/// Namespace of faults.
pub(crate) const COMMON: &str = "http://register.nhn.no/Common";
/// Action of a fault that no operation declares.
const GENERAL_FAULT: &str = "http://www.w3.org/2005/08/addressing/soap/fault";

/// The two bindings by their SOAP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Basic binding.
    Soap11,
    /// WS binding, with WS-Addressing.
    Soap12,
}

impl Version {
    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Soap11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::Soap12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Soap11 => "text/xml",
            Self::Soap12 => "application/soap+xml",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Soap11 => "text/xml; charset=utf-8",
            Self::Soap12 => "application/soap+xml; charset=utf-8",
        }
    }
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `GenericFault` of the register's own kind.
    Generic {
        /// ErrorCode.
        code: &'static str,
        /// Message, and the fault's reason.
        message: String,
    },
    /// A fault without detail.
    Untyped {
        /// Whose fault it is.
        blame: Blame,
        /// The fault's reason.
        message: String,
    },
}

/// Whom a fault blames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    Caller,
    Header,
    Server,
    Version,
}

impl Fault {
    pub(crate) fn generic(code: &'static str, message: impl Into<String>) -> Self {
        Self::Generic {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn caller(message: impl Into<String>) -> Self {
        Self::Untyped {
            blame: Blame::Caller,
            message: message.into(),
        }
    }

    /// The error code as evidence keeps it.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Generic { code, .. } => code,
            Self::Untyped { blame, .. } => blame.code(Version::Soap11),
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::Generic { message, .. } | Self::Untyped { message, .. } => message,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Generic { .. } => Blame::Caller,
            Self::Untyped { blame, .. } => *blame,
        }
    }
}

impl Blame {
    fn code(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Caller, Version::Soap11) => "Client",
            (Self::Caller, Version::Soap12) => "Sender",
            (Self::Server, Version::Soap11) => "Server",
            (Self::Server, Version::Soap12) => "Receiver",
            (Self::Header, _) => "MustUnderstand",
            (Self::Version, _) => "VersionMismatch",
        }
    }
}

/// What an answer refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply<'request> {
    pub(crate) version: Version,
    /// `<service namespace>/<interface>/<operation>`, as far as the operation is known.
    pub(crate) action: Option<&'request str>,
    pub(crate) message_id: Option<&'request str>,
}

impl<'request> Reply<'request> {
    /// An answer to what could not be read.
    pub(crate) fn unread(version: Version) -> Self {
        Self {
            version,
            action: None,
            message_id: None,
        }
    }

    pub(crate) fn to(version: Version, action: &'request str, request: &'request Request) -> Self {
        Self {
            version,
            action: Some(action),
            message_id: request.message_id.as_deref(),
        }
    }

    /// The answer of an operation; `content` is the response element.
    pub(crate) fn success(&self, content: &str) -> Answer {
        let action = self.action.map(|action| format!("{action}Response"));
        let envelope = self.envelope(action.as_deref().unwrap_or_default(), content);
        Answer::new(StatusCode::OK, self.version.content_type(), envelope)
    }

    /// A fault; the HTTP status is 500 in both versions.
    pub(crate) fn fault(&self, fault: &Fault) -> Answer {
        let mut xml = Xml::new();
        xml.within("s:Fault", &[], |xml| match self.version {
            Version::Soap11 => fault_11(xml, fault),
            Version::Soap12 => fault_12(xml, fault),
        });
        let declared = self
            .action
            .filter(|_| matches!(fault, Fault::Generic { .. }))
            .map(|action| format!("{action}GenericFaultFault"));
        let action = declared.as_deref().unwrap_or(GENERAL_FAULT);
        Answer::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            self.version.content_type(),
            self.envelope(action, &xml.into_string()),
        )
    }

    fn envelope(&self, action: &str, content: &str) -> String {
        let mut xml = Xml::new();
        let soap = ("xmlns:s", self.version.namespace());
        xml.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        match self.version {
            Version::Soap11 => xml.open("s:Envelope", &[soap]),
            Version::Soap12 => xml
                .open("s:Envelope", &[soap, ("xmlns:w", ADDRESSING)])
                .within("s:Header", &[], |xml| {
                    xml.within("w:Action", &[("s:mustUnderstand", "1")], |xml| {
                        xml.raw(&crate::xml::escape(action));
                    });
                    if let Some(id) = self.message_id {
                        xml.element("w:RelatesTo", id);
                    }
                }),
        };
        xml.open("s:Body", &[])
            .raw(content)
            .close("s:Body")
            .close("s:Envelope");
        xml.into_string()
    }
}

const NORWEGIAN: (&str, &str) = ("xml:lang", "nb-NO");

fn fault_11(xml: &mut Xml, fault: &Fault) {
    let reason = crate::xml::escape(fault.message());
    xml.element(
        "faultcode",
        format!("s:{}", fault.blame().code(Version::Soap11)),
    )
    .within("faultstring", &[NORWEGIAN], |xml| {
        xml.raw(&reason);
    });
    detail(xml, "detail", fault);
}

fn fault_12(xml: &mut Xml, fault: &Fault) {
    let reason = crate::xml::escape(fault.message());
    xml.within("s:Code", &[], |xml| {
        xml.element(
            "s:Value",
            format!("s:{}", fault.blame().code(Version::Soap12)),
        );
    })
    .within("s:Reason", &[], |xml| {
        xml.within("s:Text", &[NORWEGIAN], |xml| {
            xml.raw(&reason);
        });
    });
    detail(xml, "s:Detail", fault);
}

fn detail(xml: &mut Xml, tag: &str, fault: &Fault) {
    if let Fault::Generic { code, message } = fault {
        xml.within(tag, &[], |xml| {
            xml.within("GenericFault", &[("xmlns", COMMON)], |xml| {
                xml.element("ErrorCode", code).element("Message", message);
            });
        });
    }
}
