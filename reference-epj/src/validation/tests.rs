use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::*;
use crate::environment::tests::read_example;
use crate::test_pki::{Authority, Leaf, Says};

const PLENTY: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(150);
const SERIAL: u64 = 0x1234;

/// A network with one party: the root's list is good and at once, the rest is what the test makes of it.
struct World {
    server: MockServer,
    root: Authority,
    ca: Arc<Authority>,
    leaf: Certificate,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with(|leaf| leaf).await
    }

    async fn with(change: impl Fn(Leaf) -> Leaf) -> Self {
        let server = MockServer::start().await;
        let at = |name: &str| Some(format!("{}/{name}", server.uri()));
        let root = Authority::root();
        let ca = root.issuing(&Leaf {
            crl: at("root.crl"),
            ..Leaf::current(2)
        });
        let leaf = ca.leaf(&change(Leaf {
            ocsp: at("ocsp"),
            crl: at("ca.crl"),
            issuer: at("ca.cer"),
            ..Leaf::current(SERIAL)
        }));
        let world = Self {
            server,
            leaf,
            ca: Arc::new(ca),
            root,
            folder: tempfile::tempdir().unwrap(),
        };
        let list = world.root.list(&[]);
        world.serve("/root.crl", answer(list)).await;
        world
    }

    async fn serve(&self, at: &str, with: impl Respond + 'static) {
        let mock = Mock::given(path(at)).respond_with(with);
        mock.mount(&self.server).await;
    }

    async fn ocsp(&self, says: Says, delay: Duration) {
        let ca = Arc::clone(&self.ca);
        let answer = move |request: &Request| answer(ca.ocsp(&request.body, says)).set_delay(delay);
        Mock::given(path("/ocsp"))
            .and(method("POST"))
            .and(header("content-type", OCSP_REQUEST))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    fn validator(&self, limit: Duration, faults: &[Fault]) -> Validator {
        let bundle = self.root.bundle(self.folder.path());
        validator(bundle, limit, faults)
    }

    async fn check(&self, validator: &Validator) -> Result<(), CertificateProblem> {
        let embedded = [self.ca.certificate.clone()];
        validator.check(&self.leaf, &embedded).await
    }

    async fn asked(&self, at: &str) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        requests
            .iter()
            .filter(|request| request.url.path() == at)
            .count()
    }

    /// Waits until the download of that address, if any, has ended.
    async fn settled(&self, validator: &Validator) {
        let inner = &validator.0;
        let url = |name: &str| format!("{}/{name}", self.server.uri());
        let key = (url("ocsp"), self.leaf.thumbprint());
        let _ = inner.answers.get(key, PLENTY, nothing()).await;
        let key = (url("ca.crl"), self.ca.certificate.thumbprint());
        let _ = inner.lists.get(key, PLENTY, nothing()).await;
    }
}

async fn nothing<V>() -> Result<Fetched<V>, String> {
    Err("it is not under way".to_owned())
}

fn validator(bundle: PathBuf, limit: Duration, faults: &[Fault]) -> Validator {
    let mut environment = read_example();
    environment.trust.bundle = bundle;
    let faults = faults.iter().copied().collect();
    let Validator(mut inner) = Validator::new(&environment, &faults).unwrap();
    Arc::get_mut(&mut inner).unwrap().rules.limit = limit;
    Validator(inner)
}

fn answer(body: Vec<u8>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_bytes(body)
}

fn unknown(outcome: Result<(), CertificateProblem>) -> bool {
    matches!(outcome, Err(CertificateProblem::RevocationUnknown(_)))
}

fn revoked(serial: u64) -> Result<(), CertificateProblem> {
    let serial = match serial {
        SERIAL => "1234",
        _ => "02",
    };
    Err(CertificateProblem::Revoked {
        serial: serial.into(),
    })
}

#[tokio::test]
async fn ocsp_comes_first_and_its_answer_is_kept() {
    let world = World::new().await;
    world.ocsp(Says::Good, Duration::ZERO).await;
    let validator = world.validator(PLENTY, &[]);
    for _ in 0..3 {
        assert_eq!(world.check(&validator).await, Ok(()));
    }
    assert_eq!(world.asked("/ocsp").await, 1);
    assert_eq!(world.asked("/ca.crl").await, 0);
    assert_eq!(world.asked("/root.crl").await, 1);
}

#[tokio::test]
async fn the_list_decides_when_ocsp_gives_no_status() {
    for bad in [
        ResponseTemplate::new(500),
        answer(b"This is not an OCSP answer.".to_vec()),
        answer(vec![0x30; LONGEST_OCSP + 1]),
    ] {
        let world = World::new().await;
        world.serve("/ocsp", bad).await;
        world.serve("/ca.crl", answer(world.ca.list(&[9]))).await;
        let validator = world.validator(PLENTY, &[]);
        assert_eq!(world.check(&validator).await, Ok(()));
    }
    let world = World::new().await;
    world.ocsp(Says::Unknown, Duration::ZERO).await;
    let list = answer(world.ca.list(&[9, SERIAL]));
    world.serve("/ca.crl", list).await;
    let validator = world.validator(PLENTY, &[]);
    assert_eq!(world.check(&validator).await, revoked(SERIAL));
}

#[tokio::test]
async fn revoked_is_revoked_whoever_says_it() {
    let world = World::new().await;
    world.ocsp(Says::Revoked, Duration::ZERO).await;
    let validator = world.validator(PLENTY, &[]);
    assert_eq!(world.check(&validator).await, revoked(SERIAL));
    // The CA above counts as much, even if nothing is known of the leaf.
    let world = World::with(|leaf| Leaf { ocsp: None, ..leaf }).await;
    let server = MockServer::start().await;
    let ca = world.root.issuing(&Leaf {
        crl: Some(format!("{}/root.crl", server.uri())),
        ..Leaf::current(2)
    });
    Mock::given(path("/root.crl"))
        .respond_with(answer(world.root.list(&[2])))
        .mount(&server)
        .await;
    let leaf = ca.leaf(&Leaf::current(3));
    let validator = world.validator(PLENTY, &[]);
    let outcome = validator
        .check(&leaf, std::slice::from_ref(&ca.certificate))
        .await;
    assert_eq!(outcome, revoked(2));
    assert_eq!(
        outcome.unwrap_err().condition(),
        ErrorCondition::RevokedCertificate
    );
}

#[tokio::test]
async fn what_nobody_can_tell_is_not_good() {
    let stranger = Authority::root();
    let outdated = |world: &World| {
        let yesterday = clock::now() - time::Duration::DAY;
        answer(world.ca.list_until(&[], yesterday))
    };
    let bad: [fn(&World, &Authority) -> ResponseTemplate; 4] = [
        |_, _| ResponseTemplate::new(404),
        |_, _| answer(b"<html>down for maintenance</html>".to_vec()),
        |_, _| answer(vec![0; LONGEST_CRL + 1]),
        |_, stranger| answer(stranger.list(&[])),
    ];
    let mut answers = Vec::new();
    let world = World::new().await;
    answers.push(outdated(&world));
    answers.extend(bad.iter().map(|make| make(&world, &stranger)));
    for list in answers {
        world.server.reset().await;
        world.serve("/root.crl", answer(world.root.list(&[]))).await;
        world.serve("/ca.crl", list).await;
        let validator = world.validator(PLENTY, &[]);
        assert!(unknown(world.check(&validator).await));
        let lenient = world.validator(PLENTY, &[Fault::SoftFailRevocation]);
        assert_eq!(world.check(&lenient).await, Ok(()));
    }
    let careless = world.validator(PLENTY, &[Fault::NoRevocationCheck]);
    world.server.reset().await;
    assert_eq!(world.check(&careless).await, Ok(()));
    assert!(world.server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn late_answers_are_not_waited_for_but_kept_and_never_asked_for_twice() {
    let world = World::new().await;
    world.ocsp(Says::Good, SHORT * 6).await;
    let list = answer(world.ca.list(&[])).set_delay(SHORT * 8);
    world.serve("/ca.crl", list).await;
    let validator = world.validator(SHORT, &[]);
    let (a, b) = tokio::join!(world.check(&validator), world.check(&validator));
    assert!(unknown(a) && unknown(b));
    world.settled(&validator).await;
    assert_eq!(world.check(&validator).await, Ok(()));
    assert_eq!(world.asked("/ocsp").await, 1);
    assert_eq!(world.asked("/ca.crl").await, 1);
}

#[tokio::test]
async fn the_faults_throw_late_answers_away_or_keep_nothing() {
    let world = World::new().await;
    world.ocsp(Says::Good, SHORT * 4).await;
    let list = answer(world.ca.list(&[])).set_delay(SHORT * 4);
    world.serve("/ca.crl", list).await;
    for fault in [Fault::DropsLateCrl, Fault::NoCrlCache] {
        let before = world.asked("/ca.crl").await;
        let validator = world.validator(SHORT, &[fault]);
        assert!(unknown(world.check(&validator).await));
        world.settled(&validator).await;
        assert!(unknown(world.check(&validator).await));
        assert_eq!(world.asked("/ca.crl").await, before + 2);
    }
    // The patient ones get their answer.
    for (fault, seconds) in [(Fault::CrlTimeout15s, 15), (Fault::CrlTimeout30s, 30)] {
        let rules = Rules::new(&std::iter::once(fault).collect());
        assert_eq!(rules.limit, Duration::from_secs(seconds));
        let validator = world.validator(rules.limit, &[fault]);
        assert_eq!(world.check(&validator).await, Ok(()));
    }
}

#[tokio::test]
async fn dates_and_roots_come_before_everything() {
    let now = clock::now();
    let day = time::Duration::DAY;
    let expired = |leaf: Leaf| Leaf {
        from: now - day * 2,
        to: now - day,
        ..leaf
    };
    let future = |leaf: Leaf| Leaf {
        from: now + day,
        to: now + day * 2,
        ..leaf
    };
    for (world, problem, condition) in [
        (
            World::with(expired).await,
            CertificateProblem::Expired,
            ErrorCondition::ExpiredCertificate,
        ),
        (
            World::with(future).await,
            CertificateProblem::NotYetValid,
            ErrorCondition::ExpiredCertificate,
        ),
    ] {
        world.ocsp(Says::Good, Duration::ZERO).await;
        let validator = world.validator(PLENTY, &[]);
        let outcome = world.check(&validator).await;
        assert_eq!(outcome, Err(problem.clone()));
        assert_eq!(problem.condition(), condition);
        assert!(world.server.received_requests().await.unwrap().is_empty());
        // The fault looks at no dates, but at everything else.
        let careless = world.validator(PLENTY, &[Fault::AcceptsExpired]);
        assert_eq!(world.check(&careless).await, Ok(()));
        assert_eq!(world.asked("/ocsp").await, 1);
    }
    let world = World::new().await;
    let stranger = validator(
        Authority::root().bundle(world.folder.path()),
        PLENTY,
        &[Fault::AcceptsExpired],
    );
    world
        .serve("/ca.cer", answer(world.ca.certificate.der().to_vec()))
        .await;
    let outcome = world.check(&stranger).await;
    assert!(
        matches!(outcome, Err(CertificateProblem::Untrusted(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_absent_issuer_is_fetched_once() {
    let world = World::new().await;
    world.ocsp(Says::Good, Duration::ZERO).await;
    let fetched = Arc::new(AtomicUsize::new(0));
    let (count, der) = (Arc::clone(&fetched), world.ca.certificate.der().to_vec());
    let respond = move |_: &Request| {
        count.fetch_add(1, Ordering::SeqCst);
        answer(der.clone())
    };
    world.serve("/ca.cer", respond).await;
    for faults in [&[][..], &[Fault::AcceptsExpired][..]] {
        let validator = world.validator(PLENTY, faults);
        for _ in 0..2 {
            assert_eq!(validator.check(&world.leaf, &[]).await, Ok(()));
        }
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
    // The wrong certificate at the address does not help, and costs only a few requests.
    let other = World::new().await;
    let wrong = Authority::root().certificate.der().to_vec();
    other.serve("/ca.cer", answer(wrong)).await;
    let validator = other.validator(PLENTY, &[]);
    let outcome = validator.check(&other.leaf, &[]).await;
    assert!(
        matches!(outcome, Err(CertificateProblem::Untrusted(_))),
        "{outcome:?}"
    );
    assert_eq!(other.asked("/ca.cer").await, 1);
}

#[test]
fn texts_are_in_two_languages() {
    let problem = CertificateProblem::Revoked {
        serial: "0a".into(),
    };
    let text = problem.to_string();
    assert!(text.contains("tilbakekalt") && text.contains("revoked") && text.contains("0a"));
}
