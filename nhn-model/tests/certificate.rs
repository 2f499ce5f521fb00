//! Certificates as Buypass's issue them, and chains.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::ca::{Made, Wanted, issue, issue_for, key, party};
use common::{NOW, certificate};
use nhn_model::certificate::{Certificate, CertificateError, ChainError, Trust, build_chain};
use time::Duration;
use time::macros::datetime;

#[test]
fn a_recorded_certificate_is_read() {
    let signing = certificate("8900011.sign");
    assert_eq!(signing.serial(), "02a8e73b7aeec48b2424b9a0529fd2b454cafc0f");
    assert_eq!(
        signing.subject(),
        "C=NO, O=LIKSOMVIK KOMMUNE, CN=LIKSOMVIK KOMMUNE sign, serialNumber=310900109"
    );
    assert_eq!(signing.issuer(), "C=NO, CN=Wire Issuing CA");
    assert_eq!(signing.organization_number().as_deref(), Some("310900109"));
    assert_eq!(signing.not_before(), datetime!(2026-11-23 08:49:05 UTC));
    assert_eq!(signing.not_after(), datetime!(2028-10-24 08:49:05 UTC));
    assert!(signing.is_valid_at(signing.not_after()));
    assert!(!signing.is_valid_at(signing.not_after() + Duration::seconds(1)));
    assert!(signing.has_non_repudiation() && !signing.has_key_encipherment());
    assert_eq!(
        signing.crl_urls(),
        ["http://localhost:8080/crl/issuing.crl"]
    );
    assert_eq!(signing.ocsp_urls(), ["http://localhost:8080/ocsp"]);
    assert_eq!(
        signing.ca_issuer_urls(),
        ["http://localhost:8080/aia/issuing.cer"]
    );
    assert!(signing.is_issued_by(&certificate("issuing")));
    assert!(!signing.is_issued_by(&certificate("root")));
    assert!(!signing.is_self_signed() && certificate("root").is_self_signed());
    assert_eq!(Certificate::from_pem(&signing.pem()).unwrap(), signing);
    assert_eq!(Certificate::from_der(signing.der()).unwrap(), signing);
    assert_eq!(signing.thumbprint().len(), 40);

    let encryption = certificate("8900011.enc").key_usage();
    assert!(encryption.has_key_encipherment() && !encryption.has_non_repudiation());
}

#[test]
fn the_second_generation_names_the_organization_by_its_identifier() {
    let signing = party().signing.certificate();
    assert_eq!(signing.organization_number().as_deref(), Some("310900109"));
    assert_eq!(signing.serial(), "abcdef");
    assert_eq!(
        signing.crl_urls(),
        [
            "http://localhost/a.crl",
            "ldap://localhost/cn=a?certificateRevocationList"
        ]
    );
}

#[test]
fn what_is_no_certificate_is_refused() {
    let der = certificate("root").der().to_vec();
    let unreadable = CertificateError::Unreadable;
    assert_eq!(Certificate::from_der(b"").unwrap_err(), unreadable);
    assert_eq!(Certificate::from_pem("").unwrap_err(), unreadable);
    assert_eq!(Trust::from_pem("# nothing").unwrap_err(), unreadable);
    assert_eq!(Certificate::from_der(&der[..40]).unwrap_err(), unreadable);
    let more = [der.as_slice(), b"x"].concat();
    assert_eq!(
        Certificate::from_der(&more).unwrap_err(),
        CertificateError::NotDer
    );
    let much = vec![0x30; 100_000];
    assert_eq!(
        Certificate::from_der(&much).unwrap_err(),
        CertificateError::TooLarge
    );
}

fn trust(root: &Made) -> Trust {
    Trust::from_pem(&root.pem()).unwrap()
}

#[test]
fn a_chain_goes_from_leaf_to_root() {
    let party = party();
    let (leaf, issuing) = (party.signing.certificate(), party.issuing.certificate());
    let root = party.root.certificate();
    let extra = [root.clone(), certificate("issuing"), issuing.clone()];
    let chain = build_chain(&leaf, &extra, &trust(&party.root), NOW).unwrap();
    assert_eq!(chain, [leaf, issuing, root]);
}

#[test]
fn an_absent_issuer_is_named_by_its_addresses() {
    let party = party();
    let leaf = party.signing.certificate();
    let issuing = party.issuing.certificate();
    let missing = |aia: &str| {
        Err(ChainError::NoIssuer {
            aia: vec![aia.to_owned()],
        })
    };
    let trusted = trust(&party.root);
    assert_eq!(
        build_chain(&leaf, &[], &trusted, NOW),
        missing("http://localhost/issuing.cer")
    );
    let stranger = Trust::new(vec![certificate("root")]);
    assert_eq!(
        build_chain(&leaf, std::slice::from_ref(&issuing), &stranger, NOW),
        missing("http://localhost/root.cer")
    );
    let all = [issuing, party.root.certificate()];
    assert_eq!(
        build_chain(&leaf, &all, &stranger, NOW),
        Err(ChainError::Untrusted)
    );
    assert_eq!(
        build_chain(&party.encryption.certificate(), &[], &trusted, NOW),
        Err(ChainError::Untrusted)
    );
}

#[test]
fn the_dates_of_the_leaf_are_told_from_distrust() {
    let party = party();
    let leaf = party.signing.certificate();
    let nobody = Trust::default();
    let second = Duration::seconds(1);
    let early = leaf.not_before() - second;
    assert_eq!(
        build_chain(&leaf, &[], &nobody, early),
        Err(ChainError::NotYetValid)
    );
    let late = leaf.not_after() + second;
    assert_eq!(
        build_chain(&leaf, &[], &nobody, late),
        Err(ChainError::Expired)
    );
}

#[test]
fn an_issuer_out_of_date_is_no_fault_of_the_leaf() {
    let root = issue(&Wanted::new("Test Root", 1, "ca"), None);
    let old = Wanted {
        dates: (NOW - Duration::days(9), NOW - Duration::days(2)),
        ..Wanted::new("Old Issuing", 2, "ca")
    };
    let issuing = issue(&old, Some(&root));
    let leaf = issue(&Wanted::new("Leaf", 3, "signing"), Some(&issuing));
    assert_eq!(
        build_chain(
            &leaf.certificate(),
            &[issuing.certificate()],
            &trust(&root),
            NOW
        ),
        Err(ChainError::IssuerOutsideDates)
    );
}

#[test]
fn nobody_but_a_ca_issues() {
    let party = party();
    let below = issue(&Wanted::new("Below", 9, "signing"), Some(&party.signing));
    let extra = [party.signing.certificate(), party.issuing.certificate()];
    let chain = build_chain(&below.certificate(), &extra, &trust(&party.root), NOW);
    assert!(
        matches!(chain, Err(ChainError::Invalid(_) | ChainError::Untrusted)),
        "{chain:?}"
    );
}

#[test]
fn a_name_alone_makes_no_issuer() {
    let party = party();
    // The same name and serial number with another key, below another root.
    let false_issuing = issue_for(
        &Wanted::new("Test Issuing", 2, "ca"),
        Some(&party.root),
        key(),
    );
    let leaf = issue(&Wanted::new("Leaf", 3, "signing"), Some(&false_issuing));
    let chain = build_chain(
        &leaf.certificate(),
        &[party.issuing.certificate()],
        &trust(&party.root),
        NOW,
    );
    assert_eq!(chain, Err(ChainError::Untrusted));
}
