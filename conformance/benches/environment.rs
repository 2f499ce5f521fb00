//! What the examiner itself costs: putting the network right between two scenarios, fresh certificates, and judging.
//!
//! `cargo bench -p conformance`

use std::hint::black_box;
use std::path::Path;

use conformance::environment::{Environment, Ports, Settings, start};
use criterion::{Criterion, criterion_group, criterion_main};
use testbed::{Clock, Journal};
use tokio::runtime::Runtime;

fn environment(runtime: &Runtime, folder: &Path) -> Environment {
    let settings = Settings {
        data: folder.join("data"),
        files: folder.join("files"),
        ports: Ports::default(),
        seed: 1,
        record_frames: true,
    };
    let clock = Clock::start();
    let journal = Journal::of_latest(clock.clone());
    runtime
        .block_on(start(&settings, clock, journal))
        .expect("the network starts on free ports")
}

fn between_scenarios(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let environment = environment(&runtime, folder.path());
    let mut group = criterion.benchmark_group("between scenarios");
    group.sample_size(20);
    group.bench_function("reset", |bencher| {
        bencher.iter(|| environment.reset());
    });
    group.bench_function("new certificates of a CA in use", |bencher| {
        bencher.iter(|| {
            let renewed = runtime.block_on(environment.renew_certificates());
            black_box(renewed).expect("certificates");
        });
    });
    group.finish();
    runtime.block_on(environment.stop());
}

criterion_group!(benches, between_scenarios);
criterion_main!(benches);
