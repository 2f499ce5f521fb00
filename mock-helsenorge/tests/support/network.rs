//! A register with one party, and a CA that serves lists: both over HTTP, written by hand.

use std::sync::{Arc, Mutex};

use testbed::Context;
use testbed::evidence::Part;
use testbed::http::{Answer, Exchange, HttpConfig, HttpServer, StatusCode, serve};
use testbed::listener::loopback;

use super::pki::{Pki, base64_of};
use super::{OWN, PEER};
use mock_helsenorge::KeyPair;

const CPP: &str = include_str!("../data/cpp.xml");

/// What the register and the CA say just now.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) signing: String,
    pub(crate) encryption: String,
    pub(crate) inactive: bool,
    pub(crate) no_profile: bool,
    pub(crate) revoked: Vec<u64>,
    pub(crate) agents: Vec<String>,
}

impl Facts {
    pub(crate) fn list(&mut self, signing: &KeyPair, encryption: &KeyPair) {
        self.signing = base64_of(signing);
        self.encryption = base64_of(encryption);
    }
}

/// Serves the register over TLS.
pub(crate) async fn register(pki: &Pki, facts: Arc<Mutex<Facts>>, context: Context) -> HttpServer {
    let config = HttpConfig {
        part: Part::Ar,
        tls: Some(testbed::tls::acceptor(&pki.tls()).unwrap()),
        body_limit: 100_000,
        record_bodies: false,
    };
    let listener = loopback(0).await.unwrap();
    serve(config, listener, context, move |exchange: Exchange| {
        let answer = ask(&facts, &exchange);
        async move { answer }
    })
    .unwrap()
}

/// Serves lists.
pub(crate) async fn lists(
    pki: Arc<std::sync::OnceLock<Pki>>,
    facts: Arc<Mutex<Facts>>,
    context: Context,
) -> HttpServer {
    let config = HttpConfig {
        part: Part::Buypass,
        tls: None,
        body_limit: 1000,
        record_bodies: false,
    };
    let listener = loopback(0).await.unwrap();
    serve(config, listener, context, move |exchange: Exchange| {
        let pki = pki.get().unwrap();
        let list = match exchange.path() {
            "/root" => pki.list(true, &[]),
            "/issuing.cer" => pki.issuing_der(),
            _ => pki.list(false, &facts.lock().unwrap().revoked),
        };
        async move { Answer::new(StatusCode::OK, "application/pkix-crl", list) }
    })
    .unwrap()
}

fn ask(facts: &Mutex<Facts>, exchange: &Exchange) -> Answer {
    let mut facts = facts.lock().unwrap();
    facts
        .agents
        .push(exchange.header("user-agent").unwrap_or("-").to_owned());
    assert!(
        exchange
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
    let action = exchange.header("soapaction").unwrap().trim_matches('"');
    let operation = action.rsplit('/').next().unwrap();
    let body = String::from_utf8_lossy(&exchange.body);
    let about_peer = body.contains(&PEER.to_string());
    let outcome = match operation {
        "GetCommunicationPartyDetails" if about_peer => Ok(party(facts.inactive)),
        "GetCommunicationPartyDetails" => Err("InvalidHerIdSupplied"),
        "GetCppXmlForCommunicationParty" if facts.no_profile => Err("PartyHasNoCpp"),
        "GetCppXmlForCommunicationParty" => Ok(cpp(&facts)),
        _ => {
            assert!(operation.starts_with("GetCpa"), "{operation}");
            assert!(
                operation != "GetCpaForCommunicationPartiesXml" || body.contains(&OWN.to_string())
            );
            Err("EntityNotFound")
        }
    };
    match outcome {
        Ok(text) => soap(StatusCode::OK, text),
        Err(code) => soap(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!(
                r#"<s:Fault><faultcode>s:Client</faultcode><faultstring xml:lang="nb-NO">{code}</faultstring><detail><GenericFault xmlns="http://register.nhn.no/Common"><ErrorCode>{code}</ErrorCode><Message>{code}</Message></GenericFault></detail></s:Fault>"#
            ),
        ),
    }
}

fn soap(status: StatusCode, body: String) -> Answer {
    let text = format!(
        r#"<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>"#
    );
    Answer::new(status, "text/xml; charset=utf-8", text)
}

fn party(inactive: bool) -> String {
    let address = |kind: &str| {
        let code = kind.to_uppercase();
        format!(
            "<a:ElectronicAddress><a:Address>localhost/NHNTESTServiceBus/{PEER}_{kind}</a:Address><a:Inherited>false</a:Inherited><a:LastChanged>2026-01-10T10:00:00.13</a:LastChanged><a:Type><a:Active>true</a:Active><a:CodeText>{kind}</a:CodeText><a:CodeValue>E_SB_{code}</a:CodeValue><a:LongDescription i:nil=\"true\"/><a:OID>9044</a:OID><a:SimpleType>type</a:SimpleType></a:Type><a:TypeCodeValue>E_SB_{code}</a:TypeCodeValue></a:ElectronicAddress>"
        )
    };
    let addresses: String = ["error", "sync", "async"].map(address).concat();
    format!(
        r#"<GetCommunicationPartyDetailsResponse xmlns="http://register.nhn.no/CommunicationParty"><GetCommunicationPartyDetailsResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:a="http://register.nhn.no/Common" i:type="Service"><Active>{active}</Active><DisplayName i:nil="true"/><ElectronicAddresses>{addresses}</ElectronicAddresses><HerId>{PEER}</HerId><IsValidCommunicationParty>{active}</IsValidCommunicationParty><LastChanged>2026-01-10T10:00:00.13</LastChanged><Name>Hjemmetjenesten Liksomvik</Name><ParentHerId>8900001</ParentHerId><ParentName>LIKSOMVIK KOMMUNE</ParentName><ParentOrganizationNumber>310900109</ParentOrganizationNumber><ServerTime>2026-02-01T12:00:00.0000000+01:00</ServerTime><Type>Service</Type><Valid><a:From>2020-01-01T00:00:00</a:From><a:To>9999-12-31T00:00:00</a:To></Valid></GetCommunicationPartyDetailsResult></GetCommunicationPartyDetailsResponse>"#,
        active = !inactive
    )
}

fn cpp(facts: &Facts) -> String {
    let document = CPP
        .replace("@SIGN@", &facts.signing)
        .replace("@ENC@", &facts.encryption);
    let escaped = document
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        r#"<GetCppXmlForCommunicationPartyResponse xmlns="http://schemas.nhn.no/reg/CollaborationProtocolProfile"><GetCppXmlForCommunicationPartyResult>{escaped}</GetCppXmlForCommunicationPartyResult></GetCppXmlForCommunicationPartyResponse>"#
    )
}
