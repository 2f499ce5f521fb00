//! AMQPNetLite, the library inside the official .NET client, over TLS against the bus.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod support;

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::Value;
use support::authority::Authority;
use support::{Bed, EPJ, HELSENORGE, peer};
use testbed::evidence::{BusOutcome, Event};
use tokio::process::Command;

const TO_EPJ_SYNC: &str = "/exchange/NHNTESTServiceBus/8900011_sync";
const EPJ_SYNC: &str = "/amq/queue/8900011_sync";

/// A bus with TLS, and the peer that talks to it.
struct Bench {
    bed: Bed,
    program: OsString,
    trust: PathBuf,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Option<Self> {
        let program = peer::find("PROVENETT_DOTNET_PEER")?;
        let authority = Authority::new();
        let bed = Bed::with(|config| config.tls = Some(authority.tls())).await;
        let folder = tempfile::tempdir().unwrap();
        let trust = folder.path().join("root.pem");
        std::fs::write(&trust, authority.pem()).unwrap();
        Some(Self {
            bed,
            program,
            trust,
            folder,
        })
    }

    fn command(&self, account: (&str, &str), arguments: &[&str]) -> Command {
        let port = self.bed.bus.tls_address().unwrap().port();
        let password = support::encoded(account.1);
        let mut process = Command::new(&self.program);
        process
            .arg("amqp")
            .args(arguments)
            .args([
                "--url",
                &format!("amqps://{}:{password}@localhost:{port}", account.0),
                "--trust",
            ])
            .arg(&self.trust)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path());
        process
    }

    /// Runs `amqp <arguments>` to its end: the lines that it printed, and whether it was content.
    async fn amqp(&self, account: (&str, &str), arguments: &[&str]) -> (Vec<Value>, bool) {
        let output = peer::run(self.command(account, arguments)).await;
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        if lines.is_empty() {
            panic!(
                "{arguments:?} printed nothing: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        (lines, output.status.success())
    }

    /// As [`Self::amqp`], of a run that has to succeed.
    async fn content(&self, account: (&str, &str), arguments: &[&str]) -> Vec<Value> {
        let (lines, is_content) = self.amqp(account, arguments).await;
        assert!(is_content, "{arguments:?}: {lines:#?}");
        lines
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_frame_is_the_contracts() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let open = &bench.content(EPJ, &["peek-open"]).await[0];
    assert_eq!(open["containerId"], "mock-servicebus");
    assert_eq!(open["maxFrameSize"], 131_072);
    assert_eq!(open["channelMax"], 63);
    assert_eq!(open["idleTimeOut"], 30_000);
    let secured = bench
        .bed
        .event("TLS", |event| matches!(event, Event::BusSecured { .. }))
        .await;
    let Event::BusSecured { version, sni, .. } = &secured.event else {
        panic!()
    };
    assert_eq!(
        (version.as_str(), sni.as_deref()),
        ("TLSv1_3", Some("localhost"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_large_and_small_arrive_with_everything_they_had() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let send = [
        "send",
        "--target",
        TO_EPJ_SYNC,
        "--count",
        "100",
        "--window",
        "20",
        "--size",
        "5000",
        "--app",
        "fromHerId=109989",
        "--app-int",
        "herId=5",
        "--ttl-ms",
        "60000",
        "--reply-to",
        "109989_syncreply",
        "--subject",
        "DIALOG",
        "--quiet",
    ];
    let sent = bench.content(HELSENORGE, &send).await;
    assert_eq!(sent.last().unwrap()["outcomes"]["accepted"], 100);
    let large = [
        "send",
        "--target",
        TO_EPJ_SYNC,
        "--size",
        "3000000",
        "--quiet",
    ];
    bench.content(HELSENORGE, &large).await;
    let got = bench
        .content(EPJ, &["receive", "--source", EPJ_SYNC, "--count", "101"])
        .await;
    let first = &got[0];
    assert_eq!(first["header"]["ttl"], 60_000, "{first:#}");
    assert_eq!(first["header"]["firstAcquirer"], true, "{first:#}");
    assert_eq!(first["properties"]["subject"], "DIALOG", "{first:#}");
    assert_eq!(first["applicationProperties"]["herId"], 5, "{first:#}");
    assert_eq!(
        first["messageAnnotations"]["x-exchange"], "NHNTESTServiceBus",
        "{first:#}"
    );
    assert_eq!(got[100]["size"], 3_000_000);
    let depth = bench.bed.bus.queue_depths()["8900011_sync"];
    assert_eq!((depth.ready, depth.unsettled), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_receiver_gets_a_message_ten_times() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    bench
        .content(HELSENORGE, &["send", "--target", TO_EPJ_SYNC])
        .await;
    let receive = [
        "receive",
        "--source",
        EPJ_SYNC,
        "--count",
        "0",
        "--wait-ms",
        "500",
        "--outcome",
        "modify",
        "--modify-failed",
    ];
    let got = bench.content(EPJ, &receive).await;
    let attempts: Vec<&Value> = got.iter().filter(|line| line.get("n").is_some()).collect();
    let counts: Vec<u64> = attempts
        .iter()
        .map(|line| line["header"]["deliveryCount"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, (0..10).collect::<Vec<_>>());
    let dead = bench
        .content(
            EPJ,
            &[
                "receive",
                "--source",
                "/amq/queue/8900011_dl",
                "--count",
                "1",
            ],
        )
        .await;
    let annotations = &dead[0]["messageAnnotations"];
    assert_eq!(
        annotations["x-first-death-queue"], "8900011_sync",
        "{annotations:#}"
    );
    assert_eq!(annotations["x-first-death-exchange"], "NHNTESTServiceBus");
    assert_eq!(annotations["x-first-death-reason"], "delivery_limit");
    assert_eq!(
        annotations["x-opt-deaths"][0]["queue"], "8900011_sync",
        "{annotations:#}"
    );
    assert_eq!(dead[0]["header"]["deliveryCount"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_surface_as_the_contract_says() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let refused = |lines: &[Value]| {
        let last = lines.last().unwrap().clone();
        (
            last["closedBy"].clone(),
            last["condition"].clone(),
            last["description"].clone(),
        )
    };
    let (lines, is_content) = bench
        .amqp(EPJ, &["receive", "--source", "/amq/queue/8900011_snyc"])
        .await;
    assert!(!is_content);
    let (by, condition, description) = refused(&lines);
    assert_eq!(
        (by, condition),
        ("session".into(), "amqp:not-found".into()),
        "{lines:#?}"
    );
    assert_eq!(
        description,
        "no queue '8900011_snyc' in vhost '/'; did you mean '8900011_sync'?"
    );
    let (lines, _) = bench
        .amqp(HELSENORGE, &["receive", "--source", EPJ_SYNC])
        .await;
    assert_eq!(refused(&lines).1, "amqp:unauthorized-access", "{lines:#?}");
    let (lines, _) = bench
        .amqp(
            EPJ,
            &["receive", "--source", "NHNTESTServiceBus/8900011_sync"],
        )
        .await;
    assert_eq!(refused(&lines).1, "amqp:invalid-field", "{lines:#?}");
    let (lines, _) = bench
        .amqp(
            EPJ,
            &["send", "--target", "/exchange/NHNTESTServiceBus/1_sync"],
        )
        .await;
    assert_eq!(lines[0]["outcome"], "released", "{lines:#?}");
    let (lines, is_content) = bench.amqp((EPJ.0, "wrong"), &["peek-open"]).await;
    assert!(!is_content);
    assert!(
        lines[0]
            .to_string()
            .contains("Sasl negotiation failed with code Auth"),
        "{lines:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_over_two_queues() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let echo = bench.command(
        EPJ,
        &[
            "echo",
            "--source",
            EPJ_SYNC,
            "--reply-exchange",
            "/exchange/NHNTESTServiceBus/",
            "--count",
            "5",
        ],
    );
    let rpc = [
        "rpc",
        "--target",
        TO_EPJ_SYNC,
        "--reply-source",
        "/amq/queue/109989_syncreply",
        "--reply-to",
        "109989_syncreply",
        "--count",
        "5",
    ];
    let (echoed, asked) = tokio::join!(peer::run(echo), bench.content(HELSENORGE, &rpc));
    assert!(
        echoed.status.success(),
        "{}",
        String::from_utf8_lossy(&echoed.stdout)
    );
    assert_eq!(
        asked
            .iter()
            .filter(|line| line["ok"] == true && line.get("n").is_some())
            .count(),
        5,
        "{asked:#?}"
    );
    let settled = bench.bed.events().into_iter();
    let accepted = settled.filter(|event| {
        matches!(
            event,
            Event::BusSettled {
                outcome: BusOutcome::Accepted,
                ..
            }
        )
    });
    assert_eq!(accepted.count(), 10);
}
