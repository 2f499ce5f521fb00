//! What a handler is given and what it gives back.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use bytes::Bytes;

use crate::evidence::Event;
#[cfg(doc)]
use crate::fault::FaultAction;

/// A request that has arrived whole.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Number of the exchange in the journal (`request` of the HTTP events), unique in this process.
    pub request: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// Method.
    pub method: Method,
    /// Request target as sent.
    pub uri: Uri,
    /// Header fields, credentials included.
    pub headers: HeaderMap,
    /// Body, within the server's limit.
    pub body: Bytes,
    /// Name of the artefact that a fault wants in place of the right one ([`FaultAction::Artefact`]).
    pub artefact: Option<String>,
}

impl Exchange {
    /// The value of a header field as text, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path of the request target.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }
}

/// What goes back to the client.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub response: Response<Bytes>,
    /// Events that become true when the last byte has been handed to the socket.
    pub when_served: Vec<Event>,
}

impl Answer {
    /// An answer with a body of the given media type.
    #[must_use]
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            response,
            when_served: Vec::new(),
        }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Self {
            response,
            when_served: Vec::new(),
        }
    }

    /// Adds a header field; a value that HTTP does not allow is left out.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.response.headers_mut().append(name, value);
        }
        self
    }

    /// Adds an event that becomes true when the last byte has been handed to the socket.
    #[must_use]
    pub fn when_served(mut self, event: Event) -> Self {
        self.when_served.push(event);
        self
    }
}
