//! The HTTP server on the wire: limits, faults and evidence, met by raw sockets.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

use std::net::SocketAddr;
use std::time::Duration;

use testbed::evidence::{Entry, Event, HttpEnd, Part};
use testbed::fault::{Fault, FaultAction, FaultPoint};
use testbed::http::{Answer, HttpConfig, HttpServer, StatusCode, serve};
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown, listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LONG: Duration = Duration::from_secs(20);

struct Running {
    context: Context,
    server: HttpServer,
    _shutdown: Shutdown,
}

async fn running() -> Running {
    let clock = Clock::start();
    let (shutdown, signal) = Shutdown::new();
    let context = Context {
        journal: Journal::in_memory(clock.clone()),
        clock,
        faults: FaultPlan::new(),
        seed: Seed::new(1),
        shutdown: signal,
    };
    let config = HttpConfig {
        part: Part::Buypass,
        tls: None,
        body_limit: 1000,
        record_bodies: true,
    };
    let bound = listener::loopback(0).await.unwrap();
    let server = serve(config, bound, context.clone(), |exchange| async move {
        let text = format!(
            "{} {} {}",
            exchange.method,
            exchange.path(),
            exchange.body.len()
        );
        let served = Event::Note {
            text: "served".into(),
        };
        Answer::new(StatusCode::OK, "text/plain", text).when_served(served)
    })
    .unwrap();
    Running {
        context,
        server,
        _shutdown: shutdown,
    }
}

fn install(running: &Running, action: FaultAction) {
    running.context.faults.install(Fault {
        name: "wrong".into(),
        at: FaultPoint {
            part: Part::Buypass,
            operation: "http".into(),
            subject: "/x*".into(),
        },
        skip: 0,
        count: None,
        action,
    });
}

/// Sends a request and reads until the server closes; what came before an error counts.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n"
    )
}

fn ended(wanted: HttpEnd) -> impl Fn(&Entry) -> bool {
    move |entry| matches!(entry.event, Event::HttpEnded { end, .. } if end == wanted)
}

#[tokio::test]
async fn an_exchange_is_recorded_without_its_credentials() {
    let running = running().await;
    let answer = exchange(running.server.address(), &get("/a")).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("GET /a 0"),
        "{answer}"
    );
    let journal = &running.context.journal;
    journal
        .wait_for(0, LONG, |entry| matches!(entry.event, Event::Note { .. }))
        .await
        .unwrap();
    journal
        .wait_for(0, LONG, ended(HttpEnd::Served))
        .await
        .unwrap();
    let text = serde_json::to_string(&journal.entries()[0].event).unwrap();
    assert!(
        text.contains("Bearer …") && !text.contains("secret"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_whose_handle_is_gone_serves_until_the_shutdown() {
    let running = running().await;
    let address = running.server.address();
    drop(running.server);
    for _ in 0..2 {
        let request = "GET /y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let talk = running
            .context
            .clock
            .timeout(LONG, exchange(address, request));
        assert!(talk.await.unwrap().starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_delay_holds_the_first_byte_back_and_a_client_that_leaves_is_seen() {
    let running = running().await;
    install(&running, FaultAction::Delay(Duration::from_secs(3600)));
    let mut stream = TcpStream::connect(running.server.address()).await.unwrap();
    stream.write_all(get("/x").as_bytes()).await.unwrap();
    let journal = &running.context.journal;
    journal
        .wait_for(0, LONG, |entry| {
            matches!(entry.event, Event::FaultMet { .. })
        })
        .await
        .unwrap();
    drop(stream);
    journal
        .wait_for(0, LONG, ended(HttpEnd::ClosedByPeer))
        .await
        .unwrap();
    assert!(
        !journal
            .entries()
            .iter()
            .any(|entry| matches!(entry.event, Event::HttpAnswer { .. }))
    );
}

#[tokio::test]
async fn a_delay_ends_when_the_clock_says_so() {
    let running = running().await;
    install(&running, FaultAction::Delay(Duration::from_secs(3600)));
    let address = running.server.address();
    let asked = tokio::spawn(async move { exchange(address, &get("/x")).await });
    let journal = &running.context.journal;
    journal
        .wait_for(0, LONG, |entry| {
            matches!(entry.event, Event::FaultMet { .. })
        })
        .await
        .unwrap();
    running.context.clock.advance(Duration::from_secs(3600));
    assert!(asked.await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn faults_have_the_effect_that_their_name_says() {
    let status = running().await;
    install(&status, FaultAction::Status(503));
    assert!(
        exchange(status.server.address(), &get("/x"))
            .await
            .starts_with("HTTP/1.1 503")
    );

    let reset = running().await;
    install(&reset, FaultAction::Reset);
    assert_eq!(exchange(reset.server.address(), &get("/x")).await, "");
    reset
        .context
        .journal
        .wait_for(0, LONG, ended(HttpEnd::CutOff))
        .await
        .unwrap();

    let half = running().await;
    install(&half, FaultAction::ResetMidBody { after: 3 });
    let answer = exchange(half.server.address(), &get("/x")).await;
    assert!(
        answer.is_empty() || answer.ends_with("\r\n\r\nGET"),
        "{answer}"
    );
    half.context
        .journal
        .wait_for(0, LONG, ended(HttpEnd::CutOff))
        .await
        .unwrap();
    assert!(
        !half
            .context
            .journal
            .entries()
            .iter()
            .any(|entry| matches!(entry.event, Event::Note { .. }))
    );

    let drip = running().await;
    install(
        &drip,
        FaultAction::Drip {
            bytes: 1,
            every: Duration::from_millis(1),
        },
    );
    assert!(
        exchange(drip.server.address(), &get("/x"))
            .await
            .ends_with("GET /x 0")
    );

    let corrupt = running().await;
    install(&corrupt, FaultAction::Corrupt);
    assert!(
        !exchange(corrupt.server.address(), &get("/x"))
            .await
            .ends_with("GET /x 0")
    );
}

#[tokio::test]
async fn a_server_that_refuses_has_no_open_port_and_comes_back_on_the_same() {
    let running = running().await;
    let address = running.server.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    running.server.refuse();
    let mut nothing = [0; 1];
    // The idle connection ends, which also proves that the listener's turn has come.
    assert_eq!(idle.read(&mut nothing).await.unwrap_or(0), 0);
    while let Ok(stream) = TcpStream::connect(address).await {
        drop(stream);
        tokio::task::yield_now().await;
    }
    running.server.resume();
    let answer = running.context.clock.timeout(LONG, async {
        loop {
            if let Ok(stream) = TcpStream::connect(address).await {
                drop(stream);
                return exchange(address, &get("/again")).await;
            }
            tokio::task::yield_now().await;
        }
    });
    assert!(answer.await.unwrap().contains("GET /again"));
}

#[tokio::test]
async fn too_much_and_nonsense_are_answered_and_not_believed() {
    let running = running().await;
    let body = "x".repeat(2000);
    let request = format!(
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert!(
        exchange(running.server.address(), &request)
            .await
            .starts_with("HTTP/1.1 413")
    );
    let answer = exchange(running.server.address(), "\u{1}\u{2} nonsense\r\n\r\n").await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert!(
        exchange(running.server.address(), &get("/b"))
            .await
            .contains("GET /b")
    );
}
