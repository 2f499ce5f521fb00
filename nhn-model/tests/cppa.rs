//! Profiles and agreements, as the registry's own documents have them, and with what clients stumble over.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use nhn_model::cppa::{Channel, CppaError, read_agreement, read_profile};
use time::macros::datetime;

const SUT: u32 = 8_900_011;
const HELSENORGE: u32 = 109_989;
const TEST: &str = "DIALOG_INNBYGGER_TEST";

/// A document of the examples.
fn document(name: &str) -> String {
    let path = format!("{}/tests/data/cppa/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn profile_error(xml: &str) -> CppaError {
    read_profile(xml.as_bytes()).unwrap_err()
}

fn agreement_error(xml: &str) -> CppaError {
    read_agreement(xml.as_bytes()).unwrap_err()
}

#[test]
fn a_profile_is_read() {
    let profile = read_profile(document("CPP_8900011").as_bytes()).unwrap();
    assert_eq!(profile.her_id, SUT);
    assert!(profile.cpp_id.is_some() && profile.cpa_id.is_none());
    assert!(!profile.name.is_empty());
    let encryption = profile.encryption_certificate().unwrap();
    assert!(encryption.has_key_encipherment());
    let signing = profile.signing_certificate().unwrap();
    assert!(signing.has_non_repudiation());
    assert!(
        profile
            .sync_address
            .as_deref()
            .unwrap()
            .ends_with("/8900011_sync")
    );
    assert!(
        profile
            .async_address
            .as_deref()
            .unwrap()
            .ends_with("/8900011_async")
    );
    assert_eq!(profile.processes.len(), 5);
}

#[test]
fn a_function_is_found_by_its_process() {
    let agreement = read_agreement(document("CPA_109989_8900011").as_bytes()).unwrap();
    let (sut, helsenorge) = (
        agreement.party(SUT).unwrap(),
        agreement.party(HELSENORGE).unwrap(),
    );
    for party in [sut, helsenorge] {
        let sends = party.sends(TEST).unwrap();
        assert_eq!(
            (sends.name.as_str(), sends.channel),
            ("Foresporsel", Channel::Sync)
        );
        assert!(sends.amqp && sends.other_binding_id.is_some());
        let namespaces: Vec<&str> = sends
            .parts
            .iter()
            .map(|part| part.namespace.as_str())
            .collect();
        assert!(namespaces.contains(&"http://www.kith.no/xmlstds/msghead/2006-05-24"));
        assert_eq!(party.channel(TEST), Some(Channel::Sync));
        assert_eq!(party.queue(TEST), party.sync_address.as_deref());
        assert!(party.sends_receipt("Dialog_Innbygger_Ekontakt").is_some());
        assert!(
            party
                .receives_receipt("dialog_innbygger_ekontakt")
                .is_some()
        );
    }
    assert_eq!(
        sut.queue("DIALOG_INNBYGGER_EKONTAKT"),
        sut.async_address.as_deref()
    );
    // No process has this name, but an action.
    let found = helsenorge
        .sends("hentledigetimer")
        .or_else(|| sut.sends("hentledigetimer"));
    assert_eq!(found.unwrap().name, "HentLedigeTimer");
    assert!(sut.sends("DIALOG_INNBYGGER_NOTHING").is_none());
}

#[test]
fn an_agreement_is_read() {
    let agreement = read_agreement(document("CPA_109989_8900011").as_bytes()).unwrap();
    assert_eq!(
        agreement.id.to_string(),
        "9263d0ac-6ae2-5d50-983d-cf2b4f42bf25"
    );
    assert_eq!(agreement.start, datetime!(2026-01-15 09:00 +01:00));
    assert_eq!(agreement.end, datetime!(2028-12-31 23:59 +01:00));
    assert!(
        agreement.is_valid_at(common::NOW)
            && !agreement.is_valid_at(datetime!(2029-01-01 0:00 UTC))
    );
    let other = agreement.counterparty(SUT).unwrap();
    assert_eq!(
        (other.her_id, other.cpa_id),
        (HELSENORGE, Some(agreement.id))
    );
    assert!(agreement.counterparty(1).is_none());
    assert!(agreement.party(1).is_none());
}

#[test]
fn certificates_go_by_their_key_usage() {
    let xml = document("CPP_8900011");
    let mut pieces: Vec<&str> = xml.split("<ds:X509Certificate>").collect();
    assert_eq!(pieces.len(), 3);
    let original = read_profile(xml.as_bytes()).unwrap();
    // The other way round, with the same result.
    let (first, rest) = pieces[1].split_once('<').unwrap();
    let (second, end) = pieces[2].split_once('<').unwrap();
    let (between, after) = (format!("{second}<{rest}"), format!("{first}<{end}"));
    (pieces[1], pieces[2]) = (&between, &after);
    let swapped = read_profile(pieces.join("<ds:X509Certificate>").as_bytes()).unwrap();
    assert_eq!(swapped, original);
    // Twice the same leaves the other empty.
    let twice = xml.replace(second, first);
    let read = read_profile(twice.as_bytes()).unwrap();
    assert_ne!(
        read.signing_certificate_der.is_some(),
        read.encryption_certificate_der.is_some()
    );
    let broken = xml.replace(second, "MII=");
    assert!(matches!(
        profile_error(&broken),
        CppaError::Invalid {
            what: "X509Certificate",
            ..
        }
    ));
    let absent = xml.replace("ds:X509Certificate>", "ds:X509SKI>");
    assert_eq!(
        profile_error(&absent),
        CppaError::Missing("X509Certificate")
    );
}

#[test]
fn what_the_official_client_needs_must_be_there() {
    let xml = document("CPP_8900011");
    for (old, new, missing) in [
        ("tns:PartyInfo", "tns:Party", "PartyInfo"),
        ("tns:partyName=", "partyName=", "partyName"),
        ("tns:PartyId", "tns:Id", "PartyId"),
        (
            "tns:name=\"Dialog_Innbygger_Test\"",
            "",
            "ProcessSpecification/@name",
        ),
        ("tns:action=\"Svar\"", "", "ThisPartyActionBinding/@action"),
        ("tns:ChannelId", "tns:Channel", "ChannelId"),
        ("tns:channelId=", "tns:id=", "DeliveryChannel/@channelId"),
        (
            "<tns:Packaging tns:id=",
            "<tns:Packaging id=",
            "Packaging/@id",
        ),
        (
            "<tns:SimplePart tns:id=",
            "<tns:SimplePart id=",
            "SimplePart/@id",
        ),
        ("tns:location=", "location=", "NamespaceSupported/@location"),
    ] {
        assert!(xml.contains(old), "{old}");
        assert_eq!(
            profile_error(&xml.replace(old, new)),
            CppaError::Missing(missing)
        );
    }
    for (old, new) in [
        ("<tns:ChannelId>sync", "<tns:ChannelId>x"),
        ("tns:TransportReceiver", "tns:Receiver"),
        (
            "<tns:Transport tns:transportId=\"",
            "<tns:Transport tns:transportId=\"x",
        ),
    ] {
        assert!(xml.contains(old), "{old}");
        assert!(matches!(
            profile_error(&xml.replace(old, new)),
            CppaError::Channel(_)
        ));
    }
}

#[test]
fn what_the_official_client_does_without_may_be_absent() {
    let xml = document("CPP_8900011");
    let other_protocol = read_profile(xml.replace(">AMQP<", ">SMTP<").as_bytes()).unwrap();
    assert!(!other_protocol.sends(TEST).unwrap().amqp);
    let no_endpoint = read_profile(xml.replace("tns:Endpoint", "tns:End").as_bytes()).unwrap();
    assert_eq!(no_endpoint.sync_address, None);
    let no_package = xml.replace("tns:packageId=", "tns:package=");
    let no_package = read_profile(no_package.as_bytes()).unwrap();
    assert!(no_package.sends(TEST).unwrap().parts.is_empty());
}

#[test]
fn numbers_of_parties_are_digits_alone() {
    let xml = document("CPP_8900011");
    for text in [" 8900011", "08900011", "+8900011", "0", "99999999999", ""] {
        let changed = xml.replace(">8900011<", &format!(">{text}<"));
        assert!(
            matches!(
                profile_error(&changed),
                CppaError::Invalid {
                    what: "PartyId",
                    ..
                }
            ),
            "{text}"
        );
    }
}

#[test]
fn an_agreement_has_an_id_a_time_and_two_parties() {
    let xml = document("CPA_109989_8900011");
    let unqualified = xml.replace("tns:cpaid=", "cpaid=");
    assert_eq!(agreement_error(&unqualified), CppaError::Missing("cpaid"));
    let number = xml.replace("9263d0ac-6ae2-5d50-983d-cf2b4f42bf25", "17");
    assert!(matches!(
        agreement_error(&number),
        CppaError::Invalid { what: "cpaid", .. }
    ));
    let endless = xml.replace("tns:End>", "tns:Ende>");
    assert_eq!(agreement_error(&endless), CppaError::Missing("End"));
    let soon = xml.replace("2028-12-31T23:59:00+01:00", "soon");
    assert!(matches!(
        agreement_error(&soon),
        CppaError::Invalid { what: "End", .. }
    ));
    let start = xml.find("<tns:PartyInfo").unwrap();
    let end = xml.find("</tns:PartyInfo>").unwrap() + "</tns:PartyInfo>".len();
    let alone = [&xml[..start], &xml[end..]].concat();
    assert_eq!(agreement_error(&alone), CppaError::Parties(1));
    let profile = document("CPP_8900011");
    assert!(matches!(agreement_error(&profile), CppaError::Root(_)));
    assert!(matches!(profile_error(&xml), CppaError::Root(_)));
}

#[test]
fn hostile_documents_are_refused() {
    let xml = document("CPP_8900011");
    let (declaration, rest) = xml.split_once("?>").unwrap();
    let with_dtd = format!("{declaration}?><!DOCTYPE x [<!ENTITY y \"z\">]>{rest}");
    assert_eq!(profile_error(&with_dtd), CppaError::Forbidden);
    assert_eq!(read_profile(&[b' '; 5 << 20]), Err(CppaError::TooLarge));
    assert_eq!(read_profile(b"\xff"), Err(CppaError::Encoding));
    assert!(matches!(
        profile_error(&xml[..5000]),
        CppaError::NotWellFormed { .. }
    ));
    let many = "<tns:SimplePart tns:id=\"x\"/>".repeat(600);
    let many = xml.replace(
        "</tns:CollaborationProtocolProfile>",
        &format!("{many}</tns:CollaborationProtocolProfile>"),
    );
    assert_eq!(profile_error(&many), CppaError::TooComplex);
    let long = format!(">{}<", "9".repeat(2000));
    assert!(matches!(
        profile_error(&xml.replace(">8900011<", &long)),
        CppaError::Invalid { .. }
    ));
}
