//! CPPA REST on the wire: who is let in, and how problems look.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::{Register, Reply, request};
use testbed::evidence::{Event, Part};
use testbed::fault::{Fault, FaultAction, FaultPoint};

fn example(name: &str) -> serde_json::Value {
    serde_json::from_str(&common::xml::example(name)).unwrap()
}

fn json(reply: &Reply) -> serde_json::Value {
    serde_json::from_str(&reply.body).unwrap()
}

async fn ask(register: &Register, path: &str, headers: &[(&str, &str)]) -> Reply {
    register.exchange(&request("GET", path, headers, b"")).await
}

#[tokio::test]
async fn each_version_takes_its_own_scheme_and_scope() {
    let register = Register::plain().await;
    let status = async |path: &str, authorization: &str| {
        let headers = [("Authorization", authorization), ("DPoP", "proof")];
        ask(&register, path, &headers).await.status
    };
    let (v1, v2) = ("/Profiles/8900011", "/v2/Profiles/8900011");
    assert_eq!(status(v1, "Bearer at-1").await, 200);
    assert_eq!(status(v2, "DPoP at-1").await, 200);
    assert_eq!(status(v1, "DPoP at-1").await, 401);
    assert_eq!(status(v2, "Bearer at-1").await, 401);
    assert_eq!(status(v1, "Bearer forged").await, 401);
    assert_eq!(status(v1, "Bearer at-poor").await, 403);
    assert_eq!(status(v2, "DPoP at-poor").await, 403);
    register.stop().await;
}

#[tokio::test]
async fn a_refusal_says_what_is_missing() {
    let register = Register::plain().await;
    let none = ask(&register, "/Profiles/8900011", &[]).await;
    assert_eq!(
        (none.status, none.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    let none = ask(&register, "/v2/Profiles/8900011", &[]).await;
    assert!(
        none.header("www-authenticate")
            .unwrap()
            .starts_with("DPoP algs=")
    );
    let dpop = [("Authorization", "DPoP at-1"), ("DPoP", "proof")];
    let slash = ask(&register, "/Profiles/8900011", &dpop).await;
    assert_eq!(slash.status, 401);
    assert!(slash.body.contains("slash"), "{}", slash.body);
    let twice = [("Authorization", "DPoP at-1"), ("DPoP", "a"), ("DPoP", "b")];
    let twice = ask(&register, "/v2/Profiles/8900011", &twice).await;
    assert!(
        twice
            .header("www-authenticate")
            .unwrap()
            .contains("invalid_dpop_proof")
    );
    let poor = ask(
        &register,
        "/Profiles/8900011",
        &[("Authorization", "Bearer at-poor")],
    )
    .await;
    assert!(
        poor.header("www-authenticate")
            .unwrap()
            .contains("insufficient_scope")
    );
    let called = |event: &Event| matches!(event, Event::RegisterOperation { .. });
    let entries = register.context.journal.entries();
    assert!(!entries.iter().any(|entry| called(&entry.event)));
    register.stop().await;
}

#[tokio::test]
async fn a_proof_is_held_against_the_address_that_the_client_wrote() {
    let register = Register::plain().await;
    let headers = [("Authorization", "DPoP at-show-request"), ("DPoP", "proof")];
    let shown = ask(&register, "/v2/Profiles/8900011?x=y", &headers).await;
    assert!(
        shown
            .body
            .contains("GET http://localhost:8443/v2/Profiles/8900011"),
        "{}",
        shown.body
    );
    assert!(!shown.body.contains("x=y"));
    register.stop().await;
}

#[tokio::test]
async fn problems_have_codes() {
    let register = Register::plain().await;
    for (path, status, code) in [
        ("/Profiles/8900102", 404, "GF-8"),
        ("/Profiles/8900001", 400, "GF-2"),
        ("/Profiles/8900099", 400, "GF-2"),
        ("/Profiles/-1", 400, "GF-2"),
        ("/Profiles/4294967295", 400, "GF-2"),
        ("/Profiles/99999999999999999999", 400, "GF-2"),
        ("/Profiles/x%22%3E", 400, "GF-2"),
        ("/Agreements/HerIds/8900102/109989", 404, "GF-8"),
        ("/Agreements/HerIds/8900011/8900103", 400, "GF-10"),
        ("/Agreements/HerIds/8900011/8900011", 400, "GF-10"),
        (
            "/Agreements/00000000-0000-4000-8000-000000000000",
            404,
            "GF-9",
        ),
        ("/Agreements/nonsense", 404, "GF-9"),
    ] {
        let reply = register.get(path, "application/xml").await;
        assert_eq!(reply.status, status, "{path}");
        let media_type = reply.header("content-type").unwrap();
        assert!(media_type.starts_with("application/problem+json"));
        let problem = json(&reply);
        assert_eq!(
            (&problem["code"], &problem["instance"]),
            (&code.into(), &path.into())
        );
        for (example_code, file) in [
            ("GF-8", "cppa.problem.GF-8.json"),
            ("GF-10", "cppa.problem.GF-10.json"),
        ] {
            if code == example_code {
                assert_eq!(problem["title"], example(file)["title"]);
            }
        }
    }
    register.stop().await;
}

#[tokio::test]
async fn a_profile_in_json_has_the_members_of_the_example() {
    let register = Register::plain().await;
    let profile = json(&register.get("/Profiles/8900011", "application/json").await);
    let mut wanted = example("cppa.profile.json");
    for changing in ["signatureCertificate", "encryptionCertificate", "updated"] {
        assert!(profile[changing].is_string());
        wanted[changing] = profile[changing].clone();
    }
    assert_eq!(profile, wanted);
    let processes = json(&register.get("/Profiles/8900011/Processes", "*/*").await);
    assert_eq!(processes, wanted["processes"]);
    let agreement = json(
        &register
            .get("/Agreements/HerIds/8900011/109989", "*/*")
            .await,
    );
    assert_eq!(agreement["partyA"]["herId"], 8_900_011);
    assert!(agreement["cpaId"].is_string());
    let catalogue = json(&register.get("/Processes", "application/xml").await);
    assert_eq!(catalogue.as_array().unwrap().len(), 36);
    register.stop().await;
}

#[tokio::test]
async fn only_reading_is_served() {
    let register = Register::plain().await;
    let headers = [("Authorization", "Bearer at-1")];
    let reply = register
        .exchange(&request("DELETE", "/Agreements/1", &headers, b""))
        .await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET")));
    for path in [
        "/",
        "/v2",
        "/Profile/1",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/Profiles/1/2/3",
    ] {
        assert_eq!(register.get(path, "*/*").await.status, 404, "{path}");
    }
    register.stop().await;
}

#[tokio::test]
async fn calls_and_wrong_answers_are_evidence() {
    let register = Register::plain().await;
    for name in mock_ar::WRONG_ANSWERS {
        register.context.faults.install(Fault {
            name: name.into(),
            at: FaultPoint {
                part: Part::Ar,
                operation: "http".into(),
                subject: format!("/Profiles/{name}"),
            },
            skip: 0,
            count: None,
            action: FaultAction::Artefact(name.into()),
        });
    }
    // A path that names the fault is no HER-id, so the right answer would be a problem.
    let get = async |name: &str| {
        register
            .get(&format!("/Profiles/{name}"), "application/xml")
            .await
    };
    let empty = get("empty-result").await;
    assert_eq!((empty.status, empty.body.as_str()), (200, ""));
    assert_eq!(json(&get("generic-fault").await)["code"], "GF-99");
    let page = get("soap-fault").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (500, Some("text/html"))
    );
    let unauthorized = get("unauthorized").await;
    assert!(
        unauthorized
            .header("www-authenticate")
            .unwrap()
            .contains("invalid_token")
    );
    assert!(serde_json::from_str::<serde_json::Value>(&get("truncated").await.body).is_err());
    register.get("/Profiles/8900011", "application/xml").await;
    let entries = register.context.journal.entries();
    let last = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::RegisterOperation {
            operation,
            user,
            her_ids,
            fault,
            ..
        } => Some((
            operation.clone(),
            user.clone(),
            her_ids.clone(),
            fault.clone(),
        )),
        _ => None,
    });
    let expected = (
        "v1/Profiles".to_owned(),
        "epj".to_owned(),
        vec![8_900_011],
        None,
    );
    assert_eq!(last, Some(expected));
    register.stop().await;
}
