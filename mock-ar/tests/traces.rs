//! What the official client sent when it was recorded is answered as that client needs it.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::path::PathBuf;

use common::client;
use common::{HELSENORGE, Register, UNIT};
use roxmltree::Document;

/// The agreement's id in the recordings.
const RECORDED_ID: &str = "9263d0ac-6ae2-5d50-983d-cf2b4f42bf25";

fn requests(recording: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/data/traces", recording]
        .iter()
        .collect();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files
        .iter()
        .map(|path| (name(path), std::fs::read(path).unwrap()))
        .collect()
}

async fn replay(recording: &str) {
    let register = Register::plain().await;
    let id = register
        .handle
        .new_agreement(UNIT, HELSENORGE)
        .unwrap()
        .to_string();
    let requests = requests(recording);
    assert_eq!(requests.len(), 9);
    for (name, bytes) in requests {
        let request = on_the_wire(&String::from_utf8(bytes).unwrap().replace(RECORDED_ID, &id));
        let reply = register.exchange(request.as_bytes()).await;
        if !request.contains("\r\nAuthorization: ") {
            assert_eq!(reply.status, 401, "{name}");
            assert!(
                reply
                    .header("www-authenticate")
                    .unwrap()
                    .starts_with("Basic ")
            );
            continue;
        }
        assert_eq!(reply.status, 200, "{name}: {}", reply.body);
        let media_type = reply.header("content-type").unwrap().to_owned();
        if name.contains("AR_Basic") {
            assert_eq!(media_type, "text/xml; charset=utf-8");
            let asked = if request.contains("<herId>109989<") {
                "109989"
            } else {
                "8900011"
            };
            read_party(&reply.body, asked);
        } else {
            assert_eq!(media_type, "application/xml; charset=utf-8");
            read_agreement(&reply.body, &id);
        }
    }
    register.stop().await;
}

/// The recordings end most header lines with a line feed alone; a GET has no body.
fn on_the_wire(recorded: &str) -> String {
    let (head, body) = recorded.split_once("\n\n").unwrap();
    let lines: Vec<_> = head.lines().collect();
    format!("{}\r\n\r\n{}", lines.join("\r\n"), body.trim_end())
}

/// What `AddressRegistry` of the client takes from a party.
fn read_party(xml: &str, her_id: &str) {
    let document = Document::parse(xml).unwrap();
    let texts = |name: &str| -> Vec<String> {
        let nodes = document
            .descendants()
            .filter(|node| node.tag_name().name() == name);
        nodes
            .filter_map(|node| node.text().map(str::to_owned))
            .collect()
    };
    assert_eq!(texts("HerId"), [her_id]);
    assert!(!texts("Name")[0].is_empty());
    assert_eq!(texts("IsValidCommunicationParty"), ["true"]);
    let types = texts("CodeValue");
    for wanted in ["E_SB_ASYNC", "E_SB_SYNC", "E_SB_ERROR"] {
        assert!(types.iter().any(|given| given == wanted), "{wanted}");
    }
    for kind in ["async", "sync", "error"] {
        let queue = format!("/{her_id}_{kind}");
        assert!(
            texts("Address")
                .iter()
                .any(|address| address.ends_with(&queue))
        );
    }
}

/// What `CollaborationProtocolRegistryRest` of the client takes from an agreement, from either side.
fn read_agreement(xml: &str, id: &str) {
    for (own, other) in [("8900011", "109989"), ("109989", "8900011")] {
        let counterparty = client::read(xml, own);
        assert_eq!(counterparty.cpa_id.as_deref(), Some(id));
        assert_eq!(counterparty.her_id, other);
        assert!(!counterparty.signing.is_empty() && !counterparty.encryption.is_empty());
        let test = counterparty.messages.iter().find(|message| {
            message
                .process
                .eq_ignore_ascii_case("DIALOG_INNBYGGER_TEST")
                && message.direction == "CanReceive"
        });
        let test = test.unwrap();
        assert!(test.endpoint.ends_with(&format!("/{other}_sync")));
        assert!(test.schemas[0].starts_with("MsgHead-v1_2.xsd "));
    }
}

#[tokio::test]
async fn the_communication_test_with_bearer_tokens() {
    replay("komtest").await;
}

#[tokio::test]
async fn the_communication_test_with_dpop() {
    replay("komtest-dpop").await;
}
