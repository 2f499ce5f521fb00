//! HTTP for the mocks: one server with limits, evidence and faults, so that register, token service and CA
//! hold only their own rules. A mock hands over a function from [`Exchange`] to [`Answer`].

mod answer;
mod body;
mod record;
mod server;

pub use answer::{Answer, Exchange};
pub use server::{HttpConfig, HttpServer, serve};

/// HTTP vocabulary that handlers need.
pub use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header,
};
pub use bytes::Bytes;
