//! WCF of .NET reads what the register writes, and reads all of it.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::ffi::OsString;
use std::path::PathBuf;

use common::{HELSENORGE, PASSWORD, Register, UNIT, USER, client, peer};
use serde_json::Value;
use tokio::process::Command;

/// A register and the peer that calls it.
struct Bench {
    register: Register,
    program: OsString,
    trust: PathBuf,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Option<Self> {
        let program = peer::find("PROVENETT_DOTNET_PEER")?;
        let register = Register::secure().await;
        let folder = tempfile::tempdir().unwrap();
        let trust = folder.path().join("root.pem");
        std::fs::write(&trust, register.authority.pem()).unwrap();
        Some(Self {
            register,
            program,
            trust,
            folder,
        })
    }

    /// Runs `soap <command>`; the last line that it prints, and whether it was content.
    async fn soap(&self, path: &str, command: &[&str]) -> (Value, bool) {
        let mut process = Command::new(&self.program);
        process
            .arg("soap")
            .args(command)
            .args([
                "--url",
                &format!("https://localhost:{}{path}", self.register.address.port()),
            ])
            .args(["--user", USER, "--password", PASSWORD, "--trust"])
            .arg(&self.trust)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path());
        let output = peer::run(process).await;
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().last().unwrap_or_default();
        let value = serde_json::from_str(line)
            .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        (value, output.status.success())
    }

    /// A call that succeeds and loses nothing.
    async fn read(&self, path: &str, command: &[&str]) -> Value {
        let (value, content) = self.soap(path, &[command, &["--strict"]].concat()).await;
        assert!(content, "{command:?}: {value}");
        assert_eq!(value["lost"], Value::Array(Vec::new()), "{command:?}");
        value
    }

    /// A call that ends with a typed fault.
    async fn fault(&self, path: &str, command: &[&str]) -> String {
        let (value, content) = self.soap(path, command).await;
        assert!(!content);
        assert_eq!(value["fault"], "GenericFault", "{command:?}: {value}");
        value["errorCode"].as_str().unwrap().to_owned()
    }
}

const REGISTER: &str = "/v1/AR/Basic";
const CPPA: &str = "/v1/CPPA/Basic";

#[tokio::test(flavor = "multi_thread")]
async fn parties_are_read_whole() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let ping = bench.read(REGISTER, &["ping"]).await;
    assert_eq!(ping["result"], "pong");
    for (path, binding) in [(REGISTER, "basic"), ("/v1/AR", "ws")] {
        let command = ["party", "--her", "8900011", "--binding", binding];
        let party = &bench.read(path, &command).await["result"];
        assert_eq!(party["$type"], "Service");
        assert_eq!(party["HerId"], UNIT);
        assert_eq!(party["ParentHerId"], 8_900_001);
        assert_eq!(party["ElectronicAddresses"].as_array().unwrap().len(), 5);
        assert_eq!(party["ElectronicAddresses"][0]["Type"]["CodeValue"], "E_DS");
        assert_eq!(party["PhysicalAddresses"][0]["PostalCode"], 9999);
    }
    let person = &bench.read(REGISTER, &["party", "--her", "8900201"]).await["result"];
    assert_eq!(person["$type"], "OrganizationPerson");
    assert_eq!(person["Person"]["LastName"], "FASTLEGE");
    bench.read(REGISTER, &["person", "--her", "8900201"]).await;
    bench.read(REGISTER, &["service", "--her", "109989"]).await;
    let organization = &bench
        .read(REGISTER, &["organization", "--her", "8900001"])
        .await["result"];
    assert_eq!(organization["OrganizationNumber"], 310_900_109);
    let found = &bench.read(REGISTER, &["search", "--id", "310900109"]).await["result"];
    assert_eq!(found[0]["$type"], "Organization");
    let nothing = &bench.read(REGISTER, &["search", "--id", "8900099"]).await["result"];
    assert_eq!(nothing.as_array().unwrap().len(), 0);
    bench.register.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_read_with_their_usage() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    for (command, usage) in [
        ("certificate-encryption", "KeyEncipherment"),
        ("certificate-signature", "NonRepudiation"),
    ] {
        let read = bench.read(REGISTER, &[command, "--her", "8900011"]).await;
        assert!(read["certificate"].to_string().contains(usage), "{read}");
    }
    bench.register.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_arrive_whole() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let id = bench
        .register
        .handle
        .new_agreement(UNIT, HELSENORGE)
        .unwrap()
        .to_string();
    let file = bench.folder.path().join("document.xml");
    let out = file.to_str().unwrap();
    let document = async |command: &[&str]| {
        bench
            .read(CPPA, &[command, &["--xml-out", out]].concat())
            .await;
        std::fs::read_to_string(&file).unwrap()
    };
    let profile = document(&["cpp", "--her", "109989"]).await;
    assert_eq!(client::read(&profile, "8900011").her_id, "109989");
    let agreement = document(&["cpa", "--her", "8900011", "--other", "109989"]).await;
    assert_eq!(client::read(&agreement, "8900011").cpa_id.unwrap(), id);
    assert_eq!(document(&["cpa-by-id", "--id", &id]).await, agreement);
    bench.register.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_arrive_typed() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    for (path, binding) in [(REGISTER, "basic"), ("/v1/AR", "ws")] {
        let unknown = ["party", "--her", "8900099", "--binding", binding];
        assert_eq!(bench.fault(path, &unknown).await, "InvalidHerIdSupplied");
    }
    let none = ["certificate-encryption", "--her", "8900102"];
    assert_eq!(bench.fault(REGISTER, &none).await, "CertificateNotFound");
    assert_eq!(
        bench.fault(CPPA, &["cpp", "--her", "8900102"]).await,
        "EntityNotFound"
    );
    let unknown = ["cpa-by-id", "--id", "00000000-0000-4000-8000-000000000000"];
    assert_eq!(bench.fault(CPPA, &unknown).await, "EntityNotFound");
    let no_profile = ["cpa", "--her", "8900102", "--other", "109989"];
    assert_eq!(bench.fault(CPPA, &no_profile).await, "PartyHasNoCpp");
    assert!(bench.register.handle.remove_account(USER));
    let (stranger, content) = bench.soap(REGISTER, &["ping"]).await;
    assert!(!content);
    assert_eq!(stranger["fault"], "none", "{stranger}");
    bench.register.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_a_time_are_answered() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let command = [
        "stress",
        "--her",
        "8900011",
        "--count",
        "400",
        "--parallel",
        "8",
    ];
    let (summary, content) = bench.soap(REGISTER, &command).await;
    assert!(content, "{summary}");
    eprintln!("{summary}");
    bench.register.stop().await;
}
