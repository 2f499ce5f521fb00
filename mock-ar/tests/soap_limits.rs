//! The SOAP services on the wire: who is let in, what is refused, and what faults can ask for.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::xml::{DETAILS, INSTANCE, PARTY, child, example};
use common::{BASIC, LIMIT, Register, Reply, UNIT, request};
use roxmltree::Document;
use testbed::evidence::{Event, Part};
use testbed::fault::{Fault, FaultAction, FaultPoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn whoever_brings_no_credentials_is_challenged() {
    let register = Register::plain().await;
    let wrong = "Basic T3JnVXNyMzEwOTAwMTA5OnBlZWs=";
    for headers in [
        vec![],
        vec![("Authorization", wrong)],
        vec![("Authorization", "Bearer x")],
    ] {
        let reply = register
            .exchange(&request("POST", "/v1/AR/Basic", &headers, b"<x/>"))
            .await;
        assert_eq!(reply.status, 401);
        assert!(
            reply
                .header("www-authenticate")
                .unwrap()
                .starts_with("Basic realm=")
        );
        assert_eq!(reply.body, "");
    }
    let called = |event: &Event| matches!(event, Event::RegisterOperation { .. });
    let entries = register.context.journal.entries();
    assert!(
        !entries.iter().any(|entry| called(&entry.event)),
        "a challenge is no call"
    );
    register.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on_at_once() {
    let register = Register::plain().await;
    let body = example("GetCommunicationPartyDetails.request.soap12.xml");
    let head = format!(
        "POST /v1/AR HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nAuthorization: {BASIC}\r\n\
         Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let talk = async {
        let mut stream = TcpStream::connect(register.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // The body is sent only when the answer has come.
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(body.as_bytes()).await.unwrap();
        Reply::read(&mut stream).await
    };
    let reply = register.context.clock.timeout(LIMIT, talk).await.unwrap();
    assert_eq!(reply.status, 200);
    register.stop().await;
}

#[tokio::test]
async fn hostile_bodies_are_answered_and_harm_nobody() {
    let register = Register::plain().await;
    let headers = [("Content-Type", "text/xml"), ("Authorization", BASIC)];
    let soap = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">";
    let bomb = format!(
        "<!DOCTYPE b [<!ENTITY a \"{}\"><!ENTITY b \"{}\">]>{soap}<s:Body>&b;</s:Body></s:Envelope>",
        "x".repeat(1000),
        "&a;".repeat(1000)
    );
    let outside = format!("<!DOCTYPE b SYSTEM \"file:///etc/passwd\">{soap}<s:Body/></s:Envelope>");
    let deep = format!("{soap}<s:Body>{}", "<a>".repeat(15_000));
    let names: String = (0..6_000).map(|n| format!(" a{n}=\"\"")).collect();
    let wide = format!("{soap}<s:Body><a{names}/></s:Body></s:Envelope>");
    let long = format!(
        "{soap}<s:Body><{}/></s:Body></s:Envelope>",
        "n".repeat(60_000)
    );
    let bodies: [(&[u8], &[u16]); 10] = [
        (b"", &[400]),
        (b"<", &[400]),
        (b"\x00\xff\xfe<garbage>", &[400]),
        (b"\xff\xfe<\x00s\x00", &[400]),
        (bomb.as_bytes(), &[400]),
        (outside.as_bytes(), &[400]),
        (deep.as_bytes(), &[400]),
        (wide.as_bytes(), &[400, 500]),
        (long.as_bytes(), &[500]),
        (b"<html/>", &[500]),
    ];
    for (body, statuses) in bodies {
        let reply = register
            .exchange(&request("POST", "/v1/AR/Basic", &headers, body))
            .await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert!(
            statuses.contains(&reply.status),
            "{} for {shown}",
            reply.status
        );
        let fault = Document::parse(&reply.body).unwrap();
        child(fault.root(), "Fault");
        assert!(!reply.body.contains("root:"));
    }
    let large = vec![b'x'; 70_000];
    let reply = register
        .exchange(&request("POST", "/v1/AR/Basic", &headers, &large))
        .await;
    assert_eq!(reply.status, 413);
    let alive = register.register("Ping", "x", "").await;
    assert!(alive.body.contains("<PingResult>pong</PingResult>"));
    register.stop().await;
}

#[tokio::test]
async fn what_is_not_served_is_said_so() {
    let register = Register::plain().await;
    let fault = register.register("GetChangeLog", "herId", "1").await;
    assert_eq!(fault.status, 500);
    assert!(fault.body.contains("operation not simulated"));
    let body = format!("<Ping xmlns=\"{PARTY}\"/>");
    let crossed = register.soap("/v1/AR/Basic", DETAILS, &body).await;
    assert!(crossed.body.contains("does not go with the operation"));
    let unread = register
        .register("GetCommunicationPartyDetails", "herId", "many")
        .await;
    assert!(unread.body.contains("herId is not of the type int"));
    let media = [
        ("Content-Type", "application/json"),
        ("Authorization", BASIC),
    ];
    let reply = register
        .exchange(&request("POST", "/v1/AR/Basic", &media, b"{}"))
        .await;
    assert_eq!(reply.status, 415);
    let reply = register
        .exchange(&request("DELETE", "/v1/AR/Basic", &[], b""))
        .await;
    assert_eq!(reply.status, 405);
    register.stop().await;
}

#[tokio::test]
async fn a_fault_can_ask_for_a_wrong_answer() {
    let register = Register::plain().await;
    let wrong = async |name: &str| {
        register.context.faults.clear();
        register.context.faults.install(Fault {
            name: name.into(),
            at: FaultPoint {
                part: Part::Ar,
                operation: "http".into(),
                subject: "/v1/AR/*".into(),
            },
            skip: 0,
            count: Some(1),
            action: FaultAction::Artefact(name.into()),
        });
        register
            .register("GetCommunicationPartyDetails", "herId", &UNIT.to_string())
            .await
    };
    let empty = wrong("empty-result").await;
    let document = Document::parse(&empty.body).unwrap();
    let result = child(document.root(), "GetCommunicationPartyDetailsResult");
    assert_eq!(result.attribute((INSTANCE, "nil")), Some("true"));
    assert!(
        wrong("generic-fault")
            .await
            .body
            .contains("<ErrorCode>MockFault</ErrorCode>")
    );
    let untyped = wrong("soap-fault").await;
    assert!(untyped.body.contains("s:Server") && !untyped.body.contains("GenericFault"));
    assert!(Document::parse(&wrong("truncated").await.body).is_err());
    let unauthorized = wrong("unauthorized").await;
    assert_eq!(unauthorized.status, 401);
    assert!(unauthorized.header("www-authenticate").is_some());
    assert_eq!(wrong("no such thing").await.status, 500);
    register.stop().await;
}

#[tokio::test]
async fn paths_are_compared_without_regard_to_case() {
    let register = Register::plain().await;
    let body = format!(
        "<GetCommunicationPartyDetails xmlns=\"{PARTY}\"><herId>{UNIT}</herId></GetCommunicationPartyDetails>"
    );
    for path in ["/v1/Ar/basic", "/V1/AR/BASIC/"] {
        assert_eq!(
            register.soap(path, DETAILS, &body).await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(
        register.soap("/v1/AR/Other", DETAILS, &body).await.status,
        404
    );
    register.stop().await;
}

#[tokio::test]
async fn the_description_names_the_address_it_was_asked_at() {
    let register = Register::plain().await;
    for query in ["wsdl", "singleWsdl", "WSDL"] {
        let path = format!("/v1/AR/Basic?{query}");
        let reply = register.exchange(&request("GET", &path, &[], b"")).await;
        assert_eq!(reply.status, 200);
        assert!(
            reply
                .body
                .contains("location=\"http://localhost:8443/v1/AR/Basic\"")
        );
    }
    let reply = register
        .exchange(&request("GET", "/v1/AR/Basic", &[], b""))
        .await;
    assert_eq!(reply.status, 405);
    register.stop().await;
}
